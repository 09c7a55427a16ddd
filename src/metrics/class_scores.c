/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the scores of the classes from the confusion matrix. */
#include "cnnsweep/metrics.h"

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

int64_t cs_count_predictions(const cs_evaluation *evaluation, int class_index) {
    int64_t sum = 0;
    for (int label = 0; label < evaluation->spec.classes; label++)
        sum += cs_evaluation_count(evaluation, label, class_index);
    return sum;
}

int64_t cs_count_labels(const cs_evaluation *evaluation, int class_index) {
    int64_t sum = 0;
    for (int predicted = 0; predicted < evaluation->spec.classes; predicted++)
        sum += cs_evaluation_count(evaluation, class_index, predicted);
    return sum;
}

cs_class_scores cs_scores_of_class(const cs_evaluation *evaluation, int class_index) {
    cs_class_scores scores = {.support = cs_count_labels(evaluation, class_index)};
    double right = (double)cs_evaluation_count(evaluation, class_index, class_index);
    scores.precision = ratio(right, (double)cs_count_predictions(evaluation, class_index));
    scores.recall = ratio(right, (double)scores.support);
    scores.f1 = ratio(2 * scores.precision * scores.recall, scores.precision + scores.recall);
    return scores;
}

static cs_class_scores average(const cs_evaluation *evaluation, bool by_support) {
    cs_class_scores mean = {0};
    double weights = 0;
    for (int i = 0; i < evaluation->spec.classes; i++) {
        cs_class_scores scores = cs_scores_of_class(evaluation, i);
        double weight = by_support ? (double)scores.support : 1;
        weights += weight;
        mean.precision += weight * scores.precision;
        mean.recall += weight * scores.recall;
        mean.f1 += weight * scores.f1;
        mean.support += scores.support;
    }
    mean.precision = ratio(mean.precision, weights);
    mean.recall = ratio(mean.recall, weights);
    mean.f1 = ratio(mean.f1, weights);
    return mean;
}

cs_class_scores cs_scores_macro(const cs_evaluation *evaluation) {
    return average(evaluation, false);
}

cs_class_scores cs_scores_weighted(const cs_evaluation *evaluation) {
    return average(evaluation, true);
}
