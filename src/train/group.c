/* SPDX-License-Identifier: Apache-2.0 */
/* The group trainer: the trials of a group read the same batches and share one trunk, and each has a tail.
 *
 * An epoch is a pass over the train split, then one over the val split for all tails that are still live. Tails leave
 * when they end (last epoch, early stopping) or fail; those that ended make one pass over the test split together. A
 * tail that resumes from a checkpoint waits until the group reaches its epoch and batch. */
#include "checkpoint.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "group_impl.h"
#include "kept.h"

#include <stdlib.h>
#include <string.h>

/* Writes checkpoints of all tails that are not waiting, in their present state. */
static cs_status write_checkpoints(cs_group *group) {
    const cs_tail_set *sets[] = {&group->live, &group->ending};
    for (int s = 0; s < 2 && group->writes_files; s++)
        for (int i = 0; i < sets[s]->n; i++)
            CS_TRY(cs_checkpoint_write(sets[s]->items[i], group->scratch));
    group->last_checkpoint = cs_now();
    return CS_OK;
}

/* Called at the end of an epoch. */
static cs_status write_checkpoints_if_due(cs_group *group) {
    bool due = cs_now() - group->last_checkpoint >= group->checkpoint_seconds;
    return cs_team_agree(group->team, due ? write_checkpoints(group) : CS_OK);
}

/* Each rank of a team has the predictions of its own rows, and a checkpoint has those of all ranks. */
static cs_status sum_training(const cs_group *group) {
    for (int i = 0; i < group->live.n; i++)
        CS_TRY(cs_tail_sum_training(group->live.items[i]));
    return CS_OK;
}

/* Called after each batch. The ranks of a team stop after the same train step: its sums say whether any of them was
 * asked to stop. */
static cs_status check_stop(cs_group *group) {
    static const volatile sig_atomic_t yes = 1;
    if (!cs_group_is_stopped(group))
        return CS_OK;
    CS_TRY(sum_training(group));
    CS_TRY(cs_team_agree(group->team, write_checkpoints(group)));
    return cs_check_stop(&yes);
}

static int deepest_cut(const cs_tail_set *set) {
    int cut = 0;
    for (int i = 0; i < set->n; i++)
        if (set->items[i]->cut > cut)
            cut = set->items[i]->cut;
    return cut;
}

/* Makes a train step of every live tail on the next batch. Tails that fail leave. With a team the step is made even if
 * this rank has no batch, as that is how the other ranks learn of the failure. */
static cs_status train_batch(cs_group *group) {
    static const int64_t no_samples[1] = {0};
    cs_tail_set *live = &group->live;
    cs_feed *feed = group->feeds[CS_SPLIT_TRAIN];
    cs_batch batch;
    cs_batch_cost cost;
    cs_status prepared = cs_batch_prepare(feed, group->trunk, deepest_cut(live), live->n, &batch, &cost);
    if (!group->team)
        CS_TRY(prepared);
    else if (prepared != CS_OK)
        batch = (cs_batch){.samples = no_samples};
    if (group->team)
        group->team->prepared = prepared;
    int kept = 0;
    for (int i = 0; i < live->n; i++) {
        cs_tail *tail = live->items[i];
        double begun = cs_now();
        cs_status status = cs_tail_train(tail, feed, &batch);
        cs_effort_add(&tail->effort[CS_SPLIT_TRAIN], &batch, group->team ? batch.n_global : batch.n, tail->cut, &cost,
                      cs_now() - begun);
        if (status == CS_OK) {
            live->items[kept++] = tail;
            cs_group_report_batch(group, tail);
        } else if (group->team && group->team->broken)
            return status;
        else
            CS_TRY(cs_group_report_failure(group, tail, status));
    }
    live->n = kept;
    return CS_OK;
}

/* Keeps the set in the order of the trials. The `epoch` callback may decide on a trial by the trials that were reported
 * before it, and that must not depend on the order in which they resumed. */
static void insert_tail(cs_tail_set *set, cs_tail *tail) {
    int at = set->n++;
    for (; at > 0 && set->items[at - 1]->trial > tail->trial; at--)
        set->items[at] = set->items[at - 1];
    set->items[at] = tail;
}

