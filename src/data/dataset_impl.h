/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the data room: what the reader and the writer of the dataset format share, the root attributes and the steps
 * of writing a shard. */
#ifndef CNNSWEEP_DATASET_IMPL_H
#define CNNSWEEP_DATASET_IMPL_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"
#include "cnnsweep/filter.h"
#include "hdf5_file.h"

#include <jansson.h>

#define CS_DATASET_FORMAT "cnnsweep"
#define CS_DATASET_INDEX  "index.json"
enum { CS_DATASET_VERSION = 1, CS_CHECKSUM_TEXT = 17 /* 16 hex digits and a NUL */ };

/* The root attributes of a shard. */
typedef struct cs_dataset_meta {
    cs_resize resize;
    int h, w;
    char filter[CS_FILTER_TEXT]; /* "none" */
    char decode[CS_DECODE_TEXT]; /* "default" */
    int n_classes;
    char **classes;
    cs_source_classes source_classes;
    int64_t *source_counts; /* [n_classes] or NULL */
    cs_duplicate_counts duplicates;
    double mean[3], std[3];
    char checksum[CS_CHECKSUM_TEXT];
} cs_dataset_meta;

cs_status cs_meta_write(hid_t file, const char *path, const cs_dataset_meta *meta);
cs_status cs_meta_read(hid_t file, const char *path, cs_dataset_meta *meta);
void cs_meta_clear(cs_dataset_meta *meta); /* frees the classes */

/* Fixed-length strings of the samples of a split. */
typedef struct cs_text_column {
    const char *text; /* [n,size] each NUL-terminated */
    size_t size;
} cs_text_column;

/* One split of one shard in memory. */
typedef struct cs_split_data {
    int64_t n;
    const uint8_t *images; /* pixels [n,H,W,3], or the JPEG streams one after another */
    size_t image_bytes;
    const int64_t *offset; /* [n+1] into images; NULL in raw sets */
    const int32_t *label;  /* [n] */
    cs_text_column id;
    const float *weight;  /* [n]; NULL: samples have no weights */
    cs_text_column group; /* text NULL: samples have no groups */
} cs_split_data;

/* Writes the checksum of a shard as text. It is computed over the 8-byte checksums of images or jpeg (which are given),
 * offset, label, id, weight and group of train, val and test, as far as there are such. */
void cs_split_checksum(const cs_split_data splits[CS_SPLIT_COUNT], const uint64_t images[CS_SPLIT_COUNT],
                       char text[CS_CHECKSUM_TEXT]);

/* Writing a shard file, in steps. */
/* 1. Creates the shard. With raw images it has space for counts[] of h x w, and the caller writes them from at[] on.
 * With JPEGs, counts is NULL. */
cs_status cs_shard_begin(const char *path, int h, int w, const int64_t counts[CS_SPLIT_COUNT],
                         haddr_t at[CS_SPLIT_COUNT]);
/* Places so many bytes of JPEGs for each split. From CS_HDF5_LARGE bytes on, those of train begin at CS_HDF5_FIRST,
 * where the caller has written them; fewer are lost there. */
cs_status cs_shard_place_jpegs(const char *path, const size_t bytes[CS_SPLIT_COUNT], haddr_t at[CS_SPLIT_COUNT]);
/* 2. Adds offset, label, id, weight and group; `file` is the shard, open for writing. splits[].images is not used. */
cs_status cs_shard_finish(const char *path, int file, const cs_split_data splits[CS_SPLIT_COUNT]);
/* 3. Adds the root attributes when mean and std of the whole dataset are known, then syncs the file. */
cs_status cs_shard_seal(const char *path, const cs_dataset_meta *meta);

/* 4. Replaces mean and std in a finished shard. */
cs_status cs_shard_set_mean_std(const char *path, const double mean[3], const double std[3]);
/* The same for the numbers of duplicates. */
cs_status cs_shard_set_duplicates(const char *path, const cs_duplicate_counts *counts);

/* A shard mapped into memory. */
typedef struct cs_shard {
    char *path;
    cs_mapping map;
    cs_split_data splits[CS_SPLIT_COUNT];
    cs_dataset_meta meta;
} cs_shard;
/* Opens and checks the shard; with `verify` also its checksum. */
cs_status cs_shard_open(const char *path, bool verify, cs_shard *shard);
void cs_shard_close(cs_shard *shard);

/* Where a sample is stored. */
typedef struct cs_sample_place {
    cs_split split;
    int32_t i;
} cs_sample_place;

/* Other splits of the samples of a dataset. */
typedef struct cs_dataset_view {
    cs_sample_place *places[CS_SPLIT_COUNT]; /* [counts[split]]; NULL: the splits are those of the dataset */
    int64_t counts[CS_SPLIT_COUNT];
    uint64_t key; /* the checksum of the dataset with these splits; 0: that of the dataset */
} cs_dataset_view;
void cs_dataset_view_clear(cs_dataset_view *view); /* frees the places */
/* The new dataset takes the view's places, also after a failure, and borrows the rest. */
cs_status cs_dataset_open_view(const cs_dataset *stored, const cs_dataset_view *view, cs_dataset **out);

/* Writes `root` and frees it. If `root` is NULL, there was no memory for it, and that is the error. */
cs_status cs_json_write(const char *path, json_t *root);

/* Writes part.json, which describes a part that was not joined yet. */
cs_status cs_part_write(const char *folder, const cs_dataset_part *part);

/* Writes and reads index.json of a folder of shards. */
typedef struct cs_shard_entry {
    char file[64];
    char checksum[CS_CHECKSUM_TEXT];
    int64_t counts[CS_SPLIT_COUNT];
} cs_shard_entry;
void cs_shard_name(char file[64], size_t number);
cs_status cs_index_write(const char *folder, const cs_shard_entry *entries, size_t n);
/* *entries is malloc'ed and has at least one entry. */
cs_status cs_index_read(const char *folder, cs_shard_entry **entries, size_t *n);

#endif
