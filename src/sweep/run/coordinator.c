/* SPDX-License-Identifier: Apache-2.0 */
#include "coordinator.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "display.h"
#include "job/column.h"
#include "job/scheduler.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 160 };

struct cs_coordinator {
    pthread_mutex_t lock;
    const cs_plan *plan;
    cs_results *results;
    cs_display display;
    cs_running_table running;
    double seconds_left; /* of the sweep, when cs_coordinator_look last knew it; NaN: it never did */
    cs_scheduler *scheduler;
    char (*reasons)[REASON_MAX]; /* [n_trials] why each ended early, or "" */
    double end;                  /* of the budget's minutes, as cs_now */
    cs_evaluation *received[CS_SPLIT_COUNT];
    int64_t most_rows[CS_SPLIT_COUNT]; /* that they have room for */
    const cs_trial_group **groups;     /* [plan->n_groups] in the order in which they are handed out */
    bool *given;                       /* [plan->n_groups] those that were handed out, or that cannot be trained */
    int next_group;                    /* all before it are given */
    bool stopping;
    bool unsafe;    /* a sync failed: rows may be lost, and the next sync would not report it again */
    cs_error error; /* why */
    volatile sig_atomic_t *stop;
};

static void replay_epoch(void *context, int trial, const cs_epoch_row *row) {
    cs_coordinator *coordinator = context;
    cs_scheduler_decide(coordinator->scheduler, trial, row, coordinator->reasons[trial], sizeof *coordinator->reasons);
}

static bool has_begun(const cs_plan *plan, const cs_journal *earlier, const cs_trial_group *group) {
    for (int i = group->first; earlier && i < group->first + group->n; i++) {
        const cs_record *record = cs_journal_record(earlier, plan->job, plan->costs[i].trial);
        if (record && record->n_epochs > 0)
            return true;
    }
    return false;
}

/* With a sampler each group is one trial, and those whose values an earlier run chose are the first trials. */
static cs_status order_by_trial(cs_coordinator *coordinator) {
    const cs_plan *plan = coordinator->plan;
    int *group_of = NULL, n = 0; /* [n_trials] from 1; 0: not to be trained */
    CS_TRY(cs_alloc((size_t)plan->job->n_trials, sizeof *group_of, "groups of work", &group_of));
    for (int p = 0; p < plan->n_groups; p++)
        group_of[plan->costs[plan->groups[p].first].trial] = p + 1;
    for (int t = 0; t < plan->job->n_trials; t++)
        if (group_of[t] > 0)
            coordinator->groups[n++] = &plan->groups[group_of[t] - 1];
    free(group_of);
    return CS_OK;
}

/* In the order of the plan, but groups that an earlier run began come first: a sweep on one rank then reports its
 * epochs in the order of a run that was never stopped, and the scheduler decides the same. */
static cs_status order_groups(cs_coordinator *coordinator, const cs_journal *earlier) {
    const cs_plan *plan = coordinator->plan;
    int n = 0;
    CS_TRY(cs_alloc((size_t)plan->n_groups, sizeof *coordinator->groups, "groups of work", &coordinator->groups));
    CS_TRY(cs_alloc((size_t)plan->n_groups, sizeof *coordinator->given, "groups of work", &coordinator->given));
    if (plan->job->sampler)
        return order_by_trial(coordinator);
    for (int begun = 1; begun >= 0; begun--)
        for (int p = 0; p < plan->n_groups; p++)
            if (has_begun(plan, earlier, &plan->groups[p]) == (begun == 1))
                coordinator->groups[n++] = &plan->groups[p];
    return CS_OK;
}

/* Tells those who choose the values of later trials what came of a trial. */
static cs_status tell(const cs_coordinator *coordinator, int trial) {
    const cs_job *job = coordinator->plan->job;
    const cs_outcome *outcome = &cs_results_outcomes(coordinator->results)[trial];
    const cs_column *metric = NULL;
    if (!cs_job_chooses(job))
        return CS_OK;
    CS_TRY(cs_column_find(job->metric, &metric));
    cs_job_tell(job, trial, outcome->state == CS_TRIAL_OK ? cs_column_value(metric, &outcome->result) : (double)NAN);
    return CS_OK;
}

/* The splits of folds differ in size. */
static cs_status open_evaluations(cs_coordinator *coordinator) {
    const cs_dataset *dataset = coordinator->plan->dataset;
    int64_t all = 0;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        all += cs_dataset_count(dataset, split);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        coordinator->most_rows[split] =
            cs_job_has_folds(coordinator->plan->job) ? all : cs_dataset_count(dataset, split);
        const cs_evaluation_spec spec = {.classes = cs_dataset_class_count(dataset),
                                         .needs = cs_results_need(split),
                                         .rows = coordinator->most_rows[split]};
        CS_TRY(cs_evaluation_create(&spec, &coordinator->received[split]));
    }
    return CS_OK;
}

