/* SPDX-License-Identifier: Apache-2.0 */
#include "best.h"
#include "cell.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/schedule.h"
#include "cnnsweep/swa.h"
#include "cnnsweep/text_table.h"
#include "job/method.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEADERBOARD = 10 };

/* A cell, which is a combination of values with its trials. */
typedef struct entry {
    int trial; /* the first of them */
    double mean;
    cs_cell cell;
    bool maximize;
} entry;

/* A combination without a finished trial comes last. */
static int best_first(const void *a, const void *b) {
    const entry *p = a, *q = b;
    if (cs_column_better(p->mean, q->mean, p->maximize))
        return -1;
    return cs_column_better(q->mean, p->mean, p->maximize) ? 1 : p->trial - q->trial;
}

/* Fills a row of the table: the trial, its swept options without the inner ones, and the metric. `of` NULL: the
 * header. */
static cs_status fill_row(const cs_job *job, const cs_column *metric, const entry *of, int row, cs_text_table *table) {
    char text[CS_VALUE_MAX * 2] = "trial";
    int column = 0, n_swept = table->columns - 2;
    if (of)
        cs_job_trial_name(job, of->trial, text, sizeof text);
    else if (cs_job_cell_trials(job) > 1)
        snprintf(text, sizeof text, "first trial");
    CS_TRY(cs_text_table_set(table, row, column++, text));
    for (int a = 0; a < n_swept; a++, column++) {
        const cs_swept_option *swept = &job->swept[a];
        const char *value = cs_option_short_name(swept->option);
        if (of)
            value = cs_job_has_value(job, of->trial, a) ? cs_job_value(job, of->trial, a) : "-";
        CS_TRY(cs_text_table_set(table, row, column, value));
    }
    snprintf(text, sizeof text, "%s", metric->name);
    if (of)
        cs_cell_print(&of->cell, metric, text, sizeof text);
    return cs_text_table_set(table, row, column, text);
}

static cs_status print_entries(const cs_job *job, const cs_column *metric, const entry *entries, int shown, FILE *out) {
    cs_text_table table = {0};
    cs_status status;
    CS_TRY_GOTO(cs_text_table_open(&table, shown + 1, job->n_swept - cs_job_inner_options(job) + 2), done);
    for (int i = -1; i < shown; i++)
        CS_TRY_GOTO(fill_row(job, metric, i < 0 ? NULL : &entries[i], i + 1, &table), done);
    cs_text_table_print(&table, out);
done:
    cs_text_table_close(&table);
    return status;
}

cs_status cs_trial_beats(const cs_job *job, const cs_outcome *outcomes, int a, int b, bool *out) {
    const cs_column *metric = NULL;
    CS_TRY(cs_column_find(job->metric, &metric));
    double p = cs_column_value(metric, &outcomes[a].result), q = cs_column_value(metric, &outcomes[b].result);
    *out = cs_column_better(p, q, job->maximize) || (!cs_column_better(q, p, job->maximize) && a < b);
    return CS_OK;
}

/* Makes the entries of all cells [*n], the best first. */
static cs_status rank_cells(const cs_job *job, const cs_column *metric, const cs_outcome *outcomes, entry **out,
                            int *n) {
    const int each = cs_job_cell_trials(job);
    *n = cs_job_count_cells(job, job->n_last);
    CS_TRY(cs_alloc((size_t)*n, sizeof **out, "leaderboard", out));
    for (int t = 0; t < job->n_last; t++)
        cs_cell_add(&(*out)[t / each].cell, metric, &outcomes[t]);
    for (int i = 0; i < *n; i++) {
        entry *of = &(*out)[i];
        of->trial = i * each;
        of->maximize = job->maximize;
        of->mean = of->cell.finished ? of->cell.mean : (double)NAN;
    }
    qsort(*out, (size_t)*n, sizeof **out, best_first);
    return CS_OK;
}

/* Prints "; mean ± sd over seed, fold", if there are inner options. */
static void print_inner(const cs_job *job, FILE *out) {
    for (int i = job->n_swept - cs_job_inner_options(job), first = i; i < job->n_swept; i++)
        fprintf(out, "%s%s", i == first ? "; mean ± sd over " : ", ", cs_option_short_name(job->swept[i].option));
}

cs_status cs_leaderboard_print(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    const cs_column *metric = NULL;
    entry *entries = NULL;
    int shown = 0, n;
    CS_TRY(cs_column_find(job->metric, &metric));
    CS_TRY(rank_cells(job, metric, outcomes, &entries, &n));
    while (shown < n && shown < LEADERBOARD && entries[shown].cell.finished > 0)
        shown++;
    fprintf(out, "%s: %s, the best %d of %d", job->name, metric->name, shown, n);
    print_inner(job, out);
    fputs("\n\n", out);
    cs_status status = print_entries(job, metric, entries, shown, out);
    free(entries);
    return status;
}

/* Prints a word so that a shell reads it as one word. */
static void print_word(const char *word, FILE *out) {
    bool plain = *word != '\0';
    for (const char *at = word; *at && plain; at++)
        plain = isalnum((unsigned char)*at) || strchr("_-./=:,+@%", *at);
    if (plain) {
        fprintf(out, " %s", word);
        return;
    }
    fputs(" '", out);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
    fputc('\'', out);
}

