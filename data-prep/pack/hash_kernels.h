/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of hashing. They are plain C, so that every machine computes the same values, and in their own file
 * because compilers that inline them vectorise the wrong loop. */
#ifndef CNNSWEEP_PACK_HASH_KERNELS_H
#define CNNSWEEP_PACK_HASH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* sums[0..n) += a * weight_a + b * weight_b, for weights whose sums 16 bits hold. */
void pack_add_lines(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t weight_a, uint16_t weight_b,
                    size_t n, uint16_t *restrict sums);
/* The luma, 0 to 255, of n pixels whose three channels are 256 times as large. */
void pack_make_luma(const uint16_t *restrict rgb, size_t n, uint8_t *restrict luma);
/* to[0..n) = the sum over k of weights[k] * lines[k][0..n). The number of lines is a multiple of 4. */
void pack_mix_lines(const float *restrict weights, int n_lines, const float *restrict lines, size_t n,
                    float *restrict to);

#endif
