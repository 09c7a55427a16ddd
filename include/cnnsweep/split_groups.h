/* SPDX-License-Identifier: Apache-2.0 */
/* Divides samples into parts, such as folds or splits, so that no group of samples (of a patient, of a lesion) is in
 * two of them. */
#ifndef CNNSWEEP_SPLIT_GROUPS_H
#define CNNSWEEP_SPLIT_GROUPS_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cs_group_split {
    int32_t n;
    const int32_t *labels;     /* [n] */
    const char *const *groups; /* [n] "": the sample is a group of its own */
    int n_classes, n_parts;
    const double *fractions; /* [n_parts] of the samples, up to a factor; a part of 0 gets none */
    bool shuffle;            /* the seed decides between groups that are equally uneven; else the first comes first */
    uint64_t seed;
} cs_group_split;

/* Sets the part of each sample, [n], and how many groups there are. Groups are taken one after another, those with the
 * most uneven classes first, and each goes to the part in which the classes are then the most even, of equal ones to
 * the smallest: StratifiedGroupKFold of scikit-learn 1.9 (sklearn/model_selection/_split.py), whose parts are of equal
 * size, with the counts of a part divided by its fraction. */
CS_MUST_CHECK cs_status cs_split_groups(const cs_group_split *request, int32_t *part_of, int32_t *n_groups);

#endif
