/* SPDX-License-Identifier: Apache-2.0 */
#include "display.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"
#include "job/column.h"
#include "terminal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_WIDTH = 12, LINE_MAX_BYTES = 1024 };
/* With log: auto, a log has at most so many lines of epochs and trials, or else of trials. In a summary it has one for
 * each of so many parts of the trials. */
enum { MOST_LINES = 100, MOST_TRIALS = 200, SUMMARIES = 20 };

/* Without a bar, a line says after so many seconds without another that the sweep is alive, and says so again after
 * twice the time each, up to the last pause: a first epoch of 40 minutes has six such lines. */
static const double first_pause = 60, longest_pause = 600;

/* How many lines there will be if each epoch of the trials that are left has one. */
static long count_lines(const cs_job *job) {
    long n = 0;
    for (int t = 0; t < job->n_trials; t++)
        if (!job->done[t] && !cs_job_in_other_part(job, t))
            n += 1 + job->trials[t].train.epochs;
    return n;
}

static cs_log_lines choose_lines(const cs_job *job, int trials) {
    if (job->run.log != CS_LINES_AUTO)
        return job->run.log;
    return count_lines(job) <= MOST_LINES ? CS_LINES_EPOCHS
           : trials <= MOST_TRIALS        ? CS_LINES_TRIALS
                                          : CS_LINES_SUMMARY;
}

cs_status cs_display_open(cs_display *display, const cs_plan *plan) {
    *display = (cs_display){.plan = plan, .wanted = cs_log_get_level() >= CS_LOG_INFO, .started = cs_now(), .best = -1};
    display->trials = cs_job_part_trials(plan->job);
    display->lines = choose_lines(plan->job, display->trials);
    display->spoke = display->started;
    display->pause = first_pause;
    display->columns = display->wanted ? cs_terminal_columns() : 0;
    for (int t = 0; t < plan->job->n_trials; t++)
        display->ended += plan->job->done[t];
    return cs_alloc((size_t)plan->job->n_trials, sizeof *display->trial_seconds, "display", &display->trial_seconds);
}

void cs_display_close(cs_display *display) {
    if (display->columns > 0)
        fputc('\n', stderr);
    free(display->trial_seconds);
    *display = (cs_display){0};
}

static double part_done(const cs_display *display) {
    return display->plan->total_seconds > 0 ? display->done_seconds / display->plan->total_seconds : 0;
}

static double seconds_left(const cs_display *display) {
    const double part = part_done(display), elapsed = cs_now() - display->started;
    return part > 0 ? elapsed * fmax(0, 1 - part) / part : display->plan->makespan;
}

static void print_left(const cs_display *display, char *out, size_t size) {
    char clock[24];
    cs_clock_text(seconds_left(display), clock, sizeof clock);
    snprintf(out, size, "%s left", clock);
}

/* The bar is cut to the width of the terminal: a line that goes on in the next one could not be drawn over. */
static void draw_bar(const cs_display *display) {
    static const char marks[] = "############";
    char left[32], bar[LINE_MAX_BYTES];
    print_left(display, left, sizeof left);
    snprintf(bar, sizeof bar, "[%-*.*s] %d/%d trials  %.0f %%  %s%s%s", BAR_WIDTH,
             (int)(part_done(display) * BAR_WIDTH), marks, display->ended, display->trials, 100 * part_done(display),
             left, display->running[0] ? "  " : "", display->running);
    fprintf(stderr, "\r%.*s\033[K", display->columns - 1, bar);
}

/* Prints a line; "\033[K" clears what the bar has there. */
static void put_line(cs_display *display, const char *line) {
    display->spoke = cs_now();
    display->pause = first_pause;
    fprintf(stderr, "%s%s\n", display->columns > 0 ? "\r\033[K" : "", line);
    if (display->columns > 0)
        draw_bar(display);
}

static void print_line(cs_display *display, int trial, const char *fmt, ...) CS_PRINTF(3, 4);
static void print_line(cs_display *display, int trial, const char *fmt, ...) {
    if (!display->wanted)
        return;
    char name[32], values[CS_VALUE_MAX * 2], shown[sizeof values], line[LINE_MAX_BYTES],
        whole[sizeof shown + sizeof line + sizeof name + 4];
    cs_job_trial_name(display->plan->job, trial, name, sizeof name);
    cs_job_describe_trial(display->plan->job, trial, values, sizeof values);
    cs_text_printable(values, shown, sizeof shown);
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%s%s%s  %s", name, shown[0] ? " " : "", shown, line);
    put_line(display, whole);
}

