/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the values of a random sweep. */
#ifndef CNNSWEEP_SEARCH_H
#define CNNSWEEP_SEARCH_H

#include "cnnsweep/job.h"

typedef enum cs_range_kind { CS_RANGE_LISTED, CS_RANGE_UNIFORM, CS_RANGE_LOG_UNIFORM, CS_RANGE_INT } cs_range_kind;

/* What an axis is drawn from: its listed values, all as likely, or the numbers from low to high (INT: both included).
 */
typedef struct cs_range {
    cs_range_kind kind;
    double low, high;
} cs_range;

/* Draws `wanted` different combinations of values for the first `n_axes` axes of the job;
 * ranges get their values, in ascending order. `places` [wanted,n_axes] gets the indices; *drawn is less than `wanted`
 * where no new combination was found. A combination depends on job->seed, its index and its options alone, and on what
 * was drawn before it: with a larger budget the first ones stay. */
CS_MUST_CHECK cs_status cs_search_draw(cs_job *job, const cs_range *ranges, int n_axes, int wanted, int *places,
                                       int *drawn);

#endif
