/* SPDX-License-Identifier: Apache-2.0 */
#include "settle_metrics.h"
#include "cnnsweep/log.h"

#include <stdio.h>

static const cs_split split_of[] = {[CS_METRIC_TRAIN] = CS_SPLIT_TRAIN,
                                    [CS_METRIC_VAL] = CS_SPLIT_VAL,
                                    [CS_METRIC_TEST] = CS_SPLIT_TEST,
                                    [CS_METRIC_FINAL] = CS_SPLIT_TRAIN};

static bool is_after_training(cs_metric_split split) {
    return split == CS_METRIC_TEST || split == CS_METRIC_FINAL;
}

static bool is_evaluated(const cs_dataset *dataset, const cs_job *job, cs_metric_split split) {
    return cs_dataset_count(dataset, split_of[split]) > 0 &&
           (!is_after_training(split) || cs_trial_evaluates(&job->base.train, split_of[split]));
}

static cs_status check_metric(const cs_dataset *dataset, const cs_job *job, const char *name) {
    int n, column = cs_metric_find_column(name);
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    if (column < 0 || is_evaluated(dataset, job, columns[column].split))
        return CS_OK;
    cs_metric_split split = columns[column].split;
    const char *split_name = cs_split_name(split_of[split]);
    if (cs_dataset_count(dataset, split_of[split]) > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.evaluate is %s, without %s, so there is no %s",
                               job->base.train.evaluate, split_name, name),
                       "add it with --set train.evaluate=%s,%s", job->base.train.evaluate, split_name);
    cs_metric_split other = is_evaluated(dataset, job, CS_METRIC_VAL) ? CS_METRIC_VAL : CS_METRIC_TRAIN;
    const char *instead = columns[cs_metric_sibling(column, other)].name;
    return cs_hint(
        cs_fail(CS_ERR_ARG, "%s: has no %s split, so there is no %s", cs_dataset_path(dataset), split_name, name),
        "choose another with --set sweep.metric.name=%s and --set table.value=%s", instead, instead);
}

/* Only what the job does not name depends on the dataset. Folds that are held out as val are there to be compared by.
 * The goal stays: both are accuracies. */
static void choose_defaults(const cs_dataset *dataset, cs_job *job) {
    const bool is_held_out = cs_job_has_folds(job) && cs_trial_folds(&job->base).held_out == CS_SPLIT_VAL;
    bool tested = is_evaluated(dataset, job, CS_METRIC_TEST) && !is_held_out;
    bool validated = is_evaluated(dataset, job, CS_METRIC_VAL);
    if (job->metric_is_given || tested || !validated)
        return;
    snprintf(job->metric, sizeof job->metric, "val_accuracy");
    if (!job->value_is_given)
        snprintf(job->table_value, sizeof job->table_value, "%s", job->metric);
    cs_log(CS_LOG_INFO, "%s: %s: trials are compared by %s", cs_dataset_path(dataset),
           is_held_out ? "folds are held out as val" : "no test split is evaluated", job->metric);
}

static void write_monitored(const cs_dataset *dataset, cs_job *job) {
    const char *const names[] = {job->base.train.monitor, job->base.train.schedule.plateau_monitor};
    for (size_t i = 0; i < sizeof names / sizeof *names && !is_evaluated(dataset, job, CS_METRIC_VAL); i++) {
        int monitored = cs_metric_find_column(names[i]);
        if (monitored >= 0)
            job->metrics.has[cs_metric_sibling(monitored, CS_METRIC_TRAIN)] = true;
    }
}

cs_status cs_settle_metrics(const cs_dataset *dataset, cs_job *job) {
    choose_defaults(dataset, job);
    CS_TRY(check_metric(dataset, job, job->table_value));
    CS_TRY(check_metric(dataset, job, job->metric));
    write_monitored(dataset, job);
    return CS_OK;
}
