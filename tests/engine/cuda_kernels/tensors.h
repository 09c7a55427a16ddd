/* What kernels are given and judged by. */
#ifndef CNNSWEEP_TESTS_TENSORS_H
#define CNNSWEEP_TESTS_TENSORS_H

#include "cuda/kernels.h"

#include "test.h"

enum { TYPES = CU_F16 + 1 };

typedef struct tensor {
    cu_type type;
    size_t count;
    void *data;    /* of the type, at a multiple of 64 bytes */
    double *exact; /* the same numbers */
} tensor;

/* Normal numbers, or with `levels` whole ones from -levels to levels. The same seed gives the same ones. */
void tensor_make(tensor *x, cu_type type, size_t count, uint32_t seed, int levels);
void tensor_free(tensor *x);

/* The data are `want` as one rounding leaves it: within half a unit of the type's last place of it and, for the sums in
 * fp32 before, 1e-5 of the largest |want|. */
void assert_tensor_near(const tensor *got, const double *want, const char *what);
/* The same of floats. */
void assert_floats_near(const float *got, const double *want, size_t count, const char *what);

double *doubles(size_t count); /* zeros; free() */

#endif
