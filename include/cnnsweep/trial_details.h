/* SPDX-License-Identifier: Apache-2.0 */
/* The details of a trial: everything that its page shows about one evaluated split, in memory and as a JSON file.
 *
 * The rank that trained a trial writes details/<trial>.json for test, <trial>.val.json and <trial>.train.json for other
 * splits, and misclassified/<trial>.csv beside it, before the journal says that the trial is done; after a crash of the
 * machine those of a trial of less than a second may be missing. The size of what is
 * kept depends on neither the number of images nor, above CS_DETAILS_DENSE classes, the square of that of classes.
 *
 * The numbers are those of scikit-learn with labels = 0..K-1 and zero_division = 0; scores are the softmax of the
 * logits, in double. A number that is not defined is NaN, in JSON null. */
#ifndef CNNSWEEP_TRIAL_DETAILS_H
#define CNNSWEEP_TRIAL_DETAILS_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/metrics.h"

#include <stdio.h>

enum {
    CS_DETAILS_DENSE = 200,         /* up to so many classes the whole confusion matrix is kept */
    CS_DETAILS_CELLS = 10000,       /* of more classes, so many of its largest cells */
    CS_DETAILS_CURVE_CLASSES = 10,  /* up to so many classes each has its curves */
    CS_DETAILS_WORST = 5,           /* of more classes, those of so many of the smallest areas */
    CS_DETAILS_POINTS = 200,        /* the most points of a curve */
    CS_DETAILS_BINS = 15,           /* of the reliability diagram */
    CS_DETAILS_PAIRS = 20,          /* the most pairs of confused classes */
    CS_DETAILS_IMAGES = 8,          /* the most images of each kind */
    CS_DETAILS_LOGITS_MAX = 1 << 26 /* values (rows x classes) above which logits are not collected for the details */
};

/* A class. What has `wilson` in its name is a 95 % interval, NaN where the fraction has no rows. */
typedef struct cs_class_details {
    char *name;                     /* as cs_text_printable writes it: UTF-8 without control characters */
    int64_t images[CS_SPLIT_COUNT]; /* of the class in each split of the trial's dataset */
    int64_t predicted, right;       /* rows that were predicted as this class, and those of them that are of it */
    cs_class_scores scores;         /* precision, recall, F1, support */
    cs_interval precision_wilson, recall_wilson;
    double auc, average_precision; /* of this class against the rest; NaN without logits or where not defined */
} cs_class_details;

typedef struct cs_confusion_cell {
    int label, predicted;
    int64_t count;
} cs_confusion_cell;

/* A vertex of a curve: the rows of score >= some threshold. x and y follow from the counts: of a ROC curve the rates of
 * false and of true positives, of a precision-recall curve recall and precision. */
typedef struct cs_curve_point {
    int64_t false_positives, true_positives;
    double x, y;
} cs_curve_point;

enum { CS_CURVE_MICRO = -1 };
/* A curve by falling thresholds: a ROC curve from (0,0) to (1,1), a precision-recall curve from (0,1) to recall 1. Of
 * the vertices of the whole curve those are kept that keep its shape: all others are within 5e-4 of the line through
 * them, or, where CS_DETAILS_POINTS are too few for that, within 4e-3. */
typedef struct cs_score_curve {
    int class_index; /* against the rest; CS_CURVE_MICRO: every entry of the scores [rows,K] counts as a row */
    double area;     /* of the whole curve: AUC or average precision */
    int64_t positives, negatives;
    int n;
    cs_curve_point *points; /* [n] */
} cs_score_curve;

typedef struct cs_reliability_bin {
    int64_t count;               /* rows whose largest score is in ((m-1)/15, m/15] */
    double confidence, accuracy; /* the mean of the largest score, and of being right; NaN in an empty bin */
} cs_reliability_bin;

typedef struct cs_detail_image {
    int64_t sample; /* its index in the split */
    char *id;       /* as cs_text_printable writes it */
    int label, predicted;
    double probability;       /* of the predicted class */
    double label_probability; /* of its own class */
} cs_detail_image;

