/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the columns from the table of metrics. */
#include "cnnsweep/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct split {
    cs_metric_split split;
    const char *prefix;
} splits[] = {{CS_METRIC_TRAIN, ""}, {CS_METRIC_VAL, "val_"}, {CS_METRIC_TEST, "test_"}};
enum { N_SPLITS = sizeof splits / sizeof *splits };

static cs_metric_column columns[CS_RESULT_VALUES];
static int n_columns, n_epoch;

static void add_columns_of(const struct split *of) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        if (!(metrics[i].splits & of->split))
            continue;
        cs_metric_column *column = &columns[n_columns++];
        snprintf(column->name, sizeof column->name, "%s%s", of->prefix, metrics[i].name);
        column->metric = &metrics[i];
        column->split = of->split;
        if (of->split != CS_METRIC_TEST)
            n_epoch = n_columns;
    }
}

static void make_columns(void) {
    for (int i = 0; i < N_SPLITS; i++)
        add_columns_of(&splits[i]);
}

const cs_metric_column *cs_metric_columns(int *count, int *epoch) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* two threads of rank 0 may call this */
    pthread_once(&once, make_columns);
    *count = n_columns;
    if (epoch)
        *epoch = n_epoch;
    return columns;
}

int cs_metric_find_column(const char *name) {
    int n;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return i;
    return -1;
}

const char *cs_metric_monitor_name(int i) {
    int n, epoch;
    const cs_metric_column *all = cs_metric_columns(&n, &epoch);
    return i < epoch ? all[i].name : NULL;
}

unsigned cs_metric_needs(cs_metric_split split) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    unsigned needs = CS_NEEDS_TALLY;
    for (size_t i = 0; i < n; i++)
        if (metrics[i].splits & split)
            needs |= metrics[i].needs;
    return needs;
}

void cs_metric_compute(cs_metric_split split, const cs_evaluation *evaluation, double *values) {
    int n;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    bool any = cs_evaluation_tally(evaluation).rows > 0;
    for (int i = 0; i < n; i++)
        if (all[i].split == split)
            values[i] = any ? all[i].metric->compute(evaluation) : (double)NAN;
}
