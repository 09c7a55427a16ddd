#include "tensors.h"

#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>

static const char *const type_names[TYPES] = {"fp32", "bf16", "fp16"};

double *doubles(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static float *floats_of(const tensor *x) {
    float *values = malloc(x->count * sizeof *values);
    assert_non_null(values);
    cu_k_to_float(NULL, x->type, x->count, x->data, values);
    return values;
}

void tensor_make(tensor *x, cu_type type, size_t count, uint32_t seed, int levels) {
    cs_rng rng = cs_rng_at(seed, CS_PURPOSE_TEST, 0, 0);
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = levels ? (float)cs_rng_below(&rng, 2 * (uint32_t)levels + 1) - (float)levels : cs_rng_normal(&rng);
    *x = (tensor){.type = type, .count = count, .exact = doubles(count)};
    x->data = aligned_alloc(64, (count * cu_type_size(type) + 63) / 64 * 64);
    assert_non_null(x->data);
    cu_k_from_float(NULL, type, count, values, x->data);
    cu_k_to_float(NULL, type, count, x->data, values);
    for (size_t i = 0; i < count; i++)
        x->exact[i] = (double)values[i];
    free(values);
}

void tensor_free(tensor *x) {
    free(x->data);
    free(x->exact);
}

static void assert_near_by(const float *got, const double *want, size_t count, cu_type type, const char *what) {
    static const double unit[TYPES] = {0x1p-24, 0x1p-8, 0x1p-11};
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= unit[type] * fabs(want[i]) + 1e-5 * largest))
            fail_msg("%s, %s, value %zu of %zu: %.9g instead of %.9g", what, type_names[type], i, count, (double)got[i],
                     want[i]);
}

void assert_tensor_near(const tensor *got, const double *want, const char *what) {
    float *values = floats_of(got);
    assert_near_by(values, want, got->count, got->type, what);
    free(values);
}

void assert_floats_near(const float *got, const double *want, size_t count, const char *what) {
    assert_near_by(got, want, count, CU_F32, what);
}
