/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of resizing, in a file of their own: inlined into their callers, compilers make scalar code of them
 * or vectors across the wrong loop. Plain C, so every machine computes the same. */
#include "image_impl.h"

/* Compiled twice where the compiler can, for the vector width of newer processors; the one that fits is chosen when the
 * program starts. The arithmetic is the same, to the bit. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Compilers know the high half of a 16-bit product as one vector instruction. */
WIDE void cs_resize_add_rows(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t weight_a, uint16_t weight_b,
                             size_t n, uint16_t *restrict sums) {
    for (size_t i = 0; i < n; i++) {
        uint16_t pixel_a = (uint16_t)(a[i] << 8), pixel_b = (uint16_t)(b[i] << 8);
        uint16_t part_a = (uint16_t)(((uint32_t)pixel_a * weight_a) >> 16);
        uint16_t part_b = (uint16_t)(((uint32_t)pixel_b * weight_b) >> 16);
        sums[i] = (uint16_t)(sums[i] + part_a + part_b);
    }
}

WIDE void cs_resize_add_sums(const uint16_t *restrict sums, size_t n, float keep, float *restrict row) {
    for (size_t i = 0; i < n; i++)
        row[i] = row[i] * keep + (float)sums[i] * (1.0f / 256);
}

/* Four lanes a pixel, of which three are kept, and two taps at a time in sums of their own. */
WIDE void cs_resize_columns(int out, int taps, const int *restrict start, const float *restrict weights,
                            const float *restrict row, float *restrict blended) {
    for (int i = 0; i < out; i++) {
        const float *weight = weights + (size_t)i * (size_t)taps;
        const float *pixel = row + (size_t)start[i] * 3;
        float even[4] = {0.5f, 0.5f, 0.5f, 0.5f}, odd[4] = {0};
        for (int k = 0; k < taps; k += 2, pixel += 6) {
            for (int c = 0; c < 4; c++)
                even[c] += weight[k] * pixel[c];
            for (int c = 0; c < 4; c++)
                odd[c] += weight[k + 1] * pixel[3 + c];
        }
        for (int c = 0; c < 4; c++)
            blended[i * 3 + c] = even[c] + odd[c];
    }
}

WIDE void cs_resize_round(size_t n, const float *restrict blended, uint8_t *restrict out) {
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(int)blended[i];
}