static cs_status open_parts(cs_coordinator *coordinator, const cs_journal *earlier) {
    const cs_job *job = coordinator->plan->job;
    CS_TRY(cs_display_open(&coordinator->display, coordinator->plan));
    CS_TRY(cs_running_open(cs_results_ranks(coordinator->results), &coordinator->running));
    CS_TRY(open_evaluations(coordinator));
    CS_TRY(cs_alloc((size_t)job->n_trials, sizeof *coordinator->reasons, "reasons", &coordinator->reasons));
    CS_TRY(order_groups(coordinator, earlier));
    for (int t = 0; t < job->n_trials; t++) {
        const cs_outcome *outcome = &cs_results_outcomes(coordinator->results)[t];
        if (!job->done[t])
            continue;
        if (outcome->state == CS_TRIAL_OK)
            cs_display_known(&coordinator->display, t, &outcome->result);
        CS_TRY(tell(coordinator, t));
    }
    CS_TRY(cs_scheduler_open(job, &coordinator->scheduler));
    return earlier ? cs_journal_replay(earlier, job, replay_epoch, coordinator) : CS_OK;
}

cs_status cs_coordinator_open(const cs_plan *plan, cs_results *results, const cs_journal *earlier,
                              volatile sig_atomic_t *stop, cs_coordinator **out) {
    const double seconds_a_minute = 60;
    double minutes = plan->job->budget.minutes;
    cs_coordinator *coordinator = NULL;
    CS_TRY(cs_alloc(1, sizeof *coordinator, "coordinator", &coordinator));
    coordinator->plan = plan;
    coordinator->results = results;
    coordinator->stop = stop;
    coordinator->seconds_left = NAN;
    pthread_mutex_init(&coordinator->lock, NULL);
    coordinator->end = minutes > 0 ? cs_now() + minutes * seconds_a_minute : (double)INFINITY;
    cs_status status = open_parts(coordinator, earlier);
    if (status != CS_OK) {
        cs_coordinator_close(coordinator);
        return status;
    }
    *out = coordinator;
    return CS_OK;
}

void cs_coordinator_close(cs_coordinator *coordinator) {
    if (!coordinator)
        return;
    cs_display_close(&coordinator->display);
    cs_running_close(&coordinator->running);
    pthread_mutex_destroy(&coordinator->lock);
    cs_scheduler_close(coordinator->scheduler);
    free(coordinator->reasons);
    free(coordinator->groups);
    free(coordinator->given);
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        cs_evaluation_free(coordinator->received[split]);
    free(coordinator);
}

cs_evaluation *cs_coordinator_evaluation(cs_coordinator *coordinator, cs_split split, int64_t rows) {
    assert(rows <= coordinator->most_rows[split]);
    coordinator->received[split]->spec.rows = rows;
    return coordinator->received[split];
}

cs_status cs_coordinator_error(const cs_coordinator *coordinator) {
    return coordinator->stopping ? cs_error_restore(&coordinator->error) : CS_OK;
}

static int trial_of(const cs_coordinator *coordinator, const cs_trial_group *group, int i) {
    return coordinator->plan->costs[group->first + i].trial;
}

static cs_status fail_trial(cs_coordinator *coordinator, int trial, int rank, cs_status code, const char *reason) {
    CS_TRY(cs_results_failed(coordinator->results, trial, rank, code, reason));
    cs_running_end(&coordinator->running, rank, trial);
    cs_display_failed(&coordinator->display, trial, reason);
    return tell(coordinator, trial);
}

/* Chooses the values of a trial, if they are chosen and an earlier run has not. `usable`: they can be trained; else the
 * trial is a failed one. */
static cs_status choose_values(cs_coordinator *coordinator, int rank, int trial, cs_answer *answer, bool *usable) {
    const cs_job *job = coordinator->plan->job;
    bool is_new = cs_job_is_open(job, trial);
    cs_status status = cs_job_choose(job, trial);
    if (status == CS_ERR_NO_MEMORY)
        return status;
    *usable = status == CS_OK;
    if (cs_job_chooses(job))
        cs_job_get_chosen(job, trial, &answer->chosen);
    if (is_new)
        CS_TRY(cs_results_planned(coordinator->results, trial));
    return *usable ? CS_OK : fail_trial(coordinator, trial, rank, status, cs_error_last()->text);
}

