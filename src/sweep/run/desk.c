#include "desk.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "display.h"
#include "job/scheduler.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 160 };

struct cs_desk {
    pthread_mutex_t lock;
    const cs_plan *plan;
    cs_results *results;
    cs_display display;
    cs_scheduler *scheduler;
    char (*reasons)[REASON_MAX]; /* [n_trials] why each ended early, or "" */
    double end;                  /* of the budget's minutes, as cs_now */
    cs_evaluation *received;
    const cs_trial_group **groups; /* [plan->n_groups] in the order in which they go out */
    int next_group;
    bool stopping;
    bool unsafe;    /* the disk failed: it may since have dropped rows, and would not say so again */
    cs_error error; /* why */
    volatile sig_atomic_t *stop;
};

static void judge(void *context, int trial, const cs_epoch_row *row) {
    cs_desk *desk = context;
    cs_scheduler_judge(desk->scheduler, trial, row, desk->reasons[trial], sizeof *desk->reasons);
}

static bool has_begun(const cs_plan *plan, const cs_journal *earlier, const cs_trial_group *group) {
    for (int i = group->first; earlier && i < group->first + group->n; i++) {
        const cs_record *record = cs_journal_record(earlier, plan->job, plan->costs[i].trial);
        if (record && record->n_epochs > 0)
            return true;
    }
    return false;
}

/* As planned, but what had begun goes first: then one rank hears epochs in the order of a run that was never stopped,
 * and its scheduler says the same. */
static cs_status order_groups(cs_desk *desk, const cs_journal *earlier) {
    const cs_plan *plan = desk->plan;
    int n = 0;
    CS_TRY(cs_alloc((size_t)plan->n_groups, sizeof *desk->groups, "groups of work", &desk->groups));
    for (int begun = 1; begun >= 0; begun--)
        for (int p = 0; p < plan->n_groups; p++)
            if (has_begun(plan, earlier, &plan->groups[p]) == (begun == 1))
                desk->groups[n++] = &plan->groups[p];
    return CS_OK;
}

static cs_status open_parts(cs_desk *desk, const cs_journal *earlier) {
    const cs_job *job = desk->plan->job;
    const cs_evaluation_spec spec = {.classes = cs_dataset_class_count(desk->plan->dataset),
                                     .needs = cs_results_needs(),
                                     .rows = cs_dataset_count(desk->plan->dataset, CS_SPLIT_TEST)};
    CS_TRY(cs_display_open(&desk->display, desk->plan));
    CS_TRY(cs_evaluation_create(&spec, &desk->received));
    CS_TRY(cs_alloc((size_t)job->n_trials, sizeof *desk->reasons, "reasons", &desk->reasons));
    CS_TRY(order_groups(desk, earlier));
    CS_TRY(cs_scheduler_open(job, &desk->scheduler));
    return earlier ? cs_journal_replay(earlier, job, judge, desk) : CS_OK;
}

cs_status cs_desk_open(const cs_plan *plan, cs_results *results, const cs_journal *earlier, volatile sig_atomic_t *stop,
                       cs_desk **out) {
    const double seconds_a_minute = 60;
    double minutes = plan->job->budget.minutes;
    cs_desk *desk = NULL;
    CS_TRY(cs_alloc(1, sizeof *desk, "desk", &desk));
    desk->plan = plan;
    desk->results = results;
    desk->stop = stop;
    pthread_mutex_init(&desk->lock, NULL);
    desk->end = minutes > 0 ? cs_now() + minutes * seconds_a_minute : (double)INFINITY;
    cs_status status = open_parts(desk, earlier);
    if (status != CS_OK) {
        cs_desk_close(desk);
        return status;
    }
    *out = desk;
    return CS_OK;
}

void cs_desk_close(cs_desk *desk) {
    if (!desk)
        return;
    cs_display_close(&desk->display);
    pthread_mutex_destroy(&desk->lock);
    cs_scheduler_close(desk->scheduler);
    free(desk->reasons);
    free(desk->groups);
    cs_evaluation_free(desk->received);
    free(desk);
}

cs_evaluation *cs_desk_evaluation(cs_desk *desk) {
    return desk->received;
}

cs_status cs_desk_error(const cs_desk *desk) {
    return desk->stopping ? cs_error_restore(&desk->error) : CS_OK;
}

static void give_group(cs_desk *desk, cs_answer *answer) {
    if (desk->next_group == desk->plan->n_groups || cs_now() >= desk->end)
        return;
    const cs_trial_group *group = desk->groups[desk->next_group++];
    answer->n = group->n;
    for (int i = 0; i < group->n; i++)
        answer->trials[i] = desk->plan->costs[group->first + i].trial;
}

