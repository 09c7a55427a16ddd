/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of Keras' generator that move nothing by themselves. */
#include "rules.h"

/* "keras": as from TensorFlow 2.9 on; "keras2.8": as in keras-preprocessing and until TensorFlow 2.8. */
const char *const cs_era_choices[] = {"keras", "keras2.8", NULL};
const char *const cs_fill_choices[] = {
    [CS_FILL_NEAREST] = "nearest", [CS_FILL_CONSTANT] = "constant", [CS_FILL_REFLECT] = "reflect",
    [CS_FILL_WRAP] = "wrap",       [CS_FILL_MIRROR] = NULL,
};
/* Keras goes on to 5, with splines. */
const char *const cs_interpolation_choices[] = {"1", "0", NULL};

void cs_era_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    picture->is_of_keras_2_8 = number[0] != 0;
}

void cs_fill_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    picture->settings.fill = (cs_fill)number[0];
}

void cs_cval_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    for (int c = 0; c < 3; c++)
        picture->settings.fill_value[c] = number[0];
}

void cs_interpolation_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    picture->settings.nearest = number[0] != 0;
}
