/* SPDX-License-Identifier: Apache-2.0 */
/* The variance of a metric over a grid, divided into main effects, interactions of two options, the rest, and the noise
 * of repeats (Fisher 1925; over a grid it is the functional ANOVA of Hoeffding 1948). In a balanced grid the parts are
 * the sums of squares of the classical analysis of variance over the total one. */
#include "cnnsweep/memory.h"
#include "importance_impl.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS_MAX = 1 << 20, OPTIONS_MAX = 20, TRIES = 10000 };
static const double may_lack = 0.1; /* of the cells */

typedef struct grid {
    int n;                   /* options with two values or more */
    int option[OPTIONS_MAX]; /* [n] in the table */
    int levels[OPTIONS_MAX]; /* [n] values, "none" among them */
    int stride[OPTIONS_MAX]; /* [n] cells between two values */
    int n_cells, missing;
    double *cells;                           /* [n_cells] means over the repeats */
    int *counts;                             /* [n_cells] */
    bool repeats;                            /* some cell has several trials */
    double noise;                            /* variance within cells */
    double mean;                             /* of the cells */
    double *main[OPTIONS_MAX];               /* [levels] effects */
    double *pair[OPTIONS_MAX * OPTIONS_MAX]; /* [levels of the first, levels of the second] where the first is less */
} grid;

static int level_of(const grid *g, int cell, int a) {
    return cell / g->stride[a] % g->levels[a];
}

static double **pair_of(grid *g, int a, int b) {
    return &g->pair[a * OPTIONS_MAX + b];
}

static void close_grid(grid *g) {
    free(g->cells);
    free(g->counts);
    for (int a = 0; a < g->n; a++) {
        free(g->main[a]);
        for (int b = a + 1; b < g->n; b++)
            free(*pair_of(g, a, b));
    }
}

/* Lists the options that have several values, and counts the cells. */
static cs_status lay_out(const cs_importance_table *table, const cs_levels *levels, grid *g) {
    int64_t cells = 1;
    for (int i = 0; i < table->n_options; i++) {
        int n = levels->counts[i], lacking = 0;
        for (int t = 0; t < levels->n_trials; t++)
            lacking |= levels->of[t * table->n_options + i] < 0;
        n += lacking;
        if (n < 2)
            continue;
        if (g->n == OPTIONS_MAX || cells * n > CELLS_MAX)
            return cs_fail(CS_ERR_UNSUPPORTED, "the values of the options make too many combinations for a grid");
        g->option[g->n] = i;
        g->levels[g->n] = n;
        g->stride[g->n++] = (int)cells;
        cells *= n;
    }
    g->n_cells = (int)cells;
    return CS_OK;
}

static int cell_of(const cs_importance_table *table, const cs_levels *levels, const grid *g, int trial) {
    int cell = 0;
    for (int a = 0; a < g->n; a++) {
        int level = levels->of[trial * table->n_options + g->option[a]];
        cell += g->stride[a] * (level >= 0 ? level : g->levels[a] - 1);
    }
    return cell;
}

/* Values count from that of the first trial. This changes no variance, and of trials that are all alike it makes
 * exactly 0, where rounding would make shares out of nothing. */
static cs_status fill_cells(const cs_importance_table *table, const cs_levels *levels, grid *g) {
    CS_TRY(cs_alloc((size_t)g->n_cells, sizeof *g->cells, "grid", &g->cells));
    CS_TRY(cs_alloc((size_t)g->n_cells, sizeof *g->counts, "grid", &g->counts));
    for (int t = 0; t < levels->n_trials; t++) {
        int cell = cell_of(table, levels, g, t);
        double value = levels->values[t] - levels->values[0], before = value - g->cells[cell];
        g->counts[cell]++;
        g->cells[cell] += before / g->counts[cell];
        g->noise += before * (value - g->cells[cell]);
        g->repeats |= g->counts[cell] > 1;
    }
    g->noise /= levels->n_trials;
    for (int cell = 0; cell < g->n_cells; cell++)
        g->missing += g->counts[cell] == 0;
    if (g->missing > may_lack * g->n_cells)
        return cs_fail(CS_ERR_UNSUPPORTED, "%d of the %d combinations of values have no result, which is no grid",
                       g->missing, g->n_cells);
    return CS_OK;
}

static cs_status open_effects(grid *g) {
    for (int a = 0; a < g->n; a++) {
        CS_TRY(cs_alloc((size_t)g->levels[a], sizeof(double), "effects", &g->main[a]));
        for (int b = a + 1; b < g->n; b++)
            CS_TRY(cs_alloc((size_t)g->levels[a] * (size_t)g->levels[b], sizeof(double), "effects", pair_of(g, a, b)));
    }
    return CS_OK;
}

/* The mean over the cells of a value, less that of all cells. */
static void find_main(grid *g, int a) {
    for (int i = 0; i < g->levels[a]; i++)
        g->main[a][i] = -g->mean;
    for (int cell = 0; cell < g->n_cells; cell++)
        g->main[a][level_of(g, cell, a)] += g->cells[cell] * g->levels[a] / g->n_cells;
}

