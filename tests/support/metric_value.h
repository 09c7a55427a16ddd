/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the value of a metric by its column's name, in an epoch row or in a trial's result. */
#ifndef CNNSWEEP_TESTS_METRIC_VALUE_H
#define CNNSWEEP_TESTS_METRIC_VALUE_H

#include "cnnsweep/metrics.h"

#include <stdlib.h>

/* The place of the value in `values`; an unknown column ends the program. */
static inline double *metric_at(double *values, const char *column) {
    int place = cs_metric_find_column(column);
    if (place < 0)
        abort();
    return &values[place];
}

static inline double metric_value(const double *values, const char *column) {
    return *metric_at((double *)values, column);
}

#endif
