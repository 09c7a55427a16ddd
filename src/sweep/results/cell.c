/* SPDX-License-Identifier: Apache-2.0 */
#include "cell.h"

#include <math.h>
#include <stdio.h>

/* Welford 1962: this stays exact when the mean is large compared with the deviation. */
void cs_cell_add(cs_cell *cell, const cs_column *metric, const cs_outcome *outcome) {
    cell->failed += outcome->state == CS_TRIAL_FAILED;
    if (outcome->state != CS_TRIAL_OK)
        return;
    double value = cs_column_value(metric, &outcome->result), before = value - cell->mean;
    cell->finished++;
    cell->mean += before / cell->finished;
    cell->squares += before * (value - cell->mean);
}

double cs_cell_deviation(const cs_cell *cell) {
    return sqrt(cell->squares / (cell->finished - 1));
}

void cs_cell_print(const cs_cell *cell, const cs_column *metric, char *out, size_t size) {
    if (cell->finished > 1)
        snprintf(out, size, "%.*f ± %.*f", metric->decimals, cell->mean, metric->decimals, cs_cell_deviation(cell));
    else if (cell->finished)
        snprintf(out, size, "%.*f", metric->decimals, cell->mean);
    else
        snprintf(out, size, "%s", cell->failed ? "failed" : "-");
}
