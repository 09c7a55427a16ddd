/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the columns of metrics that a job computes and writes. */
#include "cnnsweep/file.h"
#include "job_reader.h"

#include <string.h>

/* Adds a column to the list of train.metrics, so that every rank computes it. */
static cs_status add_column(cs_train_config *train, const char *name) {
    cs_metric_set set;
    int column = cs_metric_find_column(name);
    size_t used = strlen(train->metrics);
    CS_TRY(cs_trial_metrics(train, &set));
    if (column < 0 || set.has[column])
        return CS_OK;
    return cs_path(train->metrics + used, sizeof train->metrics - used, "%s%s", used > 0 ? "," : "", name);
}

cs_status cs_job_choose_metrics(cs_job *job) {
    int n;
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    CS_TRY(add_column(&job->base.train, job->metric));
    CS_TRY(add_column(&job->base.train, job->table_value));
    CS_TRY(cs_trial_metrics(&job->base.train, &job->metrics));
    for (int i = 0; i < n; i++)
        if (columns[i].split == CS_METRIC_FINAL && !cs_trial_evaluates(&job->base.train, CS_SPLIT_TRAIN))
            job->metrics.has[i] = false;
    return CS_OK;
}
