/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what is known of a finished trial, a column each: of trials.csv, and values of the table. */
#ifndef CNNSWEEP_COLUMN_H
#define CNNSWEEP_COLUMN_H

#include "cnnsweep/train.h"

typedef enum cs_column_type { CS_COLUMN_INT, CS_COLUMN_SIZE, CS_COLUMN_DOUBLE } cs_column_type;

typedef struct cs_column {
    const char *name;
    cs_column_type type;
    size_t offset; /* into cs_trial_result */
    int decimals;  /* in tables; trials.csv has all digits */
    bool maximize; /* what is better when the job does not say */
    int in_epoch;  /* its place in cs_epoch_row.value; -1: only finished trials have it */
} cs_column;

/* In the order of trials.csv: how far the trial came, the metrics (metrics.h), what depends on the network, and last
 * what depends on the clock. */
const cs_column *cs_columns(size_t *count);
/* Unknown names are CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_column_find(const char *name, const cs_column **out);
double cs_column_value(const cs_column *column, const cs_trial_result *result);
void cs_column_set(const cs_column *column, double value, cs_trial_result *result);
/* Is `a` better than `b`? NaN is worse than any number. */
bool cs_column_better(double a, double b, bool maximize);

#endif
