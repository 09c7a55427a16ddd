/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what each rank trains at the moment, as rank 0 knows it. Any thread may call these functions.
 * They hold a lock for no longer than it takes to copy a few numbers, so that a trainer never waits. */
#ifndef CNNSWEEP_RUNNING_H
#define CNNSWEEP_RUNNING_H

#include "cnnsweep/sweep.h"

#include <pthread.h>

/* How far a group is in an epoch. Ranks send it as bytes, about once a second. */
typedef struct cs_epoch_position {
    int epoch;                /* from 0; those of earlier phases count */
    int batch, batches;       /* `batch` of `batches` are done */
    double images_per_second; /* of each trial of the group; 0: not known yet */
} cs_epoch_position;

/* The group that a rank trains. */
typedef struct cs_running {
    int n; /* trials that have not ended; 0: it trains none */
    int trials[CS_GROUP_MAX];
    bool placed;                   /* `at` is known */
    cs_epoch_position at;          /* the last that was reported */
    int first_batch;               /* of the present epoch, when epoch_began was set; above 0 in the first epoch */
    double epoch_began;            /* cs_now, when its present epoch began */
    double epoch_seconds;          /* how long its last whole epoch took, with its validation; 0: none is over */
    int epochs_done[CS_GROUP_MAX]; /* of each trial, with those of earlier phases */
} cs_running;

typedef struct cs_running_table {
    pthread_mutex_t lock;
    int ranks;
    cs_running *groups; /* [ranks] */
} cs_running_table;

CS_MUST_CHECK cs_status cs_running_open(int ranks, cs_running_table *out);
void cs_running_close(cs_running_table *table);
/* The rank was given trials [n]. */
void cs_running_begin(cs_running_table *table, int rank, const int *trials, int n);
void cs_running_at(cs_running_table *table, int rank, const cs_epoch_position *at);
/* An epoch of a trial was reported. */
void cs_running_epoch(cs_running_table *table, int rank, int trial, int epoch);
/* A trial has ended. */
void cs_running_end(cs_running_table *table, int rank, int trial);
/* Copies all to `out` [ranks]. */
void cs_running_copy(cs_running_table *table, cs_running *out);

/* The part of the group's present epoch that is done. */
double cs_running_part(const cs_running *group);
/* The expected seconds until trial i of the group ends, if it has all its `epochs`; NaN: not known yet. */
double cs_running_left(const cs_running *group, int i, int epochs);

#endif
