/* SPDX-License-Identifier: Apache-2.0 */
/* Areas under curves, from rows that are sorted by their scores. */
#include "families.h"

#include <math.h>
#include <stdlib.h>

static int by_falling_score(const void *a, const void *b) {
    double p = ((const cs_scored *)a)->score, q = ((const cs_scored *)b)->score;
    return (p < q) - (p > q);
}

/* Rows of one score, among sorted ones. */
typedef struct score_group {
    int64_t positive, negative;
} score_group;

static score_group next_group(const cs_scored *scored, int64_t n, int64_t *at) {
    score_group group = {0};
    double score = scored[*at].score;
    for (; *at < n && scored[*at].score == score; ++*at) {
        group.positive += scored[*at].positive;
        group.negative += !scored[*at].positive;
    }
    return group;
}

/* The area under the ROC curve: the fraction of pairs of a positive and a negative row in which the positive one has
 * the larger score; equal scores count half. NaN if there is no such pair. */
static double auc_of(cs_scored *scored, int64_t n) {
    int64_t positive = 0, negative = 0, at = 0;
    double pairs = 0;
    qsort(scored, (size_t)n, sizeof *scored, by_falling_score);
    while (at < n) {
        score_group group = next_group(scored, n, &at);
        pairs += (double)group.negative * ((double)positive + (double)group.positive / 2);
        positive += group.positive;
        negative += group.negative;
    }
    return positive > 0 && negative > 0 ? pairs / ((double)positive * (double)negative) : (double)NAN;
}

/* sum (R_n - R_(n-1)) P_n over the distinct scores; NaN if no row is positive. */
static double average_precision_of(cs_scored *scored, int64_t n) {
    int64_t positive = 0, at = 0;
    double sum = 0;
    qsort(scored, (size_t)n, sizeof *scored, by_falling_score);
    while (at < n) {
        score_group group = next_group(scored, n, &at);
        positive += group.positive;
        sum += (double)group.positive * (double)positive / (double)at;
    }
    return positive > 0 ? sum / (double)positive : (double)NAN;
}

/* The mean over the classes of what `area` finds for one class against the rest; of two classes, that of class 1. */
static double mean_over_classes(const cs_evaluation *evaluation, double (*area)(cs_scored *scored, int64_t n),
                                bool weighted) {
    int64_t n = cs_evaluation_tally(evaluation).rows;
    double sum = 0, weights = 0;
    for (int k = evaluation->spec.classes == 2 ? 1 : 0; k < evaluation->spec.classes; k++) {
        int64_t support = 0;
        for (int64_t row = 0; row < n; row++) {
            evaluation->scored[row] =
                (cs_scored){cs_evaluation_probabilities(evaluation, row)[k], cs_evaluation_label(evaluation, row) == k};
            support += evaluation->scored[row].positive;
        }
        double weight = weighted ? (double)support : 1;
        sum += weight * area(evaluation->scored, n);
        weights += weight;
    }
    return weights > 0 ? sum / weights : (double)NAN;
}

double cs_auc_one_vs_rest(const cs_evaluation *evaluation, bool weighted) {
    return mean_over_classes(evaluation, auc_of, weighted);
}

double cs_average_precision(const cs_evaluation *evaluation) {
    return mean_over_classes(evaluation, average_precision_of, false);
}

/* The rows of one class, in evaluation->order. */
typedef struct class_rows {
    int label;
    int64_t begin, end;
} class_rows;

/* Puts the rows of each class together, and the classes in their order. */
static void order_by_class(const cs_evaluation *evaluation, int64_t n) {
    int64_t at = 0;
    for (int k = 0; k < evaluation->spec.classes; k++)
        for (int64_t row = 0; row < n; row++)
            if (cs_evaluation_label(evaluation, row) == k)
                evaluation->order[at++] = row;
}

static class_rows class_at(const cs_evaluation *evaluation, int64_t begin, int64_t n) {
    class_rows found = {cs_evaluation_label(evaluation, evaluation->order[begin]), begin, begin};
    while (found.end < n && cs_evaluation_label(evaluation, evaluation->order[found.end]) == found.label)
        found.end++;
    return found;
}

/* The area between two classes, by the scores of the first. */
static double auc_between(const cs_evaluation *evaluation, const class_rows *positive, const class_rows *negative) {
    const class_rows *both[] = {negative, positive};
    int64_t n = 0;
    for (int i = 0; i < 2; i++)
        for (int64_t at = both[i]->begin; at < both[i]->end; at++)
            evaluation->scored[n++] =
                (cs_scored){cs_evaluation_probabilities(evaluation, evaluation->order[at])[positive->label], i == 1};
    return auc_of(evaluation->scored, n);
}

double cs_auc_one_vs_one(const cs_evaluation *evaluation, bool weighted) {
    int64_t n = cs_evaluation_tally(evaluation).rows;
    double sum = 0, weights = 0;
    if (evaluation->spec.classes == 2)
        return cs_auc_one_vs_rest(evaluation, weighted);
    order_by_class(evaluation, n);
    for (class_rows a = class_at(evaluation, 0, n); a.end < n; a = class_at(evaluation, a.end, n)) {
        for (int64_t begin = a.end; begin < n;) {
            class_rows b = class_at(evaluation, begin, n);
            double weight = weighted ? (double)(a.end - a.begin + b.end - b.begin) : 1;
            sum += weight * (auc_between(evaluation, &a, &b) + auc_between(evaluation, &b, &a)) / 2;
            weights += weight;
            begin = b.end;
        }
    }
    return weights > 0 ? sum / weights : (double)NAN;
}
