/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: the cache of a group's trunk outputs.
 *
 * It holds outputs of the trunk's first link, up to where the first tail begins. Every cached picture has a row number:
 * first all images of val, then every variant that augmentation makes of each image of train, if the variants can be
 * counted, then all images of test. The loader finds the rows that are cached (loader.h), and the trunk adds the
 * missing ones (trunk.h). Rows are in host memory and in a file or, if the engine has stores, in one of its stores. */
#ifndef CNNSWEEP_CACHE_H
#define CNNSWEEP_CACHE_H

#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_trunk_cache {
    cs_row_cache *row_cache; /* in host memory */
    float *outputs;          /* [batch,width] the program's outputs for the missing rows */
    /* In the engine's store: the cached rows, and after them `batch` rows for those of a batch that are not cached. */
    cs_store *store;
    cs_row_set *cached_rows;
    int64_t *store_rows;           /* [batch] rows of the store */
    int64_t first[CS_SPLIT_COUNT]; /* the number of each split's first row */
    bool all_images; /* a tail of the group reads the images themselves, so that all of a batch are needed */
} cs_trunk_cache;

/* `width` is the number of values of a row, `batch` the most rows of a batch. Logs (info) how many rows are cached
 * where. With stores, limits->memory limits the device's memory, and no file is used. After a failure the caller still
 * calls cs_trunk_cache_close. */
CS_MUST_CHECK cs_status cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                                            const cs_trial_config *trial, size_t width, int batch,
                                            cs_trunk_cache *cache);
void cs_trunk_cache_close(cs_trunk_cache *cache); /* call it after the loaders and the trunk are closed */
/* Sets up the split's loader to look in the cache, unless the cache holds nothing of the split. `config` must have
 * split and augment. */
void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config);

/* Call it after the program ran on the missing rows of a batch with cache rows. It adds output 0 of the program to the
 * cache, and then makes output 0 that of the whole batch, with the rows that were cached before. Allocates nothing. */
CS_MUST_CHECK cs_status cs_trunk_cache_complete(const cs_trunk_cache *cache, const cs_batch *batch,
                                                cs_program *program);

#endif
