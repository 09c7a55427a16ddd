/* SPDX-License-Identifier: Apache-2.0 */
#include "bayes.h"
#include "axis_values.h"
#include "chosen.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/scalar.h"
#include "gaussian_process.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_RESULTS = 300, BEST_RESULTS = MOST_RESULTS / 2 };
_Static_assert((int)CS_GP_FEATURES_MAX >= (int)CS_SAMPLED_MAX, "each option can be an axis");

struct cs_bayes {
    const cs_history *history;
    cs_domain domains[CS_SAMPLED_MAX];
    double *ranks[CS_SAMPLED_MAX]; /* [axis->n] of the positions of a list of numbers; else NULL */
    double *at;                    /* [n_cells,n_axes] the features of cells */
    double *values;                /* [n_cells] their losses, with the mean 0 and the variance 1 */
    cs_gp_points points;
    cs_gp gp;
    double best; /* the least loss */
};

double cs_bayes_position(const cs_domain *domain, double value) {
    double half = domain->step / 2, low = domain->low - half, high = domain->high + half;
    if (low >= high)
        return 0;
    return domain->log ? log(value / low) / log(high / low) : (value - low) / (high - low);
}

double cs_bayes_value(const cs_domain *domain, double position) {
    double half = domain->step / 2, low = domain->low - half, high = domain->high + half;
    double value = domain->log ? low * pow(high / low, position) : low + (high - low) * position;
    if (domain->step > 0)
        value = domain->low + nearbyint((value - domain->low) / domain->step) * domain->step;
    return fmin(fmax(value, domain->low), domain->high);
}

/* Fills numbers [axis->n] with the values at the positions of the axis. Returns false if not all are numbers. */
static bool read_numbers(const cs_job *job, const cs_axis *axis, double *numbers) {
    for (int p = 0; p < axis->n; p++)
        if (axis->n_options > 1 ||
            cs_parse_float(job->swept[axis->first].values[axis->values[p]], &numbers[p]) != CS_OK)
            return false;
    return true;
}

/* Makes the ranks of the axis if it lists numbers, and else a category. */
static cs_status open_list(cs_bayes *bayes, int a) {
    const cs_axis *axis = &bayes->history->space->axes[a];
    double *numbers = NULL;
    CS_TRY(cs_alloc((size_t)axis->n, sizeof *numbers, "numbers", &numbers));
    bayes->points.category[a] = !read_numbers(bayes->history->job, axis, numbers);
    cs_status status = CS_OK;
    if (!bayes->points.category[a])
        status = cs_alloc((size_t)axis->n, sizeof **bayes->ranks, "ranks", &bayes->ranks[a]);
    for (int p = 0; bayes->ranks[a] && p < axis->n; p++) {
        int smaller = 0;
        for (int q = 0; q < axis->n; q++)
            smaller += numbers[q] < numbers[p];
        bayes->ranks[a][p] = axis->n > 1 ? (double)smaller / (axis->n - 1) : 0;
    }
    free(numbers);
    return status;
}

static double feature(const cs_bayes *bayes, int a, const double *row) {
    const cs_space *space = bayes->history->space;
    const cs_domain *domain = &bayes->domains[a];
    double value = cs_axis_value(space, &space->axes[a], row);
    if (isnan(value) || bayes->points.category[a])
        return value;
    return domain->choices > 0 ? bayes->ranks[a][(int)value] : cs_bayes_position(domain, value);
}

static void write_features(const cs_bayes *bayes, const double *row, double *out) {
    for (int a = 0; a < bayes->history->space->n_axes; a++)
        out[a] = feature(bayes, a, row);
}

static void add_point(cs_bayes *bayes, int cell, double value) {
    const cs_space *space = bayes->history->space;
    size_t i = (size_t)bayes->points.n++;
    write_features(bayes, bayes->history->rows + (size_t)cell * (size_t)space->n_options,
                   bayes->at + i * (size_t)space->n_axes);
    bayes->values[i] = value;
}

/* `i` is below the lesser of n and MOST_RESULTS. */
static int counted(int i, int n) {
    if (n <= MOST_RESULTS || i < BEST_RESULTS)
        return i;
    return BEST_RESULTS + (int)((int64_t)(i - BEST_RESULTS) * (n - BEST_RESULTS) / (MOST_RESULTS - BEST_RESULTS));
}

