/* SPDX-License-Identifier: Apache-2.0 */
/* Describes the sets of duplicates that duplicates.h finds: how many images, in which splits, of which classes. */
#ifndef CNNSWEEP_PACK_SETS_H
#define CNNSWEEP_PACK_SETS_H

#include "duplicates.h"

#include "cnnsweep/dataset.h"

/* The split and the class of an image. */
typedef struct pack_place {
    cs_split split;
    int32_t label;
} pack_place;

typedef struct pack_set {
    size_t first;       /* its first image */
    size_t n;           /* its images */
    size_t exact;       /* those whose pixels are equal to those of an image before them */
    size_t other_split; /* its first image in another split than `first`, or `first` if there is none */
    size_t other_class; /* its first image of another class, likewise */
} pack_set;

/* Describes the sets of more than one image, in the order of their first ones; places [n_images]. The caller frees
 * *out. */
CS_MUST_CHECK cs_status pack_describe_sets(const pack_sets *sets, const pack_place *places, size_t n_images,
                                           pack_set **out, size_t *n);
cs_duplicate_counts pack_count_sets(const pack_set *sets, size_t n);

#endif
