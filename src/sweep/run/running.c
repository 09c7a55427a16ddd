/* SPDX-License-Identifier: Apache-2.0 */
#include "running.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_running_open(int ranks, cs_running_table *out) {
    *out = (cs_running_table){.ranks = ranks};
    pthread_mutex_init(&out->lock, NULL);
    return cs_alloc((size_t)ranks, sizeof *out->groups, "running trials", &out->groups);
}

void cs_running_close(cs_running_table *table) {
    pthread_mutex_destroy(&table->lock);
    free(table->groups);
}

/* The group of a rank, locked. */
static cs_running *lock_group(cs_running_table *table, int rank) {
    assert(rank >= 0 && rank < table->ranks);
    pthread_mutex_lock(&table->lock);
    return &table->groups[rank];
}

void cs_running_begin(cs_running_table *table, int rank, const int *trials, int n) {
    const double now = cs_now();
    cs_running *group = lock_group(table, rank);
    *group = (cs_running){.n = n, .epoch_began = now};
    memcpy(group->trials, trials, (size_t)n * sizeof *trials);
    pthread_mutex_unlock(&table->lock);
}

void cs_running_at(cs_running_table *table, int rank, const cs_epoch_position *at) {
    cs_running *group = lock_group(table, rank);
    if (!group->placed) {
        group->epoch_began = cs_now();
        group->first_batch = at->batch;
    }
    /* What was told before the end of an epoch may come after the report of it. */
    if (!group->placed || at->epoch >= group->at.epoch)
        group->at = *at;
    group->placed = true;
    pthread_mutex_unlock(&table->lock);
}

static int find(const cs_running *group, int trial) {
    for (int i = 0; i < group->n; i++)
        if (group->trials[i] == trial)
            return i;
    return -1;
}

/* The trials of a group report an epoch one after another; the first of them begins the next epoch. */
void cs_running_epoch(cs_running_table *table, int rank, int trial, int epoch) {
    const double now = cs_now();
    cs_running *group = lock_group(table, rank);
    const int i = find(group, trial);
    if (i >= 0)
        group->epochs_done[i] = epoch + 1;
    if (i >= 0 && (!group->placed || epoch >= group->at.epoch)) {
        group->epoch_seconds = now - group->epoch_began;
        group->epoch_began = now;
        group->first_batch = 0;
        group->at = (cs_epoch_position){epoch + 1, 0, group->at.batches, group->at.images_per_second};
        group->placed = true;
    }
    pthread_mutex_unlock(&table->lock);
}

void cs_running_end(cs_running_table *table, int rank, int trial) {
    cs_running *group = lock_group(table, rank);
    const int i = find(group, trial);
    if (i >= 0) {
        group->n--;
        group->trials[i] = group->trials[group->n];
        group->epochs_done[i] = group->epochs_done[group->n];
    }
    pthread_mutex_unlock(&table->lock);
}

void cs_running_copy(cs_running_table *table, cs_running *out) {
    pthread_mutex_lock(&table->lock);
    memcpy(out, table->groups, (size_t)table->ranks * sizeof *out);
    pthread_mutex_unlock(&table->lock);
}

double cs_running_part(const cs_running *group) {
    return group->at.batches > 0 ? fmin(1, (double)group->at.batch / group->at.batches) : 0;
}

/* How long an epoch takes: as long as the last one, or else by the part of this one that was seen. */
static double expect_epoch(const cs_running *group, double in_epoch) {
    const int seen = group->at.batch - group->first_batch;
    if (group->epoch_seconds > 0)
        return group->epoch_seconds;
    return seen > 0 ? in_epoch * group->at.batches / seen : (double)NAN;
}

double cs_running_left(const cs_running *group, int i, int epochs) {
    const double part = cs_running_part(group), in_epoch = cs_now() - group->epoch_began;
    const double epoch = expect_epoch(group, in_epoch);
    const int over = group->placed && group->at.epoch > group->epochs_done[i] ? group->at.epoch : group->epochs_done[i];
    if (over >= epochs)
        return 0;
    return isnan(epoch) ? epoch : epoch * (epochs - over - fmin(1, fmax(part, in_epoch / epoch)));
}
