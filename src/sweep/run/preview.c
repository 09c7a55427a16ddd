/* SPDX-License-Identifier: Apache-2.0 */
/* The preview of a sweep (--dry-run). */
#include "cnnsweep/log.h"
#include "device.h"
#include "job/chosen.h"
#include "job/contents.h"
#include "plan/plan.h"
#include "results/folder.h"
#include "results/origin.h"
#include "results/table.h"

#include <stdio.h>
#include <string.h>

static int count_values(const cs_job *job, const char *key) {
    for (int i = 0; i < job->n_swept; i++)
        if (strcmp(job->swept[i].option->key, key) == 0)
            return cs_job_count_values(job, i);
    return 1;
}

static void print_dataset(const cs_plan *plan, FILE *out) {
    const cs_dataset *dataset = plan->dataset;
    fprintf(out, "dataset  %s: %d classes;", cs_dataset_path(dataset), cs_dataset_class_count(dataset));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        fprintf(out, " %s %lld", cs_split_name(split), (long long)cs_dataset_count(dataset, split));
    fputs(" images\n", out);
}

static void print_trials(const cs_plan *plan, FILE *out) {
    enum { SHOWN = 1000 };
    char name[32], text[CS_VALUE_MAX * 2];
    fprintf(out, "\n%-8s %12s %7s  %s\n", "trial", "GMACs", "share", "options");
    int shown = 0, n_trials = cs_job_part_trials(plan->job);
    for (int t = 0; t < plan->job->n_trials && shown < SHOWN; t++) {
        if (cs_job_in_other_part(plan->job, t))
            continue;
        shown++;
        cs_job_trial_name(plan->job, t, name, sizeof name);
        if (cs_job_is_open(plan->job, t))
            snprintf(text, sizeof text, "values are chosen while the sweep is trained");
        else
            cs_job_describe_trial(plan->job, t, text, sizeof text);
        fprintf(out, "%-8s %12.1f %6.1f%%  %s\n", name, plan->macs[t] * 1e-9, 100 * plan->macs[t] / plan->total_macs,
                text);
    }
    if (n_trials > shown)
        fprintf(out, "and %d more\n", n_trials - shown);
    fprintf(out, "%-8s %12.1f %6.1f%%\n", "total", plan->total_macs * 1e-9, 100.0);
}

static void print_table_shape(const cs_job *job, FILE *out) {
    if (cs_table_is_leaderboard(job)) {
        fprintf(out, "\ntable    the best trials by %s\n", job->metric);
        return;
    }
    fprintf(out, "\ntable    %s: %d row%s", job->table_value, count_values(job, job->table_rows),
            count_values(job, job->table_rows) == 1 ? "" : "s");
    if (job->table_rows[0])
        fprintf(out, " (%s)", job->table_rows);
    fprintf(out, " x %d column%s", count_values(job, job->table_columns),
            count_values(job, job->table_columns) == 1 ? "" : "s");
    if (job->table_columns[0])
        fprintf(out, " (%s)", job->table_columns);
    fputc('\n', out);
}

static void print_plan(const cs_plan *plan, FILE *out) {
    const cs_job *job = plan->job;
    fprintf(out, "job      %s: %d trial%s", job->name, job->n_last, job->n_last == 1 ? "" : "s");
    if (job->n_trials > job->n_last)
        fprintf(out, " and %d phases before them", job->n_trials - job->n_last);
    int n_trials = cs_job_part_trials(job);
    if (job->parts > 0)
        fprintf(out, ", %d of them in part %d of %d", n_trials, job->part, job->parts);
    if (plan->n_costs < n_trials)
        fprintf(out, ", %d of them done", n_trials - plan->n_costs);
    fputc('\n', out);
    print_dataset(plan, out);
    print_trials(plan, out);
    fputc('\n', out);
    cs_plan_print(plan, out);
    print_table_shape(job, out);
}

/* `earlier` is the journal that is resumed, or NULL. */
static cs_status preview(const cs_ranks *ranks, cs_job *job, const cs_journal *earlier, const char *folder, FILE *out) {
    cs_engine *engine = NULL;
    cs_plan *plan = NULL;
    CS_TRY(cs_job_open_engine(job, ranks, &engine));
    if (cs_engine_device_info(engine)->text[0])
        cs_log(CS_LOG_INFO, "%s", cs_engine_device_info(engine)->text);
    cs_status status = cs_plan_create(job, ranks, engine, &plan);
    if (status == CS_OK && earlier)
        status = cs_origin_check_data(earlier, folder, plan->dataset);
    if (status == CS_OK)
        print_plan(plan, out);
    cs_plan_free(plan);
    cs_engine_close(engine);
    return status;
}

cs_status cs_sweep_preview(const cs_ranks *ranks, cs_job *job, const cs_sweep_options *options, FILE *out) {
    cs_journal *earlier = NULL;
    char folder[CS_PATH_MAX];
    CS_TRY(cs_results_folder(job, options, folder));
    CS_TRY(cs_job_read_contents(job));
    cs_status status = cs_journal_resume(folder, options, job, &earlier);
    if (status == CS_OK)
        status = preview(ranks, job, earlier, folder, out);
    cs_journal_free(earlier);
    return status;
}
