/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and expected results of kernels, with the same numbers in double. */
#ifndef CNNSWEEP_TESTS_TENSORS_H
#define CNNSWEEP_TESTS_TENSORS_H

#include "typed.h"

#include <math.h>

typedef struct tensor {
    cu_type type;
    size_t count;
    void *data;    /* values in the type */
    double *exact; /* the same numbers in double */
} tensor;

static inline double *doubles(size_t count) {
    return (double *)new_array(count, sizeof(double));
}

/* Random numbers in [-2, 2) or, with `levels`, integers from -levels to levels. They depend only on the seed. */
static inline tensor tensor_of(cu_type type, size_t count, uint64_t seed, int levels) {
    tensor x = {.type = type, .count = count, .exact = doubles(count)};
    float *values = (float *)new_array(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = 2 * noise((seed << 32) + i);
        if (levels)
            values[i] = floorf((values[i] + 2) / 4 * (float)(2 * levels + 1)) - (float)levels;
    }
    x.data = typed(type, count, values);
    for (size_t i = 0; i < count; i++)
        x.exact[i] = (double)values[i];
    free(values);
    return x;
}

static inline void tensor_free(tensor *x) {
    free(x->data);
    free(x->exact);
}

/* Checks that the error is at most one rounding of `want` to the type and, for sums in fp32 before it, 1e-5 of the
 * largest |want|. */
static inline void assert_near_all(cu_type type, const void *got, const double *want, size_t count, const char *what) {
    float *values = floats_of(type, count, got);
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)values[i] - want[i]) <= rounding(type) * fabs(want[i]) + 1e-5 * largest))
            fail_msg("%s, type %d, value %zu of %zu: %.9g instead of %.9g", what, (int)type, i, count,
                     (double)values[i], want[i]);
    free(values);
}

/* Checks the result of an operation: x must be `want`, instead of its old value or, with `add`, added to it. */
static inline void assert_result(const tensor *x, double *want, bool add, const char *what) {
    for (size_t i = 0; add && i < x->count; i++)
        want[i] += x->exact[i];
    assert_near_all(x->type, x->data, want, x->count, what);
}

#endif
