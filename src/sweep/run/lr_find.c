/* SPDX-License-Identifier: Apache-2.0 */
/* The learning-rate range test of a trial (cnnsweep lr-find). */
#include "cnnsweep/lr_find.h"
#include "cnnsweep/charts.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"
#include "device.h"
#include "job/contents.h"
#include "results/folder.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER = 32 /* the text of a number */ };

/* The first trial, or the first phase of its training. */
static int trial_of(const cs_job *job) {
    int trial = 0;
    while (job->before[trial] >= 0)
        trial = job->before[trial];
    return trial;
}

static void print_csv(const cs_lr_range *range, FILE *out) {
    fputs("step,learning_rate,loss,smoothed_loss\n", out);
    for (int i = 0; i < range->n; i++) {
        const cs_lr_point *point = &range->points[i];
        char rate[NUMBER], loss[NUMBER], smoothed[NUMBER];
        cs_double_text(point->rate, rate, sizeof rate);
        cs_double_text(point->loss, loss, sizeof loss);
        cs_double_text(point->smoothed, smoothed, sizeof smoothed);
        fprintf(out, "%d,%s,%s,%s\n", i, rate, loss, smoothed);
    }
}

/* Draws the smoothed loss, and the losses themselves behind it. `values` [3*n] is a buffer. */
static cs_status draw(const cs_lr_range *range, const char *title, double *values, cs_drawing **out) {
    char labels[2][NUMBER * 2];
    double *x = values, *y = x + range->n, *faint = y + range->n;
    const bool in_order = !(range->steep > range->valley);
    snprintf(labels[0], sizeof labels[0], "steepest descent %.2g", range->steep);
    snprintf(labels[1], sizeof labels[1], "valley %.2g", range->valley);
    const cs_line_mark steep = {range->steep, labels[0]}, valley = {range->valley, labels[1]};
    const cs_line_mark marks[] = {in_order ? steep : valley, in_order ? valley : steep};
    const cs_line lines[] = {{.label = "of a step", .x = x, .y = faint, .n = range->n, .colour = 1, .faint = true},
                             {.label = "smoothed", .x = x, .y = y, .n = range->n, .colour = 1}};
    for (int i = 0; i < range->n; i++) {
        x[i] = range->points[i].rate;
        y[i] = range->points[i].smoothed;
        faint[i] = range->points[i].loss;
    }
    return cs_line_chart_draw(&(cs_line_chart){.frame = {.title = title},
                                               .x = {.label = "learning rate", .scale = CS_SCALE_LOG},
                                               .y = {.label = "training loss"},
                                               .lines = lines,
                                               .n = 2,
                                               .marks = marks,
                                               .n_marks = 2},
                              out);
}

static cs_status write_csv(const char *folder, const cs_lr_range *range) {
    char path[CS_PATH_MAX];
    cs_atomic_file *file;
    CS_TRY(cs_results_entry(folder, "lr_find.csv", path));
    CS_TRY(cs_atomic_open(path, &file));
    print_csv(range, cs_atomic_stream(file));
    return cs_atomic_commit(&file);
}

static cs_status write_svg(const char *folder, const cs_lr_range *range, const char *title) {
    char path[CS_PATH_MAX];
    double *values = NULL;
    cs_drawing *drawing = NULL;
    CS_TRY(cs_results_entry(folder, "lr_find.svg", path));
    CS_TRY(cs_alloc((size_t)range->n * 3, sizeof *values, "range test", &values));
    cs_status status = draw(range, title, values, &drawing);
    if (status == CS_OK)
        status = cs_drawing_write_svg(drawing, path);
    cs_drawing_free(drawing);
    free(values);
    return status;
}

static void print_result(const cs_lr_range *range, const char *folder, FILE *out) {
    const cs_lr_point *last = &range->points[range->n - 1];
    fprintf(out, "%d steps, learning rate %.3g to %.3g%s\n", range->n, range->points[0].rate, last->rate,
            range->diverged ? ", after which the loss was not finite"
            : range->rose   ? ", where the loss had risen to more than 4 times its lowest"
                            : "");
    if (isnan(range->steep))
        fputs("too few steps for a suggestion: the test needs more of them, or a smaller --min\n", out);
    else
        fprintf(out, "suggested learning rate: %.3g (valley), %.3g (steepest descent)\n", range->valley, range->steep);
    fprintf(out, "%s/lr_find.csv, %s/lr_find.svg\n", folder, folder);
}

/* Trains, and writes what came of it to the folder. */
static cs_status find(cs_engine *engine, cs_job *job, const cs_lr_find_options *options, const char *folder,
                      FILE *out) {
    const int trial = trial_of(job);
    const cs_lr_find_config config = {
        .trial = &job->trials[trial], .min = options->min, .max = options->max, .steps = options->steps};
    char title[CS_VALUE_MAX * 3], text[CS_VALUE_MAX * 2];
    cs_lr_range range;
    cs_job_describe_trial(job, trial, text, sizeof text);
    snprintf(title, sizeof title, "%s: learning-rate range test%s%s", job->name, text[0] ? ", " : "", text);
    cs_status status = cs_lr_find(engine, &config, &range);
    if (status == CS_OK)
        status = cs_folder_create(folder);
    if (status == CS_OK)
        status = write_csv(folder, &range);
    if (status == CS_OK)
        status = write_svg(folder, &range, title);
    if (status == CS_OK)
        print_result(&range, folder, out);
    cs_lr_range_free(&range);
    return status;
}

static cs_status check_options(const cs_ranks *ranks, const cs_lr_find_options *options) {
    if (cs_ranks_size(ranks) > 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "lr-find runs on %d ranks", cs_ranks_size(ranks)),
                       "a test is one trial on one rank: run it without mpirun");
    if (!(options->min > 0 && options->max > options->min && isfinite(options->max)))
        return cs_fail(CS_ERR_ARG, "--min %g and --max %g are no range of learning rates", options->min, options->max);
    if (options->steps < 2)
        return cs_fail(CS_ERR_ARG, "--steps %d: a range has at least 2 steps", options->steps);
    return CS_OK;
}

cs_status cs_sweep_lr_find(cs_ranks *ranks, cs_job *job, const cs_lr_find_options *options, FILE *out) {
    const cs_sweep_options results = {.out = options->out};
    char folder[CS_PATH_MAX];
    cs_engine *engine = NULL;
    CS_TRY(check_options(ranks, options));
    CS_TRY(cs_results_folder(job, &results, folder));
    CS_TRY(cs_job_read_contents(job));
    CS_TRY(cs_ranks_choose_threads(ranks, job->run.threads, 0));
    CS_TRY(cs_job_open_engine(job, ranks, &engine));
    cs_status status = find(engine, job, options, folder, out);
    cs_engine_close(engine);
    return status;
}
