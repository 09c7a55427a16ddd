/* SPDX-License-Identifier: Apache-2.0 */
/* Enhancement of edges: unsharp masking, Sobel. */
#include "filters.h"

#include <math.h>

cs_status cs_unsharp_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const double amount = (double)value[0];
    const size_t size = (size_t)image->h * (size_t)image->w * 3;
    uint8_t *sharp;
    CS_TRY(cs_copy_of(scratch, image, &sharp));
    CS_TRY(cs_gaussian((double)value[1], scratch, image));
    for (size_t i = 0; i < size; i++)
        image->pixels[i] = cs_to_byte(sharp[i] + amount * (sharp[i] - image->pixels[i]));
    return CS_OK;
}

/* The magnitude of the gradient of the gray values at (x, y), as a byte. */
static uint8_t gradient_at(const uint8_t *gray, int h, int w, int x, int y) {
    static const int weight[3] = {1, 2, 1};
    int across = 0, down = 0;
    for (int i = 0; i < 3; i++) {
        const uint8_t *row = gray + (size_t)cs_mirror(y + i - 1, h) * (size_t)w;
        across += weight[i] * (row[cs_mirror(x + 1, w)] - row[cs_mirror(x - 1, w)]);
        for (int k = 0; k < 3; k++)
            down += (i - 1) * weight[k] * row[cs_mirror(x + k - 1, w)];
    }
    return cs_to_byte(sqrt((double)(across * across + down * down)));
}

cs_status cs_sobel_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const double amount = (double)value[0];
    uint8_t *gray, *pixel = image->pixels;
    CS_TRY(cs_gray_of(scratch, image, &gray));
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++, pixel += 3) {
            uint8_t gradient = gradient_at(gray, image->h, image->w, x, y);
            for (int c = 0; c < 3; c++)
                pixel[c] = cs_to_byte(pixel[c] + amount * (gradient - pixel[c]));
        }
    return CS_OK;
}
