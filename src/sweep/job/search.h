/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: draws the values of a random sweep. */
#ifndef CNNSWEEP_SEARCH_H
#define CNNSWEEP_SEARCH_H

#include "cnnsweep/job.h"

typedef enum cs_range_kind { CS_RANGE_LISTED, CS_RANGE_UNIFORM, CS_RANGE_LOG_UNIFORM, CS_RANGE_INT } cs_range_kind;

/* What the values of a swept option are drawn from. LISTED: its listed values, all equally likely; else the numbers
 * from low to high (INT: both included). */
typedef struct cs_range {
    cs_range_kind kind;
    double low, high;
} cs_range;

/* Draws `wanted` different combinations of values for the first `n_swept` swept options of the job. Options with a
 * range get the drawn values, in ascending order. `indices` [wanted,n_swept] gets the index of each value. `drawn` is
 * less than `wanted` if no new combination was found. A combination depends only on job->seed, its index, its options,
 * and what was drawn before it, so a larger budget keeps the first combinations. */
CS_MUST_CHECK cs_status cs_search_draw(cs_job *job, const cs_range *ranges, int n_swept, int wanted, int *indices,
                                       int *drawn);

#endif