/* "120/1000 trials, 3 failed, 12 %, best test_accuracy 0.9312 (t017), 1:02:03 left" */
static void print_summary(cs_display *display) {
    const cs_job *job = display->plan->job;
    const cs_column *metric = NULL;
    char left[32], name[32], failed[32] = "", best[CS_METRIC_NAME_MAX + 96] = "", line[LINE_MAX_BYTES];
    print_left(display, left, sizeof left);
    if (display->failed > 0)
        snprintf(failed, sizeof failed, ", %d failed", display->failed);
    if (display->best >= 0 && cs_column_find(job->metric, &metric) == CS_OK) {
        cs_job_trial_name(job, display->best, name, sizeof name);
        snprintf(best, sizeof best, ", best %s %.*f (%s)", metric->name, metric->decimals, display->best_value, name);
    }
    snprintf(line, sizeof line, "%d/%d trials%s, %.0f %%%s, %s", display->ended, display->trials, failed,
             100 * part_done(display), best, left);
    put_line(display, line);
    display->said = display->ended;
}

/* Sets the share of a trial in the finished work to `seconds`. */
static void advance(cs_display *display, int trial, double seconds) {
    display->done_seconds += seconds - display->trial_seconds[trial];
    display->trial_seconds[trial] = seconds;
}

static void append_metrics(const cs_epoch_row *row, cs_metric_split split, bool maximize, char *out, size_t size) {
    int n, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = 0; i < n_epoch; i++) {
        const cs_metric *metric = columns[i].metric;
        size_t used = strlen(out), room = size - used;
        if (columns[i].split != split || metric->maximize != maximize || isnan(row->value[i]))
            continue;
        if (snprintf(out + used, room, "%s %.*f  ", columns[i].name, metric->decimals, row->value[i]) >= (int)room)
            out[used] = '\0'; /* the line is full; history/ has them all */
    }
}

/* Prints "loss 0.3200  accuracy 0.9000  val_loss ...": for each split the losses first, and only metrics that the trial
 * has. */
static void print_metrics(const cs_epoch_row *row, char *out, size_t size) {
    static const cs_metric_split splits[] = {CS_METRIC_TRAIN, CS_METRIC_VAL};
    *out = '\0';
    for (int i = 0; i < 2; i++) {
        append_metrics(row, splits[i], false, out, size);
        append_metrics(row, splits[i], true, out, size);
    }
}

void cs_display_epoch(cs_display *display, int trial, int rank, const cs_epoch_row *row) {
    int epochs = cs_job_epochs(display->plan->job, trial), own = display->plan->job->trials[trial].train.epochs;
    char metrics[LINE_MAX_BYTES / 2];
    advance(display, trial, display->plan->seconds[trial] * fmax(0, row->epoch + 1 - (epochs - own)) / own);
    if (display->lines != CS_LINES_EPOCHS)
        return;
    print_metrics(row, metrics, sizeof metrics);
    print_line(display, trial, "epoch %d/%d  %s%.1f s  rank %d", row->epoch + 1, epochs, metrics, row->seconds, rank);
}

/* A failure has a line in any case. */
static void end_trial(cs_display *display, int trial, const char *what, bool failed) {
    char left[32];
    advance(display, trial, display->plan->seconds[trial]);
    display->ended++;
    display->failed += failed;
    print_left(display, left, sizeof left);
    if (failed || display->lines != CS_LINES_SUMMARY)
        print_line(display, trial, "%s  (%d/%d, %s)", what, display->ended, display->trials, left);
    const int part = (display->trials + SUMMARIES - 1) / SUMMARIES;
    if (display->wanted && display->lines == CS_LINES_SUMMARY &&
        (display->ended - display->said >= part || display->ended == display->trials))
        print_summary(display);
}

static void note_best(cs_display *display, int trial, const cs_trial_result *result) {
    const cs_job *job = display->plan->job;
    const cs_column *metric = NULL;
    if (cs_job_is_before(job, trial) || cs_column_find(job->metric, &metric) != CS_OK)
        return;
    const double value = cs_column_value(metric, result);
    if (isnan(value) || (display->best >= 0 && !cs_column_better(value, display->best_value, job->maximize)))
        return;
    display->best = trial;
    display->best_value = value;
}

