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
} cs_epoch_key;

/* All of them, in alphabetical order as in CSVLogger. */
const cs_epoch_key *cs_epoch_keys(size_t *count);
double cs_epoch_value(const cs_epoch_key *key, const cs_epoch_row *row);
void cs_epoch_set(const cs_epoch_key *key, double value, cs_epoch_row *row);

void cs_history_header(FILE *out);
/* Writes a row; a value that is NaN is written as NA. */
void cs_history_row(const cs_epoch_row *row, FILE *out);

#endif
