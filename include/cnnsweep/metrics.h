/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of classification: what an evaluation of a split collects, and the table of the metrics that are computed
 * from it.
 *
 * To add a metric: a function and a row in the file of its family in src/metrics/: from_confusion.c or from_scores.c.
 * It is then a choice of train.metrics, train.monitor, sweep.metric and table.value, of every split. Where it is
 * chosen, its columns are in the epoch rows (and so in the journal, history/ and the display) and in trials.csv. What
 * it needs of a pass is collected for the splits that it is chosen for, and for no others.
 *
 * The metrics of the confusion matrix and the areas under curves are those of scikit-learn with labels = 0..K-1 and
 * zero_division = 0; the prediction of a row is the first of its largest logits. Scores are the softmax of the logits,
 * in double. A metric that is not defined is NaN, also where scikit-learn only warns: the areas if a class never
 * occurs (one-vs-one: if fewer than two classes occur; scikit-learn leaves out the pairs of the others), and Cohen's
 * kappa if only one class occurs and no other is predicted. With two classes the areas and the average precision are
 * those of class 1, as in scikit-learn. The metrics whose names begin with keras_ are those of Keras with the labels as
 * one-hot rows: they count every entry of a row. */
#ifndef CNNSWEEP_METRICS_H
#define CNNSWEEP_METRICS_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What an evaluation collects in addition to its tally; the bits can be combined. */
enum {
    CS_NEEDS_TALLY = 0,
    CS_NEEDS_CONFUSION = 1, /* the confusion matrix */
    CS_NEEDS_LOGITS = 2,    /* the logits and the label of every row */
    CS_NEEDS_HITS = 4       /* for every row whether its prediction is the label */
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
    int64_t rows;   /* of the split; what has rows has memory for them */
} cs_evaluation_spec;

/* A row and its score, which the areas under curves sort by. */
typedef struct cs_scored {
    double score;
    bool positive;
} cs_scored;

/* What one pass through a split collects. It is one array of doubles (counts are exact up to 2^53), so that ranks that
 * share the split can add their arrays and a message can carry one as it is. The order is: the tally; with
 * CS_NEEDS_CONFUSION the counts [K,K]; with CS_NEEDS_HITS [rows], 1 or 0; with CS_NEEDS_LOGITS [rows,1+K], the label
 * and logits of each row. A row stands at the index of its sample, and is 0 on ranks that do not have it. */
typedef struct cs_evaluation {
    cs_evaluation_spec spec;
    double *values; /* [cs_evaluation_size] */
    /* With CS_NEEDS_LOGITS, memory for the metrics: the softmax of each row [rows,K], rows that are sorted by their
     * scores [rows], and the numbers of rows in another order [rows]. */
    double *probabilities;
    cs_scored *scored;
    int64_t *order;
} cs_evaluation;

/* Creates an empty evaluation. CS_ERR_UNSUPPORTED when it is larger than a message can be, 2^31 values. */
CS_MUST_CHECK cs_status cs_evaluation_create(const cs_evaluation_spec *spec, cs_evaluation **out);
void cs_evaluation_free(cs_evaluation *evaluation); /* NULL-safe */
void cs_evaluation_reset(cs_evaluation *evaluation);
/* The rows of a batch; all members are borrowed. */
typedef struct cs_evaluated_rows {
    const float *logits;    /* [n,K] */
    const int32_t *labels;  /* [n] */
    const int64_t *samples; /* [n] indices in the split */
} cs_evaluated_rows;
/* Adds the sums of a batch; if the evaluation needs more than the tally, also its rows [sums->rows]. */
void cs_evaluation_add(cs_evaluation *evaluation, const cs_tally *sums, const cs_evaluated_rows *rows);

cs_tally cs_evaluation_tally(const cs_evaluation *evaluation);
void cs_evaluation_set_tally(cs_evaluation *evaluation, const cs_tally *sums);
/* The means over the rows; there must be at least one row. */
double cs_evaluation_loss(const cs_evaluation *evaluation);
double cs_evaluation_accuracy(const cs_evaluation *evaluation);
/* With CS_NEEDS_CONFUSION: how many rows of class `label` were predicted as `predicted`. */
int64_t cs_evaluation_count(const cs_evaluation *evaluation, int label, int predicted);
/* With CS_NEEDS_HITS: is the prediction of a row its label? */
bool cs_evaluation_hit(const cs_evaluation *evaluation, int64_t row);
/* With CS_NEEDS_LOGITS: the label of a row, and its logits [K]. */
int cs_evaluation_label(const cs_evaluation *evaluation, int64_t row);
const double *cs_evaluation_logits(const cs_evaluation *evaluation, int64_t row);
/* Computes the softmax of all rows, if the evaluation has logits. */
void cs_evaluation_fill_probabilities(const cs_evaluation *evaluation);
/* With CS_NEEDS_LOGITS: the softmax [K] of a row, once they are computed, as they are for metrics. */
const double *cs_evaluation_probabilities(const cs_evaluation *evaluation, int64_t row);

