/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"
#include "best.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/report.h"
#include "event_files.h"
#include "folder.h"
#include "history.h"
#include "hits.h"
#include "kept_files.h"
#include "origin.h"
#include "table.h"
#include "text_buffer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A written row survives the end of the process; only a crash of the machine can lose it. Waiting for the disk after
 * each epoch of a few milliseconds would cost more than training that epoch again. */
static const double seconds_worth_a_sync = 1; /* seconds of training */

struct cs_results {
    cs_results_config config; /* folder points at `folder` */
    char folder[CS_PATH_MAX];
    cs_outcome *outcomes;
    const char **classes;          /* [cs_dataset_class_count] their names */
    int *epochs;                   /* [n_trials] how many epochs of each trial are in the journal */
    cs_kept_files weights, states; /* keep_weights, keep_state */
    cs_best_hits hits;
    cs_event_files events;
    double unsynced_seconds; /* seconds of training that a crash of the machine would lose */
};

static cs_status trial_path(const cs_results *results, const char *entry, int trial, const char *suffix,
                            char out[CS_PATH_MAX]) {
    return cs_results_file(results->folder, results->config.job, entry, trial, suffix, out);
}

unsigned cs_results_need(cs_split split) {
    return cs_artifact_needs() | (split == CS_SPLIT_TEST ? CS_NEEDS_HITS : CS_NEEDS_TALLY);
}

/* Writes trials.csv again, with all known outcomes in the order of the job. */
static cs_status write_csv(const cs_results *results) {
    char path[CS_PATH_MAX];
    cs_text_buffer buffer;
    CS_TRY(cs_results_entry(results->folder, "trials.csv", path));
    CS_TRY(cs_text_open(&buffer));
    cs_csv_print(results->config.job, results->outcomes, buffer.stream);
    return cs_text_replace(&buffer, path);
}

/* A history begins with a header, or with the history of the phase before. */
static cs_status begin_history(const cs_results *results, int trial, FILE *out) {
    const cs_job *job = results->config.job;
    char path[CS_PATH_MAX], *text = NULL;
    size_t size;
    if (job->before[trial] < 0) {
        cs_history_header(&job->metrics, out);
        return CS_OK;
    }
    CS_TRY(trial_path(results, "history", job->before[trial], "csv", path));
    CS_TRY(cs_file_read(path, SIZE_MAX, &text, &size));
    fwrite(text, 1, size, out);
    free(text);
    return CS_OK;
}

/* Appends rows to a trial's history. With `anew` the file is replaced. */
static cs_status write_history(const cs_results *results, int trial, const cs_epoch_row *rows, size_t n, bool anew) {
    char path[CS_PATH_MAX];
    cs_text_buffer buffer;
    CS_TRY(trial_path(results, "history", trial, "csv", path));
    if (anew)
        CS_TRY(cs_remove_all(path));
    if (n == 0)
        return CS_OK;
    CS_TRY(cs_text_open(&buffer));
    cs_status status = anew ? begin_history(results, trial, buffer.stream) : CS_OK;
    if (status != CS_OK)
        return cs_text_drop(&buffer, status);
    for (size_t i = 0; i < n; i++)
        cs_history_row(&results->config.job->metrics, &rows[i], buffer.stream);
    return cs_text_append(&buffer, path);
}

/* Keeps the files of a trial that finished, if it is among the best. */
static cs_status keep_files(cs_results *results, int trial) {
    const cs_job *job = results->config.job;
    CS_TRY(cs_kept_files_add(&results->weights, results->folder, job, results->outcomes, trial));
    return cs_kept_files_add(&results->states, results->folder, job, results->outcomes, trial);
}

/* Restores the outcomes and the epochs of the job's trials from the journal, and writes the other files from them. */
static cs_status restore(cs_results *results) {
    const cs_job *job = results->config.job;
    const cs_journal *earlier = results->config.earlier;
    CS_TRY(cs_origin_check_run(&results->config));
    CS_TRY(cs_journal_repair(results->folder, earlier));
    for (int t = 0; t < job->n_trials; t++) {
        const cs_record *record = cs_journal_record(earlier, job, t);
        if (!record)
            continue;
        if (job->done[t])
            results->outcomes[t] = record->outcome;
        if (results->outcomes[t].state == CS_TRIAL_OK) {
            CS_TRY(keep_files(results, t));
            CS_TRY(cs_best_hits_offer(&results->hits, job, results->outcomes, t, record->hits));
        }
        if (record->n_epochs > 0)
            results->epochs[t] = record->epochs[record->n_epochs - 1].epoch + 1;
    }
    return CS_OK;
}

