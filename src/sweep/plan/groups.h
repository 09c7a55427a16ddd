/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which trials are trained together. Trials that share a trunk are less work in one group; two
 * smaller groups can be trained by two ranks. The groups are chosen so that the last rank finishes as early as
 * possible, by the estimates in cost.h. */
#ifndef CNNSWEEP_GROUPS_H
#define CNNSWEEP_GROUPS_H

#include "cnnsweep/cost.h"

/* The trials of costs[first, first + n) of a plan. One rank, or one set of ranks, trains them together. */
typedef struct cs_trial_group {
    int first, n;
    double seconds; /* estimated */
    double memory;  /* bytes, without the cached outputs of the trunk */
} cs_trial_group;

typedef struct cs_group_limits {
    int ranks;     /* how many groups can be trained at the same time */
    int most;      /* the largest number of trials in a group */
    double memory; /* the most bytes that a group of several trials may need */
} cs_group_limits;

/* Sorts costs [n] by share_key and cut, and divides them into groups [at most n], longest first. The same input always
 * gives the same groups. */
CS_MUST_CHECK cs_status cs_groups_make(cs_cost *costs, int n, const cs_group_limits *limits, cs_trial_group *groups,
                                       int *n_groups);

/* The seconds until the last rank finishes, where each rank that is free takes the next of groups [n]. */
CS_MUST_CHECK cs_status cs_groups_makespan(const cs_trial_group *groups, int n, int ranks, double *out);

#endif
