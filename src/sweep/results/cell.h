/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what trials of the same cell of a table come to. */
#ifndef CNNSWEEP_CELL_H
#define CNNSWEEP_CELL_H

#include "job/column.h"
#include "results.h"

typedef struct cs_cell {
    double mean, squares; /* of the finished ones; sum of squared distances from the mean */
    int finished, failed;
} cs_cell;

void cs_cell_add(cs_cell *cell, const cs_column *metric, const cs_outcome *outcome);
/* The sample standard deviation (n - 1) of two or more. */
double cs_cell_deviation(const cs_cell *cell);
/* "0.9123", "0.9123 ± 0.0045" of several, "failed", or "-": not run. */
void cs_cell_print(const cs_cell *cell, const cs_column *metric, char *out, size_t size);

#endif
