/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of the tally and of the confusion matrix, a table row for each. */
#include "families.h"

#include <math.h>
#include <stdlib.h>

static double macro_precision(const cs_evaluation *evaluation) {
    return cs_scores_macro(evaluation).precision;
}

static double macro_recall(const cs_evaluation *evaluation) {
    return cs_scores_macro(evaluation).recall;
}

static double macro_f1(const cs_evaluation *evaluation) {
    return cs_scores_macro(evaluation).f1;
}

static double weighted_precision(const cs_evaluation *evaluation) {
    return cs_scores_weighted(evaluation).precision;
}

static double weighted_recall(const cs_evaluation *evaluation) {
    return cs_scores_weighted(evaluation).recall;
}

static double weighted_f1(const cs_evaluation *evaluation) {
    return cs_scores_weighted(evaluation).f1;
}

static double balanced_accuracy(const cs_evaluation *evaluation) {
    double sum = 0;
    int occurring = 0;
    for (int k = 0; k < evaluation->spec.classes; k++) {
        cs_class_scores scores = cs_scores_of_class(evaluation, k);
        occurring += scores.support > 0;
        sum += scores.recall;
    }
    return sum / occurring;
}

static double macro_specificity(const cs_evaluation *evaluation) {
    int64_t rows = cs_evaluation_tally(evaluation).rows;
    int classes = evaluation->spec.classes;
    double sum = 0;
    for (int k = 0; k < classes; k++) {
        int64_t others = rows - cs_count_labels(evaluation, k);
        int64_t taken = cs_count_predictions(evaluation, k) - cs_evaluation_count(evaluation, k, k);
        if (others > 0)
            sum += (double)(others - taken) / (double)others;
    }
    return sum / classes;
}

/* Cohen's kappa with the weight |i-j|^power: 1 - sum w_ij C_ij / sum w_ij E_ij, E_ij = labels_i*predictions_j / rows.
 * The confusion matrix of independent predictions, E, is never formed: its sums follow from those of its margins. */
static double kappa(const cs_evaluation *evaluation, double expected, int power) {
    double seen = 0;
    for (int i = 0; i < evaluation->spec.classes; i++)
        for (int j = 0; j < evaluation->spec.classes; j++)
            seen += (i == j ? 0 : pow(abs(i - j), power)) * (double)cs_evaluation_count(evaluation, i, j);
    return 1 - seen / (expected / (double)cs_evaluation_tally(evaluation).rows);
}

static double unweighted_kappa(const cs_evaluation *evaluation) {
    double rows = (double)cs_evaluation_tally(evaluation).rows, equal = 0;
    for (int k = 0; k < evaluation->spec.classes; k++)
        equal += (double)cs_count_labels(evaluation, k) * (double)cs_count_predictions(evaluation, k);
    return kappa(evaluation, rows * rows - equal, 0);
}

/* sum |i-j| l_i p_j: for each border between two classes, the pairs that it separates. */
static double linear_kappa(const cs_evaluation *evaluation) {
    double rows = (double)cs_evaluation_tally(evaluation).rows, expected = 0, labels = 0, predictions = 0;
    for (int k = 0; k < evaluation->spec.classes; k++) {
        labels += (double)cs_count_labels(evaluation, k);
        predictions += (double)cs_count_predictions(evaluation, k);
        expected += labels * (rows - predictions) + predictions * (rows - labels);
    }
    return kappa(evaluation, expected, 1);
}

/* sum (i-j)^2 l_i p_j, multiplied out. */
static double quadratic_kappa(const cs_evaluation *evaluation) {
    double rows = (double)cs_evaluation_tally(evaluation).rows, labels = 0, predictions = 0, squares = 0;
    for (int k = 0; k < evaluation->spec.classes; k++) {
        double l = (double)cs_count_labels(evaluation, k), p = (double)cs_count_predictions(evaluation, k);
        labels += k * l;
        predictions += k * p;
        squares += (double)k * k * (l + p);
    }
    return kappa(evaluation, rows * squares - 2 * labels * predictions, 2);
}

/* The coefficient of Gorodkin (2004), as sklearn computes it; 0 where it is not defined. */
static double matthews(const cs_evaluation *evaluation) {
    double rows = (double)cs_evaluation_tally(evaluation).rows, right = 0, both = 0, labels = 0, predictions = 0;
    for (int k = 0; k < evaluation->spec.classes; k++) {
        double l = (double)cs_count_labels(evaluation, k), p = (double)cs_count_predictions(evaluation, k);
        right += (double)cs_evaluation_count(evaluation, k, k);
        both += l * p;
        labels += l * l;
        predictions += p * p;
    }
    double product = (rows * rows - labels) * (rows * rows - predictions);
    return product > 0 ? (right * rows - both) / sqrt(product) : 0;
}

static const cs_metric rows[] = {
    {"accuracy", "fraction of rows whose prediction is the label", 4, true, CS_NEEDS_TALLY, cs_evaluation_accuracy},
    {"loss", "what is minimised: cross-entropy and penalties", 4, false, CS_NEEDS_TALLY, cs_evaluation_loss},
    {"macro_f1", "mean of the classes' F1", 4, true, CS_NEEDS_CONFUSION, macro_f1},
    {"weighted_f1", "mean of the classes' F1, weighted by their rows", 4, true, CS_NEEDS_CONFUSION, weighted_f1},
    {"micro_f1", "F1 of all classes together; equals accuracy", 4, true, CS_NEEDS_TALLY, cs_evaluation_accuracy},
    {"macro_precision", "mean of the classes' precision", 4, true, CS_NEEDS_CONFUSION, macro_precision},
    {"weighted_precision", "mean of the classes' precision, weighted by their rows", 4, true, CS_NEEDS_CONFUSION,
     weighted_precision},
    {"micro_precision", "precision of all classes together; equals accuracy", 4, true, CS_NEEDS_TALLY,
     cs_evaluation_accuracy},
    {"macro_recall", "mean of the classes' recall", 4, true, CS_NEEDS_CONFUSION, macro_recall},
    {"weighted_recall", "mean of the classes' recall, weighted by their rows", 4, true, CS_NEEDS_CONFUSION,
     weighted_recall},
    {"micro_recall", "recall of all classes together; equals accuracy", 4, true, CS_NEEDS_TALLY,
     cs_evaluation_accuracy},
    {"macro_specificity", "mean of the classes' specificity: rows of other classes that are predicted as others", 4,
     true, CS_NEEDS_CONFUSION, macro_specificity},
    {"balanced_accuracy", "mean recall of the classes that occur", 4, true, CS_NEEDS_CONFUSION, balanced_accuracy},
    {"kappa", "Cohen's kappa", 4, true, CS_NEEDS_CONFUSION, unweighted_kappa},
    {"linear_kappa", "Cohen's kappa, mistakes weighted by their distance", 4, true, CS_NEEDS_CONFUSION, linear_kappa},
    {"quadratic_kappa", "Cohen's kappa, mistakes weighted by their squared distance", 4, true, CS_NEEDS_CONFUSION,
     quadratic_kappa},
    {"mcc", "Matthews correlation coefficient", 4, true, CS_NEEDS_CONFUSION, matthews},
};
const cs_metric_family cs_confusion_metrics = {rows, sizeof rows / sizeof *rows};
