/* SPDX-License-Identifier: Apache-2.0 */
/* Confidence intervals of metrics, and a test of two classifiers on the same rows. */
#include "cnnsweep/memory.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/random.h"
#include "families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1000 };

cs_interval cs_wilson_interval(int64_t part, int64_t rows) {
    const double z = 1.959963984540054; /* the quantile 0.975 of the normal distribution */
    double n = (double)rows, p = (double)part / n;
    double middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), whole = 1 + z * z / n;
    return (cs_interval){fmax(0, (middle - half) / whole), fmin(1, (middle + half) / whole)};
}

/* Of n rows of two classes the smaller number is k or less: sums the binomial probabilities in logarithms. */
double cs_mcnemar(int64_t a, int64_t b) {
    int64_t n = a + b, least = a < b ? a : b;
    double sum = 0;
    for (int64_t k = 0; k <= least; k++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * log(2));
    return fmin(1, 2 * sum);
}

/* A draw reads all of them, so they are small. */
typedef struct sorted_row {
    uint32_t row : 30, is_positive : 1, begins_group : 1; /* of rows of equal scores */
} sorted_row;

typedef struct class_sums {
    int64_t labels, predictions, right;
} class_sums;

/* The memory of a bootstrap of n rows of K classes. */
typedef struct resampling {
    const cs_evaluation *evaluation;
    int64_t n;
    int32_t *counts;     /* [n] how often the current draw has each row */
    int32_t *cells;      /* [n] the cell of the confusion matrix of each row, in the order of the cells */
    sorted_row *falling; /* [K,n] with AUC: by the scores of each class, from the largest to the smallest */
    class_sums *sums;    /* [K] of the current draw */
    double values[DRAWS];
} resampling;

static void draw_rows(resampling *r, uint64_t seed, uint32_t item, int draw) {
    cs_rng rng = cs_rng_at(seed, CS_PURPOSE_BOOTSTRAP, (uint32_t)draw, item);
    for (int64_t i = 0; i < r->n; i++)
        r->counts[i] = 0;
    for (int64_t i = 0; i < r->n; i++)
        r->counts[cs_rng_below(&rng, (uint32_t)r->n)]++;
}

static void list_cells(resampling *r) {
    int classes = r->evaluation->spec.classes;
    int64_t at = 0;
    for (int32_t cell = 0; cell < classes * classes; cell++)
        for (int64_t i = cs_evaluation_count(r->evaluation, cell / classes, cell % classes); i > 0; i--)
            r->cells[at++] = cell;
}

static double drawn_f1(resampling *r) {
    int classes = r->evaluation->spec.classes;
    double sum = 0;
    memset(r->sums, 0, (size_t)classes * sizeof *r->sums);
    for (int64_t i = 0; i < r->n; i++) {
        int label = r->cells[i] / classes, predicted = r->cells[i] % classes;
        r->sums[label].labels += r->counts[i];
        r->sums[predicted].predictions += r->counts[i];
        r->sums[label].right += label == predicted ? r->counts[i] : 0;
    }
    for (int k = 0; k < classes; k++) {
        double both = (double)(r->sums[k].labels + r->sums[k].predictions);
        sum += both > 0 ? 2 * (double)r->sums[k].right / both : 0;
    }
    return sum / classes;
}

/* The AUC of one class against the rest. Rows of equal scores are a group, in which pairs count half. */
static double drawn_auc_of(const resampling *r, int class_index) {
    const sorted_row *rows = r->falling + (int64_t)class_index * r->n;
    int64_t counts[2] = {0}, group[2] = {0}; /* of negative and positive rows: before the group, and in it */
    double pairs = 0;
    for (int64_t i = 0; i <= r->n; i++) {
        if (i == r->n || rows[i].begins_group) {
            pairs += (double)group[0] * ((double)counts[1] + (double)group[1] / 2);
            for (int k = 0; k < 2; k++) {
                counts[k] += group[k];
                group[k] = 0;
            }
        }
        if (i < r->n)
            group[rows[i].is_positive] += r->counts[rows[i].row];
    }
    return pairs / ((double)counts[1] * (double)counts[0]);
}

