/* SPDX-License-Identifier: Apache-2.0 */
/* Photographs of the fundus of the eye, after B. Graham, Kaggle Diabetic Retinopathy Detection Competition Report,
 * 2015: the image is cropped to its disc, and becomes 4 * image - 4 * mean around the pixel + 128. */
#include "filters.h"

/* The box of the pixels that are brighter than `limit`; false: there are none. */
static bool find_disc(const uint8_t *gray, int h, int w, float limit, cs_box *box) {
    *box = (cs_box){h, w, 0, 0};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if ((float)gray[(size_t)y * (size_t)w + (size_t)x] > limit) {
                box->top = y < box->top ? y : box->top;
                box->bottom = y + 1;
                box->left = x < box->left ? x : box->left;
                box->right = x + 1 > box->right ? x + 1 : box->right;
            }
    return box->bottom > 0;
}

/* The radius as Graham measures it: half of the pixels of the middle row whose sum of channels is more than a tenth of
 * the row's mean. */
static double radius_of(const cs_image *image) {
    const size_t w = (size_t)image->w;
    const uint8_t *row = image->pixels + (size_t)(image->h / 2) * w * 3;
    int64_t all = 0;
    int bright = 0;
    for (const uint8_t *pixel = row; pixel < row + w * 3; pixel += 3)
        all += pixel[0] + pixel[1] + pixel[2];
    for (const uint8_t *pixel = row; pixel < row + w * 3; pixel += 3)
        bright += 10 * (int64_t)w * (pixel[0] + pixel[1] + pixel[2]) > all;
    return bright / 2.0;
}

/* Pixels beyond `keep` times the radius become 128, as the mean around them has the dark ground in it. */
static void subtract(const uint8_t *from, double amount, double keep, cs_image *image) {
    enum { MIDDLE = 128 };
    uint8_t *pixel = image->pixels;
    const int middle_y = image->h / 2, middle_x = image->w / 2;
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++, pixel += 3, from += 3) {
            const double dy = y - middle_y, dx = x - middle_x;
            const bool is_inside = dx * dx + dy * dy <= keep * keep;
            for (int c = 0; c < 3; c++)
                pixel[c] = is_inside ? cs_to_byte(amount * (from[c] - pixel[c]) + MIDDLE) : MIDDLE;
        }
}

cs_status cs_fundus_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    cs_box box;
    uint8_t *gray, *from;
    CS_TRY(cs_gray_of(scratch, image, &gray));
    if (!find_disc(gray, image->h, image->w, value[3], &box)) {
        cs_scratch_count_not_found(scratch);
        return CS_OK;
    }
    cs_crop(image, &box);
    const double radius = radius_of(image);
    CS_TRY(cs_copy_of(scratch, image, &from));
    CS_TRY(cs_gaussian(radius / (double)value[1], scratch, image));
    subtract(from, (double)value[0], (double)value[2] * radius, image);
    return CS_OK;
}
