/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of classification: what an evaluation of a split collects, and the table of the metrics that are computed
 * from it.
 *
 * To add a metric: a function and a row in src/metrics/metrics.c. Its columns then appear in the epoch rows (and so in
 * the journal, history/ and the display), in trials.csv, and as a choice of train.monitor, sweep.metric and
 * table.value. If it needs more than the sums of a pass, that is collected for the splits that have the metric, and for
 * no others. */
#ifndef CNNSWEEP_METRICS_H
#define CNNSWEEP_METRICS_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What an evaluation collects in addition to its tally; the bits can be combined. */
enum {
    CS_NEEDS_TALLY = 0,
    CS_NEEDS_CONFUSION = 1, /* the confusion matrix */
    CS_NEEDS_LOGITS = 2     /* the logits and the label of every row */
};

/* Sums over rows. */
typedef struct cs_tally {
    double loss;     /* sum of the losses, penalties included */
    int64_t correct; /* rows whose largest logit is that of the label; the first of equal ones counts */
    int64_t rows;
} cs_tally;

typedef struct cs_evaluation_spec {
    int classes;    /* K */
    unsigned needs; /* CS_NEEDS_* */
    int64_t rows;   /* the largest number of rows; with CS_NEEDS_LOGITS, memory for them is allocated */
} cs_evaluation_spec;

/* What one pass through a split collects. It is one array of doubles (counts are exact up to 2^53), so that ranks that
 * share the split can add their arrays and a message can carry one as it is. The order is: the tally; with
 * CS_NEEDS_CONFUSION the counts [K,K]; with CS_NEEDS_LOGITS [rows,1+K], the label and logits of each row. */
typedef struct cs_evaluation {
    cs_evaluation_spec spec;
    double *values; /* the first cs_evaluation_size of them are in use */
} cs_evaluation;

/* Creates an empty evaluation. CS_ERR_UNSUPPORTED when it is larger than a message can be, 2^31 values. */
CS_MUST_CHECK cs_status cs_evaluation_create(const cs_evaluation_spec *spec, cs_evaluation **out);
void cs_evaluation_free(cs_evaluation *evaluation); /* NULL-safe */
void cs_evaluation_reset(cs_evaluation *evaluation);
/* Adds the sums of a batch; if the evaluation needs more than the tally, also its logits [sums->rows,K] and labels
 * [sums->rows]. */
void cs_evaluation_add(cs_evaluation *evaluation, const cs_tally *sums, const float *logits, const int32_t *labels);

cs_tally cs_evaluation_tally(const cs_evaluation *evaluation);
/* The means over the rows; there must be at least one row. */
double cs_evaluation_loss(const cs_evaluation *evaluation);
double cs_evaluation_accuracy(const cs_evaluation *evaluation);
/* With CS_NEEDS_CONFUSION: how many rows of class `label` were predicted as `predicted`. */
int64_t cs_evaluation_count(const cs_evaluation *evaluation, int label, int predicted);
/* With CS_NEEDS_LOGITS: the label of a row, and its logits [K]. */
int cs_evaluation_label(const cs_evaluation *evaluation, int64_t row);
const double *cs_evaluation_logits(const cs_evaluation *evaluation, int64_t row);

/* The number of values in use, all of which a message carries. */
size_t cs_evaluation_size(const cs_evaluation *evaluation);
/* Copies to `to` what it needs of `from`, which must have at least that. */
void cs_evaluation_copy(const cs_evaluation *from, cs_evaluation *to);
/* Pads an evaluation with zeros, before it is summed over ranks that have each evaluated a part of a split: this rank's
 * rows move to index `first` of `rows`, and all other rows become 0. Returns how many values to sum; the sums are the
 * evaluation of the whole split. */
size_t cs_evaluation_pad(cs_evaluation *evaluation, int64_t first, int64_t rows);

/* Precision, recall and F1 of a class, or their averages, as sklearn.metrics defines them with zero_division = 0. */
typedef struct cs_class_scores {
    double precision, recall, f1;
    int64_t support;
} cs_class_scores;
/* These need CS_NEEDS_CONFUSION. */
cs_class_scores cs_scores_of_class(const cs_evaluation *evaluation, int class_index);
cs_class_scores cs_scores_macro(const cs_evaluation *evaluation);
cs_class_scores cs_scores_weighted(const cs_evaluation *evaluation);
int64_t cs_count_predictions(const cs_evaluation *evaluation, int class_index);

/* The splits that have a metric: 1 << cs_split (dataset.h). Train and val are evaluated in every epoch, test once. */
typedef enum cs_metric_split { CS_METRIC_TRAIN = 1, CS_METRIC_VAL = 2, CS_METRIC_TEST = 4 } cs_metric_split;

typedef struct cs_metric {
    const char *name;
    unsigned splits; /* CS_METRIC_*; the train split has only a running tally while the weights change */
    int decimals;    /* in tables; trials.csv has all digits */
    bool maximize;   /* larger is better */
    unsigned needs;  /* CS_NEEDS_* */
    double (*compute)(const cs_evaluation *evaluation); /* of at least one row */
} cs_metric;

const cs_metric *cs_metrics(size_t *count);

enum {
    CS_METRIC_NAME_MAX = 32,              /* bytes of a column's name */
    CS_METRICS_MAX = 16,                  /* the most rows of the table; the two below follow from it */
    CS_EPOCH_VALUES = 2 * CS_METRICS_MAX, /* the most values of an epoch row */
    CS_RESULT_VALUES = 3 * CS_METRICS_MAX /* the most values of a trial's result */
};

/* A metric of one split: "accuracy" (of train), "val_accuracy", "test_accuracy". */
typedef struct cs_metric_column {
    char name[CS_METRIC_NAME_MAX];
    const cs_metric *metric;
    cs_metric_split split;
} cs_metric_column;

/* All columns: those of train, then of val, then of test, each with the metrics in the order of their table. A column's
 * index is also that of its value in the result of a trial. The first *epoch (may be NULL) columns are those of an
 * epoch row, at the same indexes. */
const cs_metric_column *cs_metric_columns(int *count, int *epoch);
/* The index of a column; -1: there is none. */
int cs_metric_find_column(const char *name);
/* The choices of train.monitor, which are the columns of an epoch row; NULL after the last. */
const char *cs_metric_monitor_name(int i);
/* What the metrics of a split need: CS_NEEDS_*. */
unsigned cs_metric_needs(cs_metric_split split);
/* Fills the values of the split's columns, with NaN if the evaluation has no rows. */
void cs_metric_compute(cs_metric_split split, const cs_evaluation *evaluation, double *values);

#endif
