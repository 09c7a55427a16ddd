/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of the scores, a table row for each. */
#include "families.h"

#include <float.h>
#include <math.h>

static int64_t rows_of(const cs_evaluation *evaluation) {
    return cs_evaluation_tally(evaluation).rows;
}

/* Is the label among the k classes of the largest logits? Of equal logits that of the last class counts as the largest,
 * as in sklearn's top_k_accuracy_score. */
static bool is_among(const cs_evaluation *evaluation, int64_t row, int k) {
    const double *logits = cs_evaluation_logits(evaluation, row);
    int label = cs_evaluation_label(evaluation, row), before = 0;
    for (int i = 0; i < evaluation->spec.classes; i++)
        before += logits[i] > logits[label] || (logits[i] == logits[label] && i > label);
    return before < k;
}

static double top_k_accuracy(const cs_evaluation *evaluation, int k) {
    int64_t n = rows_of(evaluation), right = 0;
    for (int64_t row = 0; row < n; row++)
        right += is_among(evaluation, row, k);
    return (double)right / (double)n;
}

static double top_3_accuracy(const cs_evaluation *evaluation) {
    const int k = 3;
    return top_k_accuracy(evaluation, k);
}

static double top_5_accuracy(const cs_evaluation *evaluation) {
    const int k = 5;
    return top_k_accuracy(evaluation, k);
}

/* Counts the entries of all rows that are above 0.5, and those of them that are the label's. Keras has floats. */
static void count_entries(const cs_evaluation *evaluation, int64_t *above, int64_t *right) {
    const float threshold = 0.5F;
    *above = *right = 0;
    for (int64_t row = 0; row < rows_of(evaluation); row++) {
        const double *p = cs_evaluation_probabilities(evaluation, row);
        for (int k = 0; k < evaluation->spec.classes; k++)
            *above += (float)p[k] > threshold;
        *right += (float)p[cs_evaluation_label(evaluation, row)] > threshold;
    }
}

static double keras_precision(const cs_evaluation *evaluation) {
    int64_t above, right;
    count_entries(evaluation, &above, &right);
    return above > 0 ? (double)right / (double)above : 0;
}

static double keras_recall(const cs_evaluation *evaluation) {
    int64_t above, right;
    count_entries(evaluation, &above, &right);
    return (double)right / (double)rows_of(evaluation);
}

/* keras.metrics.AUC(num_thresholds=200): the trapezoids between the thresholds -1e-7, 1/199, 2/199, ..., 1 + 1e-7. An
 * entry of score p is above the thresholds up to bucket ceil(199*p) - 1, which Keras computes in float. */
static double keras_auc(const cs_evaluation *evaluation) {
    enum { THRESHOLDS = 200 };
    int64_t counts[2][THRESHOLDS] = {{0}}, sums[2] = {0};
    double n = (double)rows_of(evaluation), doubled_area = 0, before[2] = {0};
    const double totals[2] = {n * (evaluation->spec.classes - 1), n};
    for (int64_t row = 0; row < rows_of(evaluation); row++) {
        const double *p = cs_evaluation_probabilities(evaluation, row);
        for (int k = 0; k < evaluation->spec.classes; k++) {
            int bucket = (int)ceilf((float)p[k] * (THRESHOLDS - 1)) - 1;
            counts[k == cs_evaluation_label(evaluation, row)][bucket > 0 ? bucket : 0]++;
        }
    }
    for (int t = THRESHOLDS - 1; t >= 0; t--) {
        double now[2];
        for (int positive = 0; positive < 2; positive++) {
            sums[positive] += counts[positive][t];
            now[positive] = totals[positive] > 0 ? (double)sums[positive] / totals[positive] : 0;
        }
        doubled_area += (now[0] - before[0]) * (now[1] + before[1]);
        before[0] = now[0];
        before[1] = now[1];
    }
    return doubled_area / 2;
}

static double log_loss(const cs_evaluation *evaluation) {
    double sum = 0;
    for (int64_t row = 0; row < rows_of(evaluation); row++) {
        double p = cs_evaluation_probabilities(evaluation, row)[cs_evaluation_label(evaluation, row)];
        sum -= log(fmin(fmax(p, DBL_EPSILON), 1 - DBL_EPSILON));
    }
    return sum / (double)rows_of(evaluation);
}

