/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics, a table row for each. To add one: a function and a row. */
#include "cnnsweep/metrics.h"

enum { EVERY_SPLIT = CS_METRIC_TRAIN | CS_METRIC_VAL | CS_METRIC_TEST };

static double macro_f1(const cs_evaluation *evaluation) {
    return cs_scores_macro(evaluation).f1;
}

static double weighted_f1(const cs_evaluation *evaluation) {
    return cs_scores_weighted(evaluation).f1;
}

static const cs_metric table[] = {
    {"accuracy", EVERY_SPLIT, 4, true, CS_NEEDS_TALLY, cs_evaluation_accuracy},
    {"loss", EVERY_SPLIT, 4, false, CS_NEEDS_TALLY, cs_evaluation_loss},
    {"macro_f1", CS_METRIC_TEST, 4, true, CS_NEEDS_CONFUSION, macro_f1},
    {"weighted_f1", CS_METRIC_TEST, 4, true, CS_NEEDS_CONFUSION, weighted_f1},
};
enum { N_METRICS = sizeof table / sizeof *table };
_Static_assert((int)N_METRICS <= (int)CS_METRICS_MAX, "raise CS_METRICS_MAX in metrics.h");

const cs_metric *cs_metrics(size_t *count) {
    *count = N_METRICS;
    return table;
}
