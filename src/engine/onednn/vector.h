/* SPDX-License-Identifier: Apache-2.0 */
/* For kernels.c: vectors of OD_BLOCK floats, and the activations on them. */
#ifndef CNNSWEEP_ONEDNN_VECTOR_H
#define CNNSWEEP_ONEDNN_VECTOR_H

#include "cnnsweep/graph.h"

#include <string.h>

/* A block of channels of one pixel. The vector types of GCC and Clang stay in registers through a loop; auto-vectorised
 * arrays of accumulators do not. */
typedef float vec __attribute__((vector_size(OD_BLOCK * 4)));
typedef int32_t mask __attribute__((vector_size(OD_BLOCK * 4)));

enum { B = OD_BLOCK };

static inline vec load(const float *at) {
    vec value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void store(float *at, vec value) {
    memcpy(at, &value, sizeof value);
}

static inline vec splat(float value) {
    return value - (vec){0};
}

static inline vec keep(mask where, vec value) {
    return (vec)((mask)value & where);
}

/* The comparisons below are written so that a NaN stays a NaN. Otherwise training would continue after a trial has
 * diverged. */

static inline vec clamp(vec x, float low, float high) {
    mask above = x > high, below = x < low;
    return keep(~(above | below), x) + keep(above, splat(high)) + keep(below, splat(low));
}

/* exp for |x| <= 87, within 2 units in the last place: x = n*log(2) + r. exp(r) is Cephes' polynomial (expf.c, S.
 * Moshier), and 2^n is assembled from its bits. */
static inline vec exponential(vec x) {
    const float log2_e = 1.44269504f, log_2_high = 0.693359375f, log_2_low = -2.12194440e-4f;
    const vec rounder = splat(0x1.8p23f); /* a float of this size has no fraction bits, so adding it rounds */
    vec shifted = x * log2_e + rounder, n = shifted - rounder;
    vec r = x - n * log_2_high - n * log_2_low;
    vec p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    mask exponent = (mask)shifted - (mask)rounder + 127;
    return p * (vec)(exponent << 23);
}

static inline vec sigmoid(vec z) {
    return 1 / (1 + exponential(clamp(-z, -87, 87)));
}

static inline vec activate(cs_activation activation, vec z) {
    switch (activation) {
    case CS_ACT_RELU:
        return keep(~(z <= 0), z);
    case CS_ACT_RELU6:
        return clamp(z, 0, 6);
    case CS_ACT_SWISH:
        return z * sigmoid(z);
    case CS_ACT_SIGMOID:
        return sigmoid(z);
    default:
        return z;
    }
}

/* dy * act'(z); the slope is 0 where the activation has a corner. */
static inline vec pull_back(cs_activation activation, vec z, vec dy) {
    vec s;
    switch (activation) {
    case CS_ACT_RELU:
        return keep(z > 0, dy);
    case CS_ACT_RELU6:
        return keep((z > 0) & (z < 6), dy);
    case CS_ACT_SWISH:
        s = sigmoid(z);
        return dy * s * (1 + z * (1 - s));
    case CS_ACT_SIGMOID:
        s = sigmoid(z);
        return dy * s * (1 - s);
    default:
        return dy;
    }
}

/* Runs the statement with the constant ACT set to the activation, so that its loops are compiled once for each
 * activation. */
#define ACT ((cs_activation)chosen)
#define FOR_ACTIVATION(activation, statement)                                                                          \
    switch (activation) {                                                                                              \
    case CS_ACT_RELU: {                                                                                                \
        enum { chosen = CS_ACT_RELU };                                                                                 \
        statement;                                                                                                     \
        break;                                                                                                         \
    }                                                                                                                  \
    case CS_ACT_RELU6: {                                                                                               \
        enum { chosen = CS_ACT_RELU6 };                                                                                \
        statement;                                                                                                     \
        break;                                                                                                         \
    }                                                                                                                  \
    case CS_ACT_SWISH: {                                                                                               \
        enum { chosen = CS_ACT_SWISH };                                                                                \
        statement;                                                                                                     \
        break;                                                                                                         \
    }                                                                                                                  \
    case CS_ACT_SIGMOID: {                                                                                             \
        enum { chosen = CS_ACT_SIGMOID };                                                                              \
        statement;                                                                                                     \
        break;                                                                                                         \
    }                                                                                                                  \
    default: {                                                                                                         \
        enum { chosen = CS_ACT_LINEAR };                                                                               \
        statement;                                                                                                     \
    }                                                                                                                  \
    }

#endif
