/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/trial_details.h"
#include "cnnsweep/weights.h"
#include "plan/cache_limits.h"
#include "results/folder.h"
#include "results/results.h"
#include "trial_files.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct worker {
    const cs_job *job;
    const char *folder;
    cs_engine *engine;
    int node_ranks; /* how many ranks share the machine */
    cs_filter_cache *filter_cache;
    cs_queue *queue;
    cs_rank_group *group;
    volatile sig_atomic_t *interrupted;
    cs_answer work;              /* the trials that are being trained */
    bool reported[CS_GROUP_MAX]; /* which of them finished or failed */
    cs_epoch_position at;        /* as it was last told */
    double told;                 /* cs_now, when that was */
    double measured;             /* cs_now, since when the steps below were made */
    int steps;
    bool stop;        /* the coordinator has ended the sweep */
    cs_status halted; /* a message could not be delivered, or the rank group is out of step */
} worker;

/* Makes the trainer stop. The coordinator knows the reason. */
static void leave(worker *self) {
    self->stop = true;
    *self->interrupted = 1;
}

static void copy_reason(cs_message *message) {
    snprintf(message->reason, sizeof message->reason, "%.*s", (int)sizeof message->reason - 1, cs_error_last()->text);
}

/* If the coordinator ends the sweep, the trainer stops and writes checkpoints. But no checkpoint may be written after a
 * row that the coordinator could not write: the resumed run would not report that row again. */
static cs_status report(worker *self, cs_message *message, const cs_evaluation *const *evaluations, cs_answer *answer) {
    self->halted = cs_queue_send(self->queue, message, evaluations, answer);
    CS_TRY(self->halted);
    if (answer->stop)
        leave(self);
    return answer->refused ? cs_fail(CS_ERR_INTERRUPTED, "the sweep was stopped") : CS_OK;
}

static cs_status on_epoch(void *context, int trial, const cs_epoch_row *row, bool *enough) {
    worker *self = context;
    cs_answer answer = {0};
    cs_message message = {.kind = CS_REPORT_EPOCH, .trial = self->work.trials[trial], .epoch = *row};
    cs_status status = report(self, &message, NULL, &answer);
    *enough = answer.enough;
    return status;
}

static cs_status on_failed(void *context, int trial, cs_status code) {
    worker *self = context;
    if (code == CS_ERR_NO_SPACE)
        return code;
    cs_message message = {.kind = CS_REPORT_FAILED, .trial = self->work.trials[trial], .code = code};
    cs_answer answer;
    self->reported[trial] = true;
    copy_reason(&message);
    return report(self, &message, NULL, &answer);
}

/* The rank that trained a trial writes its weights; the coordinator never gets them. */
static cs_status save_weights(const worker *self, int trial, const cs_params *params) {
    const char *ending = self->job->trials[trial].train.save_weights;
    char folder[CS_PATH_MAX], path[CS_PATH_MAX], name[32];
    if (strcmp(ending, "none") == 0)
        return CS_OK;
    cs_job_trial_name(self->job, trial, name, sizeof name);
    CS_TRY(cs_path(folder, sizeof folder, "%s/weights", self->folder));
    CS_TRY(cs_folder_create(folder));
    CS_TRY(cs_path(path, sizeof path, "%s/%s.%s", folder, name, ending));
    return cs_weights_write(path, params);
}

/* What the trial needs of the evaluation of a split: of a held-out fold also what is predicted for each image. */
static unsigned needs_of(const cs_trial_config *trial, cs_split split) {
    const cs_folds folds = cs_trial_folds(trial);
    const bool is_held_out = folds.fold.count > 0 && split == folds.held_out;
    return cs_results_need(split) | (is_held_out ? (unsigned)CS_NEEDS_LOGITS : 0);
}

/* Computes the intervals of the reports where the trial was trained, as that takes longer than a message. */
static cs_status make_intervals(const worker *self, const cs_evaluation *const *evaluations, cs_message *message) {
    const cs_train_config *train = &self->job->trials[message->trial].train;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (evaluations[split])
            CS_TRY(cs_bootstrap_make(evaluations[split], cs_trial_tests(train, split, "macro_auc"),
                                     (uint64_t)train->seed, (uint32_t)split, &message->bootstrap[split]));
    return CS_OK;
}

