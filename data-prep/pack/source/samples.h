/* SPDX-License-Identifier: Apache-2.0 */
/* What a source of images tells of them: classes and samples. */
#ifndef CNNSWEEP_PACK_SAMPLES_H
#define CNNSWEEP_PACK_SAMPLES_H

#include "cnnsweep/dataset.h"

typedef struct pack_sample {
    char *id; /* kept in the dataset, no two are the same: of a file in a folder its path below SRC */
    int32_t label;
    cs_split source_split; /* the split that the source puts it in; train if the source is not split */
    cs_split split;        /* the split it is given */
    uint64_t at;           /* where it lies in SRC, if that is more than the id tells: the source's own affair */
    uint64_t stamp;        /* changes when the sample does, such as a checksum of a file's size and time of change */
    size_t place;          /* in the order of the scan */
    bool bad;              /* found to be no good on the way */
} pack_sample;

/* Every sample found, in the order of the dataset. */
typedef struct pack_list {
    pack_sample *samples;
    size_t n, capacity;
    char **classes; /* sorted */
    int n_classes;
    bool split[CS_SPLIT_COUNT]; /* the source says which samples are in this split; none: everything is in train */
} pack_list;

/* Appends a copy of `sample`, with a copy of its id; place and split are set here. */
CS_MUST_CHECK cs_status pack_list_add(pack_list *list, const pack_sample *sample);
/* A class gets the next label: add them in the order of their names. */
CS_MUST_CHECK cs_status pack_list_add_class(pack_list *list, const char *name);
int pack_list_find_class(const pack_list *list, const char *name); /* its label, or -1 */
void pack_list_clear(pack_list *list);

/* The split that a word stands for ("train", "Validation", "testing"), or CS_SPLIT_COUNT. */
cs_split pack_split_by_name(const char *name);

#endif
