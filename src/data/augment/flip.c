/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' random flips: an image is mirrored with probability 1/2. A mirror moves whole pixels, whose positions doubles
 * represent exactly. */
#include "rules.h"

/* Two variants: the image and its mirror image. */
int cs_flip_variants(const cs_augment_value *value) {
    (void)value;
    return 2;
}

void cs_flip_draw(const cs_augment_value *value, const float *draws, int h, int w, double *drawn) {
    (void)value, (void)h, (void)w;
    drawn[0] = draws[0] < 0.5f;
}

void cs_horizontal_flip_compose(const double *drawn, cs_picture *picture) {
    if (drawn[0] != 0)
        cs_picture_move(picture, (double[2][3]){{-1, 0, picture->w - 1}, {0, 1, 0}});
}

void cs_vertical_flip_compose(const double *drawn, cs_picture *picture) {
    if (drawn[0] != 0)
        cs_picture_move(picture, (double[2][3]){{1, 0, 0}, {0, -1, picture->h - 1}});
}
