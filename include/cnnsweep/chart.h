/* SPDX-License-Identifier: Apache-2.0 */
/* A line chart as an SVG, without scripts, that can be read on a light and on a dark background. */
#ifndef CNNSWEEP_CHART_H
#define CNNSWEEP_CHART_H

#include "cnnsweep/status.h"

#include <stdio.h>

typedef struct cs_chart_mark {
    double x;
    const char *label;
} cs_chart_mark;

typedef struct cs_chart {
    const char *title, *x_label, *y_label;
    const double *x, *y;        /* [n] x > 0, ascending, on a logarithmic axis */
    const double *faint;        /* [n] drawn behind y in a faint line, as far as it is in the range of y; or NULL */
    int n;                      /* at least 1 */
    const cs_chart_mark *marks; /* [n_marks] vertical lines; one whose x is NaN is left out */
    int n_marks;
} cs_chart;

void cs_chart_print(const cs_chart *chart, FILE *out);

#endif
