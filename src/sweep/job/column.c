/* SPDX-License-Identifier: Apache-2.0 */
#include "column.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define COLUMN(field, type, decimals, maximize)                                                                        \
    { #field, type, offsetof(cs_trial_result, field), decimals, maximize, -1, -1 }

static const cs_column before_metrics[] = {
    COLUMN(epochs_run, CS_COLUMN_INT, 0, false),
    COLUMN(best_epoch, CS_COLUMN_INT, 0, false),
};
static const cs_column after_metrics[] = {
    COLUMN(params_total, CS_COLUMN_SIZE, 0, false),
    COLUMN(params_trainable, CS_COLUMN_SIZE, 0, false),
    COLUMN(memory, CS_COLUMN_SIZE, 0, false),
    COLUMN(seconds, CS_COLUMN_DOUBLE, 1, false),
    COLUMN(images_per_second, CS_COLUMN_DOUBLE, 1, true),
    COLUMN(stall_fraction, CS_COLUMN_DOUBLE, 4, false),
};
enum {
    N_BEFORE = sizeof before_metrics / sizeof *before_metrics,
    N_AFTER = sizeof after_metrics / sizeof *after_metrics,
    COLUMNS_MAX = N_BEFORE + CS_RESULT_VALUES + N_AFTER
};

static cs_column columns[COLUMNS_MAX];
static size_t n_columns;

static void make_columns(void) {
    int n, n_epoch;
    const cs_metric_column *metrics = cs_metric_columns(&n, &n_epoch);
    memcpy(columns, before_metrics, sizeof before_metrics);
    n_columns = N_BEFORE;
    for (int i = 0; i < n; i++)
        columns[n_columns++] = (cs_column){metrics[i].name,
                                           CS_COLUMN_DOUBLE,
                                           offsetof(cs_trial_result, value) + (size_t)i * sizeof(double),
                                           metrics[i].metric->decimals,
                                           metrics[i].metric->maximize,
                                           i < n_epoch ? i : -1,
                                           i};
    memcpy(columns + n_columns, after_metrics, sizeof after_metrics);
    n_columns += N_AFTER;
}

const cs_column *cs_columns(size_t *count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* two threads of rank 0 may call this */
    pthread_once(&once, make_columns);
    *count = n_columns;
    return columns;
}

bool cs_column_is_in(const cs_column *column, const cs_metric_set *metrics) {
    return column->metric < 0 || metrics->has[column->metric];
}

cs_status cs_column_find(const char *name, const cs_column **out) {
    const char *names[COLUMNS_MAX];
    char guess[128];
    size_t n;
    const cs_column *all = cs_columns(&n);
    for (size_t i = 0; i < n; i++) {
        names[i] = all[i].name;
        if (strcmp(name, names[i]) == 0) {
            *out = &all[i];
            return CS_OK;
        }
    }
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown metric '%s'%s", name, cs_did_you_mean(name, names, n, guess, sizeof guess)),
        "the columns of trials.csv: test_accuracy, val_loss, test_macro_f1, seconds, ...");
}

double cs_column_value(const cs_column *column, const cs_trial_result *result) {
    const void *field = (const char *)result + column->offset;
    switch (column->type) {
    case CS_COLUMN_INT:
        return *(const int *)field;
    case CS_COLUMN_SIZE:
        return (double)*(const size_t *)field;
    case CS_COLUMN_DOUBLE:
        break;
    }
    return *(const double *)field;
}

void cs_column_set(const cs_column *column, double value, cs_trial_result *result) {
    void *field = (char *)result + column->offset;
    switch (column->type) {
    case CS_COLUMN_INT:
        *(int *)field = value > 0 && value <= INT_MAX ? (int)value : 0;
        return;
    case CS_COLUMN_SIZE:
        *(size_t *)field = value > 0 ? (size_t)value : 0;
        return;
    case CS_COLUMN_DOUBLE:
        break;
    }
    *(double *)field = value;
}

bool cs_column_better(double a, double b, bool maximize) {
    if (isnan(a) || isnan(b))
        return !isnan(a);
    return maximize ? a > b : a < b;
}
