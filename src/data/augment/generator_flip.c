/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' random flips: an image is mirrored with probability 1/2. */
#include "rules.h"

/* Two variants: the image and its mirror image. */
int cs_flip_variants(const float *number) {
    (void)number;
    return 2;
}

void cs_flip_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)number, (void)h, (void)w;
    drawn[0] = cs_rng_float(rng) < 0.5f;
}

void cs_horizontal_flip_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    if (drawn[0] != 0)
        cs_picture_mirror(picture, true, false);
}

void cs_vertical_flip_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    if (drawn[0] != 0)
        cs_picture_mirror(picture, false, true);
}
