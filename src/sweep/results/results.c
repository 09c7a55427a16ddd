#include "results.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "history.h"
#include "job/column.h"
#include "origin.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A written row outlives every process; only the machine's own end can take it. Waiting for the disk after each epoch
 * of a few milliseconds would cost more than training it again. */
static const double worth_a_sync = 1; /* second of training */

struct cs_results {
    cs_results_config config; /* folder points at `folder` */
    char folder[CS_PATH_MAX];
    cs_outcome *outcomes;
    int *epochs; /* [n_trials] of each trial that are in the journal */
    int *kept;   /* [n_kept] trials whose weights stay (keep_weights) */
    int n_kept;
    double at_risk; /* seconds of training that the machine's own end would take with it */
};

cs_status cs_results_folder(const cs_job *job, const cs_sweep_options *options, char out[CS_PATH_MAX]) {
    if (options->out)
        return cs_path(out, CS_PATH_MAX, "%s", options->out);
    if (job->parts > 0)
        return cs_path(out, CS_PATH_MAX, "results/%s/part-%d-of-%d", job->name, job->part, job->parts);
    return cs_path(out, CS_PATH_MAX, "results/%s", job->name);
}

void cs_part_print(int part, int parts, char *out, size_t size) {
    if (parts > 0)
        snprintf(out, size, "part %d of %d (from 0)", part, parts);
    else
        snprintf(out, size, "a whole sweep");
}

/* What a sweep leaves in its folder; `force` removes these and nothing else. */
static const char *const entries[] = {"journal.jsonl", "trials.csv", "table.md",   "history",
                                      "report",        "weights",    "checkpoints"};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

static cs_status entry_path(const cs_results *results, const char *entry, char out[CS_PATH_MAX]) {
    return cs_path(out, CS_PATH_MAX, "%s/%s", results->folder, entry);
}

/* "history" and "csv": <folder>/history/t007.csv */
static cs_status trial_path(const cs_results *results, const char *entry, int trial, const char *suffix,
                            char out[CS_PATH_MAX]) {
    char name[32];
    cs_job_trial_name(results->config.job, trial, name, sizeof name);
    return cs_path(out, CS_PATH_MAX, "%s/%s/%s.%s", results->folder, entry, name, suffix);
}

/* Text built up in memory, so that a line is written whole or not at all. */
typedef struct text_buffer {
    FILE *stream;
    char *text;
    size_t size;
} text_buffer;

static cs_status text_open(text_buffer *buffer) {
    *buffer = (text_buffer){0};
    buffer->stream = open_memstream(&buffer->text, &buffer->size);
    return buffer->stream ? CS_OK : cs_fail(CS_ERR_NO_MEMORY, "no memory for text");
}

static cs_status text_end(text_buffer *buffer) {
    return fclose(buffer->stream) == 0 ? CS_OK : cs_fail(CS_ERR_NO_MEMORY, "no memory for text");
}

/* Finishes the text and appends it to a file (`whole`: makes it the file). */
static cs_status text_write(text_buffer *buffer, const char *path, bool whole) {
    cs_status status = text_end(buffer);
    if (status == CS_OK)
        status = whole ? cs_file_write(path, buffer->text, buffer->size) : cs_append(path, buffer->text, buffer->size);
    free(buffer->text);
    return status;
}

static cs_status clear_folder(const cs_results *results, bool force) {
    char path[CS_PATH_MAX];
    for (int i = 0; i < N_ENTRIES; i++) {
        CS_TRY(entry_path(results, entries[i], path));
        if (!cs_file_exists(path))
            continue;
        /* Without a journal, the first entry, nothing tells how far that sweep was. */
        if (!force)
            return cs_hint(
                cs_fail(CS_ERR_ARG, "%s already holds the results of a sweep (%s)", results->folder, entries[i]),
                "%skeep them and use --out ANOTHER_FOLDER, or replace them with --force",
                i == 0 ? "go on with them with --resume, " : "");
        CS_TRY(cs_remove_all(path));
    }
    return CS_OK;
}

