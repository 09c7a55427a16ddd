/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: a group of trials under way, in three files: group_open.c makes it, group.c trains it,
 * group_events.c tells its listener. */
#ifndef CNNSWEEP_GROUP_IMPL_H
#define CNNSWEEP_GROUP_IMPL_H

#include "cache.h"
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
    cs_dataset *dataset;
    cs_features *features;          /* mode features; else NULL */
    cs_feed *feeds[CS_SPLIT_COUNT]; /* NULL where the split is empty */
    cs_cache_limits limits;
    cs_trunk_cache cache;
    cs_trunk *trunk;
    cs_tail *tails;
    int n;
    cs_evaluated **evaluated;          /* [n] room for those in a pass */
    cs_tail_set waiting, live, ending; /* a tail is in one of them at most */
    unsigned test_needs;               /* of the listener */
    const char *const *checkpoints;    /* a file a tail, or NULL */
    bool keeps;                        /* this rank writes them */
    double keep_every, kept;           /* seconds; when they were written last */
    float *scratch;                    /* for them: a float for every value of the largest network */
} cs_group;

/* Up to where the stream of batches begins: what ended is in `ending`, all others are in `waiting`. `trials` [n] get
 * their image sizes. What is open is left for cs_group_close. */
CS_MUST_CHECK cs_status cs_group_open(cs_group *group, cs_trial_config *trials);
void cs_group_close(cs_group *group);

/* The trial leaves; the group stops only when nobody listens for failures, or the listener says so. */
CS_MUST_CHECK cs_status cs_group_report_failure(const cs_group *group, const cs_tail *tail, cs_status status);
/* The verdict on an epoch is the listener's of rank 0: the tail may have ended. */
CS_MUST_CHECK cs_status cs_group_report_epoch(const cs_group *group, cs_tail *tail, const cs_epoch_row *row);
CS_MUST_CHECK cs_status cs_group_report_finished(const cs_group *group, const cs_tail *tail);

#endif
