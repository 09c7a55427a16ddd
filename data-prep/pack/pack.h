/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep-pack makes a packed dataset from a source of images in four steps: scan (source/), choose classes, split,
 * pack. */
#ifndef CNNSWEEP_PACK_H
#define CNNSWEEP_PACK_H

#include "duplicates.h"
#include "source/source.h"

#include "cnnsweep/crossing.h"
#include "cnnsweep/filter.h"
#include "cnnsweep/log.h"

#include <signal.h>

/* What is done about images that are duplicates of others. */
typedef enum pack_duplicates_rule {
    PACK_DUPLICATES_WARN,
    PACK_DUPLICATES_DROP,  /* one image of each set is packed */
    PACK_DUPLICATES_GROUP, /* a set is a group, so that it gets into one split */
    PACK_DUPLICATES_FAIL,
    PACK_DUPLICATES_COUNT
} pack_duplicates_rule;
const char *pack_duplicates_name(int rule); /* "warn", "drop", "group", "fail" */

/* What is done about classes of different sizes. */
typedef enum pack_balance {
    PACK_BALANCE_NONE,
    PACK_BALANCE_UNDER,   /* as many images of each class are taken as the smallest has */
    PACK_BALANCE_OVER,    /* train gets images again until each class has as many as the largest */
    PACK_BALANCE_WEIGHTS, /* images of smaller classes get larger weights */
    PACK_BALANCE_COUNT
} pack_balance;
const char *pack_balance_name(int way); /* "none", "under", "over", "weights" */

typedef struct pack_appended pack_appended; /* append.h */

typedef struct pack_options {
    pack_input input;       /* SRC */
    char out[CS_PATH_MAX];  /* does not end with a slash, as names of other files begin with it */
    int size[2];            /* width, height; 0, 0: the images keep their sizes */
    cs_filter_chain filter; /* applied to the decoded images, before they are resized */
    cs_decode_rules decode;
    cs_resize resize;
    cs_encoding encoding;
    double split[CS_SPLIT_COUNT]; /* fractions of train, val and test, for a source that is not split */
    bool has_split;
    double val; /* fraction of train that is moved to val; 0: none */
    pack_balance balance;
    int64_t per_class, total;           /* the most images of a class, and of all; 0: all there are */
    const struct pack_split_rule *rule; /* how images are drawn; NULL: as pack_default_rule says */
    const char *group_regex;            /* the first group of it in an id is the group of the image; NULL: none */
    int64_t shard_bytes;
    int threads;
    int64_t seed;
    bool skip_bad;
    bool force;              /* OUT is replaced if it exists */
    bool append;             /* the images are added to the dataset OUT */
    pack_appended *appended; /* that dataset; NULL: a new one is made */
    const char *bad_list;    /* file that gets the ids of all bad samples, or NULL */
    const char *report;      /* file that gets a page about the dataset, or NULL */
    bool plots;              /* charts are printed */
    pack_duplicates_rule duplicates;
    const char *duplicates_list;     /* file that gets all duplicates, or NULL */
    const char *map;                 /* --map: a text, or the name of a table; NULL: classes keep their names */
    const char *keep, *keep_ordered; /* --only and --classes: names of classes with commas between them, or NULL */
    cs_dataset_part part;            /* count 0: all images are packed in one run */
    double started;                  /* cs_now when the program began; the time printed at the end counts from it */
} pack_options;

/* Reads the file of --weights: a table (source/csv_reader.h) with a row for each sample of the list, which
 * --file-column names by its id and --weight-column gives a weight, finite and >= 0. Not all are 0. A mistake is
 * CS_ERR_FORMAT naming file and line. */
CS_MUST_CHECK cs_status pack_read_weights(const pack_options *options, pack_list *list);
/* Groups, leaves out and orders the classes of the list as the options say, and records what became of each. Samples of
 * classes that are left out are dropped. */
CS_MUST_CHECK cs_status pack_apply_labels(const pack_options *options, pack_list *list);
/* Sets the groups of the samples as options->group_regex says. */
CS_MUST_CHECK cs_status pack_find_groups(const pack_options *options, pack_list *list);
/* Finds duplicates and does what the options say, except for PACK_DUPLICATES_WARN, which needs no pass of its own. */
CS_MUST_CHECK cs_status pack_treat_duplicates(const pack_options *options, pack_list *list,
                                              const volatile sig_atomic_t *stop);
