/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that train one batch together, each on rows of its own. The training room sees them through this struct; MPI
 * fills it (src/sweep/run/rank_group.c). Every rank makes the same calls in the same order. */
#ifndef CNNSWEEP_COMM_H
#define CNNSWEEP_COMM_H

#include "cnnsweep/status.h"

typedef struct cs_comm {
    int rank, size;
    void *context;
    /* values [n] become their sum over the ranks, the same bits on every rank. */
    cs_status (*sum)(void *context, float *values, size_t n);
    cs_status (*sum_double)(void *context, double *values, size_t n);
    /* The same in the background: `values` must stay until sum_wait, which waits for all that were started. */
    cs_status (*sum_start)(void *context, float *values, size_t n);
    cs_status (*sum_wait)(void *context);
} cs_comm;

#endif
