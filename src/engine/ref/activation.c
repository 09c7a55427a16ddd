/* SPDX-License-Identifier: Apache-2.0 */
#include "ref.h"

#include <math.h>

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Softmax is missing because programs output logits. */
static double activate(cs_activation activation, double x) {
    switch (activation) {
    case CS_ACT_RELU:
        return x < 0 ? 0 : x;
    case CS_ACT_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case CS_ACT_SWISH:
        return x * sigmoid(x);
    case CS_ACT_SIGMOID:
        return sigmoid(x);
    default:
        return x;
    }
}

/* The slope is 0 where the activation has a corner, as in TensorFlow. */
static double slope(cs_activation activation, double before, double after) {
    switch (activation) {
    case CS_ACT_RELU:
        return after > 0;
    case CS_ACT_RELU6:
        return after > 0 && after < 6;
    case CS_ACT_SWISH:
        return sigmoid(before) * (1 + before * sigmoid(-before));
    case CS_ACT_SIGMOID:
        return after * (1 - after);
    default:
        return 1;
    }
}

void cs_ref_activate(cs_activation activation, size_t count, double *values) {
    for (size_t i = 0; i < count; i++)
        values[i] = activate(activation, values[i]);
}

void cs_ref_activation_slope(cs_activation activation, size_t count, const double *before, const double *after,
                             double *gradient) {
    for (size_t i = 0; i < count; i++)
        gradient[i] *= slope(activation, before ? before[i] : 0, after[i]);
}
