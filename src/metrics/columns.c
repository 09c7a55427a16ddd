/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the columns from the table of metrics. */
#include "cnnsweep/metrics.h"
#include "families.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = {
    [CS_METRIC_TRAIN] = "", [CS_METRIC_VAL] = "val_", [CS_METRIC_TEST] = "test_", [CS_METRIC_FINAL] = "final_"};
enum { N_SPLITS = sizeof prefixes / sizeof *prefixes };

static cs_metric_column columns[CS_RESULT_VALUES];
static int n_metrics;

static void add_columns_of(cs_metric_split split) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    n_metrics = (int)n;
    for (size_t i = 0; i < n; i++) {
        cs_metric_column *column = &columns[(size_t)split * n + i];
        snprintf(column->name, sizeof column->name, "%s%s", prefixes[split], metrics[i].name);
        column->metric = &metrics[i];
        column->split = split;
    }
}

static void make_columns(void) {
    for (int i = 0; i < N_SPLITS; i++)
        add_columns_of((cs_metric_split)i);
}

const cs_metric_column *cs_metric_columns(int *count, int *epoch) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* two threads of rank 0 may call this */
    pthread_once(&once, make_columns);
    *count = N_SPLITS * n_metrics;
    if (epoch)
        *epoch = CS_METRIC_TEST * n_metrics;
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

int cs_metric_sibling(int column, cs_metric_split split) {
    int n;
    (void)cs_metric_columns(&n, NULL);
    return (int)split * n_metrics + column % n_metrics;
}

/* Among the first `n` columns. */
static cs_status fail_unknown(const char *name, int n) {
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[96];
    for (int i = 0; i < n; i++)
        cs_suggestion_try(&suggestion, columns[i].name);
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown metric '%s'%s", name, cs_suggestion_text(&suggestion, guess, sizeof guess)),
        "`cnnsweep options --metrics` lists them");
}

cs_status cs_metric_find_monitored(const char *name, int *column) {
    int n, epoch;
    (void)cs_metric_columns(&n, &epoch);
    *column = cs_metric_find_column(name);
    return *column >= 0 && *column < epoch ? CS_OK : fail_unknown(name, epoch);
}

/* Adds what a name stands for: "all", a metric or a column. Returns whether there is such a thing. A metric's name is
 * also that of its column of train. */
static bool add_named(const char *name, cs_metric_set *set) {
    int n, column = cs_metric_find_column(name);
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    bool every = strcmp(name, "all") == 0;
    for (int i = 0; i < n; i++)
        if (every || strcmp(name, all[i].metric->name) == 0)
            set->has[i] = true;
    if (column >= 0)
        set->has[column] = true;
    return every || column >= 0;
}

cs_status cs_metric_set_read(const char *list, cs_metric_set *out) {
    static const char *const always[] = {"accuracy", "loss"};
    int n;
    (void)cs_metric_columns(&n, NULL);
    *out = (cs_metric_set){0};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        add_named(always[i], out);
    while (*list) {
        char name[2 * CS_METRIC_NAME_MAX];
        size_t length = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, list);
        if (!add_named(name, out))
            return fail_unknown(name, n);
        list += length + (list[length] == ',');
    }
    return CS_OK;
}

unsigned cs_metric_needs(const cs_metric_set *set, cs_metric_split split) {
    int n;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    unsigned needs = CS_NEEDS_TALLY;
    for (int i = 0; i < n; i++)
        if (all[i].split == split && set->has[i])
            needs |= all[i].metric->needs;
    return needs;
}

static double compute_one(const cs_metric *metric, const cs_evaluation *evaluation) {
    double value = metric->compute(evaluation);
    return isnan(value) ? (double)NAN : value; /* without a sign */
}

void cs_metric_compute(const cs_metric_set *set, cs_metric_split split, const cs_evaluation *evaluation,
                       double *values) {
    int n;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    int64_t rows = cs_evaluation_tally(evaluation).rows;
    cs_evaluation_fill_probabilities(evaluation);
    for (int i = 0; i < n; i++)
        if (all[i].split == split)
            values[i] = set->has[i] && rows > 0 ? compute_one(all[i].metric, evaluation) : (double)NAN;
}