/* The number of values, all of which a message carries and ranks sum. */
size_t cs_evaluation_size(const cs_evaluation *evaluation);
/* Copies to `to` what it needs of `from`, which must have at least that. */
void cs_evaluation_copy(const cs_evaluation *from, cs_evaluation *to);

/* Precision, recall and F1 of a class, or their averages, as sklearn.metrics defines them with zero_division = 0. */
typedef struct cs_class_scores {
    double precision, recall, f1;
    int64_t support;
} cs_class_scores;
/* These need CS_NEEDS_CONFUSION. */
cs_class_scores cs_scores_of_class(const cs_evaluation *evaluation, int class_index);
cs_class_scores cs_scores_macro(const cs_evaluation *evaluation);
cs_class_scores cs_scores_weighted(const cs_evaluation *evaluation);
int64_t cs_count_labels(const cs_evaluation *evaluation, int class_index);
int64_t cs_count_predictions(const cs_evaluation *evaluation, int class_index);

typedef struct cs_interval {
    double low, high;
} cs_interval;
/* The 95 % interval of a fraction (Wilson 1927); rows > 0. */
cs_interval cs_wilson_interval(int64_t part, int64_t rows);

/* 95 % intervals by the percentile bootstrap: 1000 times as many rows as the evaluation has are drawn from it with
 * replacement, and low and high are the quantiles 0.025 and 0.975 of the values. Draws in which the metric is not
 * defined do not count; an interval is NaN if there are no others, or if its metric was not asked for. */
typedef struct cs_bootstrap {
    cs_interval macro_f1, macro_auc;
    double auc; /* that of the rows themselves */
} cs_bootstrap;
/* Needs CS_NEEDS_CONFUSION, with `auc` also CS_NEEDS_LOGITS. The draws are those of (seed, item), draw i of epoch i. */
CS_MUST_CHECK cs_status cs_bootstrap_make(const cs_evaluation *evaluation, bool auc, uint64_t seed, uint32_t item,
                                          cs_bootstrap *out);

/* McNemar's exact test (1947), two-sided: the probability of a split of a + b cases at least as uneven as a to b if
 * both were equally likely. It is what statsmodels computes by default. */
double cs_mcnemar(int64_t a, int64_t b);

/* What is evaluated: the train split while the weights change, val after every epoch, test after training, and, with
 * train.evaluate, the train split after training. */
typedef enum cs_metric_split { CS_METRIC_TRAIN, CS_METRIC_VAL, CS_METRIC_TEST, CS_METRIC_FINAL } cs_metric_split;

typedef struct cs_metric {
    const char *name;
    const char *doc;                                    /* one line */
    int decimals;                                       /* in tables; trials.csv has all digits */
    bool maximize;                                      /* larger is better */
    unsigned needs;                                     /* CS_NEEDS_* */
    double (*compute)(const cs_evaluation *evaluation); /* of at least one row */
} cs_metric;

const cs_metric *cs_metrics(size_t *count);

enum {
    CS_METRIC_NAME_MAX = 32,              /* bytes of a column's name */
    CS_METRICS_MAX = 36,                  /* the most rows of the table; the two below follow from it */
    CS_EPOCH_VALUES = 2 * CS_METRICS_MAX, /* the most values of an epoch row */
    CS_RESULT_VALUES = 4 * CS_METRICS_MAX /* the most values of a trial's result */
};

/* A metric of one split: "accuracy" (of train), "val_accuracy", "test_accuracy", "final_accuracy" (of train, after
 * training). */
typedef struct cs_metric_column {
    char name[CS_METRIC_NAME_MAX];
    const cs_metric *metric;
    cs_metric_split split;
} cs_metric_column;

/* All columns, in the order of cs_metric_split, each split's in the order of the table of metrics. A column's index is
 * also that of its value in the result of a trial. The first *epoch (may be NULL) columns are those of an epoch row, at
 * the same indexes. */
const cs_metric_column *cs_metric_columns(int *count, int *epoch);
/* The index of a column; -1: there is none. */
int cs_metric_find_column(const char *name);
/* Finds a column of an epoch row, which is what can be monitored. An unknown name is CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_metric_find_monitored(const char *name, int *column);
/* The index of the column of the same metric for another split. */
int cs_metric_sibling(int column, cs_metric_split split);

/* The columns that a job computes and writes. */
typedef struct cs_metric_set {
    bool has[CS_RESULT_VALUES];
} cs_metric_set;

/* Reads a list such as "macro_f1,val_macro_auc": the name of a metric stands for its columns of all splits, the name of
 * a column for itself, "all" for everything. The loss and the accuracy of every split are always in the set, because
 * they cost nothing. An unknown name is CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_metric_set_read(const char *list, cs_metric_set *out);
/* What the metrics of a split need: CS_NEEDS_*. */
unsigned cs_metric_needs(const cs_metric_set *set, cs_metric_split split);
/* Fills the values of the split's columns: NaN where the column is not in the set or the evaluation has no rows. */
void cs_metric_compute(const cs_metric_set *set, cs_metric_split split, const cs_evaluation *evaluation,
                       double *values);

#endif
