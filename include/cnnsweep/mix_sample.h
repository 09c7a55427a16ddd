/* SPDX-License-Identifier: Apache-2.0 */
/* How one value of two mixed images is computed, written once for the host and for GPUs: this file is included with
 *
 *     CS_SAMPLE                what stands in front of a function ("static inline", and __device__ on a GPU)
 *     CS_FLOAT_PRODUCT(a, b) and CS_FLOAT_SUM(a, b), each rounded to float by itself
 *
 * so that both give the same bits, which are also those of Keras and torch. */
#include "cnnsweep/mix.h"

/* Is pixel (x, y) mixed? */
CS_SAMPLE bool cs_mix_reaches(const cs_mixed *mixed, int x, int y) {
    return x >= mixed->x0 && x < mixed->x1 && y >= mixed->y0 && y < mixed->y1;
}

CS_SAMPLE float cs_mix_value(float weight, float own, float partner) {
    return CS_FLOAT_SUM(CS_FLOAT_PRODUCT(weight, own), CS_FLOAT_PRODUCT(CS_FLOAT_SUM(1, -weight), partner));
}