static cs_status restore_histories(const cs_results *results) {
    /* Phases before others come behind them. */
    for (int t = results->config.job->n_trials - 1; t >= 0; t--) {
        const cs_record *record = cs_journal_record(results->config.earlier, results->config.job, t);
        if (record)
            CS_TRY(write_history(results, t, record->epochs, record->n_epochs, true));
    }
    return CS_OK;
}

/* The journal is written first: a folder with a journal can be resumed, even if other files are still missing. */
static cs_status start_folder(cs_results *results) {
    CS_TRY(cs_folder_create(results->folder));
    CS_TRY(results->config.earlier ? restore(results) : cs_results_clear(results->folder, results->config.force));
    CS_TRY(cs_journal_start(results->folder, &results->config));
    CS_TRY(cs_results_make_folders(results->folder));
    CS_TRY(restore_histories(results));
    CS_TRY(cs_event_files_start(&results->events, results->outcomes));
    return write_csv(results);
}

static cs_status name_classes(cs_results *results) {
    int n = cs_dataset_class_count(results->config.dataset);
    CS_TRY(cs_alloc((size_t)n, sizeof *results->classes, "class names", &results->classes));
    for (int i = 0; i < n; i++)
        results->classes[i] = cs_dataset_class(results->config.dataset, i);
    return CS_OK;
}

static cs_status open_kept_files(cs_results *results) {
    const cs_job *job = results->config.job;
    const char *ending = job->base.train.save_weights;
    int weights = strcmp(ending, "none") == 0 ? 0 : job->run.keep_weights;
    CS_TRY(cs_kept_files_open(job, "weights", ending, weights, &results->weights));
    return cs_kept_files_open(job, "states", "state", job->run.keep_state.most, &results->states);
}

cs_status cs_results_open(const cs_results_config *config, cs_results **out) {
    cs_results *results = NULL;
    CS_TRY(cs_alloc(1, sizeof *results, "results", &results));
    results->config = *config;
    cs_status status;
    CS_TRY_GOTO(cs_path(results->folder, sizeof results->folder, "%s", config->folder), failed);
    results->config.folder = results->folder;
    CS_TRY_GOTO(cs_alloc((size_t)config->job->n_trials, sizeof *results->outcomes, "results", &results->outcomes),
                failed);
    CS_TRY_GOTO(cs_alloc((size_t)config->job->n_trials, sizeof *results->epochs, "results", &results->epochs), failed);
    CS_TRY_GOTO(open_kept_files(results), failed);
    CS_TRY_GOTO(name_classes(results), failed);
    CS_TRY_GOTO(cs_event_files_open(&results->config, results->classes, &results->events), failed);
    CS_TRY_GOTO(start_folder(results), failed);
    *out = results;
    return CS_OK;
failed:
    cs_results_close(results);
    return status;
}

void cs_results_close(cs_results *results) {
    if (!results)
        return;
    free(results->classes);
    free(results->outcomes);
    free(results->epochs);
    cs_kept_files_close(&results->weights);
    cs_kept_files_close(&results->states);
    cs_best_hits_drop(&results->hits);
    cs_event_files_close(&results->events);
    free(results);
}

int cs_results_ranks(const cs_results *results) {
    return results->config.ranks;
}

const cs_outcome *cs_results_outcomes(const cs_results *results) {
    return results->outcomes;
}

cs_status cs_results_planned(cs_results *results, int trial) {
    results->unsynced_seconds = INFINITY; /* the trial's checkpoint would not fit other values */
    return cs_journal_plan(results->folder, results->config.job, trial);
}

cs_status cs_results_group(cs_results *results, int rank, const int *trials, int n) {
    return cs_journal_group(results->folder, results->config.job, rank, trials, n);
}

/* The epochs of the phases before come first in the history of a trial. */
static int epochs_before(const cs_results *results, int trial) {
    int before = results->config.job->before[trial];
    return before >= 0 ? results->epochs[before] : 0;
}