/* Writes the file of --duplicates-list, if it is asked for: a line for each link. */
CS_MUST_CHECK cs_status pack_list_duplicates(const pack_options *options, const pack_list *list, const pack_sets *sets);
/* Finds duplicates among the images of the list by their hashes [list->n], and says and counts what harm they do. */
CS_MUST_CHECK cs_status pack_report_duplicates(const pack_options *options, const pack_list *list,
                                               const pack_hash *hashes, const volatile sig_atomic_t *stop,
                                               cs_duplicate_counts *counts);
/* Leaves out images in train, before others are drawn from it, until there are as many as the options say. */
CS_MUST_CHECK cs_status pack_take_amounts(const pack_options *options, pack_list *list);
/* After the split repeats images in train, or gives all images weights, if the options say so. */
CS_MUST_CHECK cs_status pack_balance_train(const pack_options *options, pack_list *list);
/* Warns of groups with images in more than one split, which the source says, and of classes without an image in a split
 * that others have. */
CS_MUST_CHECK cs_status pack_check_splits(const pack_list *list);
/* Assigns the samples to splits as the options say. The result depends only on the
 * samples in the list, so that an earlier split does not change it. A class without an image in train is an error that
 * names it. */
CS_MUST_CHECK cs_status pack_split(const pack_options *options, pack_list *list);
/* Writes the file of --bad-list, if it is asked for: a line with the id of each bad sample. */
CS_MUST_CHECK cs_status pack_list_bad(const pack_options *options, const pack_list *list);
/* Drops the bad samples, as --skip-bad asks, and splits the others. */
CS_MUST_CHECK cs_status pack_leave_out(const pack_options *options, pack_list *list);

/* Finds the size of the first good image. Raw images without --size must all have this size. */
CS_MUST_CHECK cs_status pack_find_size(const pack_options *options, const pack_list *list, int *h, int *w);

/* The hashes of a part are kept in a file beside it, so that duplicates are found when the parts are joined: */
CS_MUST_CHECK cs_status pack_keep_hashes(const pack_options *options, const pack_list *list, const pack_hash *hashes);
/* Joins the parts, reports duplicates and stores their numbers. */
CS_MUST_CHECK cs_status pack_join(pack_options *options, const volatile sig_atomic_t *stop);

/* For options->part: leaves out the bad files of all parts if the options say so, keeps the samples of this part, and
 * sets the options that depend on all parts (size, source). *done: this part exists already. */
CS_MUST_CHECK cs_status pack_take_part(pack_options *options, pack_list *list, const volatile sig_atomic_t *stop,
                                       bool *done);
/* A checksum that identifies which images are packed and how; all parts of a dataset have the same. */
CS_MUST_CHECK cs_status pack_fingerprint(const pack_options *options, const pack_list *list, uint64_t *fingerprint);
/* Marks the bad files of the list, in cooperation with the processes of the other parts. */
CS_MUST_CHECK cs_status pack_find_bad(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* A search for bad files, one section of the list after another. */
typedef struct pack_search {
    const pack_options *options;
    const volatile sig_atomic_t *stop;
    cs_progress *progress;
    int64_t bad; /* bad files found so far; only the first ones are named in the log */
} pack_search;
/* Decodes the images of `n` samples and marks those that are bad. */
CS_MUST_CHECK cs_status pack_check_images(pack_search *search, pack_sample *samples, size_t n);

/* Makes the pixels of the images as they would be packed, and their hashes [list->n]. Bad files have none. */
CS_MUST_CHECK cs_status pack_hash_images(pack_search *search, pack_list *list, pack_hash *hashes);

/* Decodes the images and writes the dataset. A signal that sets `stop` ends it with CS_ERR_INTERRUPTED, and nothing is
 * left behind. Bad files are an error unless --skip-bad leaves them out; then the others are split and packed again,
 * because a split is made only of good files. */
CS_MUST_CHECK cs_status pack_run(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop);

/* pack_info prints what is in the dataset; pack_check opens it with its checksums and prints whether it is complete. */
CS_MUST_CHECK cs_status pack_info(const char *path);
CS_MUST_CHECK cs_status pack_check(const char *path);

#endif
