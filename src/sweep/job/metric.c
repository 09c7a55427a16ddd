#include "metric.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define METRIC(field, type, decimals, maximize)                                                                        \
    { #field, type, offsetof(cs_trial_result, field), decimals, maximize, -1 }
#define METRIC_OF_EPOCH(field, maximize)                                                                               \
    { #field, CS_METRIC_DOUBLE, offsetof(cs_trial_result, field), 4, maximize, (int)offsetof(cs_epoch_row, field) }

static const cs_metric table[] = {
    METRIC(epochs_run, CS_METRIC_INT, 0, false),
    METRIC(best_epoch, CS_METRIC_INT, 0, false),
    METRIC_OF_EPOCH(accuracy, true),
    METRIC_OF_EPOCH(loss, false),
    METRIC_OF_EPOCH(val_accuracy, true),
    METRIC_OF_EPOCH(val_loss, false),
    METRIC(test_accuracy, CS_METRIC_DOUBLE, 4, true),
    METRIC(test_loss, CS_METRIC_DOUBLE, 4, false),
    METRIC(test_macro_f1, CS_METRIC_DOUBLE, 4, true),
    METRIC(test_weighted_f1, CS_METRIC_DOUBLE, 4, true),
    METRIC(params_total, CS_METRIC_SIZE, 0, false),
    METRIC(params_trainable, CS_METRIC_SIZE, 0, false),
    METRIC(memory, CS_METRIC_SIZE, 0, false),
    METRIC(seconds, CS_METRIC_DOUBLE, 1, false),
    METRIC(images_per_second, CS_METRIC_DOUBLE, 1, true),
    METRIC(stall_fraction, CS_METRIC_DOUBLE, 4, false),
};
enum { N_METRICS = sizeof table / sizeof *table };

const cs_metric *cs_metrics(size_t *count) {
    *count = N_METRICS;
    return table;
}

cs_status cs_metric_find(const char *name, const cs_metric **out) {
    const char *names[N_METRICS];
    for (int i = 0; i < N_METRICS; i++) {
        names[i] = table[i].name;
        if (strcmp(name, names[i]) == 0) {
            *out = &table[i];
            return CS_OK;
        }
    }
    char guess[128];
    return cs_hint(cs_fail(CS_ERR_ARG, "unknown metric '%s'%s", name,
                           cs_did_you_mean(name, names, N_METRICS, guess, sizeof guess)),
                   "the columns of trials.csv: test_accuracy, val_loss, test_macro_f1, seconds, ...");
}

double cs_metric_value(const cs_metric *metric, const cs_trial_result *result) {
    const void *field = (const char *)result + metric->offset;
    switch (metric->type) {
    case CS_METRIC_INT:
        return *(const int *)field;
    case CS_METRIC_SIZE:
        return (double)*(const size_t *)field;
    case CS_METRIC_DOUBLE:
        break;
    }
    return *(const double *)field;
}

void cs_metric_set(const cs_metric *metric, double value, cs_trial_result *result) {
    void *field = (char *)result + metric->offset;
    switch (metric->type) {
    case CS_METRIC_INT:
        *(int *)field = value > 0 && value <= INT_MAX ? (int)value : 0;
        return;
    case CS_METRIC_SIZE:
        *(size_t *)field = value > 0 ? (size_t)value : 0;
        return;
    case CS_METRIC_DOUBLE:
        break;
    }
    *(double *)field = value;
}

bool cs_metric_better(double a, double b, bool maximize) {
    if (isnan(a) || isnan(b))
        return !isnan(a);
    return maximize ? a > b : a < b;
}
