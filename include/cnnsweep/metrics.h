/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of classification: what an evaluation of a split collects, and the metrics computed from it, a row each.
 *
 * To add a metric: a function and a row in src/metrics/metrics.c. Its columns follow in the epoch rows (and with them
 * in the journal, history/ and the display), in trials.csv and as a choice of train.monitor, sweep.metric and
 * table.value. What it needs beside the sums of a pass is collected where a split has the metric, and nowhere else. */
#ifndef CNNSWEEP_METRICS_H
#define CNNSWEEP_METRICS_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What an evaluation collects beside its tally, as a sum of these. */
enum {
    CS_NEEDS_TALLY = 0,
    CS_NEEDS_CONFUSION = 1, /* the confusion matrix */
    CS_NEEDS_LOGITS = 2     /* the logits and the label of every row */
};

/* Sums over rows. */
typedef struct cs_tally {
    double loss;     /* penalties included */
    int64_t correct; /* rows whose largest logit is the label's; the first of equals counts */
    int64_t rows;
} cs_tally;

typedef struct cs_evaluation_spec {
    int classes;    /* K */
    unsigned needs; /* CS_NEEDS_* */
    int64_t rows;   /* the most that will come: with CS_NEEDS_LOGITS there is room for so many */
} cs_evaluation_spec;

/* What one pass through a split collects. It is one array of doubles (counts are exact up to 2^53), so that ranks which
 * share the split can add theirs up and a message can carry it as it is: the tally; with CS_NEEDS_CONFUSION the counts
 * [K,K]; with CS_NEEDS_LOGITS [rows,1+K], label and logits. */
typedef struct cs_evaluation {
    cs_evaluation_spec spec;
    double *values; /* the first cs_evaluation_size of them are in use */
} cs_evaluation;

/* Empty. CS_ERR_UNSUPPORTED when it is larger than a message can be, 2^31 values. */
CS_MUST_CHECK cs_status cs_evaluation_create(const cs_evaluation_spec *spec, cs_evaluation **out);
void cs_evaluation_free(cs_evaluation *evaluation); /* NULL-safe */
void cs_evaluation_reset(cs_evaluation *evaluation);
/* Adds a batch: its sums, and of an evaluation that needs more than the tally logits [sums->rows,K] and labels
 * [sums->rows]. */
void cs_evaluation_add(cs_evaluation *evaluation, const cs_tally *sums, const float *logits, const int32_t *labels);

cs_tally cs_evaluation_tally(const cs_evaluation *evaluation);
/* The means over the rows, of which there must be some. */
double cs_evaluation_loss(const cs_evaluation *evaluation);
double cs_evaluation_accuracy(const cs_evaluation *evaluation);
/* With CS_NEEDS_CONFUSION: rows of class `label` that were predicted as `predicted`. */
int64_t cs_evaluation_count(const cs_evaluation *evaluation, int label, int predicted);
/* With CS_NEEDS_LOGITS: the class of a row, and its logits [K]. */
int cs_evaluation_label(const cs_evaluation *evaluation, int64_t row);
const double *cs_evaluation_logits(const cs_evaluation *evaluation, int64_t row);

/* Values in use: what a message carries. */
size_t cs_evaluation_size(const cs_evaluation *evaluation);
/* `to` becomes what it needs of `from`, which needs at least that. */
void cs_evaluation_copy(const cs_evaluation *from, cs_evaluation *to);
/* Makes ready for the sum over ranks that have evaluated parts of a split: this rank's rows become those from `first`
 * on of `rows`, all others are 0. Returns how many values are to be summed; their sums are the evaluation of all. */
size_t cs_evaluation_spread(cs_evaluation *evaluation, int64_t first, int64_t rows);

/* Precision, recall and F1 of a class or their average, as sklearn.metrics defines them with zero_division = 0. */
typedef struct cs_class_scores {
    double precision, recall, f1;
    int64_t support;
} cs_class_scores;
/* These want CS_NEEDS_CONFUSION. */
cs_class_scores cs_scores_of_class(const cs_evaluation *evaluation, int class_index);
cs_class_scores cs_scores_macro(const cs_evaluation *evaluation);
cs_class_scores cs_scores_weighted(const cs_evaluation *evaluation);
int64_t cs_count_predictions(const cs_evaluation *evaluation, int class_index);

/* The splits that have a metric: 1 << cs_split (dataset.h). Train and val are evaluated in every epoch, test once. */
typedef enum cs_metric_split { CS_METRIC_TRAIN = 1, CS_METRIC_VAL = 2, CS_METRIC_TEST = 4 } cs_metric_split;

typedef struct cs_metric {
    const char *name;
    unsigned splits; /* CS_METRIC_*; of the train split there is a running tally while the weights move, and no more */
    int decimals;    /* in tables; trials.csv has all digits */
    bool maximize;   /* larger is better */
    unsigned needs;  /* CS_NEEDS_* */
    double (*compute)(const cs_evaluation *evaluation); /* of one row or more */
} cs_metric;

const cs_metric *cs_metrics(size_t *count);

enum {
    CS_METRIC_NAME_MAX = 32,              /* bytes of a column's name */
    CS_METRICS_MAX = 16,                  /* rows of the table: bounds the two below */
    CS_EPOCH_VALUES = 2 * CS_METRICS_MAX, /* room of an epoch row */
    CS_RESULT_VALUES = 3 * CS_METRICS_MAX /* room of a trial's result */
};

/* A metric of a split: "accuracy" of train, "val_accuracy", "test_accuracy". */
typedef struct cs_metric_column {
    char name[CS_METRIC_NAME_MAX];
    const cs_metric *metric;
    cs_metric_split split;
} cs_metric_column;

/* All columns, train's first and test's last, in each the metrics in their order. A column's place is that of its value
 * in the result of a trial; those of an epoch row, in the same places, are the first *epoch (may be NULL). */
const cs_metric_column *cs_metric_columns(int *count, int *epoch);
/* The place of a column; -1: there is none. */
int cs_metric_find_column(const char *name);
/* The choices of train.monitor, the columns of an epoch: NULL past the end. */
const char *cs_metric_monitor_name(int i);
/* What the metrics of a split need: CS_NEEDS_*. */
unsigned cs_metric_needs(cs_metric_split split);
/* Fills the values of the split's columns; NaN of an evaluation of no rows. */
void cs_metric_compute(cs_metric_split split, const cs_evaluation *evaluation, double *values);

#endif