static double drawn_auc(resampling *r) {
    int classes = r->evaluation->spec.classes, first = classes == 2 ? 1 : 0;
    double sum = 0;
    for (int k = first; k < classes; k++)
        sum += drawn_auc_of(r, k);
    return sum / (classes - first);
}

typedef struct scored_row {
    double score;
    int32_t row;
} scored_row;

static int by_falling_score(const void *a, const void *b) {
    double p = ((const scored_row *)a)->score, q = ((const scored_row *)b)->score;
    return (p < q) - (p > q);
}

static cs_status sort_scores(resampling *r) {
    scored_row *rows = NULL;
    int classes = r->evaluation->spec.classes;
    CS_TRY(cs_alloc((size_t)r->n * (size_t)classes, sizeof *r->falling, "bootstrap", &r->falling));
    CS_TRY(cs_alloc((size_t)r->n, sizeof *rows, "bootstrap", &rows));
    cs_evaluation_fill_probabilities(r->evaluation);
    for (int k = 0; k < classes; k++) {
        for (int64_t i = 0; i < r->n; i++)
            rows[i] = (scored_row){cs_evaluation_probabilities(r->evaluation, i)[k], (int32_t)i};
        qsort(rows, (size_t)r->n, sizeof *rows, by_falling_score);
        for (int64_t i = 0; i < r->n; i++)
            r->falling[(int64_t)k * r->n + i] =
                (sorted_row){.row = (uint32_t)rows[i].row,
                             .is_positive = cs_evaluation_label(r->evaluation, rows[i].row) == k,
                             .begins_group = i > 0 && rows[i].score != rows[i - 1].score};
    }
    free(rows);
    return CS_OK;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The quantile of sorted values, linear between two of them (as numpy's default). */
static double quantile(const double *sorted, int n, double at) {
    double place = at * (n - 1);
    int below = (int)place, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

static cs_interval interval_of(resampling *r, double (*metric)(resampling *r), uint64_t seed, uint32_t item) {
    const double low = 0.025, high = 0.975;
    int n = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        draw_rows(r, seed, item, draw);
        double value = metric(r);
        if (!isnan(value))
            r->values[n++] = value;
    }
    qsort(r->values, (size_t)n, sizeof *r->values, ascending);
    if (n == 0)
        return (cs_interval){(double)NAN, (double)NAN};
    return (cs_interval){quantile(r->values, n, low), quantile(r->values, n, high)};
}

static cs_status resample(resampling *r, bool auc, uint64_t seed, uint32_t item, cs_bootstrap *out) {
    CS_TRY(cs_alloc((size_t)r->n, sizeof *r->counts, "bootstrap", &r->counts));
    CS_TRY(cs_alloc((size_t)r->n, sizeof *r->cells, "bootstrap", &r->cells));
    CS_TRY(cs_alloc((size_t)r->evaluation->spec.classes, sizeof *r->sums, "bootstrap", &r->sums));
    list_cells(r);
    out->macro_f1 = interval_of(r, drawn_f1, seed, item);
    if (auc)
        CS_TRY(sort_scores(r));
    if (auc) {
        out->macro_auc = interval_of(r, drawn_auc, seed, item);
        out->auc = cs_auc_one_vs_rest(r->evaluation, false);
    }
    return CS_OK;
}

cs_status cs_bootstrap_make(const cs_evaluation *evaluation, bool auc, uint64_t seed, uint32_t item,
                            cs_bootstrap *out) {
    const cs_interval undefined = {(double)NAN, (double)NAN};
    resampling r = {.evaluation = evaluation, .n = cs_evaluation_tally(evaluation).rows};
    *out = (cs_bootstrap){undefined, undefined, (double)NAN};
    cs_status status = r.n > 0 ? resample(&r, auc, seed, item, out) : CS_OK;
    free(r.counts);
    free(r.cells);
    free(r.falling);
    free(r.sums);
    return status;
}
