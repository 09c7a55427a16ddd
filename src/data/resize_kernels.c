/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of resizing. They are in their own file because compilers that inline them into their callers make
 * scalar code of them, or vectorise the wrong loop. They are plain C, so that every machine computes the same
 * values. */
#include "image_impl.h"

#include "cnnsweep/vector.h"

#include <string.h>

/* Compilers turn the high half of a 16-bit product into one vector instruction. */
CS_VECTOR void cs_resize_add_rows(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t weight_a,
                                  uint16_t weight_b, size_t n, uint16_t *restrict sums) {
    for (size_t i = 0; i < n; i++) {
        uint16_t pixel_a = (uint16_t)(a[i] << 8), pixel_b = (uint16_t)(b[i] << 8);
        uint16_t part_a = (uint16_t)(((uint32_t)pixel_a * weight_a) >> 16);
        uint16_t part_b = (uint16_t)(((uint32_t)pixel_b * weight_b) >> 16);
        sums[i] = (uint16_t)(sums[i] + part_a + part_b);
    }
}

CS_VECTOR void cs_resize_add_sums(const uint16_t *restrict sums, size_t n, float keep, float *restrict row) {
    for (size_t i = 0; i < n; i++)
        row[i] = row[i] * keep + (float)sums[i] * (1.0f / 256);
}

/* A type of GCC and Clang, whose values stay in registers through a loop; those of an array do not. */
typedef float lanes __attribute__((vector_size(CS_RESIZE_LANES * sizeof(float))));

CS_VECTOR void cs_resize_columns(int out, int taps, const int *restrict start, const float *restrict weights,
                                 const float *restrict row, float *restrict blended) {
    for (int i = 0; i < out; i++, blended += 3) {
        const float *pixels = row + (size_t)start[i] * 3;
        lanes sums = {0.5f, 0.5f, 0.5f};
        for (int k = 0; k < taps; k += 2, pixels += 6, weights += CS_RESIZE_LANES) {
            lanes weight, value;
            memcpy(&weight, weights, sizeof weight);
            memcpy(&value, pixels, sizeof value);
            sums += weight * value;
        }
        for (int c = 0; c < 3; c++)
            blended[c] = sums[c] + sums[3 + c];
    }
}

CS_VECTOR void cs_resize_round(size_t n, const float *restrict blended, uint8_t *restrict out) {
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(int)blended[i];
}

static uint8_t whole_level(int32_t total) {
    const int32_t level = total >> CS_RESAMPLE_BITS;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

CS_VECTOR void cs_resample_columns(int out, int taps, const int *restrict start, const int *restrict count,
                                   const int32_t *restrict weights, const uint8_t *restrict row, uint8_t *restrict to) {
    for (int i = 0; i < out; i++, to += 3) {
        const int32_t *weight = weights + (size_t)i * (size_t)taps;
        const uint8_t *pixel = row + (size_t)start[i] * 3;
        int32_t red = CS_RESAMPLE_HALF, green = CS_RESAMPLE_HALF, blue = CS_RESAMPLE_HALF;
        for (int k = 0; k < count[i]; k++, pixel += 3) {
            red += weight[k] * pixel[0];
            green += weight[k] * pixel[1];
            blue += weight[k] * pixel[2];
        }
        to[0] = whole_level(red);
        to[1] = whole_level(green);
        to[2] = whole_level(blue);
    }
}

CS_VECTOR void cs_resample_add_row(const uint8_t *restrict row, int32_t weight, size_t n, int32_t *restrict totals) {
    for (size_t i = 0; i < n; i++)
        totals[i] += weight * row[i];
}

CS_VECTOR void cs_resample_round(size_t n, const int32_t *restrict totals, uint8_t *restrict to) {
    for (size_t i = 0; i < n; i++)
        to[i] = whole_level(totals[i]);
}