/* trials.csv anew, with what is known, in the order of the job. */
static cs_status write_csv(const cs_results *results) {
    char path[CS_PATH_MAX];
    text_buffer buffer;
    CS_TRY(entry_path(results, "trials.csv", path));
    CS_TRY(text_open(&buffer));
    cs_csv_print(results->config.job, results->outcomes, buffer.stream);
    return text_write(&buffer, path, true);
}

/* Adds rows to a trial's history, the first ones (`anew`) to a file of their own. */
static cs_status write_history(const cs_results *results, int trial, const cs_epoch_row *rows, size_t n, bool anew) {
    char path[CS_PATH_MAX];
    text_buffer buffer;
    CS_TRY(trial_path(results, "history", trial, "csv", path));
    if (anew)
        CS_TRY(cs_remove_all(path));
    if (n == 0)
        return CS_OK;
    CS_TRY(text_open(&buffer));
    if (anew)
        cs_history_header(buffer.stream);
    for (size_t i = 0; i < n; i++)
        cs_history_row(&rows[i], buffer.stream);
    return text_write(&buffer, path, false);
}

/* Rows of one table are comparable. A journal from before there was a choice tells nothing of it. */
static cs_status check_numbers(const cs_results *results) {
    const cs_run_config *run = &results->config.job->run;
    const cs_journal *earlier = results->config.earlier;
    const char *before = earlier->precision[0] ? earlier->precision : cs_precision_name(CS_PRECISION_FP32);
    const char *now = cs_precision_name(run->precision);
    if (strcmp(before, now) == 0 && earlier->deterministic == run->deterministic)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s was begun with precision %s%s, this is precision %s%s", results->folder,
                           before, earlier->deterministic ? ", deterministic" : "", now,
                           run->deterministic ? ", deterministic" : ""),
                   "go on as it was begun, or use --out ANOTHER_FOLDER");
}

/* A sweep may be divided anew only in folders of its own: what another part trains would be trained twice. */
static cs_status check_part(const cs_results *results) {
    const cs_job *job = results->config.job;
    const cs_journal *earlier = results->config.earlier;
    char before[64], now[64];
    if (earlier->part == job->part && earlier->parts == job->parts)
        return CS_OK;
    cs_part_print(earlier->part, earlier->parts, before, sizeof before);
    cs_part_print(job->part, job->parts, now, sizeof now);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s holds %s, this is %s", results->folder, before, now),
                   "go on as it was begun, or use --out ANOTHER_FOLDER");
}

static cs_status check_earlier(const cs_results *results) {
    const cs_results_config *config = &results->config;
    const cs_journal *earlier = config->earlier;
    if (earlier->starts == 0)
        return CS_OK;
    CS_TRY(check_part(results));
    CS_TRY(cs_origin_check_data(earlier, results->folder, config->dataset));
    CS_TRY(check_numbers(results));
    if (strcmp(earlier->engine, config->engine) != 0)
        cs_log(CS_LOG_WARN, "%s was begun with engine %s and goes on with %s: numbers differ in their last digits",
               results->folder, earlier->engine, config->engine);
    if (earlier->threads > 0 && earlier->threads != config->threads)
        cs_log(CS_LOG_WARN,
               "%s was begun with %d thread%s a rank and goes on with %d: numbers differ in their last digits; "
               "threads: %d keeps them",
               results->folder, earlier->threads, earlier->threads == 1 ? "" : "s", config->threads, earlier->threads);
    return CS_OK;
}

/* Is trial a's result better than b's? The earlier trial's where they are equal, so that it does not matter who ended
 * first. */
static bool beats(const cs_results *results, const cs_column *metric, int a, int b) {
    const cs_outcome *outcomes = results->outcomes;
    double p = cs_column_value(metric, &outcomes[a].result), q = cs_column_value(metric, &outcomes[b].result);
    if (cs_column_better(p, q, results->config.job->maximize))
        return true;
    return !cs_column_better(q, p, results->config.job->maximize) && a < b;
}

