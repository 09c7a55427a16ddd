/* SPDX-License-Identifier: Apache-2.0 */
/* PED-ANOVA: the Pearson divergence of the density of the best trials from that of all trials, for each option. The
 * densities are those of Optuna's evaluator: over a grid of at most 50 steps, a kernel for each step that has trials,
 * with Scott's bandwidth, and a wide one as a prior. */
#include "cnnsweep/memory.h"
#include "importance_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 50, ENOUGH = 5, LEAST = 2 };
static const double best_part = 0.1, prior = 1;

/* The trials of one option that have a value of it, on the grid of its values. */
typedef struct domain {
    bool is_number;
    int n;       /* steps of a number, or categories */
    int *step;   /* [n_trials] the step of a trial; -1: it does not have the option */
    double *top; /* [n] densities */
    double *all; /* [n] */
    int *counts; /* [n] */
} domain;

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Marks the trials up to the quantile of the best part, all equal ones among them. Returns their number. */
static cs_status mark_best(const cs_importance_table *table, const cs_levels *levels, bool *best, int *n_best) {
    const double sign = table->maximize ? -1 : 1;
    double *sorted;
    CS_TRY(cs_alloc((size_t)levels->n_trials, sizeof *sorted, "trials", &sorted));
    for (int i = 0; i < levels->n_trials; i++)
        sorted[i] = sign * levels->values[i];
    qsort(sorted, (size_t)levels->n_trials, sizeof *sorted, ascending);
    double limit = sorted[(int)ceil(best_part * levels->n_trials) - 1];
    *n_best = 0;
    for (int i = 0; i < levels->n_trials; i++) {
        best[i] = sign * levels->values[i] <= limit;
        *n_best += best[i];
    }
    free(sorted);
    return CS_OK;
}

/* The mass of the normal distribution between a and b; differences are taken in the tail that is near 0. */
static double normal_mass(double a, double b) {
    const double root = sqrt(2);
    return a > 0 ? (erfc(a / root) - erfc(b / root)) / 2 : (erfc(-b / root) - erfc(-a / root)) / 2;
}

/* Adds a normal kernel, of the mass that is in each step, to the density. */
static void add_kernel(double *density, int n, double mean, double deviation, double weight) {
    const double half = 0.5;
    double whole = normal_mass((-half - mean) / deviation, (n - half - mean) / deviation);
    for (int i = 0; i < n; i++)
        density[i] += weight * normal_mass((i - half - mean) / deviation, (i + half - mean) / deviation) / whole;
}

/* The first step up to which the counts reach `sum`, or with `above` exceed it; the last one that has trials. */
static int quartile(const domain *d, int sum, bool above) {
    int reached = 0, last = 0;
    for (int i = 0; i < d->n; i++) {
        if (d->counts[i] == 0)
            continue;
        reached += d->counts[i];
        last = i;
        if (above ? reached > sum : reached >= sum)
            return i;
    }
    return last;
}

/* Scott's bandwidth (1992) in steps, at least such that 90 % of a kernel is in its step. */
static double bandwidth(const domain *d, int trials) {
    const double scott = 1.059, normal_range = 1.34, power = -0.2, least = 0.5 / 1.64;
    double mean = 0, squares = 0;
    for (int i = 0; i < d->n; i++)
        mean += (double)i * d->counts[i] / trials;
    for (int i = 0; i < d->n; i++)
        squares += (i - mean) * (i - mean) * d->counts[i];
    double deviation = sqrt(squares / (trials > 2 ? trials - 1 : 1));
    double range = quartile(d, trials * 3 / 4, true) - quartile(d, trials / 4, false);
    return fmax(scott * fmin(range / normal_range, deviation) * pow(trials, power), least);
}

static void estimate_number(const domain *d, int trials, double *density) {
    double deviation = bandwidth(d, trials), whole = trials + prior;
    for (int i = 0; i < d->n; i++)
        if (d->counts[i] > 0)
            add_kernel(density, d->n, i, deviation, d->counts[i] / whole);
    add_kernel(density, d->n, (d->n - 1) / 2.0, d->n, prior / whole);
}

/* Each category that has trials is a kernel, which gives a little to the other categories. */
static void estimate_category(const domain *d, int trials, double *density) {
    int kernels = 1;
    for (int i = 0; i < d->n; i++)
        kernels += d->counts[i] > 0;
    double little = prior / kernels, whole = trials + prior, sum = 1 + little * d->n;
    for (int i = 0; i < d->n; i++) {
        density[i] = prior / whole / d->n;
        for (int k = 0; k < d->n; k++)
            density[i] += d->counts[k] / whole * (little + (k == i)) / sum;
    }
}

/* Estimates the density of the trials that have the option; `best` NULL: of all of them. Returns their number. */
static int estimate(const domain *d, int n_trials, const bool *best, double *density) {
    int trials = 0;
    memset(d->counts, 0, (size_t)d->n * sizeof *d->counts);
    memset(density, 0, (size_t)d->n * sizeof *density);
    for (int t = 0; t < n_trials; t++) {
        if (d->step[t] < 0 || (best && !best[t]))
            continue;
        d->counts[d->step[t]]++;
        trials++;
    }
    if (trials == 0)
        return 0;
    if (d->is_number)
        estimate_number(d, trials, density);
    else
        estimate_category(d, trials, density);
    return trials;
}

