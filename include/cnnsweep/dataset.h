/* SPDX-License-Identifier: Apache-2.0 */
/* A packed dataset: one .h5 file, or a folder of numbered shards with an index.json.
 *
 * File format (version 1). Root attributes: format "cnnsweep", version, classes (strings), mean and std [3] float64 of
 * the training split in 0..255 units, resize ("bilinear", as cs_resize_text writes it), height, width (0 when images
 * keep their own size), filter (only where there is one: the filters that the images went through, as in filter.h),
 * decode (only where rules other than the default were given: how images were decoded, as cs_decode_rules_text writes
 * it), source_classes (strings [S]) and source_labels int32 [S] (only where classes were grouped, left out or put in
 * another order: the classes that the source had and the label that each got, or -1), source_counts int64 [classes]
 * (only where images were left out or repeated, or given weights, for the sake of the sizes of classes: the images that
 * each class had before), duplicates int64 [4]
 * (the numbers of cs_duplicate_counts, or -1; older files lack it), checksum (XXH3-64, hex, over the
 * XXH3-64s of every dataset in the order listed here). Groups train, val, test, each with images uint8 [N,H,W,3]
 * contiguous, or jpeg uint8 [bytes] + offset int64 [N+1]; label int32 [N]; id: source paths, fixed-length strings;
 * weight float32 [N], in all groups or in none: how much a sample counts in the loss, >= 0; group: fixed-length
 * strings, in all splits or in none: what a sample has in common with others (a patient, a lesion), such that they
 * belong into one split; "" is no group. The arrays are mapped into memory; after open no HDF5 function is called.
 * index.json of a folder lists the shards in order, with their counts and checksums. */
#ifndef CNNSWEEP_DATASET_H
#define CNNSWEEP_DATASET_H

#include "cnnsweep/image.h"

#include <stdbool.h>

typedef enum cs_split { CS_SPLIT_TRAIN, CS_SPLIT_VAL, CS_SPLIT_TEST, CS_SPLIT_COUNT } cs_split;
const char *cs_split_name(cs_split split); /* "train", "val", "test" */

/* The version of the HDF5 library that reads and writes datasets, as linked at run time: "1.10.8". */
void cs_dataset_library_version(char *out, size_t size);

typedef enum cs_encoding { CS_ENCODING_RAW, CS_ENCODING_JPEG } cs_encoding;

typedef struct cs_dataset cs_dataset;

/* Opens a dataset and checks its structure (sizes against offsets, labels against classes). Its checksums are verified
 * too, unless CNNSWEEP_TRUST_SHARDS=1. Errors name the shard. */
CS_MUST_CHECK cs_status cs_dataset_open(const char *path, cs_dataset **out);
void cs_dataset_close(cs_dataset *dataset); /* NULL-safe */

/* Of a fold (folds.h) the dataset that it is a view of; else the dataset itself. */
const cs_dataset *cs_dataset_stored(const cs_dataset *dataset);
/* Changes the split of a sample and its index in the split to those that it has where it is stored. */
void cs_dataset_place(const cs_dataset *dataset, cs_split *split, int64_t *i);

const char *cs_dataset_path(const cs_dataset *dataset);
int cs_dataset_shard_count(const cs_dataset *dataset);     /* 1 for a single file */
int64_t cs_dataset_shard_bytes(const cs_dataset *dataset); /* of the images in the largest shard */
int cs_dataset_class_count(const cs_dataset *dataset);
const char *cs_dataset_class(const cs_dataset *dataset, int class_index);
/* The classes that the images had before they were grouped or left out; none if they were not. */
typedef struct cs_source_classes {
    int n;
    char **names;    /* [n] */
    int32_t *labels; /* [n] the label that images of this class have in the dataset; -1: they were left out */
} cs_source_classes;
const cs_source_classes *cs_dataset_source_classes(const cs_dataset *dataset);
/* [classes] the images of each class in all splits before a number of them was chosen, or they were repeated or
 * weighed; NULL: all that there were are in the dataset, once. */
