/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the arithmetic of pixels (picture_sample.h) for the host. */
#ifndef CNNSWEEP_AUGMENT_SAMPLE_H
#define CNNSWEEP_AUGMENT_SAMPLE_H

#include "cnnsweep/random.h"

/* A file need not use all of the functions. */
#define CS_SAMPLE        __attribute__((unused)) static inline
#define CS_PRODUCT(a, b) ((double)(a) * (double)(b))
#define CS_SUM(a, b)     ((double)(a) + (double)(b))
#define CS_PHILOX        cs_philox4x32
#include "cnnsweep/picture_sample.h"

#endif
