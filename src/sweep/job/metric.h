/* Inside the sweep room: the figures of a finished trial, a row each: columns of trials.csv, values of the table. */
#ifndef CNNSWEEP_METRIC_H
#define CNNSWEEP_METRIC_H

#include "cnnsweep/train.h"

typedef enum cs_metric_type { CS_METRIC_INT, CS_METRIC_SIZE, CS_METRIC_DOUBLE } cs_metric_type;

typedef struct cs_metric {
    const char *name;
    cs_metric_type type;
    size_t offset; /* into cs_trial_result */
    int decimals;  /* in tables; trials.csv has all digits */
    bool maximize; /* what is better when the job does not say */
    int in_epoch;  /* offset of its double in cs_epoch_row; -1: only finished trials have it */
} cs_metric;

/* In the order of trials.csv; what depends on the clock comes last. */
const cs_metric *cs_metrics(size_t *count);
/* Unknown names are CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_metric_find(const char *name, const cs_metric **out);
double cs_metric_value(const cs_metric *metric, const cs_trial_result *result);
void cs_metric_set(const cs_metric *metric, double value, cs_trial_result *result);
/* Is `a` better than `b`? NaN is worse than any number. */
bool cs_metric_better(double a, double b, bool maximize);

#endif