void cs_display_known(cs_display *display, int trial, const cs_trial_result *result) {
    note_best(display, trial, result);
}

void cs_display_finished(cs_display *display, int trial, const cs_trial_result *result) {
    const cs_column *metric = NULL;
    char what[128] = "done";
    if (cs_column_find(display->plan->job->table_value, &metric) == CS_OK)
        snprintf(what, sizeof what, "done: %s %.*f in %.1f s", metric->name, metric->decimals,
                 cs_column_value(metric, result), result->seconds);
    note_best(display, trial, result);
    end_trial(display, trial, what, false);
}

void cs_display_failed(cs_display *display, int trial, const char *reason) {
    char what[LINE_MAX_BYTES / 2];
    snprintf(what, sizeof what, "FAILED: %s", reason);
    end_trial(display, trial, what, true);
}

/* Counts the part of the present epoch as done. Estimates do not go back. */
static void advance_partly(cs_display *display, const cs_running *group) {
    const cs_plan *plan = display->plan;
    for (int i = 0; i < group->n; i++) {
        const int trial = group->trials[i], own = plan->job->trials[trial].train.epochs;
        const double done = group->at.epoch + cs_running_part(group) - (cs_job_epochs(plan->job, trial) - own);
        const double seconds = plan->seconds[trial] * fmin(1, fmax(0, done / own));
        if (group->placed && seconds > display->trial_seconds[trial])
            advance(display, trial, seconds);
    }
}

/* Appends "rank 3: t004 and 7 more, epoch 3/10, batch 120/500, 1234 images/s"; rank -1 is not named. */
static void describe_group(const cs_display *display, const cs_running *group, int rank, char *out, size_t size) {
    const cs_job *job = display->plan->job;
    const cs_epoch_position *at = &group->at;
    const int epochs = cs_job_epochs(job, group->trials[0]);
    char name[32], who[32] = "", more[32] = "", where[96] = "", rate[48] = "";
    if (rank >= 0)
        snprintf(who, sizeof who, "rank %d: ", rank);
    cs_job_trial_name(job, group->trials[0], name, sizeof name);
    if (group->n > 1)
        snprintf(more, sizeof more, " and %d more", group->n - 1);
    if (group->placed)
        snprintf(where, sizeof where, ", epoch %d/%d, batch %d/%d", at->epoch < epochs ? at->epoch + 1 : epochs, epochs,
                 at->batch, at->batches);
    if (at->images_per_second > 0)
        snprintf(rate, sizeof rate, ", %.0f images/s", at->images_per_second);
    const size_t used = strlen(out);
    snprintf(out + used, size - used, "%s%s%s%s%s%s", used ? "; " : "", who, name, more, where, rate);
}

/* Says in words what the first ranks train. */
static void describe_ranks(cs_display *display, const cs_running *groups, int n) {
    enum { NAMED = 2 };
    int named = 0, more = 0;
    display->running[0] = '\0';
    for (int rank = 0; rank < n; rank++) {
        if (groups[rank].n == 0)
            continue;
        if (named++ < NAMED)
            describe_group(display, &groups[rank], n > 1 ? rank : -1, display->running, sizeof display->running);
        else
            more++;
    }
    const size_t used = strlen(display->running);
    if (more > 0)
        snprintf(display->running + used, sizeof display->running - used, "; and %d more rank%s", more,
                 more == 1 ? "" : "s");
}

double cs_display_look(cs_display *display, const cs_running *groups, int n) {
    char left[32], line[LINE_MAX_BYTES];
    for (int rank = 0; rank < n; rank++)
        advance_partly(display, &groups[rank]);
    describe_ranks(display, groups, n);
    if (display->columns > 0) {
        draw_bar(display);
    } else if (display->wanted && cs_now() - display->spoke >= display->pause) {
        const double pause = display->pause;
        print_left(display, left, sizeof left);
        snprintf(line, sizeof line, "%d/%d trials, %.0f %%, %s%s%s", display->ended, display->trials,
                 100 * part_done(display), left, display->running[0] ? "; " : "", display->running);
        put_line(display, line);
        display->pause = fmin(2 * pause, longest_pause);
    }
    return seconds_left(display);
}