static cs_status on_finished(void *context, int trial, const cs_trial_result *result,
                             const cs_evaluation *const *evaluations, const cs_params *params,
                             const cs_dataset *dataset) {
    worker *self = context;
    cs_message message = {.kind = CS_REPORT_FINISHED, .trial = self->work.trials[trial], .result = *result};
    cs_status status = save_weights(self, message.trial, params);
    if (status == CS_OK)
        status = make_intervals(self, evaluations, &message);
    const cs_finished_trial finished = {message.trial, result->seconds, evaluations, message.bootstrap, dataset};
    if (status == CS_OK)
        status = cs_trial_files_write(self->job, self->folder, &finished);
    if (status != CS_OK)
        return on_failed(self, trial, status);
    cs_answer answer;
    self->reported[trial] = true;
    return report(self, &message, evaluations, &answer);
}

/* Tells rank 0 about once a second how far the group is. The rate is that of the steps since the last time; validation,
 * which comes before the first step of an epoch, does not count. */
static void tell_position(worker *self, int epoch, int batch, int batches) {
    const double seconds_between = 1, now = cs_now();
    const bool begins = epoch != self->at.epoch || self->measured == 0;
    self->steps++;
    if (begins) {
        self->at.epoch = epoch;
        self->measured = now;
        self->steps = 0;
    }
    if (now - self->told < seconds_between)
        return;
    if (self->steps > 0 && now > self->measured)
        self->at.images_per_second =
            self->steps * (double)self->job->trials[self->work.trials[0]].train.batch / (now - self->measured);
    self->at.batch = batch;
    self->at.batches = batches;
    self->told = self->measured = now;
    self->steps = 0;
    cs_queue_tell(self->queue, &self->at);
}

static void on_step(void *context, int epoch, int batch, int batches) {
    worker *self = context;
    if (cs_queue_stopped(self->queue))
        leave(self);
    tell_position(self, epoch, batch, batches);
}

typedef struct file_names {
    char checkpoint[CS_PATH_MAX], start[CS_PATH_MAX], end[CS_PATH_MAX];
} file_names;

/* Sets the paths of a trial's files, <folder>/checkpoints/t007.ckpt and <folder>/states/t007.state. All ranks of a
 * group must come to the same result, so this does not touch the disk. */
static cs_status name_files(const worker *self, int trial, file_names *names, cs_trial_files *out) {
    const cs_job *job = self->job;
    int start = job->extended[trial] ? trial : job->before[trial];
    CS_TRY(cs_results_file(self->folder, job, "checkpoints", trial, "ckpt", names->checkpoint));
    CS_TRY(cs_results_file(self->folder, job, "states", trial, "state", names->end));
    if (start >= 0)
        CS_TRY(cs_results_file(self->folder, job, "states", start, "state", names->start));
    *out = (cs_trial_files){.checkpoint = names->checkpoint,
                            .start = start >= 0 ? names->start : NULL,
                            .end = cs_job_keeps_state(job, trial) ? names->end : NULL};
    return CS_OK;
}

static cs_status train_together(worker *self) {
    const cs_train_events events = {
        .context = self, .epoch = on_epoch, .finished = on_finished, .failed = on_failed, .step = on_step};
    cs_trial_config trials[CS_GROUP_MAX];
    file_names names[CS_GROUP_MAX];
    cs_trial_files files[CS_GROUP_MAX];
    for (int i = 0; i < self->work.n; i++) {
        trials[i] = self->job->trials[self->work.trials[i]];
        CS_TRY(name_files(self, self->work.trials[i], &names[i], &files[i]));
    }
    const cs_group_config config = {
        .trials = trials,
        .n = self->work.n,
        .files = files,
        .checkpoint_seconds = self->job->run.checkpoint_seconds,
        .cache = cs_limits_of_cache(&self->job->run, self->node_ranks, self->engine),
        .filter_cache = self->filter_cache,
        .comm = cs_rank_group_comm(self->group),
        .events = &events,
        .needs = {needs_of(trials, CS_SPLIT_TRAIN), needs_of(trials, CS_SPLIT_VAL), needs_of(trials, CS_SPLIT_TEST)},
        .optional_needs = {CS_NEEDS_LOGITS, CS_NEEDS_LOGITS, CS_NEEDS_LOGITS}, /* for the details */
        .optional_values = CS_DETAILS_LOGITS_MAX,
        .stop = self->interrupted};
    return cs_group_train(self->engine, &config);
}