cs_status cs_results_epoch(cs_results *results, int trial, int rank, const cs_epoch_row *reported) {
    char name[32];
    cs_epoch_row timed = *reported, *row = &timed;
    bool first = results->epochs[trial] == 0;
    if (first)
        results->epochs[trial] = epochs_before(results, trial);
    if (row->epoch < results->epochs[trial])
        return CS_OK;
    cs_job_trial_name(results->config.job, trial, name, sizeof name);
    if (row->epoch > results->epochs[trial])
        cs_log(CS_LOG_WARN, "%s goes on from a checkpoint that is ahead of the journal: history/%s.csv lacks epochs",
               name, name);
    timed.time = cs_wall_seconds();
    CS_TRY(cs_journal_epoch(results->folder, name, rank, row, &results->config.job->metrics));
    CS_TRY(write_history(results, trial, row, 1, first));
    CS_TRY(cs_event_files_epochs(&results->events, trial, row, 1, first));
    results->epochs[trial] = row->epoch + 1;
    results->unsynced_seconds += row->seconds;
    return CS_OK;
}

/* Writes an artifact. The journal does not have its contents, so it must be on the disk before the journal says that
 * the trial is done. */
static cs_status write_artifact(const cs_results *results, int trial, const cs_artifact *artifact, cs_split split,
                                const cs_artifact_input *input) {
    char path[CS_PATH_MAX];
    cs_text_buffer buffer;
    CS_TRY(cs_results_split_file(results->folder, artifact->folder, results->config.job->numbers[trial], split,
                                 artifact->suffix, path));
    unlink(path); /* a program that was killed may have left it incomplete; if unlink fails, the append reports why */
    CS_TRY(cs_text_open(&buffer));
    cs_status status = artifact->write(input, buffer.stream);
    if (status != CS_OK)
        return cs_context(cs_text_drop(&buffer, status), "%s", artifact->name);
    CS_TRY(cs_text_append(&buffer, path));
    return cs_file_sync(path);
}

/* The title of a report that is not of test ends with the split. */
static cs_status write_artifacts(const cs_results *results, int trial, cs_split split, const cs_tested *tested) {
    const cs_job *job = results->config.job;
    char history[CS_PATH_MAX], values[CS_VALUE_MAX * 2], title[CS_NAME_MAX + sizeof values + 16];
    size_t n;
    const cs_artifact *artifacts = cs_artifacts(&n);
    CS_TRY(trial_path(results, "history", trial, "csv", history));
    cs_job_describe_trial(job, trial, values, sizeof values);
    bool is_test = split == CS_SPLIT_TEST;
    snprintf(title, sizeof title, "%s%s%s%s%s", job->name, values[0] ? ": " : "", values, is_test ? "" : ", ",
             is_test ? "" : cs_split_name(split));
    const cs_artifact_input input = {.title = title,
                                     .classes = results->classes,
                                     .n_classes = cs_dataset_class_count(results->config.dataset),
                                     .split = cs_split_name(split),
                                     .evaluation = tested->evaluations[split],
                                     .bootstrap = tested->bootstrap[split],
                                     .history = history};
    for (size_t i = 0; i < n; i++)
        CS_TRY(write_artifact(results, trial, &artifacts[i], split, &input));
    return CS_OK;
}

/* The trial has ended only once it is in the journal and in trials.csv. */
static cs_status record(cs_results *results, int trial, const cs_outcome *outcome, const char *hits) {
    char path[CS_PATH_MAX], name[32];
    cs_text_buffer buffer;
    cs_job_trial_name(results->config.job, trial, name, sizeof name);
    CS_TRY(cs_journal_trial(results->folder, name, results->config.job, trial, outcome, hits));
    CS_TRY(cs_results_entry(results->folder, "trials.csv", path));
    CS_TRY(cs_text_open(&buffer));
    cs_csv_row(results->config.job, trial, outcome, buffer.stream);
    CS_TRY(cs_text_append(&buffer, path));
    results->outcomes[trial] = *outcome;
    return outcome->state == CS_TRIAL_OK ? keep_files(results, trial) : CS_OK;
}