/* A trial at its last epoch ends by itself. */
static bool is_enough(cs_desk *desk, int trial, const cs_epoch_row *row) {
    if (cs_scheduler_judge(desk->scheduler, trial, row, desk->reasons[trial], REASON_MAX))
        return true;
    return cs_now() >= desk->end && row->epoch + 1 < desk->plan->job->trials[trial].train.epochs;
}

static cs_status take_epoch(cs_desk *desk, int rank, const cs_message *message, cs_answer *answer) {
    CS_TRY(cs_results_epoch(desk->results, message->trial, rank, &message->epoch));
    cs_display_epoch(&desk->display, message->trial, rank, &message->epoch);
    answer->enough = is_enough(desk, message->trial, &message->epoch);
    return CS_OK;
}

/* At its last epoch, or by early stopping. */
static bool ended_by_itself(const cs_train_config *train, const cs_trial_result *result) {
    int waited = result->epochs_run - 1 - result->best_epoch;
    return result->epochs_run >= train->epochs || (train->patience > 0 && waited >= train->patience);
}

/* What neither itself nor the scheduler ended was ended by the budget, be it that of an earlier run. */
static cs_status take_finished(cs_desk *desk, int rank, const cs_message *message, const cs_evaluation *test) {
    const cs_trial_result *result = &message->result;
    char *reason = desk->reasons[message->trial];
    if (!reason[0] && !ended_by_itself(&desk->plan->job->trials[message->trial].train, result))
        snprintf(reason, REASON_MAX, "budget of minutes: stopped after epoch %d", result->epochs_run);
    CS_TRY(cs_results_finished(desk->results, message->trial, rank, result, test, reason));
    cs_display_finished(&desk->display, message->trial, result);
    return CS_OK;
}

static cs_status take_failed(cs_desk *desk, int rank, const cs_message *message) {
    CS_TRY(cs_results_failed(desk->results, message->trial, rank, message->code, message->reason));
    cs_display_failed(&desk->display, message->trial, message->reason);
    return CS_OK;
}

static cs_status take(cs_desk *desk, int rank, const cs_message *message, const cs_evaluation *test,
                      cs_answer *answer) {
    switch (message->kind) {
    case CS_ASK_PIECE:
        if (!desk->stopping && !*desk->stop)
            give_group(desk, answer);
        return CS_OK;
    case CS_TELL_EPOCH:
        return take_epoch(desk, rank, message, answer);
    case CS_TELL_FINISHED:
        return take_finished(desk, rank, message, test);
    case CS_TELL_FAILED:
        return take_failed(desk, rank, message);
    case CS_TELL_LEAVING:
        break;
    }
    if (message->code == CS_OK)
        return CS_OK;
    cs_status status = cs_fail(message->code, "rank %d: %s", rank, message->reason);
    return status == CS_ERR_NO_SPACE ? cs_hint(status, "free some space there and go on with --resume") : status;
}

/* The first error is the one that stops the sweep. */
static void stop_for(cs_desk *desk, cs_status status) {
    if (status == CS_OK || desk->stopping)
        return;
    desk->error = *cs_error_last();
    desk->stopping = true;
    *desk->stop = 1;
}

void cs_desk_handle(cs_desk *desk, int rank, const cs_message *message, const cs_evaluation *test, cs_answer *answer) {
    *answer = (cs_answer){0};
    pthread_mutex_lock(&desk->lock);
    cs_status status = take(desk, rank, message, test, answer);
    answer->refused = status != CS_OK;
    if (status == CS_OK && *desk->stop) /* a signal, which rank 0's trainer need not be there to see */
        status = cs_fail(CS_ERR_INTERRUPTED, "stopped by a signal");
    stop_for(desk, status);
    answer->stop = desk->stopping;
    pthread_mutex_unlock(&desk->lock);
}

void cs_desk_commit(cs_desk *desk, cs_answer *answers, int n) {
    pthread_mutex_lock(&desk->lock);
    cs_status status = cs_results_sync(desk->results);
    desk->unsafe = desk->unsafe || status != CS_OK;
    stop_for(desk, status);
    for (int i = 0; i < n; i++) {
        answers[i].refused = answers[i].refused || desk->unsafe;
        answers[i].stop = desk->stopping;
    }
    pthread_mutex_unlock(&desk->lock);
}
