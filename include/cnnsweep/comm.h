/* SPDX-License-Identifier: Apache-2.0 */
/* Communication of ranks that train one batch together, each on its own rows. The engines and src/train call the
 * functions of this struct; src/sweep/run/rank_group.c implements them with MPI. Every rank makes the same calls in the
 * same order. */
#ifndef CNNSWEEP_COMM_H
#define CNNSWEEP_COMM_H

#include "cnnsweep/status.h"

typedef struct cs_comm {
    int rank, size;
    void *context;
    /* Replaces values [n] by their sum over the ranks, with the same bits on every rank. */
    cs_status (*sum)(void *context, float *values, size_t n);
    cs_status (*sum_double)(void *context, double *values, size_t n);
    /* Starts the same sum in the background. `values` must stay valid until sum_wait, which waits for all started
     * sums. */
    cs_status (*sum_start)(void *context, float *values, size_t n);
    cs_status (*sum_wait)(void *context);
} cs_comm;

#endif