cs_status cs_results_finished(cs_results *results, int trial, int rank, const cs_trial_result *result,
                              const cs_tested *tested, const char *reason) {
    cs_outcome outcome = {.state = CS_TRIAL_OK, .rank = rank, .result = *result, .time = cs_wall_seconds()};
    const cs_evaluation *test = tested->evaluations[CS_SPLIT_TEST];
    char *hits = NULL;
    snprintf(outcome.engine, sizeof outcome.engine, "%s", results->config.engine);
    snprintf(outcome.reason, sizeof outcome.reason, "%s", reason);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (tested->evaluations[split])
            CS_TRY(write_artifacts(results, trial, split, tested));
    CS_TRY(cs_event_files_end(&results->events, trial, &outcome, tested->evaluations));
    results->unsynced_seconds += result->seconds;
    /* Folds train, and may test, on other images than each other, so that their hits are not compared. */
    const bool is_fold = results->config.job->trials[trial].data.fold.count > 0;
    cs_status status = CS_OK;
    if (test && test->spec.needs & CS_NEEDS_HITS && !is_fold)
        status = cs_hits_text(test, &hits);
    if (status == CS_OK)
        status = record(results, trial, &outcome, hits);
    if (status == CS_OK)
        status = cs_best_hits_offer(&results->hits, results->config.job, results->outcomes, trial, hits);
    free(hits);
    return status;
}

cs_status cs_results_failed(cs_results *results, int trial, int rank, cs_status code, const char *reason) {
    cs_outcome outcome = {.state = CS_TRIAL_FAILED, .rank = rank, .time = cs_wall_seconds()};
    snprintf(outcome.engine, sizeof outcome.engine, "%s", results->config.engine);
    snprintf(outcome.reason, sizeof outcome.reason, "%s: %s", cs_status_name(code), reason);
    for (char *at = outcome.reason; *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    CS_TRY(cs_event_files_end(&results->events, trial, &outcome, NULL));
    results->unsynced_seconds = INFINITY;
    return record(results, trial, &outcome, NULL);
}

cs_status cs_results_sync(cs_results *results) {
    if (results->unsynced_seconds < seconds_worth_a_sync)
        return CS_OK;
    CS_TRY(cs_journal_sync(results->folder));
    results->unsynced_seconds = 0;
    return CS_OK;
}

static cs_status write_table(const cs_results *results, FILE *out) {
    char path[CS_PATH_MAX];
    cs_text_buffer buffer;
    CS_TRY(cs_results_entry(results->folder, "table.md", path));
    CS_TRY(cs_text_open(&buffer));
    cs_status status = cs_table_print(results->config.job, results->outcomes, &results->hits, buffer.stream);
    if (status != CS_OK)
        return cs_text_drop(&buffer, status);
    fflush(buffer.stream);
    fwrite(buffer.text, 1, buffer.size, out);
    return cs_text_replace(&buffer, path);
}

bool cs_results_complete(const cs_results *results) {
    for (int t = 0; t < results->config.job->n_trials; t++)
        if (results->outcomes[t].state == CS_TRIAL_PENDING && !cs_job_in_other_part(results->config.job, t))
            return false;
    return true;
}

/* Removes the final states that no trial needs any more. */
static cs_status drop_states(const cs_results *results) {
    const cs_job *job = results->config.job;
    char path[CS_PATH_MAX];
    if (job->run.keep_state.most == 0) {
        CS_TRY(cs_results_entry(results->folder, "states", path));
        return cs_remove_all(path);
    }
    for (int t = job->n_last; t < job->n_trials && job->run.keep_state.most != CS_KEEP_ALL; t++) {
        CS_TRY(trial_path(results, "states", t, "state", path));
        CS_TRY(cs_remove_all(path));
    }
    return CS_OK;
}

/* Removes the folder of checkpoints when all trials have ended. The trainer has removed those of trials that ended, but
 * not if it was killed just then. */
static cs_status drop_checkpoints(const cs_results *results) {
    char path[CS_PATH_MAX];
    if (!cs_results_complete(results))
        return CS_OK;
    CS_TRY(drop_states(results));
    CS_TRY(cs_results_entry(results->folder, "checkpoints", path));
    return cs_remove_all(path);
}

cs_status cs_results_end(cs_results *results, const char *how, FILE *out) {
    CS_TRY(write_table(results, out));
    CS_TRY(write_csv(results));
    CS_TRY(drop_checkpoints(results));
    return cs_journal_end(results->folder, how);
}
