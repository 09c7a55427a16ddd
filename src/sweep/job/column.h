/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the figures of a finished trial, a column each. They are the columns of trials.csv, and a
 * table can show each of them. */
#ifndef CNNSWEEP_COLUMN_H
#define CNNSWEEP_COLUMN_H

#include "cnnsweep/train.h"

typedef enum cs_column_type { CS_COLUMN_INT, CS_COLUMN_SIZE, CS_COLUMN_DOUBLE } cs_column_type;

typedef struct cs_column {
    const char *name;
    cs_column_type type;
    size_t offset; /* into cs_trial_result */
    int decimals;  /* in tables; trials.csv has all digits */
    bool maximize; /* larger values are better, unless the job says otherwise */
    int in_epoch;  /* its index in cs_epoch_row.value; -1: only finished trials have it */
    int metric;    /* its index in cs_metric_columns; -1: it is no metric */
} cs_column;

/* All columns, in the order of trials.csv: first how far the trial came, then the metrics (metrics.h), then what
 * depends on the network, and last what depends on the clock. */
const cs_column *cs_columns(size_t *count);
/* Is the column written? Metrics are only if the set has them. */
bool cs_column_is_in(const cs_column *column, const cs_metric_set *metrics);
/* Finds a column by its name. An unknown name is CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_column_find(const char *name, const cs_column **out);
double cs_column_value(const cs_column *column, const cs_trial_result *result);
void cs_column_set(const cs_column *column, double value, cs_trial_result *result);
/* True if `a` is better than `b`. NaN is worse than any number. */
bool cs_column_better(double a, double b, bool maximize);

#endif