/* Moves the waiting tails that resume at this epoch and batch to the live ones. */
static void admit(cs_group *group, int epoch, int batch) {
    cs_tail_set *waiting = &group->waiting;
    int kept = 0;
    for (int i = 0; i < waiting->n; i++) {
        cs_tail *tail = waiting->items[i];
        if (tail->epoch == epoch && tail->batch == batch)
            insert_tail(&group->live, tail);
        else
            waiting->items[kept++] = tail;
    }
    waiting->n = kept;
}

static cs_status sync_tails(const cs_group *group) {
    for (int i = 0; i < group->live.n; i++)
        CS_TRY(cs_tail_sync(group->live.items[i]));
    return CS_OK;
}

/* Trains an epoch from its batch `first` on, one train step for each batch, and then loads the weights into the
 * evaluation programs. */
static cs_status run_epoch(cs_group *group, int epoch, int first) {
    cs_loader *loader = cs_feed_loader(group->feeds[CS_SPLIT_TRAIN]);
    int batches = cs_loader_batches(loader);
    CS_TRY(cs_loader_start(loader, epoch, first));
    admit(group, epoch, first);
    for (int i = first; i < batches && group->live.n > 0; i++) {
        CS_TRY(train_batch(group));
        if (group->events.step && cs_team_leads(group->team))
            group->events.step(group->events.context, epoch, i + 1, batches);
        CS_TRY(check_stop(group));
        admit(group, epoch, i + 1);
    }
    return cs_team_agree(group->team, sync_tails(group));
}

/* A pass through a split. */
typedef struct split_pass {
    cs_group *group;
    cs_split split;
    cs_feed *feed; /* NULL: there is nothing to evaluate */
    bool tests;    /* after training */
} split_pass;

static cs_status check_loss(void *context, const cs_evaluated *program, double loss) {
    const split_pass *of = context;
    return cs_tail_check_loss(program->owner, of->split, cs_evaluation_tally(program->evaluation).rows, loss);
}

static cs_status leave_pass(void *context, const cs_evaluated *program, cs_status status) {
    const split_pass *of = context;
    return cs_group_report_failure(of->group, program->owner, status);
}

static cs_status end_batch(void *context) {
    const split_pass *of = context;
    return check_stop(of->group);
}

/* Evaluates the set on a split. Tails that fail leave the set. */
static cs_status evaluate(split_pass *of, cs_tail_set *set) {
    cs_group *group = of->group;
    const cs_evaluate_pass pass = {.feed = of->feed,
                                   .trunk = group->trunk,
                                   .team = group->team,
                                   .context = of,
                                   .check = check_loss,
                                   .failed = leave_pass,
                                   .after_batch = end_batch};
    if (!of->feed || set->n == 0)
        return CS_OK;
    for (int i = 0; i < set->n; i++)
        group->evaluated[i] = of->tests ? &set->items[i]->evaluated[of->split] : &set->items[i]->validated;
    CS_TRY(cs_evaluate(&pass, group->evaluated, &set->n));
    for (int i = 0; i < set->n; i++)
        set->items[i] = group->evaluated[i]->owner;
    return CS_OK;
}

static cs_status validate(cs_group *group) {
    split_pass pass = {group, CS_SPLIT_VAL, group->feeds[CS_SPLIT_VAL], false};
    return evaluate(&pass, &group->live);
}

/* Evaluates the tested weights of the tails that ended. */
static cs_status test(cs_group *group) {
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        split_pass pass = {group, split, group->test_feeds[split], true};
        CS_TRY(evaluate(&pass, &group->ending));
    }
    return CS_OK;
}

/* Reports the epoch of every live tail and moves those that have ended to `ending`. */
static cs_status end_epoch(cs_group *group) {
    cs_tail_set *live = &group->live, *ending = &group->ending;
    int kept = 0;
    for (int i = 0; i < live->n; i++) {
        cs_tail *tail = live->items[i];
        cs_epoch_row row;
        CS_TRY(cs_tail_end_epoch(tail, &row));
        CS_TRY(cs_group_report_epoch(group, tail, &row));
        if (tail->ending)
            ending->items[ending->n++] = tail;
        else
            live->items[kept++] = tail;
    }
    live->n = kept;
    return CS_OK;
}

static cs_status restore_tails(const cs_group *group) {
    for (int i = 0; i < group->ending.n; i++)
        CS_TRY(cs_tail_restore(group->ending.items[i]));
    return CS_OK;
}

