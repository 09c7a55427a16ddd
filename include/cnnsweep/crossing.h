/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of images (of a patient, of a lesion) that have images in more than one split. */
#ifndef CNNSWEEP_CROSSING_H
#define CNNSWEEP_CROSSING_H

#include "cnnsweep/dataset.h"

/* How many images each split has of something with a name, such as a group or a class. */
typedef struct cs_split_counts {
    const char *name;
    int64_t counts[CS_SPLIT_COUNT];
} cs_split_counts;

/* An image that is in a group. */
typedef struct cs_group_member {
    const char *group;
    cs_split split;
} cs_group_member;

/* Finds the groups with images in more than one split, ordered by name. The members are sorted. The caller frees *out;
 * the names in it are those of the members. */
CS_MUST_CHECK cs_status cs_find_crossing(cs_group_member *members, size_t n, cs_split_counts **out, size_t *n_out);
/* Warns of such groups, and names one. The warning begins with `before` and ends with `after`. Sorts the members. */
CS_MUST_CHECK cs_status cs_warn_of_crossing(cs_group_member *members, size_t n, const char *before, const char *after);

#endif
