/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/resources.h"
#include "cnnsweep/text.h"
#include "job/column.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void count_record(const cs_journal *journal, const cs_column *metric, int number, cs_sweep_counts *c) {
    const cs_record *record = &journal->records[number];
    c->done += record->outcome.state == CS_TRIAL_OK;
    c->failed += record->outcome.state == CS_TRIAL_FAILED;
    c->in_progress += record->outcome.state == CS_TRIAL_PENDING && record->n_epochs > 0;
    c->epochs += record->n_epochs;
    if (!metric || record->outcome.state != CS_TRIAL_OK || record->is_before)
        return;
    double value = cs_column_value(metric, &record->outcome.result);
    if (!cs_column_better(value, c->best_value, journal->maximize))
        return;
    c->best = number;
    c->best_value = value;
}

static const cs_column *metric_of(const cs_journal *journal) {
    const cs_column *metric = NULL;
    return cs_column_find(journal->metric, &metric) == CS_OK ? metric : NULL;
}

/* Counts the trials of the last start. Trials that are no longer in the job are left out. A trial is in progress from
 * when it is given to a rank. */
static cs_sweep_counts count(const cs_journal *journal, const cs_progress_file *progress) {
    cs_sweep_counts c = {.trials = journal->trials, .best = -1, .best_value = NAN};
    const cs_column *metric = metric_of(journal);
    for (size_t i = 0; i < journal->n; i++)
        if (journal->records[i].start == journal->starts)
            count_record(journal, metric, (int)i, &c);
    for (int i = 0; i < progress->n; i++) {
        const cs_record *record = cs_journal_find(journal, progress->trials[i].trial);
        c.in_progress += record && record->outcome.state == CS_TRIAL_PENDING && record->n_epochs == 0;
    }
    return c;
}

static bool is_running(const cs_sweep_state *state, const char *lock) {
    const double fresh = 60;
    char host[sizeof state->progress.host];
    if (cs_file_locked(lock))
        return true;
    cs_host_name(host, sizeof host);
    if (!host[0] || strcmp(host, state->progress.host) == 0)
        return false;
    return !state->journal->ended[0] && fabs(cs_wall_seconds() - state->progress.time) < fresh;
}

cs_status cs_sweep_state_read(cs_sweep_state *state) {
    char lock[CS_PATH_MAX];
    CS_TRY(cs_path(lock, sizeof lock, "%s/" CS_SWEEP_LOCK, state->folder));
    cs_progress_file_clear(&state->progress);
    CS_TRY(cs_progress_file_read(state->folder, &state->progress));
    CS_TRY(cs_journal_read_on(state->folder, CS_LOG_WARN, &state->journal));
    if (!state->journal)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no journal.jsonl, so no sweep", state->folder),
                       "give the results folder of a sweep, such as results/NAME");
    state->running = is_running(state, lock);
    if (!state->running)
        cs_progress_file_clear(&state->progress);
    state->counts = count(state->journal, &state->progress);
    return CS_OK;
}

void cs_sweep_state_close(cs_sweep_state *state) {
    cs_journal_free(state->journal);
    cs_progress_file_clear(&state->progress);
}

static void print_span(double seconds, char *out, size_t size) {
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= 2 * units[i].seconds) {
            snprintf(out, size, "%.0f %s", floor(seconds / units[i].seconds), units[i].name);
            return;
        }
    }
    snprintf(out, size, "%.0f s", fmax(0, seconds)); /* clocks of two nodes may differ */
}

/* "1:02:03", or "-" if it is not known. */
static void print_left(double seconds, char *out, size_t size) {
    if (isnan(seconds))
        snprintf(out, size, "-");
    else
        cs_clock_text(seconds, out, size);
}

static void print_state(const cs_sweep_state *state, FILE *out) {
    const cs_journal *journal = state->journal;
    if (state->running)
        fprintf(out, "state    running\n");
    else if (strcmp(journal->ended, "done") == 0)
        fprintf(out, "state    done\n");
    else if (journal->ended[0])
        fprintf(out, "state    stopped (%s)\n", journal->ended);
    else
        fprintf(out, "state    stopped unexpectedly: it was killed, or the machine went down\n");
}

static void print_next(const cs_sweep_state *state, FILE *out) {
    const cs_journal *journal = state->journal;
    const cs_sweep_counts *c = &state->counts;
    bool over = c->done + c->failed >= journal->trials;
    char part[48] = "";
    if (journal->parts > 0)
        snprintf(part, sizeof part, " --part %d/%d", journal->part, journal->parts);
    if (state->running)
        fprintf(out, "next     wait; a signal (SIGTERM, SIGINT, SIGUSR2) stops it with checkpoints\n");
    else if (over && strcmp(journal->ended, "done") == 0 && c->failed == 0)
        fprintf(out, "next     nothing: the table is in %s/table.md\n", state->folder);
    else
        fprintf(out, "next     cnnsweep train JOB.yaml%s --out %s --resume%s\n", part, state->folder,
                over && c->failed ? " --retry-failed" : "");
}

static void print_counts(const cs_sweep_counts *c, FILE *out) {
    fprintf(out, "%d: %d done, %d failed, %d in progress, %d waiting\n", c->trials, c->done, c->failed, c->in_progress,
            c->trials - c->done - c->failed - c->in_progress);
}

