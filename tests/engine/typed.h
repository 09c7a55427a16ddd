/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in the engine's types, for the tests of the CUDA engine's kernels, which run on the host. */
#ifndef CNNSWEEP_TEST_TYPED_H
#define CNNSWEEP_TEST_TYPED_H

#include "cuda/kernels.h"
#include "test.h"

#include <stdlib.h>

static const cu_type all_types[] = {CU_F32, CU_BF16, CU_F16};
enum { ALL_TYPES = sizeof all_types / sizeof *all_types };

static inline void *new_array(size_t count, size_t size) {
    void *array = calloc(count ? count : 1, size);
    assert_non_null(array);
    return array;
}

/* Converts `values` to the type, and sets `values` to the rounded numbers. */
static inline void *typed(cu_type type, size_t count, float *values) {
    void *array = new_array(count, cu_type_size(type));
    cu_k_from_float(NULL, type, count, values, array);
    cu_k_to_float(NULL, type, count, array, values);
    return array;
}

static inline float *floats_of(cu_type type, size_t count, const void *values) {
    float *array = (float *)new_array(count, sizeof *array);
    cu_k_to_float(NULL, type, count, values, array);
    return array;
}

/* Half a unit in the last place, relative. */
static inline double rounding(cu_type type) {
    return type == CU_F32 ? 0x1p-24 : type == CU_BF16 ? 0x1p-8 : 0x1p-11;
}

static inline void assert_near(double got, double want, double tolerance) {
    if (!(got - want <= tolerance && want - got <= tolerance))
        fail_msg("%.9g instead of %.9g: more than %.3g apart", got, want, tolerance);
}

/* A number in [-1, 1) that depends only on `number`. */
static inline float noise(uint64_t number) {
    number = (number + 1) * 0x9E3779B97F4A7C15u;
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9u;
    number = (number ^ number >> 27) * 0x94D049BB133111EBu;
    return (float)((double)(number >> 11) * 0x1p-52 - 1);
}

#endif
