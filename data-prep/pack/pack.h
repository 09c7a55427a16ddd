/* cnnsweep-pack: a tree of images to a packed dataset. scan -> split -> pack. */
#ifndef CNNSWEEP_PACK_H
#define CNNSWEEP_PACK_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"

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
    cs_split split;
    bool bad; /* found to be no good on the way */
} pack_item;

/* Every image file found: by split, class and name. */
typedef struct pack_list {
    pack_item *items;
    size_t n, capacity;
    char **classes; /* sorted */
    int n_classes;
    bool split[CS_SPLIT_COUNT]; /* the tree has a folder for this split; none: everything is in train */
} pack_list;

/* Walks SRC. Only folders are looked at here, not the files. */
CS_MUST_CHECK cs_status pack_scan(const char *src, pack_list *list);
void pack_list_clear(pack_list *list);

/* Assigns items to splits as the options say: class by class, drawn by the seed. */
CS_MUST_CHECK cs_status pack_split(const pack_options *options, pack_list *list);
/* Every class has an image in train, else the error names it. */
CS_MUST_CHECK cs_status pack_check_classes(const pack_list *list);

/* Raw images without --size must have one size: that of the first file that is an image. */
CS_MUST_CHECK cs_status pack_find_size(const pack_options *options, const pack_list *list, int *h, int *w);

/* With options->part: keeps the items of that part, and sets what packing them needs to know of all (size, source).
 * *done: this part is there already. */
CS_MUST_CHECK cs_status pack_take_part(pack_options *options, pack_list *list, bool *done);

/* Decodes and writes; `stop` set by a signal ends it with CS_ERR_INTERRUPTED and nothing left behind. Files that are no
 * good are an error, or with --skip-bad left out: then the rest is packed again, as a dataset is told beforehand how
 * many samples it gets. */
CS_MUST_CHECK cs_status pack_run(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* Opens the dataset, with checksums, and prints what is in it (or only that it is whole). */
CS_MUST_CHECK cs_status pack_info(const char *path);
CS_MUST_CHECK cs_status pack_check(const char *path);

#endif