/* A trial that ended early is trained for as many epochs, at the same rates, but not where averaging would begin later.
 */
static void print_epochs(const cs_train_config *train, int epochs_run, FILE *out) {
    char length[CS_VALUE_MAX];
    bool would_average = cs_swa_averages(train, epochs_run - 1);
    if (epochs_run >= train->epochs || would_average != cs_swa_is_on(train) ||
        !cs_schedule_keep_length(train, length, sizeof length))
        return;
    fprintf(out, " --epochs %d", epochs_run);
    if (length[0])
        fprintf(out, " --set %s", length);
}

static void print_set(const char *assignment, FILE *out) {
    fputs(" --set", out);
    print_word(assignment, out);
}

/* Names a trial whose values were chosen while the sweep was trained: a job of this trial alone. */
static void print_values(const cs_job *job, int trial, FILE *out) {
    char value[CS_VALUE_MAX * 2], assignment[CS_NAME_MAX + sizeof value];
    print_set("sweep=null", out);
    print_set("table=null", out);
    for (int i = 0; i < job->n_swept; i++) {
        if (!cs_job_has_value(job, trial, i))
            continue;
        cs_option_get(job->swept[i].option, &job->trials[trial], value, sizeof value);
        snprintf(assignment, sizeof assignment, "%s=%s", job->swept[i].option->key, value);
        print_set(assignment, out);
    }
}

/* Trials are named here by their index: the command starts a new folder, which does not know the numbers of earlier
 * runs. */
static void print_command(const cs_job *job, int trial, const cs_outcome *outcome, FILE *out) {
    char folder[CS_NAME_MAX + 32];
    fputs("\n   ", out);
    if (job->run.ranks_per_trial > 1)
        fprintf(out, " mpirun -n %d", job->run.ranks_per_trial);
    fputs(" cnnsweep train", out);
    print_word(job->path, out);
    for (int i = 0; i < job->n_sets; i++)
        print_set(job->sets[i], out);
    if (job->method->suggest)
        print_values(job, trial, out);
    fprintf(out, " --trial t%03d", job->method->suggest ? 0 : trial);
    print_epochs(&job->trials[trial].train, outcome->result.epochs_run, out);
    snprintf(folder, sizeof folder, "results/%s-t%03d", job->name, trial);
    fputs(" --out", out);
    print_word(folder, out);
    fputc('\n', out);
}

/* Of folds the best one says little, so the best cell is named. */
static cs_status print_best_cell(const cs_job *job, const cs_column *metric, const cs_outcome *outcomes, FILE *out) {
    char first[32], last[32], text[CS_VALUE_MAX * 2];
    entry *entries = NULL;
    int n;
    CS_TRY(rank_cells(job, metric, outcomes, &entries, &n));
    if (n > 0 && entries[0].cell.finished > 0) {
        const int trial = entries[0].trial, end = trial + cs_job_cell_trials(job);
        cs_job_trial_name(job, trial, first, sizeof first);
        cs_job_trial_name(job, (end < job->n_last ? end : job->n_last) - 1, last, sizeof last);
        cs_cell_print(&entries[0].cell, metric, text, sizeof text);
        fprintf(out, "\nBest %s: %s, trials %s to %s", metric->name, text, first, last);
        for (int i = 0; i < job->n_swept - cs_job_inner_options(job); i++)
            fprintf(out, "%s%s=%s", i == 0 ? " (" : " ", cs_option_short_name(job->swept[i].option),
                    cs_job_has_value(job, trial, i) ? cs_job_value(job, trial, i) : "-");
        fputs(job->n_swept > cs_job_inner_options(job) ? ")" : "", out);
        print_inner(job, out);
        fputc('\n', out);
    }
    free(entries);
    return CS_OK;
}

cs_status cs_best_print(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    const cs_column *metric = NULL;
    char name[32], text[CS_VALUE_MAX * 2];
    int best = -1;
    double best_value = NAN;
    CS_TRY(cs_column_find(job->metric, &metric));
    if (job->folds > 1)
        return print_best_cell(job, metric, outcomes, out);
    for (int t = 0; t < job->n_last; t++) {
        double value = outcomes[t].state == CS_TRIAL_OK ? cs_column_value(metric, &outcomes[t].result) : (double)NAN;
        if (!cs_column_better(value, best_value, job->maximize))
            continue;
        best = t;
        best_value = value;
    }
    if (best < 0)
        return CS_OK;
    cs_job_trial_name(job, best, name, sizeof name);
    cs_job_describe_trial(job, best, text, sizeof text);
    fprintf(out, "\nBest %s: %.*f, trial %s%s%s%s\n", metric->name, metric->decimals, best_value, name,
            text[0] ? " (" : "", text, text[0] ? ")" : "");
    if (job->n_swept > 0 && job->scheduler.kind != CS_SCHEDULER_PBT) /* a member's training cannot be repeated alone */
        print_command(job, best, &outcomes[best], out);
    return CS_OK;
}