static double brier(const cs_evaluation *evaluation) {
    double sum = 0;
    for (int64_t row = 0; row < rows_of(evaluation); row++) {
        const double *p = cs_evaluation_probabilities(evaluation, row);
        for (int k = 0; k < evaluation->spec.classes; k++) {
            double difference = (k == cs_evaluation_label(evaluation, row)) - p[k];
            sum += difference * difference;
        }
    }
    return sum / (double)rows_of(evaluation) / (evaluation->spec.classes == 2 ? 2 : 1);
}

static int first_largest(const double *values, int n) {
    int largest = 0;
    for (int k = 1; k < n; k++)
        if (values[k] > values[largest])
            largest = k;
    return largest;
}

/* The expected calibration error (Guo et al. 2017, arXiv:1706.04599) of the largest score, in 15 equal bins
 * ((m-1)/15, m/15]. */
static double calibration_error(const cs_evaluation *evaluation) {
    enum { BINS = 15 };
    double confidence[BINS] = {0}, sum = 0;
    int64_t right[BINS] = {0};
    for (int64_t row = 0; row < rows_of(evaluation); row++) {
        const double *p = cs_evaluation_probabilities(evaluation, row);
        int predicted = first_largest(p, evaluation->spec.classes), bin = 0;
        while (bin < BINS - 1 && p[predicted] > (double)(bin + 1) / BINS)
            bin++;
        confidence[bin] += p[predicted];
        right[bin] += predicted == cs_evaluation_label(evaluation, row);
    }
    for (int bin = 0; bin < BINS; bin++)
        sum += fabs((double)right[bin] - confidence[bin]);
    return sum / (double)rows_of(evaluation);
}

static double macro_auc(const cs_evaluation *evaluation) {
    return cs_auc_one_vs_rest(evaluation, false);
}

static double weighted_auc(const cs_evaluation *evaluation) {
    return cs_auc_one_vs_rest(evaluation, true);
}

static double macro_auc_ovo(const cs_evaluation *evaluation) {
    return cs_auc_one_vs_one(evaluation, false);
}

static double weighted_auc_ovo(const cs_evaluation *evaluation) {
    return cs_auc_one_vs_one(evaluation, true);
}

static const cs_metric rows[] = {
    {"top_3_accuracy", "fraction of rows whose label is among the 3 largest scores", 4, true, CS_NEEDS_LOGITS,
     top_3_accuracy},
    {"top_5_accuracy", "fraction of rows whose label is among the 5 largest scores", 4, true, CS_NEEDS_LOGITS,
     top_5_accuracy},
    {"macro_auc", "area under the ROC curve, one class against the rest, mean of the classes", 4, true, CS_NEEDS_LOGITS,
     macro_auc},
    {"weighted_auc", "the same, the classes weighted by their rows", 4, true, CS_NEEDS_LOGITS, weighted_auc},
    {"macro_auc_ovo", "area under the ROC curve, mean of the pairs of classes", 4, true, CS_NEEDS_LOGITS,
     macro_auc_ovo},
    {"weighted_auc_ovo", "the same, the pairs weighted by their rows", 4, true, CS_NEEDS_LOGITS, weighted_auc_ovo},
    {"macro_average_precision", "area under the precision-recall curve, mean of the classes", 4, true, CS_NEEDS_LOGITS,
     cs_average_precision},
    {"keras_precision", "Keras' Precision(): of all scores above 0.5, those of the label", 4, true, CS_NEEDS_LOGITS,
     keras_precision},
    {"keras_recall", "Keras' Recall(): rows whose label has a score above 0.5", 4, true, CS_NEEDS_LOGITS, keras_recall},
    {"keras_auc", "Keras' AUC(): area under the ROC curve of all scores, at 200 thresholds", 4, true, CS_NEEDS_LOGITS,
     keras_auc},
    {"log_loss", "mean of -log(score of the label), without weights or penalties", 4, false, CS_NEEDS_LOGITS, log_loss},
    {"brier", "Brier score: mean squared difference of scores and labels, summed over classes; of two classes half", 4,
     false, CS_NEEDS_LOGITS, brier},
    {"ece", "expected calibration error of the largest score, in 15 bins", 4, false, CS_NEEDS_LOGITS,
     calibration_error},
};
const cs_metric_family cs_score_metrics = {rows, sizeof rows / sizeof *rows};