static cs_status add_results(cs_bayes *bayes) {
    const cs_history *history = bayes->history;
    int *order = NULL, n;
    CS_TRY(cs_alloc((size_t)history->n_cells, sizeof *order, "results", &order));
    cs_status status = cs_observation_rank(history->cells, history->n_cells, order, &n);
    for (int i = 0; status == CS_OK && i < n && i < MOST_RESULTS; i++)
        add_point(bayes, order[counted(i, n)], history->cells[order[counted(i, n)]].loss);
    free(order);
    return status;
}

/* Gives the values the mean 0 and the variance 1. The first is the least. */
static void standardize(cs_bayes *bayes) {
    const double least = 1e-10; /* all are equal */
    double mean = 0, variance = 0;
    int n = bayes->points.n;
    for (int i = 0; i < n; i++)
        mean += bayes->values[i] / n;
    for (int i = 0; i < n; i++)
        variance += (bayes->values[i] - mean) * (bayes->values[i] - mean) / n;
    for (int i = 0; i < n; i++)
        bayes->values[i] = (bayes->values[i] - mean) / fmax(sqrt(variance), least);
    bayes->best = bayes->values[0];
}

/* Adds the cells under way, each with what the process of those that have ended predicts. */
static cs_status believe(cs_bayes *bayes) {
    const cs_history *history = bayes->history;
    const cs_gp_kernel kernel = bayes->gp.kernel;
    double deviation;
    for (int c = 0; c < history->n_cells; c++) {
        if (history->cells[c].known != CS_KNOWN_VALUES)
            continue;
        size_t i = (size_t)bayes->points.n;
        add_point(bayes, c, 0);
        cs_gp_predict(&bayes->gp, bayes->at + i * (size_t)bayes->points.n_features, &bayes->values[i], &deviation);
    }
    cs_gp_close(&bayes->gp);
    return cs_gp_open(&bayes->points, bayes->values, &kernel, &bayes->gp);
}

static cs_status open_process(cs_bayes *bayes) {
    const cs_history *history = bayes->history;
    const cs_space *space = history->space;
    cs_gp_kernel kernel;
    size_t cells = (size_t)history->n_cells;
    bayes->points.n_features = space->n_axes;
    for (int a = 0; a < space->n_axes; a++) {
        bayes->domains[a] = cs_axis_domain(space, &space->axes[a]);
        if (bayes->domains[a].choices > 0)
            CS_TRY(open_list(bayes, a));
    }
    CS_TRY(cs_alloc(cells * (size_t)space->n_axes, sizeof *bayes->at, "features", &bayes->at));
    CS_TRY(cs_alloc(cells, sizeof *bayes->values, "results", &bayes->values));
    bayes->points.at = bayes->at;
    CS_TRY(add_results(bayes));
    standardize(bayes);
    CS_TRY(cs_gp_fit(&bayes->points, bayes->values, &kernel));
    CS_TRY(cs_gp_open(&bayes->points, bayes->values, &kernel, &bayes->gp));
    return believe(bayes);
}

cs_status cs_bayes_open(const cs_history *history, cs_bayes **out) {
    cs_bayes *bayes = NULL;
    CS_TRY(cs_alloc(1, sizeof *bayes, "method bayes", &bayes));
    bayes->history = history;
    cs_status status = open_process(bayes);
    if (status == CS_OK)
        *out = bayes;
    else
        cs_bayes_close(bayes);
    return status;
}

void cs_bayes_close(cs_bayes *bayes) {
    if (!bayes)
        return;
    cs_gp_close(&bayes->gp);
    for (int a = 0; a < CS_SAMPLED_MAX; a++)
        free(bayes->ranks[a]);
    free(bayes->at);
    free(bayes->values);
    free(bayes);
}

/* Far below the best the sum has no digits left. There the series of Mills' ratio takes its place (Abramowitz and
 * Stegun, "Handbook of Mathematical Functions", 26.2.12). */
double cs_bayes_log_improvement(double best, double mean, double deviation) {
    const double half = 0.5, log_root_two_pi = 0.918938533204672741780, root_half = 0.707106781186547524401;
    const double far_below = -25, second = 3, third = 15;
    double z = (best - mean) / deviation, square = z * z, log_density = -half * square - log_root_two_pi;
    if (z < far_below)
        return log(deviation) + log_density - log(square) + log1p((third / square - second) / square);
    return log(deviation) + log(exp(log_density) + z * half * erfc(-z * root_half));
}

double cs_bayes_score(const cs_bayes *bayes, const double *row) {
    double features[CS_SAMPLED_MAX], mean, deviation;
    write_features(bayes, row, features);
    cs_gp_predict(&bayes->gp, features, &mean, &deviation);
    return cs_bayes_log_improvement(bayes->best, mean, deviation);
}
