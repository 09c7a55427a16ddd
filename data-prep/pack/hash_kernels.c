/* SPDX-License-Identifier: Apache-2.0 */
#include "hash_kernels.h"

#include "cnnsweep/vector.h"

CS_VECTOR void pack_add_lines(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t weight_a,
                              uint16_t weight_b, size_t n, uint16_t *restrict sums) {
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + a[i] * weight_a + b[i] * weight_b);
}

CS_VECTOR void pack_make_luma(const uint16_t *restrict rgb, size_t n, uint8_t *restrict luma) {
    for (size_t i = 0; i < n; i++)
        luma[i] = (uint8_t)((rgb[3 * i] * 77U + rgb[3 * i + 1] * 150U + rgb[3 * i + 2] * 29U + (1 << 15)) >> 16);
}

CS_VECTOR void pack_mix_lines(const float *restrict weights, int n_lines, const float *restrict lines, size_t n,
                              float *restrict to) {
    for (size_t i = 0; i < n; i++)
        to[i] = 0;
    for (int k = 0; k < n_lines; k += 4, weights += 4, lines += 4 * n)
        for (size_t i = 0; i < n; i++)
            to[i] += weights[0] * lines[i] + weights[1] * lines[n + i] + weights[2] * lines[2 * n + i] +
                     weights[3] * lines[3 * n + i];
}