const int64_t *cs_dataset_source_counts(const cs_dataset *dataset);
cs_encoding cs_dataset_encoding(const cs_dataset *dataset);
cs_resize cs_dataset_resize(const cs_dataset *dataset);
void cs_dataset_image_size(const cs_dataset *dataset, int *h, int *w); /* 0, 0 when sizes differ */
const char *cs_dataset_filter(const cs_dataset *dataset); /* that were applied when it was packed, or "none" */
const char *cs_dataset_decode(const cs_dataset *dataset); /* rules by which images were decoded, or "default" */
/* Images that are equal or nearly equal were found when they were packed. They form sets. */
typedef struct cs_duplicate_counts {
    bool known; /* false: they were not looked for; then the numbers are 0 */
    int64_t sets, images;
    int64_t across_splits;  /* sets with images in different splits */
    int64_t across_classes; /* sets with images of different classes */
} cs_duplicate_counts;
cs_duplicate_counts cs_dataset_duplicates(const cs_dataset *dataset);
/* Those of the training split as it is stored. */
void cs_dataset_mean_std(const cs_dataset *dataset, double mean[3], double std[3]);
/* Logs a warning if the mean and the standard deviation of every channel of the training images are such as images have
 * whose values are all 0 or 1. */
void cs_dataset_warn_if_black(const cs_dataset *dataset);
/* Logs a warning if duplicates, or images of a group, are in different splits: results on val and test are then better
 * than on new images. */
CS_MUST_CHECK cs_status cs_dataset_warn_of_leaks(const cs_dataset *dataset);
/* A checksum of everything that results depend on: the shards' own checksums, the size of the images, the number of
 * classes, and the fold. The path of the dataset is not part of it. */
uint64_t cs_dataset_checksum(const cs_dataset *dataset);
int64_t cs_dataset_count(const cs_dataset *dataset, cs_split split);
int32_t cs_dataset_label(const cs_dataset *dataset, cs_split split, int64_t i);
bool cs_dataset_has_weights(const cs_dataset *dataset);
float cs_dataset_weight(const cs_dataset *dataset, cs_split split, int64_t i); /* 1 in a dataset without weights */
/* Whether sample i is the one before it again, which a class of few images can have: same id, label and bytes. */
bool cs_dataset_is_repeat(const cs_dataset *dataset, cs_split split, int64_t i);
/* Source path of a sample; owned by the dataset. */
const char *cs_dataset_id(const cs_dataset *dataset, cs_split split, int64_t i);
bool cs_dataset_has_groups(const cs_dataset *dataset);
/* "" where the sample is in no group; owned by the dataset. */
const char *cs_dataset_group(const cs_dataset *dataset, cs_split split, int64_t i);
/* The stored bytes of sample i: pixels [H,W,3] of a raw set, a JPEG stream of a jpeg set. Borrowed, thread-safe. */
const uint8_t *cs_dataset_bytes(const cs_dataset *dataset, cs_split split, int64_t i, size_t *size);

/* Sets *pixels to the pixels [h,w,3] of sample i, resized as the dataset says; if *h is 0, the image keeps its size, to
 * which *h and *w are set. The pixels are borrowed from the dataset if they are stored at that size, else they are in
 * `image`. The decoder has scratch memory. */
CS_MUST_CHECK cs_status cs_dataset_pixels(const cs_dataset *dataset, cs_decoder *decoder, cs_split split, int64_t i,
                                          int *h, int *w, cs_image *image, const uint8_t **pixels);

/* Writing. The dataset appears under its name, which must be unused or its to replace, only when it is committed.
 * shard_bytes > 0 makes a folder of shards of about that size, and the samples must then come split by split; those of
 * a single file may come in any order. */