/* Sets the range of a number, by its logarithm if it was drawn so. */
static void find_range(const cs_importance_option *option, const cs_levels *levels, int i, double *low, double *high) {
    *low = option->low;
    *high = option->high;
    if (*low >= *high) {
        *low = strtod(levels->names[i][0], NULL);
        *high = strtod(levels->names[i][levels->counts[i] - 1], NULL);
    }
    if (option->is_log) {
        *low = log(*low);
        *high = log(*high);
    }
}

static int number_of_steps(const cs_importance_option *option, double low, double high) {
    int steps = STEPS;
    if (option->is_whole && option->is_log)
        steps = (int)ceil(log2(round(exp(high)) - round(exp(low)) + 1)) + 1;
    else if (option->is_whole && high - low < STEPS)
        steps = (int)round(high - low) + 1;
    return steps < STEPS ? steps : STEPS;
}

/* Values in the middle between two steps are of the lower one. */
static void place_numbers(const cs_importance_table *table, const cs_levels *levels, int i, domain *d) {
    const cs_importance_option *option = &table->options[i];
    const double half = 0.5;
    double low, high;
    find_range(option, levels, i, &low, &high);
    d->n = high > low ? number_of_steps(option, low, high) : 1;
    for (int t = 0; t < levels->n_trials; t++) {
        int level = levels->of[t * table->n_options + i];
        if (level < 0 || d->n == 1) {
            d->step[t] = level < 0 ? -1 : 0;
            continue;
        }
        double value = strtod(levels->names[i][level], NULL);
        double place = ceil(((option->is_log ? log(value) : value) - low) / ((high - low) / (d->n - 1)) - half);
        d->step[t] = (int)fmin(fmax(place, 0), d->n - 1);
    }
}

static cs_status open_domain(const cs_importance_table *table, const cs_levels *levels, int i, domain *d) {
    int most = levels->counts[i] > STEPS ? levels->counts[i] : STEPS;
    *d = (domain){.is_number = table->options[i].is_number, .n = levels->counts[i]};
    CS_TRY(cs_alloc((size_t)levels->n_trials, sizeof *d->step, "steps of an option", &d->step));
    CS_TRY(cs_alloc((size_t)most, sizeof *d->top, "density", &d->top));
    CS_TRY(cs_alloc((size_t)most, sizeof *d->all, "density", &d->all));
    CS_TRY(cs_alloc((size_t)most, sizeof *d->counts, "density", &d->counts));
    for (int t = 0; t < levels->n_trials; t++)
        d->step[t] = levels->of[t * table->n_options + i];
    if (d->is_number && d->n > 0)
        place_numbers(table, levels, i, d);
    return CS_OK;
}

static void close_domain(domain *d) {
    free(d->step);
    free(d->top);
    free(d->all);
    free(d->counts);
}

/* Theorem 4.2 of arXiv:2601.20800: the divergence among the trials that have the option, by how often they are among
 * the best and among all. */
static double divergence(const domain *d, int n_trials, const bool *best, int n_best) {
    const double tiny = 1e-12;
    int all = estimate(d, n_trials, NULL, d->all), top = estimate(d, n_trials, best, d->top);
    double sum = 0;
    if (d->n < 2 || all < LEAST || top == 0)
        return 0;
    for (int i = 0; i < d->n; i++) {
        double difference = (d->top[i] + tiny) / (d->all[i] + tiny) - 1;
        sum += (d->all[i] + tiny) * difference * difference;
    }
    double of_best = (double)top / n_best, of_all = (double)all / n_trials;
    return of_best * of_best / of_all * sum;
}

static cs_status add_options(const cs_importance_table *table, const cs_levels *levels, const bool *best, int n_best,
                             cs_importance *out) {
    double sum = 0;
    CS_TRY(cs_alloc((size_t)table->n_options, sizeof *out->parts, "importance", &out->parts));
    for (int i = 0; i < table->n_options; i++) {
        domain d;
        cs_status status = open_domain(table, levels, i, &d);
        if (status == CS_OK)
            cs_importance_add(out, i, -1, divergence(&d, levels->n_trials, best, n_best));
        close_domain(&d);
        CS_TRY(status);
        sum += out->parts[i].share;
    }
    for (int i = 0; i < table->n_options; i++)
        out->parts[i].share /= sum > 0 ? sum : 1;
    return CS_OK;
}

static cs_status find(const cs_importance_table *table, const cs_levels *levels, cs_importance *out) {
    bool *best;
    int n_best = 0;
    if (levels->n_trials < 2)
        return cs_fail(CS_ERR_UNSUPPORTED, "of %d trials with a result nothing can be said", levels->n_trials);
    CS_TRY(cs_alloc((size_t)levels->n_trials, sizeof *best, "trials", &best));
    cs_status status = mark_best(table, levels, best, &n_best);
    if (status == CS_OK)
        status = add_options(table, levels, best, n_best, out);
    free(best);
    out->higher = out->noise = (double)NAN;
    snprintf(out->note, sizeof out->note, "PED-ANOVA: how the values of the best %d of %d trials differ from all%s",
             n_best, levels->n_trials, n_best < ENOUGH ? "; so few are a weak basis, 5 or more are better" : "");
    return status;
}

cs_status cs_importance_ped_anova(const cs_importance_table *table, cs_importance *out) {
    cs_levels levels;
    CS_TRY(cs_levels_make(table, &levels));
    cs_status status = find(table, &levels, out);
    cs_levels_free(table, &levels);
    return status;
}