/* Trial's weights are there; those of the worst go when they are too many. */
static cs_status keep_best_weights(cs_results *results, int trial) {
    const cs_job *job = results->config.job;
    const char *ending = job->base.train.save_weights;
    const cs_column *metric = NULL;
    char path[CS_PATH_MAX];
    int worst = 0;
    if (job->run.keep_weights == 0 || strcmp(ending, "none") == 0)
        return CS_OK;
    results->kept[results->n_kept++] = trial;
    if (results->n_kept <= job->run.keep_weights)
        return CS_OK;
    CS_TRY(cs_column_find(job->metric, &metric));
    for (int i = 1; i < results->n_kept; i++)
        if (beats(results, metric, results->kept[worst], results->kept[i]))
            worst = i;
    CS_TRY(trial_path(results, "weights", results->kept[worst], ending, path));
    results->kept[worst] = results->kept[--results->n_kept];
    return cs_remove_all(path);
}

/* What the journal knows of the job's trials; derived files are written from that alone. */
static cs_status restore(cs_results *results) {
    const cs_job *job = results->config.job;
    const cs_journal *earlier = results->config.earlier;
    CS_TRY(check_earlier(results));
    CS_TRY(cs_journal_repair(results->folder, earlier));
    for (int t = 0; t < job->n_trials; t++) {
        const cs_record *record = cs_journal_record(earlier, job, t);
        if (!record)
            continue;
        if (job->done[t])
            results->outcomes[t] = record->outcome;
        if (results->outcomes[t].state == CS_TRIAL_OK)
            CS_TRY(keep_best_weights(results, t));
        if (record->n_epochs > 0)
            results->epochs[t] = record->epochs[record->n_epochs - 1].epoch + 1;
    }
    return CS_OK;
}

static cs_status restore_histories(const cs_results *results) {
    for (int t = 0; t < results->config.job->n_trials; t++) {
        const cs_record *record = cs_journal_record(results->config.earlier, results->config.job, t);
        if (record)
            CS_TRY(write_history(results, t, record->epochs, record->n_epochs, true));
    }
    return CS_OK;
}

/* The journal is first: a folder with one can be resumed, whatever else is there yet. */
static cs_status start_folder(cs_results *results) {
    static const char *const folders[] = {"history", "report", "checkpoints"};
    char path[CS_PATH_MAX];
    CS_TRY(cs_folder_create(results->folder));
    CS_TRY(results->config.earlier ? restore(results) : clear_folder(results, results->config.force));
    CS_TRY(cs_journal_start(results->folder, &results->config));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        CS_TRY(entry_path(results, folders[i], path));
        CS_TRY(cs_folder_create(path));
    }
    CS_TRY(restore_histories(results));
    return write_csv(results);
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
    CS_TRY_GOTO(cs_alloc((size_t)config->job->n_trials, sizeof *results->kept, "results", &results->kept), failed);
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
    free(results->outcomes);
    free(results->epochs);
    free(results->kept);
    free(results);
}

const cs_outcome *cs_results_outcomes(const cs_results *results) {
    return results->outcomes;
}

cs_status cs_results_epoch(cs_results *results, int trial, int rank, const cs_epoch_row *row) {
    char name[32];
    if (row->epoch < results->epochs[trial])
        return CS_OK;
    cs_job_trial_name(results->config.job, trial, name, sizeof name);
    if (row->epoch > results->epochs[trial])
        cs_log(CS_LOG_WARN, "%s goes on from a checkpoint that is ahead of the journal: history/%s.csv lacks epochs",
               name, name);
    CS_TRY(cs_journal_epoch(results->folder, name, rank, row));
    CS_TRY(write_history(results, trial, row, 1, results->epochs[trial] == 0));
    results->epochs[trial] = row->epoch + 1;
    results->at_risk += row->seconds;
    return CS_OK;
}

unsigned cs_results_needs(void) {
    return CS_NEEDS_CONFUSION;
}

/* No other file has what is in it: it is on the disk before the journal says that the trial is done. */
static cs_status write_report(const cs_results *results, int trial, const cs_evaluation *test) {
    const cs_dataset *dataset = results->config.dataset;
    const char **names = NULL;
    char path[CS_PATH_MAX], title[CS_VALUE_MAX * 2];
    text_buffer buffer;
    CS_TRY(trial_path(results, "report", trial, "txt", path));
    unlink(path); /* one that a kill cut short; what else stands there the append tells */
    CS_TRY(cs_alloc((size_t)test->spec.classes, sizeof *names, "class names", &names));
    for (int i = 0; i < test->spec.classes; i++)
        names[i] = cs_dataset_class(dataset, i);
    cs_status status = text_open(&buffer);
    if (status == CS_OK) {
        cs_job_describe_trial(results->config.job, trial, title, sizeof title);
        fprintf(buffer.stream, "%s%s%s\n\n", results->config.job->name, title[0] ? ": " : "", title);
        cs_classification_report(test, names, buffer.stream);
        status = text_write(&buffer, path, false);
    }
    free(names);
    CS_TRY(status);
    return cs_file_sync(path);
}

