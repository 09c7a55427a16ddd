/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a job that was checked against its dataset, with its trials' costs and their groups. */
#ifndef CNNSWEEP_PLAN_H
#define CNNSWEEP_PLAN_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/sweep.h"
#include "groups.h"

typedef struct cs_plan {
    const cs_job *job; /* borrowed */
    cs_dataset *dataset;
    int *share_keys;   /* [n_trials] numbered from 0; trials with the same number can share a trunk */
    double *macs;      /* [n_trials] multiply-adds of each trial alone, those of an earlier run included */
    double total_macs; /* of the trials of this part */
    double *seconds; /* [n_trials] expected, with an equal part of its group's shared work; 0: done in an earlier run */
    double total_seconds;
    cs_cost *costs; /* [n_costs] trials that are still to be trained; those of a group follow one another */
    int n_costs;
    cs_trial_group *groups; /* those of the first phase first; of one phase the longest first */
    int n_groups;
    int rank_groups;              /* sets of ranks_per_trial ranks, each of which trains a group at a time */
    bool measured;                /* the seconds were measured on this machine, not assumed of an ordinary one */
    cs_cache_limits cache_limits; /* room of a rank for cached outputs of trunks */
    bool on_device;               /* programs and cached outputs of trunks lie in a device's memory */
    double makespan;              /* expected seconds until the last group is done */
} cs_plan;

/* Opens the dataset, builds each distinct network with its weights, checks that the table's metric will exist, measures
 * the engine if the sweep is long enough, and divides the trials into groups. With job->parts only the trials of this
 * part are planned. job->part_of then depends on the job and on the size of the dataset alone, so that all parts find
 * the same division. */
CS_MUST_CHECK cs_status cs_plan_create(cs_job *job, const cs_ranks *ranks, cs_engine *engine, cs_plan **out);
void cs_plan_free(cs_plan *plan); /* NULL-safe */

/* How many images each split of a trial has; of a fold about how many. */
void cs_plan_count_images(const cs_plan *plan, int trial, int64_t images[CS_SPLIT_COUNT]);
/* Prints a few lines: the groups, the expected time and memory, and how much work sharing saves. */
void cs_plan_print(const cs_plan *plan, FILE *out);
/* Prints a number of bytes, such as "12 MB". */
void cs_print_bytes(double bytes, FILE *out);

#endif
