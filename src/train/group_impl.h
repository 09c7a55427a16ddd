/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: a group of trials that is being trained. group_open.c prepares it, group.c trains it,
 * group_norms.c completes averaged weights, group_events.c calls its callbacks. */
#ifndef CNNSWEEP_GROUP_IMPL_H
#define CNNSWEEP_GROUP_IMPL_H

#include "cache.h"
#include "fit.h"
#include "tail.h"

#include "cnnsweep/train.h"

typedef struct cs_tail_set {
    cs_tail **items;
    int n;
} cs_tail_set;

typedef struct cs_group {
    cs_engine *engine;
    cs_train_events events;
    const volatile sig_atomic_t *stop;
    cs_team *team; /* NULL: this rank alone */
    cs_dataset *stored;
    cs_dataset *dataset;            /* a view of `stored` with the splits of the trials, which have one fold */
    cs_fitted fitted;               /* the standardization of all trials, which have one augmentation */
    cs_features *features;          /* in mode features; else NULL */
    cs_feed *feeds[CS_SPLIT_COUNT]; /* NULL where the split is empty */
    cs_feed *plain_train;           /* train without augmentation, if the tested weights are evaluated on it */
    /* Those of the above that the tested weights are evaluated on; NULL where the split is empty or not evaluated. */
    cs_feed *test_feeds[CS_SPLIT_COUNT];
    cs_cache_limits limits;
    cs_filter_cache *filter_cache;
    cs_trunk_cache cache;
    cs_trunk *trunk;
    cs_tail *tails;
    int n;
    bool trains_only;                        /* val is not evaluated */
    cs_evaluated **evaluated;                /* [n] a buffer for the tails of one pass */
    cs_tail_set waiting, live, ending;       /* a tail is in at most one of these */
    unsigned needs[CS_SPLIT_COUNT];          /* CS_NEEDS_* of the callback `finished` */
    unsigned optional_needs[CS_SPLIT_COUNT]; /* and those that it has only where there is memory for them */
    int64_t optional_values;
    const cs_trial_files *files; /* [n], or NULL */
    bool writes_files;           /* this rank writes checkpoints and final states */
    double checkpoint_seconds,
        last_checkpoint; /* seconds between checkpoints; when the last ones were written (cs_now) */
    float *scratch;      /* for checkpoints: a float for every value of the largest network */
} cs_group;

/* Prepares everything for the first batch. Afterwards `ending` has the trials that only need their test, and `waiting`
 * all others. Fills in the image sizes of `trials` [n]. After a failure the caller still calls cs_group_close. */
CS_MUST_CHECK cs_status cs_group_open(cs_group *group, cs_trial_config *trials);
void cs_group_close(cs_group *group);

/* Reports that a trial failed and leaves the group. Returns a failure, which stops the group, only if there is no
 * `failed` callback, if the callback returns one, or after CS_ERR_COMM. */
CS_MUST_CHECK cs_status cs_group_report_failure(const cs_group *group, const cs_tail *tail, cs_status status);
/* Reports the train step that the tail has just made. */
void cs_group_report_batch(const cs_group *group, const cs_tail *tail);
/* Reports an epoch. The callback on rank 0 decides for all ranks whether the tail ends with it. */
CS_MUST_CHECK cs_status cs_group_report_epoch(const cs_group *group, cs_tail *tail, const cs_epoch_row *row);
CS_MUST_CHECK cs_status cs_group_report_finished(const cs_group *group, cs_tail *tail);

/* Was this rank, or a rank of its team, asked to stop? */
static inline bool cs_group_is_stopped(const cs_group *group) {
    return group->team ? group->team->stopping : group->stop && *group->stop;
}

/* Computes the moving statistics of the ending tails whose averaged weights (train.swa_start) are to be tested, in a
 * pass through the train split. The train programs keep the weights that they had. If the group is stopped, the pass
 * ends early and is not complete. Collective. */
CS_MUST_CHECK cs_status cs_group_update_norms(cs_group *group, bool *complete);

#endif
