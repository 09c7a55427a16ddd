/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep-pack: images of a source to a packed dataset. scan (source/) -> split -> pack. */
#ifndef CNNSWEEP_PACK_H
#define CNNSWEEP_PACK_H

#include "source/source.h"

#include "cnnsweep/log.h"

#include <signal.h>

typedef struct pack_options {
    const char *src;
    const pack_source *source; /* that recognises SRC */
    char out[CS_PATH_MAX];     /* does not end in a slash: names of other files begin with it */
    int size[2];               /* width, height; 0, 0: as they are */
    cs_resize resize;
    cs_encoding encoding;
    double split[CS_SPLIT_COUNT]; /* fractions of train, val, test for a source that is not split */
    bool has_split;
    double val; /* fraction of train carved out for validation; 0: none */
    int64_t shard_bytes;
    int threads;
    int64_t seed;
    bool skip_bad;
    cs_dataset_part part; /* count 0: all images, in one go */
    double started;       /* cs_now when the program began: the time told at the end is from there */
} pack_options;

/* Assigns samples to splits as the options say: class by class, drawn by the seed. It depends on nothing but the
 * samples in the list, so that what is split again is split as if it had always been so. A class that has no image in
 * train is an error that names it. */
CS_MUST_CHECK cs_status pack_split(const pack_options *options, pack_list *list);
/* Drops the samples that are bad, as --skip-bad asks, and splits what is left. */
CS_MUST_CHECK cs_status pack_leave_out(const pack_options *options, pack_list *list);

/* Raw images without --size must have one size: that of the first file that is good. */
CS_MUST_CHECK cs_status pack_find_size(const pack_options *options, const pack_list *list, int *h, int *w);

/* With options->part: leaves out the bad files of all parts if asked to, keeps the samples of that part, and sets what
 * packing them needs to know of all (size, source). *done: this part is there already. */
CS_MUST_CHECK cs_status pack_take_part(pack_options *options, pack_list *list, const volatile sig_atomic_t *stop,
                                       bool *done);
/* Says which images go where and how: parts that agree in it are of one dataset. */
CS_MUST_CHECK cs_status pack_fingerprint(const pack_options *options, const pack_list *list, uint64_t *fingerprint);
/* Marks the files of the list that are bad, together with the processes of the other parts. */
CS_MUST_CHECK cs_status pack_find_bad(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* A search for bad files, a stretch of the list after the other. */
typedef struct pack_search {
    const pack_options *options;
    const volatile sig_atomic_t *stop;
    cs_progress *progress;
    int64_t bad; /* found so far; the first of them are named */
} pack_search;
/* Decodes the images of `n` samples and marks those that are bad. */
CS_MUST_CHECK cs_status pack_look(pack_search *search, pack_sample *samples, size_t n);

/* Decodes and writes; `stop` set by a signal ends it with CS_ERR_INTERRUPTED and nothing left behind. Files that are no
 * good are an error, or with --skip-bad left out: then the rest is split and packed again, as the split is made of what
 * is left. */
CS_MUST_CHECK cs_status pack_run(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* Opens the dataset, with checksums, and prints what is in it (or only that it is whole). */
CS_MUST_CHECK cs_status pack_info(const char *path);
CS_MUST_CHECK cs_status pack_check(const char *path);

#endif
