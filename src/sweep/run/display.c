/* SPDX-License-Identifier: Apache-2.0 */
#include "display.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "job/column.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, LINE_MAX_BYTES = 1024 };

cs_status cs_display_open(cs_display *display, const cs_plan *plan) {
    bool wanted = cs_log_get_level() >= CS_LOG_INFO;
    *display = (cs_display){.plan = plan, .lines = wanted, .bar = wanted && isatty(STDERR_FILENO), .started = cs_now()};
    display->trials = cs_job_part_trials(plan->job);
    for (int t = 0; t < plan->job->n_trials; t++)
        display->ended += plan->job->done[t];
    return cs_alloc((size_t)plan->job->n_trials, sizeof *display->trial_seconds, "display", &display->trial_seconds);
}

void cs_display_close(cs_display *display) {
    if (display->bar)
        fputc('\n', stderr);
    free(display->trial_seconds);
    *display = (cs_display){0};
}

static double part_done(const cs_display *display) {
    return display->plan->total_seconds > 0 ? display->done_seconds / display->plan->total_seconds : 0;
}

static void print_left(const cs_display *display, char *out, size_t size) {
    double part = part_done(display), elapsed = cs_now() - display->started;
    long left = lround(part > 0 ? elapsed * (1 - part) / part : display->plan->makespan);
    snprintf(out, size, "%ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
}

static void draw_bar(const cs_display *display) {
    static const char marks[] = "##############################";
    char left[32];
    print_left(display, left, sizeof left);
    fprintf(stderr, "\r[%-*.*s] %d/%d trials  %.0f %%  %s ", BAR_WIDTH, (int)(part_done(display) * BAR_WIDTH), marks,
            display->ended, display->trials, 100 * part_done(display), left);
}

static void print_line(const cs_display *display, int trial, const char *fmt, ...) CS_PRINTF(3, 4);
static void print_line(const cs_display *display, int trial, const char *fmt, ...) {
    if (!display->lines)
        return;
    char name[32], text[CS_VALUE_MAX * 2], line[LINE_MAX_BYTES];
    cs_job_trial_name(display->plan->job, trial, name, sizeof name);
    cs_job_describe_trial(display->plan->job, trial, text, sizeof text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    /* "\033[K" clears the line, which may show the bar. */
    fprintf(stderr, "%s%s%s%s  %s\n", display->bar ? "\r\033[K" : "", name, text[0] ? " " : "", text, line);
    if (display->bar)
        draw_bar(display);
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
    print_metrics(row, metrics, sizeof metrics);
    print_line(display, trial, "epoch %d/%d  %s%.1f s  rank %d", row->epoch + 1, epochs, metrics, row->seconds, rank);
}

static void end_trial(cs_display *display, int trial, const char *what) {
    char left[32];
    advance(display, trial, display->plan->seconds[trial]);
    display->ended++;
    print_left(display, left, sizeof left);
    print_line(display, trial, "%s  (%d/%d, %s)", what, display->ended, display->trials, left);
}

void cs_display_finished(cs_display *display, int trial, const cs_trial_result *result) {
    const cs_column *metric = NULL;
    char what[128] = "done";
    if (cs_column_find(display->plan->job->table_value, &metric) == CS_OK)
        snprintf(what, sizeof what, "done: %s %.*f in %.1f s", metric->name, metric->decimals,
                 cs_column_value(metric, result), result->seconds);
    end_trial(display, trial, what);
}

void cs_display_failed(cs_display *display, int trial, const char *reason) {
    char what[LINE_MAX_BYTES / 2];
    display->failed++;
    snprintf(what, sizeof what, "FAILED: %s", reason);
    end_trial(display, trial, what);
}