/* All trials of the group go on from the same phase, which failed. */
static cs_status fail_group(cs_coordinator *coordinator, const cs_trial_group *group, int rank) {
    int before = coordinator->plan->job->before[trial_of(coordinator, group, 0)];
    char name[32], reason[REASON_MAX * 2];
    cs_job_trial_name(coordinator->plan->job, before, name, sizeof name);
    snprintf(reason, sizeof reason, "the phase before, %s, failed: %s", name,
             cs_results_outcomes(coordinator->results)[before].reason);
    for (int i = 0; i < group->n; i++)
        CS_TRY(fail_trial(coordinator, trial_of(coordinator, group, i), rank, CS_ERR_ARG, reason));
    return CS_OK;
}

/* The state of what must have ended before the trial begins: the phase before, or in a population the generation. A
 * failed member of a population goes on from another one. */
static cs_trial_state state_before(const cs_coordinator *coordinator, int trial) {
    const cs_job *job = coordinator->plan->job;
    int before = job->before[trial];
    if (job->population)
        return cs_job_must_wait(job, trial) ? CS_TRIAL_PENDING : CS_TRIAL_OK;
    return before < 0 ? CS_TRIAL_OK : cs_results_outcomes(coordinator->results)[before].state;
}

/* Gives a group that is not waiting for the phase before it, unless it turns out that it cannot be trained. */
static cs_status try_group(cs_coordinator *coordinator, int p, int rank, cs_answer *answer) {
    const cs_trial_group *group = coordinator->groups[p];
    cs_trial_state state = state_before(coordinator, trial_of(coordinator, group, 0));
    bool usable = false;
    coordinator->given[p] = state != CS_TRIAL_PENDING;
    answer->wait = answer->wait || state == CS_TRIAL_PENDING;
    if (state == CS_TRIAL_FAILED)
        return fail_group(coordinator, group, rank);
    if (state == CS_TRIAL_PENDING)
        return CS_OK;
    for (int i = 0; i < group->n; i++)
        answer->trials[i] = trial_of(coordinator, group, i);
    CS_TRY(choose_values(coordinator, rank, answer->trials[0], answer, &usable));
    answer->n = usable ? group->n : 0;
    return usable ? cs_results_group(coordinator->results, rank, answer->trials, group->n) : CS_OK;
}

static cs_status give_group(cs_coordinator *coordinator, int rank, cs_answer *answer) {
    int n = coordinator->plan->n_groups;
    while (coordinator->next_group < n && coordinator->given[coordinator->next_group])
        coordinator->next_group++;
    for (int p = coordinator->next_group; p < n && answer->n == 0 && cs_now() < coordinator->end; p++)
        if (!coordinator->given[p])
            CS_TRY(try_group(coordinator, p, rank, answer));
    answer->wait = answer->wait && answer->n == 0;
    cs_running_begin(&coordinator->running, rank, answer->trials, answer->n);
    return CS_OK;
}

/* The budget of minutes does not end a trial that is at its last epoch anyway. */
static bool is_enough(cs_coordinator *coordinator, int trial, const cs_epoch_row *row) {
    if (cs_scheduler_decide(coordinator->scheduler, trial, row, coordinator->reasons[trial], REASON_MAX))
        return true;
    return cs_now() >= coordinator->end && row->epoch + 1 < cs_job_epochs(coordinator->plan->job, trial);
}

static cs_status handle_epoch(cs_coordinator *coordinator, int rank, const cs_message *message, cs_answer *answer) {
    CS_TRY(cs_results_epoch(coordinator->results, message->trial, rank, &message->epoch));
    cs_running_epoch(&coordinator->running, rank, message->trial, message->epoch.epoch);
    cs_display_epoch(&coordinator->display, message->trial, rank, &message->epoch);
    answer->enough = is_enough(coordinator, message->trial, &message->epoch);
    return CS_OK;
}

/* Says why a trial ended that no scheduler has ended. If it did not end by itself, it was the budget, possibly that of
 * an earlier run. */
static void explain_ending(const cs_train_config *train, const cs_trial_result *result, char *out, size_t size) {
    if (result->ending == CS_ENDED_EPOCHS)
        snprintf(out, size, "epochs done");
    else if (result->ending == CS_ENDED_EARLY_STOPPING)
        snprintf(out, size, "early stopping: no better %s in %d epochs, stopped after epoch %d", train->monitor,
                 train->patience, result->epochs_run);
    else
        snprintf(out, size, "budget of minutes: stopped after epoch %d", result->epochs_run);
}

static cs_status handle_finished(cs_coordinator *coordinator, int rank, const cs_message *message,
                                 const cs_evaluation *const *evaluations) {
    const cs_trial_result *result = &message->result;
    char *reason = coordinator->reasons[message->trial];
    if (!reason[0])
        explain_ending(&coordinator->plan->job->trials[message->trial].train, result, reason, REASON_MAX);
    const cs_tested tested = {evaluations, message->bootstrap};
    CS_TRY(cs_results_finished(coordinator->results, message->trial, rank, result, &tested, reason));
    cs_running_end(&coordinator->running, rank, message->trial);
    cs_display_finished(&coordinator->display, message->trial, result);
    return tell(coordinator, message->trial);
}