/* An error of the whole group (its data, its memory) becomes the result of each of its trials that has not ended, and
 * the sweep goes on. A full disk instead ends the sweep: every trial would fail, and it is better to resume them. */
static cs_status train_work(worker *self) {
    memset(self->reported, 0, sizeof self->reported);
    self->at = (cs_epoch_position){0};
    self->told = self->measured = 0;
    cs_status status = train_together(self);
    if (status == CS_ERR_COMM)
        self->halted = status;
    if (!cs_rank_group_leads(self->group)) /* the leader reports the results */
        return status;
    if (status == CS_OK || status == CS_ERR_INTERRUPTED || status == CS_ERR_NO_SPACE || self->stop ||
        self->halted != CS_OK)
        return status;
    for (int i = 0; i < self->work.n; i++)
        if (!self->reported[i])
            CS_TRY(on_failed(self, i, status));
    return CS_OK;
}

/* Asks until there is a group, or none will come. Others train meanwhile, so it sleeps in between. */
static cs_status wait_for_group(worker *self) {
    const struct timespec pause = {.tv_nsec = 20000000};
    cs_message ask = {.kind = CS_ASK_GROUP};
    for (;;) {
        self->halted = cs_queue_send(self->queue, &ask, NULL, &self->work);
        CS_TRY(self->halted);
        if (!self->work.wait)
            return CS_OK;
        self->work = (cs_answer){0};
        if (cs_queue_stopped(self->queue))
            leave(self);
        if (*self->interrupted)
            return cs_fail(CS_ERR_INTERRUPTED, "the sweep was stopped");
        nanosleep(&pause, NULL);
    }
}

/* The leader asks for a group and shares it with its rank group. After a failure the group is empty. */
static cs_status ask_for_work(worker *self, cs_status *status) {
    self->work = (cs_answer){0};
    if (*status == CS_OK && cs_rank_group_leads(self->group)) {
        *status = wait_for_group(self);
        CS_TRY(self->halted);
    }
    self->halted = cs_rank_group_share(self->group, &self->work, sizeof self->work);
    CS_TRY(self->halted);
    return self->work.n > 0 ? cs_job_set_chosen(self->job, self->work.trials[0], &self->work.chosen) : CS_OK;
}

static cs_status work(worker *self) {
    cs_status status = CS_OK;
    for (;;) {
        CS_TRY(ask_for_work(self, &status));
        if (self->work.n == 0)
            return status;
        status = train_work(self);
        CS_TRY(self->halted);
    }
}

cs_status cs_worker_run(const cs_job *job, const char *folder, cs_engine *engine, int node_ranks, cs_queue *queue,
                        cs_rank_group *group, volatile sig_atomic_t *stop) {
    worker self = {
        .job = job, .folder = folder, .engine = engine, .node_ranks = node_ranks, .queue = queue, .group = group};
    cs_answer answer;
    cs_message leaving = {.kind = CS_REPORT_LEAVING};
    self.interrupted = stop;
    cs_status status = cs_filter_cache_open(cs_limit_of_filtered_images(node_ranks), &self.filter_cache);
    if (status == CS_OK)
        status = work(&self);
    cs_filter_cache_close(self.filter_cache);
    if (self.halted != CS_OK || !cs_rank_group_leads(group))
        return self.halted;
    /* The coordinator itself reports why it stops. */
    leaving.code = self.stop ? CS_OK : status;
    if (leaving.code != CS_OK)
        copy_reason(&leaving);
    return cs_queue_send(queue, &leaving, NULL, &answer);
}
