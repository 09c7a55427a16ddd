/* SPDX-License-Identifier: Apache-2.0 */
/* The means of a metric over the values of one or two options, and its correlation with an option. */
#include "cnnsweep/memory.h"
#include "importance_impl.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static cs_status copy_names(const cs_levels *levels, int option, const char ***out) {
    size_t n = (size_t)levels->counts[option];
    CS_TRY(cs_alloc(n, sizeof **out, "values of an option", out));
    memcpy(*out, levels->names[option], n * sizeof **out);
    return CS_OK;
}

/* A running mean and sum of squares (Welford 1962), which `deviation` holds until all are added. */
static void add(cs_importance_cell *cell, double value) {
    double before = value - cell->mean;
    cell->n++;
    cell->mean += before / cell->n;
    cell->deviation += before * (value - cell->mean);
}

static void finish(cs_importance_cell *cell) {
    cell->deviation = cell->n > 1 ? sqrt(cell->deviation / (cell->n - 1)) : (double)NAN;
    if (cell->n == 0)
        cell->mean = (double)NAN;
}

static cs_status fill(const cs_importance_table *table, const cs_levels *levels, int first, int second,
                      cs_importance_means *out) {
    out->n_rows = levels->counts[first];
    out->n_columns = second >= 0 ? levels->counts[second] : 1;
    CS_TRY(copy_names(levels, first, &out->rows));
    if (second >= 0)
        CS_TRY(copy_names(levels, second, &out->columns));
    int n = out->n_rows * out->n_columns;
    CS_TRY(cs_alloc((size_t)n, sizeof *out->cells, "means", &out->cells));
    for (int i = 0; i < levels->n_trials; i++) {
        const int *of = levels->of + (ptrdiff_t)i * table->n_options;
        int row = of[first], column = second >= 0 ? of[second] : 0;
        if (row >= 0 && column >= 0)
            add(&out->cells[row * out->n_columns + column], levels->values[i]);
    }
    for (int i = 0; i < n; i++)
        finish(&out->cells[i]);
    return CS_OK;
}

cs_status cs_importance_means_make(const cs_importance_table *table, int first, int second, cs_importance_means *out) {
    cs_levels levels;
    *out = (cs_importance_means){0};
    CS_TRY(cs_levels_make(table, &levels));
    cs_status status = fill(table, &levels, first, second, out);
    cs_levels_free(table, &levels);
    if (status != CS_OK)
        cs_importance_means_free(out);
    return status;
}

void cs_importance_means_free(cs_importance_means *means) {
    free(means->rows);
    free(means->columns);
    free(means->cells);
    *means = (cs_importance_means){0};
}

/* The pairs of an option's value and the metric. */
typedef struct pairs {
    int n;
    double *x, *y;         /* [n] */
    double *ranks, *other; /* [n] memory */
    struct ranked *sorted; /* [n] memory */
} pairs;

static double pearson(const double *x, const double *y, int n) {
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (int i = 0; i < n; i++) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

typedef struct ranked {
    double value;
    int at;
} ranked;

static int rising(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Equal values share the mean of their ranks. `sorted` [n] is memory. */
static void rank(const double *values, int n, ranked *sorted, double *out) {
    for (int i = 0; i < n; i++)
        sorted[i] = (ranked){values[i], i};
    qsort(sorted, (size_t)n, sizeof *sorted, rising);
    for (int first = 0, next; first < n; first = next) {
        for (next = first + 1; next < n && sorted[next].value == sorted[first].value;)
            next++;
        for (int i = first; i < next; i++)
            out[sorted[i].at] = (first + 1 + next) / 2.0;
    }
}

static cs_status correlate(const cs_importance_table *table, int option, pairs *p, cs_importance_correlation *out) {
    size_t trials = (size_t)table->n_trials;
    double **arrays[] = {&p->x, &p->y, &p->ranks, &p->other};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        CS_TRY(cs_alloc(trials, sizeof(double), "correlation", arrays[i]));
    CS_TRY(cs_alloc(trials, sizeof *p->sorted, "correlation", &p->sorted));
    for (int t = 0; t < table->n_trials; t++) {
        const char *text = table->texts[t * table->n_options + option];
        if (!text || !isfinite(table->values[t]))
            continue;
        p->x[p->n] = strtod(text, NULL);
        p->y[p->n++] = table->values[t];
    }
    out->linear = pearson(p->x, p->y, p->n);
    rank(p->x, p->n, p->sorted, p->ranks);
    rank(p->y, p->n, p->sorted, p->other);
    out->rank = pearson(p->ranks, p->other, p->n);
    return CS_OK;
}

cs_status cs_importance_correlate(const cs_importance_table *table, int option, cs_importance_correlation *out) {
    pairs p = {0};
    *out = (cs_importance_correlation){(double)NAN, (double)NAN};
    if (!table->options[option].is_number)
        return CS_OK;
    cs_status status = correlate(table, option, &p, out);
    free(p.x);
    free(p.y);
    free(p.ranks);
    free(p.sorted);
    free(p.other);
    return status;
}
