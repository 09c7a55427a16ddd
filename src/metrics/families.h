/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the metrics room: the families of metrics, each a file that has its rows and their functions. */
#ifndef CNNSWEEP_METRIC_FAMILIES_H
#define CNNSWEEP_METRIC_FAMILIES_H

#include "cnnsweep/metrics.h"

typedef struct cs_metric_family {
    const cs_metric *rows;
    size_t n;
} cs_metric_family;

extern const cs_metric_family cs_confusion_metrics, cs_score_metrics;

/* The areas under the ROC curve and the precision-recall curve, with CS_NEEDS_LOGITS; metrics.h says when they are
 * NaN. The mean over the classes weights them equally or by their rows. */
double cs_auc_one_vs_rest(const cs_evaluation *evaluation, bool weighted);
/* The mean over the pairs of classes, in each of which both count as the positive one once (Hand and Till 2001). */
double cs_auc_one_vs_one(const cs_evaluation *evaluation, bool weighted);
double cs_average_precision(const cs_evaluation *evaluation);

#endif