/* The row counts as there only once it is in the journal and in trials.csv. */
static cs_status record(cs_results *results, int trial, const cs_outcome *outcome) {
    char path[CS_PATH_MAX], name[32];
    text_buffer buffer;
    cs_job_trial_name(results->config.job, trial, name, sizeof name);
    CS_TRY(cs_journal_trial(results->folder, name, results->config.job, trial, outcome));
    CS_TRY(entry_path(results, "trials.csv", path));
    CS_TRY(text_open(&buffer));
    cs_csv_row(results->config.job, trial, outcome, buffer.stream);
    CS_TRY(text_write(&buffer, path, false));
    results->outcomes[trial] = *outcome;
    return outcome->state == CS_TRIAL_OK ? keep_best_weights(results, trial) : CS_OK;
}

cs_status cs_results_finished(cs_results *results, int trial, int rank, const cs_trial_result *result,
                              const cs_evaluation *test, const char *reason) {
    cs_outcome outcome = {.state = CS_TRIAL_OK, .rank = rank, .result = *result};
    snprintf(outcome.engine, sizeof outcome.engine, "%s", results->config.engine);
    snprintf(outcome.reason, sizeof outcome.reason, "%s", reason);
    if (test)
        CS_TRY(write_report(results, trial, test));
    results->at_risk += result->seconds;
    return record(results, trial, &outcome);
}

cs_status cs_results_failed(cs_results *results, int trial, int rank, cs_status code, const char *reason) {
    cs_outcome outcome = {.state = CS_TRIAL_FAILED, .rank = rank};
    snprintf(outcome.engine, sizeof outcome.engine, "%s", results->config.engine);
    snprintf(outcome.reason, sizeof outcome.reason, "%s: %s", cs_status_name(code), reason);
    for (char *at = outcome.reason; *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    results->at_risk = INFINITY;
    return record(results, trial, &outcome);
}

cs_status cs_results_sync(cs_results *results) {
    if (results->at_risk < worth_a_sync)
        return CS_OK;
    CS_TRY(cs_journal_sync(results->folder));
    results->at_risk = 0;
    return CS_OK;
}

static cs_status write_table(const cs_results *results, FILE *out) {
    char path[CS_PATH_MAX];
    text_buffer buffer;
    CS_TRY(entry_path(results, "table.md", path));
    CS_TRY(text_open(&buffer));
    cs_status status = cs_table_print(results->config.job, results->outcomes, buffer.stream);
    if (status != CS_OK) {
        cs_error error = *cs_error_last();
        fclose(buffer.stream);
        free(buffer.text);
        return cs_error_restore(&error);
    }
    fflush(buffer.stream);
    fwrite(buffer.text, 1, buffer.size, out);
    return text_write(&buffer, path, true);
}

bool cs_results_complete(const cs_results *results) {
    for (int t = 0; t < results->config.job->n_trials; t++)
        if (results->outcomes[t].state == CS_TRIAL_PENDING && !cs_job_is_elsewhere(results->config.job, t))
            return false;
    return true;
}

/* The trainer takes a trial's checkpoint away when the trial ends; a kill in between leaves it. */
static cs_status drop_checkpoints(const cs_results *results) {
    char path[CS_PATH_MAX];
    if (!cs_results_complete(results))
        return CS_OK;
    CS_TRY(entry_path(results, "checkpoints", path));
    return cs_remove_all(path);
}

cs_status cs_results_end(cs_results *results, const char *how, FILE *out) {
    CS_TRY(write_table(results, out));
    CS_TRY(write_csv(results));
    CS_TRY(drop_checkpoints(results));
    return cs_journal_end(results->folder, how);
}
