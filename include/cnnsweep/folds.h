/* SPDX-License-Identifier: Apache-2.0 */
/* K-fold cross-validation: the samples of a dataset are divided into folds, each of which is held out once. Nothing is
 * packed again; a fold is a view of the dataset.
 *
 * To add a rule: a value of cs_fold_rule, and a function and a row of the table in src/data/folds.c. */
#ifndef CNNSWEEP_FOLDS_H
#define CNNSWEEP_FOLDS_H

#include "cnnsweep/dataset.h"

enum { CS_FOLD_TEXT = 24, CS_FOLDS_MAX = 1000 };

/* Which fold is held out, of how many. */
typedef struct cs_fold {
    char text[CS_FOLD_TEXT]; /* "2/5", or "none" */
    int index, count;        /* from 0; count 0: there are no folds */
} cs_fold;
/* Reads "2/5" or "none". */
CS_MUST_CHECK cs_status cs_fold_read(const char *text, cs_fold *out);

/* How samples are divided; scikit-learn has these rules as KFold, StratifiedKFold and StratifiedGroupKFold.
 * AUTO: GROUPED if the dataset has groups, else STRATIFIED. */
typedef enum cs_fold_rule { CS_FOLDS_AUTO, CS_FOLDS_PLAIN, CS_FOLDS_STRATIFIED, CS_FOLDS_GROUPED } cs_fold_rule;
const char *cs_fold_rule_name(int rule); /* "plain"; NULL past the last */

typedef struct cs_folds {
    cs_fold fold;
    cs_fold_rule rule;
    bool shuffle; /* without it the folds are those of scikit-learn with shuffle=False */
    uint64_t seed;
    /* What the fold becomes. VAL: the folds are made of train and val, and test stays as it is. TEST: they are made of
     * all samples, and the fold after the held-out one is val. */
    cs_split held_out;
} cs_folds;

/* Opens the dataset with the splits of a fold. The new dataset borrows everything else from `stored`, which must be
 * closed after it. Samples stay in the order in which they are stored; repeats (cs_dataset_is_repeat) follow theirs
 * into train, and are left out elsewhere. Without folds it has the splits of `stored`. CS_ERR_ARG where the samples, or
 * their groups, are fewer than the folds, or a split would be empty. */
CS_MUST_CHECK cs_status cs_dataset_open_fold(const cs_dataset *stored, const cs_folds *folds, cs_dataset **out);
/* The number of samples that each split has, if all folds have the same size. */
void cs_folds_expect(const cs_dataset *stored, const cs_folds *folds, int64_t counts[CS_SPLIT_COUNT]);
/* Logs how the samples are divided (info), and warns of classes that have fewer samples than there are folds, and of
 * duplicates, which may be in different folds. */
CS_MUST_CHECK cs_status cs_folds_log(const cs_dataset *stored, const cs_folds *folds);

#endif
