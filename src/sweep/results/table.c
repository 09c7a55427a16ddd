/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"
#include "best.h"
#include "cnnsweep/text_table.h"
#include "job/method.h"
#include "pivot.h"

#include <stdio.h>

static void print_header(const cs_job *job, FILE *out) {
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    fprintf(out, "trial");
    for (int i = 0; i < job->n_swept; i++)
        fprintf(out, ",%s", cs_option_short_name(job->swept[i].option));
    if (job->n_phases > 1)
        fputs(",phase,before", out);
    fprintf(out, ",status,reason");
    for (size_t i = 0; i < n; i++)
        if (cs_column_is_in(&metrics[i], &job->metrics))
            fprintf(out, ",%s", metrics[i].name);
    fprintf(out, ",rank,engine,precision,deterministic\n");
}

/* The phase, and the trial that is the phase before. */
static void print_phase(const cs_job *job, int trial, FILE *out) {
    char name[32] = "";
    if (job->n_phases == 1)
        return;
    if (job->before[trial] >= 0)
        cs_job_trial_name(job, job->before[trial], name, sizeof name);
    fprintf(out, ",%d,%s", cs_job_phase(job, trial), name);
}

void cs_csv_row(const cs_job *job, int trial, const cs_outcome *outcome, FILE *out) {
    char text[CS_VALUE_MAX * 2];
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    bool ok = outcome->state == CS_TRIAL_OK;
    cs_job_trial_name(job, trial, text, sizeof text);
    fputs(text, out);
    for (int i = 0; i < job->n_swept; i++) {
        fputc(',', out);
        if (cs_job_has_value(job, trial, i))
            cs_csv_field(cs_job_value(job, trial, i), out);
    }
    print_phase(job, trial, out);
    fprintf(out, ",%s,", ok ? "ok" : "failed");
    cs_csv_field(outcome->reason, out);
    for (size_t i = 0; i < n; i++) {
        if (!cs_column_is_in(&metrics[i], &job->metrics))
            continue;
        fputc(',', out);
        if (ok)
            fprintf(out, metrics[i].type == CS_COLUMN_DOUBLE ? "%.9g" : "%.0f",
                    cs_column_value(&metrics[i], &outcome->result));
    }
    fprintf(out, ",%d,%s,%s,%s\n", outcome->rank, outcome->engine, cs_precision_name(job->run.precision),
            job->run.deterministic ? "true" : "false");
}

void cs_csv_print(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    print_header(job, out);
    for (int t = 0; t < job->n_trials; t++)
        if (outcomes[t].state != CS_TRIAL_PENDING)
            cs_csv_row(job, t, &outcomes[t], out);
}

static cs_status print_pivot(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    cs_pivot pivot = {0};
    CS_TRY(cs_pivot_open(job, outcomes, &pivot));
    cs_status status = cs_pivot_markdown(&pivot, out);
    cs_pivot_close(&pivot);
    return status;
}

static void print_rest(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    int failed = 0, pending = 0;
    for (int t = 0; t < job->n_trials; t++) {
        failed += outcomes[t].state == CS_TRIAL_FAILED;
        pending += outcomes[t].state == CS_TRIAL_PENDING && !cs_job_in_other_part(job, t);
    }
    int n_trials = cs_job_part_trials(job);
    if (failed)
        fprintf(out, "\n%d of %d trials failed: the reasons are in trials.csv\n", failed, n_trials);
    if (pending)
        fprintf(out, "\n%d of %d trials did not run\n", pending, n_trials);
    if (job->parts > 0)
        fprintf(out, "\npart %d of %d (from 0), %d of %d trials: `cnnsweep collect` puts the parts together\n",
                job->part, job->parts, n_trials, job->n_trials);
}

bool cs_table_is_leaderboard(const cs_job *job) {
    return job->method->draws && !job->table_rows[0] && !job->table_columns[0];
}

cs_status cs_table_print(const cs_job *job, const cs_outcome *outcomes, const cs_best_hits *hits, FILE *out) {
    CS_TRY(cs_table_is_leaderboard(job) ? cs_leaderboard_print(job, outcomes, out) : print_pivot(job, outcomes, out));
    CS_TRY(cs_best_print(job, outcomes, out));
    CS_TRY(cs_best_hits_print(hits, job, outcomes, out));
    print_rest(job, outcomes, out);
    return CS_OK;
}
