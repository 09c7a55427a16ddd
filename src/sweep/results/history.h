/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: history/<trial>.csv, in the format of Keras' CSVLogger. */
#ifndef CNNSWEEP_HISTORY_H
#define CNNSWEEP_HISTORY_H

#include "cnnsweep/train.h"

#include <stdio.h>

/* A named value of an epoch row: a metric or the learning rate. */
typedef struct cs_epoch_key {
    const char *name;
    size_t offset; /* of a double, into cs_epoch_row */
    int metric;    /* its index in cs_metric_columns; -1: it is no metric */
} cs_epoch_key;

/* All of them, in alphabetical order as in CSVLogger. */
const cs_epoch_key *cs_epoch_keys(size_t *count);
double cs_epoch_value(const cs_epoch_key *key, const cs_epoch_row *row);
void cs_epoch_set(const cs_epoch_key *key, double value, cs_epoch_row *row);

/* Is the value written? Metrics are only if the set has them. */
bool cs_epoch_key_is_in(const cs_epoch_key *key, const cs_metric_set *metrics);

void cs_history_header(const cs_metric_set *metrics, FILE *out);
/* Writes a row; a value that is NaN is written as NA. */
void cs_history_row(const cs_metric_set *metrics, const cs_epoch_row *row, FILE *out);

#endif
