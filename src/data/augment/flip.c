/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' random flips: an image is mirrored with probability 1/2. A mirror moves whole pixels, whose positions doubles
 * represent exactly. */
#include "rules.h"

/* Two variants: the image and its mirror image. */
int cs_flip_variants(const cs_augment_value *value) {
    (void)value;
    return 2;
}

int cs_flip_choose(const cs_augment_value *value, const float *draws) {
    (void)value;
    return draws[0] < 0.5f;
}

void cs_horizontal_flip_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    const double mirror[2][3] = {{-1, 0, picture->w - 1}, {0, 1, 0}};
    if (cs_flip_choose(value, draws))
        cs_picture_move(picture, mirror);
}

void cs_vertical_flip_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    const double mirror[2][3] = {{1, 0, 0}, {0, -1, picture->h - 1}};
    if (cs_flip_choose(value, draws))
        cs_picture_move(picture, mirror);
}