static cs_status handle(cs_coordinator *coordinator, int rank, const cs_message *message,
                        const cs_evaluation *const *evaluations, cs_answer *answer) {
    switch (message->kind) {
    case CS_ASK_GROUP:
        return coordinator->stopping || *coordinator->stop ? CS_OK : give_group(coordinator, rank, answer);
    case CS_REPORT_EPOCH:
        return handle_epoch(coordinator, rank, message, answer);
    case CS_REPORT_FINISHED:
        return handle_finished(coordinator, rank, message, evaluations);
    case CS_REPORT_FAILED:
        return fail_trial(coordinator, message->trial, rank, message->code, message->reason);
    case CS_REPORT_LEAVING:
        break;
    }
    if (message->code == CS_OK)
        return CS_OK;
    cs_status status = cs_fail(message->code, "rank %d: %s", rank, message->reason);
    return status == CS_ERR_NO_SPACE ? cs_hint(status, "free some space there and go on with --resume") : status;
}

void cs_coordinator_place(cs_coordinator *coordinator, int rank, const cs_epoch_position *at) {
    cs_running_at(&coordinator->running, rank, at);
}

/* Lists the trials of a group. */
static void list_trials(const cs_job *job, const cs_running *group, int rank, cs_progress_file *out) {
    for (int i = 0; i < group->n; i++) {
        const int trial = group->trials[i], epochs = cs_job_epochs(job, trial);
        const int epoch = !group->placed ? 0 : group->at.epoch < epochs ? group->at.epoch + 1 : epochs;
        cs_trial_progress *at = &out->trials[out->n++];
        *at = (cs_trial_progress){.rank = rank,
                                  .epoch = epoch,
                                  .epochs = epochs,
                                  .batch = group->at.batch,
                                  .batches = group->at.batches,
                                  .images_per_second = group->at.images_per_second,
                                  .seconds_left = cs_running_left(group, i, epochs)};
        cs_job_trial_name(job, trial, at->trial, sizeof at->trial);
    }
}

/* The lock may be held while the journal is synced. What is shown then waits for the next call. */
cs_status cs_coordinator_look(cs_coordinator *coordinator, cs_progress_file *out) {
    const int ranks = coordinator->running.ranks;
    cs_running *groups = NULL;
    int n = 0;
    cs_progress_file_begin(out);
    CS_TRY(cs_alloc((size_t)ranks, sizeof *groups, "running trials", &groups));
    cs_running_copy(&coordinator->running, groups);
    for (int rank = 0; rank < ranks; rank++)
        n += groups[rank].n;
    cs_status status = cs_alloc((size_t)n, sizeof *out->trials, "running trials", &out->trials);
    for (int rank = 0; rank < ranks && status == CS_OK; rank++)
        list_trials(coordinator->plan->job, &groups[rank], rank, out);
    if (pthread_mutex_trylock(&coordinator->lock) == 0) {
        coordinator->seconds_left = cs_display_look(&coordinator->display, groups, ranks);
        pthread_mutex_unlock(&coordinator->lock);
    }
    out->seconds_left = coordinator->seconds_left;
    free(groups);
    return status;
}

/* The first error is the one that stops the sweep. */
static void stop_for(cs_coordinator *coordinator, cs_status status) {
    if (status == CS_OK || coordinator->stopping)
        return;
    coordinator->error = *cs_error_last();
    coordinator->stopping = true;
    *coordinator->stop = 1;
}

void cs_coordinator_handle(cs_coordinator *coordinator, int rank, const cs_message *message,
                           const cs_evaluation *const *evaluations, cs_answer *answer) {
    *answer = (cs_answer){0};
    pthread_mutex_lock(&coordinator->lock);
    cs_status status = handle(coordinator, rank, message, evaluations, answer);
    answer->refused = status != CS_OK;
    if (status == CS_OK && *coordinator->stop) /* a signal; rank 0's own trainer may have ended before it came */
        status = cs_fail(CS_ERR_INTERRUPTED, "stopped by a signal");
    stop_for(coordinator, status);
    answer->stop = coordinator->stopping;
    pthread_mutex_unlock(&coordinator->lock);
}

void cs_coordinator_commit(cs_coordinator *coordinator, cs_answer *answers, int n) {
    pthread_mutex_lock(&coordinator->lock);
    cs_status status = cs_results_sync(coordinator->results);
    coordinator->unsafe = coordinator->unsafe || status != CS_OK;
    stop_for(coordinator, status);
    for (int i = 0; i < n; i++) {
        answers[i].refused = answers[i].refused || coordinator->unsafe;
        answers[i].stop = coordinator->stopping;
    }
    pthread_mutex_unlock(&coordinator->lock);
}
