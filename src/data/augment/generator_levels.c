/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of values, of Keras' ImageDataGenerator.
 *
 * random_channel_shift adds one number to all values and clips them to the range that the image had.
 *
 * random_brightness multiplies all values by a factor that is uniform in [low, high). Keras truncates the values to
 * bytes and passes them to Pillow's ImageEnhance.Brightness, which computes a float32 product and truncates it to an
 * integer. Until 2.8 it first stretched the values of each image to 0..255. */
#include "rules.h"

void cs_channel_shift_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_adjustment *adjustment = &cs_picture_warp(picture)->adjustment;
    (void)number;
    adjustment->shifts = true;
    adjustment->shift = (float)drawn[0];
}

int cs_brightness_variants(const float *number) {
    return number[0] == number[1] ? 1 : 0;
}

void cs_brightness_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const float low = number[0], high = number[1];
    (void)h, (void)w;
    drawn[0] = (double)(low + (high - low) * cs_rng_float(rng));
}

void cs_brightness_compose(const float *number, const double *drawn, cs_picture *picture) {
    const float factor = (float)drawn[0];
    uint8_t table[256];
    (void)number;
    if (picture->n > 0 || picture->is_of_keras_2_8) {
        cs_adjustment *adjustment = &cs_picture_warp(picture)->adjustment;
        adjustment->truncates = true;
        adjustment->stretches = picture->is_of_keras_2_8;
    }
    if (factor == 1)
        return;
    for (int v = 0; v < 256; v++) {
        float product = factor * (float)v;
        table[v] = (uint8_t)(product <= 0 ? 0 : product >= 255 ? 255 : product);
    }
    cs_picture_recolour(picture, table);
}
