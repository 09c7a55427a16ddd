/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a cell of a table, which combines the results of several trials. */
#ifndef CNNSWEEP_CELL_H
#define CNNSWEEP_CELL_H

#include "job/column.h"
#include "results.h"

typedef struct cs_cell {
    double mean, squares; /* of the finished trials; the sum of squared distances from the mean */
    int finished, failed;
} cs_cell;

void cs_cell_add(cs_cell *cell, const cs_column *metric, const cs_outcome *outcome);
/* The sample standard deviation (n - 1). At least two trials must have finished. */
double cs_cell_deviation(const cs_cell *cell);
/* Writes "0.9123", or "0.9123 ± 0.0045" for several trials, or "failed", or "-" if none was run. */
void cs_cell_print(const cs_cell *cell, const cs_column *metric, char *out, size_t size);

#endif
