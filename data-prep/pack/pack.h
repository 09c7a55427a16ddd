/* cnnsweep-pack: a tree of images to a packed dataset. scan -> split -> pack. */
#ifndef CNNSWEEP_PACK_H
#define CNNSWEEP_PACK_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <signal.h>

typedef struct pack_options {
    const char *src;
    char out[CS_PATH_MAX]; /* does not end in a slash: names of other files begin with it */
    int size[2];           /* width, height; 0, 0: as they are */
    cs_resize resize;
    cs_encoding encoding;
    double split[CS_SPLIT_COUNT]; /* fractions of train, val, test for a tree that is not split */
    bool has_split;
    double val; /* fraction of train carved out for validation; 0: none */
    int64_t shard_bytes;
    int threads;
    int64_t seed;
    bool skip_bad;
    cs_dataset_part part; /* count 0: all images, in one go */
    double started;       /* cs_now when the program began: the time told at the end is from there */
} pack_options;

typedef struct pack_item {
    char *id; /* path below SRC */
    int32_t label;
    cs_split folder; /* the split of the folder it lies in */
    cs_split split;  /* the split it is given */
    size_t place;    /* in the order of the scan */
    uint64_t stamp;  /* of the file's size and time of change */
    bool bad;        /* found to be no good on the way */
} pack_item;

/* Every file found: by split, class and name. */
typedef struct pack_list {
    pack_item *items;
    size_t n, capacity;
    char **classes; /* sorted */
    int n_classes;
    bool split[CS_SPLIT_COUNT]; /* the tree has a folder for this split; none: everything is in train */
} pack_list;

/* Walks SRC. Only folders are looked at here, not the files: what is none, or a link that leads nowhere, is listed. */
CS_MUST_CHECK cs_status pack_scan(const char *src, pack_list *list);
void pack_list_clear(pack_list *list);

/* Assigns items to splits as the options say: class by class, drawn by the seed. It depends on nothing but the files in
 * the list, so that what is split again is split as if it had always been so. A class that has no image in train is an
 * error that names it. */
CS_MUST_CHECK cs_status pack_split(const pack_options *options, pack_list *list);
/* Drops the items that are bad, as --skip-bad asks, and splits what is left. */
CS_MUST_CHECK cs_status pack_leave_out(const pack_options *options, pack_list *list);

/* Raw images without --size must have one size: that of the first file that is good. */
CS_MUST_CHECK cs_status pack_find_size(const pack_options *options, const pack_list *list, int *h, int *w);

/* With options->part: leaves out the bad files of all parts if asked to, keeps the items of that part, and sets what
 * packing them needs to know of all (size, source). *done: this part is there already. */
CS_MUST_CHECK cs_status pack_take_part(pack_options *options, pack_list *list, const volatile sig_atomic_t *stop,
                                       bool *done);
/* Says which images go where and how: parts that agree in it are of one dataset. */
CS_MUST_CHECK cs_status pack_source(const pack_options *options, const pack_list *list, uint64_t *source);
/* Marks the files of the list that are bad, together with the processes of the other parts. */
CS_MUST_CHECK cs_status pack_find_bad(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* A search for bad files, a stretch of the list after the other. */
typedef struct pack_search {
    const pack_options *options;
    const volatile sig_atomic_t *stop;
    cs_progress *progress;
    int64_t bad; /* found so far; the first of them are named */
} pack_search;
/* Decodes the images of `n` items and marks those that are bad. */
CS_MUST_CHECK cs_status pack_look(pack_search *search, pack_item *items, size_t n);

/* Decodes and writes; `stop` set by a signal ends it with CS_ERR_INTERRUPTED and nothing left behind. Files that are no
 * good are an error, or with --skip-bad left out: then the rest is split and packed again, as the split is made of what
 * is left. */
CS_MUST_CHECK cs_status pack_run(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* Opens the dataset, with checksums, and prints what is in it (or only that it is whole). */
CS_MUST_CHECK cs_status pack_info(const char *path);
CS_MUST_CHECK cs_status pack_check(const char *path);

#endif
