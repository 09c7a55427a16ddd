/* SPDX-License-Identifier: Apache-2.0 */
/* Gray values, copies and crops. */
#include "filters.h"

#include <string.h>

cs_status cs_gray_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **gray) {
    enum { RED = 9798, GREEN = 19235, BLUE = 3735, SHIFT = 15 }; /* 0.299, 0.587, 0.114 */
    size_t n = (size_t)image->h * (size_t)image->w;
    CS_TRY(cs_scratch_take(scratch, n, 1, gray));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *pixel = image->pixels + 3 * i;
        (*gray)[i] = (uint8_t)((pixel[0] * RED + pixel[1] * GREEN + pixel[2] * BLUE + (1 << (SHIFT - 1))) >> SHIFT);
    }
    return CS_OK;
}

cs_status cs_copy_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **copy) {
    size_t size = (size_t)image->h * (size_t)image->w * 3;
    CS_TRY(cs_scratch_take(scratch, size, 1, copy));
    memcpy(*copy, image->pixels, size);
    return CS_OK;
}

void cs_continue_row(const uint8_t *row, int w, int border, uint8_t *out) {
    for (int x = -border; x < w + border; x++, out += 3)
        memcpy(out, row + 3 * (size_t)cs_mirror(x, w), 3);
}

cs_status cs_continued(cs_filter_scratch *scratch, const cs_image *image, int border, uint8_t **copy) {
    const size_t stride = ((size_t)image->w + 2 * (size_t)border) * 3;
    CS_TRY(cs_scratch_take(scratch, (size_t)image->h + 2 * (size_t)border, stride, copy));
    for (int y = -border; y < image->h + border; y++)
        cs_continue_row(image->pixels + (size_t)cs_mirror(y, image->h) * (size_t)image->w * 3, image->w, border,
                        *copy + (size_t)(y + border) * stride);
    return CS_OK;
}

void cs_crop(cs_image *image, const cs_box *box) {
    size_t stride = (size_t)image->w * 3, kept = (size_t)(box->right - box->left) * 3;
    const uint8_t *from = image->pixels + (size_t)box->top * stride + (size_t)box->left * 3;
    image->h = box->bottom - box->top;
    image->w = box->right - box->left;
    for (int y = 0; y < image->h; y++)
        memmove(image->pixels + (size_t)y * kept, from + (size_t)y * stride, kept);
}