/* The mean over the cells of two values, less what both say alone. */
static void find_pair(grid *g, int a, int b) {
    double *effects = *pair_of(g, a, b);
    int n = g->levels[a] * g->levels[b];
    for (int i = 0; i < n; i++)
        effects[i] = -g->mean - g->main[a][i / g->levels[b]] - g->main[b][i % g->levels[b]];
    for (int cell = 0; cell < g->n_cells; cell++)
        effects[level_of(g, cell, a) * g->levels[b] + level_of(g, cell, b)] += g->cells[cell] * n / g->n_cells;
}

static void find_effects(grid *g) {
    g->mean = 0;
    for (int cell = 0; cell < g->n_cells; cell++)
        g->mean += g->cells[cell] / g->n_cells;
    for (int a = 0; a < g->n; a++)
        find_main(g, a);
    for (int a = 0; a < g->n; a++)
        for (int b = a + 1; b < g->n; b++)
            find_pair(g, a, b);
}

/* What the effects say of a cell. Of two options, interactions would say all of it. */
static double fitted(grid *g, int cell) {
    double sum = g->mean;
    for (int a = 0; a < g->n; a++) {
        sum += g->main[a][level_of(g, cell, a)];
        for (int b = a + 1; b < g->n && g->n > 2; b++)
            sum += (*pair_of(g, a, b))[level_of(g, cell, a) * g->levels[b] + level_of(g, cell, b)];
    }
    return sum;
}

/* Estimates the missing cells, again and again until they fit what is estimated with them (Yates 1933). */
static void estimate_missing(grid *g) {
    const double settled = 1e-13;
    double most = 0, change = g->missing > 0, sum = 0;
    for (int cell = 0; cell < g->n_cells; cell++) {
        sum += g->cells[cell];
        most = fmax(most, fabs(g->cells[cell]));
    }
    for (int cell = 0; cell < g->n_cells; cell++)
        if (g->counts[cell] == 0)
            g->cells[cell] = sum / (g->n_cells - g->missing);
    for (int i = 0; i < TRIES && change > settled * most; i++) {
        find_effects(g);
        change = 0;
        for (int cell = 0; cell < g->n_cells; cell++) {
            if (g->counts[cell] > 0)
                continue;
            double estimate = fitted(g, cell);
            change = fmax(change, fabs(estimate - g->cells[cell]));
            g->cells[cell] = estimate;
        }
    }
}

static double mean_square(const double *effects, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += effects[i] * effects[i];
    return sum / n;
}

static double variance_of_cells(const grid *g) {
    double sum = 0;
    for (int cell = 0; cell < g->n_cells; cell++)
        sum += (g->cells[cell] - g->mean) * (g->cells[cell] - g->mean);
    return sum / g->n_cells;
}

/* An option of one value has a share of 0. */
static void add_constants(const cs_importance_table *table, const grid *g, cs_importance *out) {
    for (int i = 0, a = 0; i < table->n_options; i++) {
        if (a < g->n && g->option[a] == i)
            a++;
        else
            cs_importance_add(out, i, -1, 0);
    }
}

static cs_status divide(const cs_importance_table *table, grid *g, cs_importance *out) {
    int parts = table->n_options + g->n * (g->n - 1) / 2;
    CS_TRY(cs_alloc((size_t)parts, sizeof *out->parts, "importance", &out->parts));
    find_effects(g);
    double cells = variance_of_cells(g), total = cells + g->noise, explained = 0;
    double whole = total > 0 ? total : 1;
    for (int a = 0; a < g->n; a++) {
        cs_importance_add(out, g->option[a], -1, mean_square(g->main[a], g->levels[a]) / whole);
        for (int b = a + 1; b < g->n; b++)
            cs_importance_add(out, g->option[a], g->option[b],
                              mean_square(*pair_of(g, a, b), g->levels[a] * g->levels[b]) / whole);
    }
    for (int i = 0; i < out->n_parts; i++)
        explained += out->parts[i].share;
    out->higher = g->n > 2 ? fmax(0, cells / whole - explained) : (double)NAN;
    out->noise = g->repeats ? g->noise / whole : (double)NAN;
    add_constants(table, g, out);
    return CS_OK;
}

static void say(const grid *g, int trials, cs_importance *out) {
    char missing[80] = "";
    if (g->missing > 0)
        snprintf(missing, sizeof missing, ", %d of which are estimated", g->missing);
    snprintf(out->note, sizeof out->note, "analysis of variance over %d cells%s, of %d trials%s", g->n_cells, missing,
             trials, g->repeats ? "" : "; without repeats, noise is part of the interaction of all options");
}

static cs_status find(const cs_importance_table *table, const cs_levels *levels, grid *g, cs_importance *out) {
    if (levels->n_trials < 2)
        return cs_fail(CS_ERR_UNSUPPORTED, "of %d trials with a result nothing can be said", levels->n_trials);
    CS_TRY(lay_out(table, levels, g));
    CS_TRY(fill_cells(table, levels, g));
    CS_TRY(open_effects(g));
    estimate_missing(g);
    CS_TRY(divide(table, g, out));
    say(g, levels->n_trials, out);
    return CS_OK;
}

cs_status cs_importance_anova(const cs_importance_table *table, cs_importance *out) {
    cs_levels levels;
    grid g = {0};
    CS_TRY(cs_levels_make(table, &levels));
    cs_status status = find(table, &levels, &g, out);
    close_grid(&g);
    cs_levels_free(table, &levels);
    return status;
}
