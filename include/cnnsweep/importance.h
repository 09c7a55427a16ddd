/* SPDX-License-Identifier: Apache-2.0 */
/* How much each swept option matters: shares of the variance of a metric in a grid, importances in a search, and the
 * means from which charts are drawn.
 *
 * To add a method: a function in a file of src/report/importance/ and a row in methods.c, before those that it is to be
 * preferred to. */
#ifndef CNNSWEEP_IMPORTANCE_H
#define CNNSWEEP_IMPORTANCE_H

#include "cnnsweep/status.h"

#include <stdbool.h>

typedef struct cs_importance_option {
    const char *name;
    bool is_number; /* else its values are categories */
    /* Of a number, the range that it was drawn from; low >= high: not known, that of its values is taken. */
    double low, high;
    bool is_log;   /* drawn by its logarithm; the range is above 0 */
    bool is_whole; /* a whole number */
} cs_importance_option;

/* The trials that finished. All members are borrowed. Seeds and folds are no options here: trials that have the same
 * values are repeats of each other. */
typedef struct cs_importance_table {
    int n_trials, n_options;
    const cs_importance_option *options; /* [n_options] */
    const char *const *texts;            /* [n_trials,n_options] values as text; NULL: the trial does not have it */
    const double *values;                /* [n_trials] of the metric; a trial whose value is not finite is left out */
    bool maximize;                       /* larger is better */
} cs_importance_table;

/* What one option, two options together, or what else contribute. */
typedef struct cs_importance_part {
    int first, second; /* options; second -1: the first alone */
    double share;      /* 0 to 1 */
} cs_importance_part;

typedef struct cs_importance {
    const char *method; /* its name */
    int n_parts;
    cs_importance_part *parts; /* [n_parts] the largest first */
    /* Of a variance also the shares of three and more options together (of fanova two and more), and of repeats; NaN
     * where they are not separate. All shares add up to 1, unless nothing varies: then all are 0. */
    double higher, noise;
    char note[256]; /* a sentence on what the numbers rest on */
} cs_importance;

typedef struct cs_importance_method {
    const char *name, *doc;
    bool is_exact; /* its shares are those of the trials themselves, not estimates for the space that they are of */
    /* CS_ERR_UNSUPPORTED: the trials are not such that the method applies; the error says why. */
    cs_status (*find)(const cs_importance_table *table, cs_importance *out);
} cs_importance_method;

/* anova: the variance over a grid is divided exactly into main effects, interactions of two options, the rest, and the
 * noise of repeats. Where repeats differ in number, cells count the same. A grid may lack a tenth of its cells, which
 * are then estimated such that main effects, and of three options or more interactions of two, fit best.
 * ped_anova: how differently the best tenth of the trials and all trials are distributed over the values of an option
 * (Watanabe et al. 2023, arXiv:2304.10255; options that only some trials have: arXiv:2601.20800), with Optuna's
 * estimates of densities; main effects only.
 * fanova: the variance of the trees of a random forest (64, of any depth up to 64, over bootstrap samples) over the
 * space, of which each option alone has a share; two and more together have the rest, `higher`. Only for options that
 * all trials have. Draws depend on nothing but the trials. */
const cs_importance_method *cs_importance_methods(int *n);
/* By the method of that name, or with NULL by the first that applies. CS_ERR_UNSUPPORTED: none does. */
CS_MUST_CHECK cs_status cs_importance_find(const cs_importance_table *table, const char *method, cs_importance *out);
void cs_importance_free(cs_importance *importance); /* its members */

/* The correlation of an option that is a number with the metric, -1 to 1, over the trials that have it; NaN where it is
 * not defined. */
typedef struct cs_importance_correlation {
    double linear; /* Pearson's */
    double rank;   /* Spearman's */
} cs_importance_correlation;
CS_MUST_CHECK cs_status cs_importance_correlate(const cs_importance_table *table, int option,
                                                cs_importance_correlation *out);

/* The trials of one value of an option, or of one pair of values. */
typedef struct cs_importance_cell {
    int n;
    double mean, deviation; /* over the trials; deviation n - 1, NaN of fewer than 2; mean NaN of none */
} cs_importance_cell;

/* The metric against one option, or against two: the values of the options, numbers rising and others in the order of
 * the trials, and the means over all else. */
typedef struct cs_importance_means {
    int n_rows, n_columns;
    const char **rows, **columns; /* values of the first and the second option, borrowed from the table */
    cs_importance_cell *cells;    /* [n_rows,n_columns] */
} cs_importance_means;
/* `second` -1: the first option alone, in one column. Trials that lack an option are left out. */
CS_MUST_CHECK cs_status cs_importance_means_make(const cs_importance_table *table, int first, int second,
                                                 cs_importance_means *out);
void cs_importance_means_free(cs_importance_means *means); /* its members */

#endif