/* A phase that goes on from this trial may begin as soon as the trial is reported. */
static cs_status write_final_states(const cs_group *group) {
    for (int i = 0; i < group->ending.n && group->writes_files; i++)
        CS_TRY(cs_final_state_write(group->ending.items[i], group->scratch));
    return CS_OK;
}

static cs_status complete_averages(cs_group *group) {
    bool complete;
    CS_TRY(cs_group_update_norms(group, &complete));
    return complete ? CS_OK : check_stop(group);
}

/* Tests the tails that ended and reports them. */
static cs_status finish(cs_group *group) {
    cs_tail_set *ending = &group->ending;
    CS_TRY(cs_team_agree(group->team, restore_tails(group)));
    CS_TRY(complete_averages(group));
    CS_TRY(cs_team_agree(group->team, write_final_states(group)));
    CS_TRY(test(group));
    for (int i = 0; i < ending->n; i++)
        CS_TRY(cs_group_report_finished(group, ending->items[i]));
    ending->n = 0;
    return CS_OK;
}

/* The tail of the set that resumes at the earliest epoch and batch. */
static const cs_tail *earliest(const cs_tail_set *set) {
    const cs_tail *found = set->items[0];
    for (int i = 1; i < set->n; i++) {
        const cs_tail *tail = set->items[i];
        if (tail->epoch < found->epoch || (tail->epoch == found->epoch && tail->batch < found->batch))
            found = tail;
    }
    return found;
}

/* Training begins where the earliest tail resumes. When no live tail is left but some are waiting, it jumps to the
 * earliest of those. */
static cs_status train(cs_group *group) {
    int epoch = 0, first = 0;
    CS_TRY(finish(group));
    while (group->live.n + group->waiting.n > 0) {
        if (group->live.n == 0) {
            const cs_tail *next = earliest(&group->waiting);
            epoch = next->epoch;
            first = next->batch;
        }
        CS_TRY(run_epoch(group, epoch, first));
        CS_TRY(validate(group));
        CS_TRY(end_epoch(group));
        CS_TRY(write_checkpoints_if_due(group));
        CS_TRY(finish(group));
        epoch++;
        first = 0;
    }
    return CS_OK;
}

static cs_status check_trials(const cs_trial_config *trials, int n) {
    if (n < 1)
        return cs_fail(CS_ERR_ARG, "a group of %d trials", n);
    if (trials[0].train.batch < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.batch is %d", trials[0].train.batch), "use 1 or more");
    for (int i = 1; i < n; i++)
        if (!cs_trials_can_share(&trials[0], &trials[i]))
            return cs_hint(
                cs_fail(CS_ERR_ARG, "trials 0 and %d of a group do not share their trunk and batches", i),
                "they may differ in optimizer, epochs, early stopping, the head after gap or flatten and, but for "
                "mode features, fine_tune");
    return CS_OK;
}

cs_status cs_group_train(cs_engine *engine, const cs_group_config *config) {
    cs_trial_config *own; /* a copy, as image sizes are filled in */
    cs_group group = {.engine = engine,
                      .stop = config->stop,
                      .limits = config->cache,
                      .filter_cache = config->filter_cache,
                      .n = config->n,
                      .trains_only = config->trains_only,
                      .files = config->files,
                      .writes_files = config->files && (!config->comm || config->comm->rank == 0),
                      .checkpoint_seconds = config->checkpoint_seconds,
                      .optional_values = config->optional_values,
                      .last_checkpoint = cs_now()};
    CS_TRY(check_trials(config->trials, config->n));
    CS_TRY(cs_alloc((size_t)config->n, sizeof *own, "trials", &own));
    memcpy(own, config->trials, (size_t)config->n * sizeof *own);
    memcpy(group.needs, config->needs, sizeof group.needs);
    memcpy(group.optional_needs, config->optional_needs, sizeof group.optional_needs);
    if (config->events)
        group.events = *config->events;
    cs_status status = cs_team_open(config->comm, config->stop, &group.team);
    if (status == CS_OK)
        status = cs_group_open(&group, own);
    if (status == CS_OK)
        status = train(&group);
    cs_group_close(&group);
    free(own);
    return status;
}