typedef struct cs_detail_images {
    int n;
    cs_detail_image images[CS_DETAILS_IMAGES];
} cs_detail_images;

typedef struct cs_trial_details {
    cs_split split;
    int n_classes; /* K */
    int64_t rows;
    cs_class_details *classes; /* [K] */

    double loss; /* NaN where it is not a finite number */
    double accuracy;
    cs_interval accuracy_wilson;
    cs_class_scores macro, weighted;
    cs_interval macro_f1_bootstrap, macro_auc_bootstrap; /* NaN where cs_bootstrap has none */

    /* The confusion matrix [K,K], row by row of true classes; NULL above CS_DETAILS_DENSE classes. */
    int64_t *confusion;
    /* Then its cells that are not 0, in the order of the matrix; where they are more than CS_DETAILS_CELLS, the largest
     * of them. */
    int n_cells;
    cs_confusion_cell *cells;
    int64_t rows_in_other_cells;
    /* The most frequent confusions of two classes, the largest first. */
    int n_pairs;
    cs_confusion_cell pairs[CS_DETAILS_PAIRS];

    /* Without logits there is nothing of what follows. `left_out` then says why, in a sentence; else it is "". */
    bool has_scores;
    char left_out[160];
    double macro_auc, macro_average_precision; /* the means over the classes; of two classes that of class 1 */
    double micro_auc, micro_average_precision;
    double calibration_error; /* ECE: mean of |accuracy - confidence| over the rows, of the bins */
    cs_reliability_bin bins[CS_DETAILS_BINS];
    /* Of two classes that of class 1; up to CS_DETAILS_CURVE_CLASSES classes one for each class that has both positive
     * and negative rows; of more classes first that of CS_CURVE_MICRO, then those of the smallest areas. */
    int n_roc, n_pr;
    cs_score_curve *roc, *pr;
    /* Of the images that were predicted rightly and wrongly those with the largest score, and those of all with the
     * smallest largest score; of equal ones the first. */
    cs_detail_images confident_right, confident_wrong, least_sure;
} cs_trial_details;

/* Collects the details of an evaluation, which has CS_NEEDS_CONFUSION and perhaps CS_NEEDS_LOGITS, of at least one row.
 * The bootstrap is that of the same evaluation. Scratch memory is O(rows + K). */
CS_MUST_CHECK cs_status cs_trial_details_make(const cs_evaluation *evaluation, const cs_dataset *dataset,
                                              cs_split split, const cs_bootstrap *bootstrap, cs_trial_details **out);
void cs_trial_details_free(cs_trial_details *details); /* NULL-safe */

/* Prints JSON. It is ASCII where names are, and has no '<', so that it can be put into a page as it is. */
void cs_trial_details_print(const cs_trial_details *details, FILE *out);
/* Reads such a file. CS_ERR_FORMAT names the file and the place in it. */
CS_MUST_CHECK cs_status cs_trial_details_read(const char *path, cs_trial_details **out);

/* How many rows of class `label` were predicted as `predicted`, as far as the cells are kept. */
int64_t cs_details_count(const cs_trial_details *details, int label, int predicted);

/* Writes a row for each image that was predicted wrongly: its id as the dataset has it, its class, the predicted class,
 * and the probabilities of both. The evaluation has CS_NEEDS_LOGITS. */
void cs_misclassified_print(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_split split, FILE *out);

/* The data of the charts as CSV, with a header. */
void cs_details_roc_csv(const cs_trial_details *details, FILE *out); /* class, false and true positive rate */
void cs_details_pr_csv(const cs_trial_details *details, FILE *out);  /* class, recall, precision */
/* The limits of each bin, its count, confidence and accuracy. */
void cs_details_reliability_csv(const cs_trial_details *details, FILE *out);
/* A matrix with the true classes in the first column and the predicted ones in the header; above CS_DETAILS_DENSE
 * classes a row for each cell that is kept: label, predicted, count. */
void cs_details_confusion_csv(const cs_trial_details *details, FILE *out);

#endif