/* Prints the options of a trial, which may have characters that move a terminal's cursor. */
static void print_options(const cs_record *record, FILE *out) {
    enum { ESCAPED = 4 };
    char text[CS_VALUE_MAX * 2 * ESCAPED];
    cs_text_printable(record && record->options ? record->options : "", text, sizeof text);
    fputs(text, out);
}

/* The column of an epoch that is shown of running trials: that of val for the metric by which the sweep compares
 * trials, or of train if there is no val split; -1: there is none. */
static int shown_column(const cs_journal *journal) {
    const int column = cs_metric_find_column(journal->metric);
    const int val = column < 0 ? -1 : cs_metric_sibling(column, CS_METRIC_VAL);
    for (size_t i = 0; val >= 0 && i < journal->n; i++)
        for (size_t row = 0; row < journal->records[i].n_epochs; row++)
            if (!isnan(journal->records[i].epochs[row].value[val]))
                return val;
    return column < 0 ? -1 : cs_metric_sibling(column, CS_METRIC_TRAIN);
}

static const cs_metric_column *column_at(int column) {
    int n;
    return &cs_metric_columns(&n, NULL)[column];
}

/* "12/50", or "-" if it is not known. */
static void print_part(int part, int whole, char *out, size_t size) {
    if (whole > 0 && part >= 0)
        snprintf(out, size, "%d/%d", part, whole);
    else
        snprintf(out, size, "-");
}

static void print_running_trial(const cs_journal *journal, const cs_trial_progress *at, int column, int width,
                                FILE *out) {
    const cs_record *record = cs_journal_find(journal, at->trial);
    char epoch[32], batch[32], rate[32] = "-", value[32] = "-", left[32];
    print_part(at->epoch, at->epoch > 0 ? at->epochs : 0, epoch, sizeof epoch);
    print_part(at->batch, at->batches, batch, sizeof batch);
    print_left(at->seconds_left, left, sizeof left);
    if (at->images_per_second > 0)
        snprintf(rate, sizeof rate, "%.0f", at->images_per_second);
    if (column >= 0 && record && record->n_epochs > 0)
        snprintf(value, sizeof value, "%.*f", column_at(column)->metric->decimals,
                 record->epochs[record->n_epochs - 1].value[column]);
    fprintf(out, "  %4d  %-6s  %8s  %11s  %8s  %*s  %8s  ", at->rank, at->trial, epoch, batch, rate, width, value,
            left);
    print_options(record, out);
    fputc('\n', out);
}

static void print_running(const cs_sweep_state *state, FILE *out) {
    enum { WIDTH = 8 };
    char span[32];
    const cs_progress_file *progress = &state->progress;
    const int column = shown_column(state->journal);
    const char *name = column >= 0 ? column_at(column)->name : "metric";
    const int width = (int)strlen(name) > WIDTH ? (int)strlen(name) : WIDTH;
    if (progress->n == 0)
        return;
    print_span(cs_wall_seconds() - progress->time, span, sizeof span);
    fprintf(out, "running  as of %s ago\n", span);
    fprintf(out, "  %4s  %-6s  %8s  %11s  %8s  %*s  %8s  options\n", "rank", "trial", "epoch", "batch", "images/s",
            width, name, "left");
    for (int i = 0; i < progress->n; i++)
        print_running_trial(state->journal, &progress->trials[i], column, width, out);
}

static void print_best(const cs_sweep_state *state, FILE *out) {
    const cs_column *metric = metric_of(state->journal);
    const cs_record *record = &state->journal->records[state->counts.best];
    char name[32];
    cs_trial_name(state->counts.best, name, sizeof name);
    fprintf(out, "best     %s %.*f: %s%s", metric->name, metric->decimals, state->counts.best_value, name,
            record->options && record->options[0] ? " " : "");
    print_options(record, out);
    fputc('\n', out);
}

void cs_sweep_state_print(const cs_sweep_state *state, FILE *out) {
    const cs_journal *journal = state->journal;
    char span[32];
    if (journal->starts == 0) {
        fprintf(out, "%s: nothing has begun\n", state->folder);
        return;
    }
    fprintf(out, "sweep    %s: %s, engine %s%s%s, %d rank%s\n", journal->job, journal->dataset, journal->engine,
            journal->precision[0] ? " " : "", journal->precision, journal->ranks, journal->ranks == 1 ? "" : "s");
    print_state(state, out);
    fputs("trials   ", out);
    print_counts(&state->counts, out);
    fprintf(out, "epochs   %zu\n", state->counts.epochs);
    if (state->counts.best >= 0)
        print_best(state, out);
    if (state->running && !isnan(state->progress.seconds_left)) {
        print_left(state->progress.seconds_left, span, sizeof span);
        fprintf(out, "left     about %s\n", span);
    }
    print_span(difftime(time(NULL), journal->written), span, sizeof span);
    fprintf(out, "last     %s, %s ago\n", journal->last, span);
    print_running(state, out);
    print_next(state, out);
}

void cs_sweep_states_print_sum(const cs_sweep_state *states, int n, FILE *out) {
    cs_sweep_counts sum = {0};
    int running = 0;
    for (int i = 0; i < n; i++) {
        const cs_sweep_counts *c = &states[i].counts;
        running += states[i].running;
        sum.trials += c->trials;
        sum.done += c->done;
        sum.failed += c->failed;
        sum.in_progress += c->in_progress;
    }
    fprintf(out, "all      %d folders, %d running; trials ", n, running);
    print_counts(&sum, out);
}