typedef struct cs_dataset_writer cs_dataset_writer;
typedef struct cs_dataset_layout {
    cs_encoding encoding;
    cs_resize resize;
    int h, w;           /* of every image (RAW), or 0 */
    bool replace;       /* a file of this name, or a folder that is a dataset, is replaced */
    const char *filter; /* that the images went through; NULL: none */
    const char *decode; /* by which rules the images were decoded; NULL: "default" */
    const char *const *classes;
    int n_classes;
    cs_source_classes source_classes;
    const int64_t *source_counts;   /* [n_classes] or NULL */
    int64_t counts[CS_SPLIT_COUNT]; /* samples that each split will get */
    int64_t shard_bytes;            /* 0: one file */
    bool weighted;                  /* samples have weights */
    bool grouped;                   /* samples have groups */
} cs_dataset_layout;
CS_MUST_CHECK cs_status cs_dataset_create(const char *path, const cs_dataset_layout *layout, cs_dataset_writer **out);
CS_MUST_CHECK cs_status cs_dataset_append(cs_dataset_writer *writer, cs_split split, int32_t label, const char *id,
                                          const uint8_t *bytes, size_t size);
/* All that is stored of a sample beside its image. cs_dataset_append gives the weight 1 and no group. */
typedef struct cs_dataset_sample {
    cs_split split;
    int32_t label;
    float weight;           /* finite and >= 0 */
    const char *id, *group; /* group NULL: none */
} cs_dataset_sample;
CS_MUST_CHECK cs_status cs_dataset_append_sample(cs_dataset_writer *writer, const cs_dataset_sample *sample,
                                                 const uint8_t *bytes, size_t size);
/* Sets the mean and standard deviation of each channel over the training split, in 0..255 units. */
void cs_dataset_set_mean_std(cs_dataset_writer *writer, const double mean[3], const double std[3]);
void cs_dataset_set_duplicates(cs_dataset_writer *writer, const cs_duplicate_counts *counts);
CS_MUST_CHECK cs_status cs_dataset_commit(cs_dataset_writer **out); /* frees and clears, also on failure */
void cs_dataset_abort(cs_dataset_writer **out);                     /* NULL-safe; leaves nothing behind */

/* The sums from which mean and standard deviation of the training pixels are computed. They are exact integers, so that
 * they can be added in any order. */
typedef struct cs_pixel_sums {
    uint64_t sum[3], square[3], pixels;
} cs_pixel_sums;
void cs_pixel_mean_std(const cs_pixel_sums *sums, double mean[3], double std[3]);

/* A dataset of shards can be written by several processes, one part each. Put one after another from part 0 on, the
 * samples of the parts must be in the order of the layout, split by split. A part is a folder of shards inside
 * "<path>.parts" until the parts are joined. */
typedef struct cs_dataset_part {
    int index, count; /* 0 to count - 1 */
    uint64_t source;  /* identifies the input of all parts; parts of one dataset have the same value */
    cs_pixel_sums sums;
} cs_dataset_part;
CS_MUST_CHECK cs_status cs_dataset_part_path(const char *path, int index, char *out, size_t size);
/* The folder of the parts. Joining them removes it with everything in it. */
CS_MUST_CHECK cs_status cs_dataset_parts_folder(const char *path, char *out, size_t size);
/* Call it instead of cs_dataset_commit, for a writer that was created with the part's path. */
CS_MUST_CHECK cs_status cs_dataset_commit_part(cs_dataset_writer **out, const cs_dataset_part *part);
/* Reads the description of the part in the folder `part_path`. */
CS_MUST_CHECK cs_status cs_dataset_read_part(const char *part_path, cs_dataset_part *part);
/* Makes one dataset of its parts and removes the parts. After an interruption it can be called again. A second process
 * that joins the same parts at the same time gets an error. */
CS_MUST_CHECK cs_status cs_dataset_join(const char *path);
/* Stores the numbers of duplicates in a dataset of shards that was joined. */
CS_MUST_CHECK cs_status cs_dataset_count_duplicates(const char *path, const cs_duplicate_counts *counts);

#endif
