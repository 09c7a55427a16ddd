/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: which outputs of a group's trunk are kept, and under which numbers.
 *
 * They are those of the trunk's first link, where the first tail begins: a slot for every image of val, then for every
 * picture that augmentation makes of an image of train, where those can be counted, then for every image of test. The
 * loader finds what is kept (loader.h), the trunk keeps what was missing (trunk.h). Rows lie in the host's memory and
 * in a file or, where the engine has stores, in one of these. */
#ifndef CNNSWEEP_CACHE_H
#define CNNSWEEP_CACHE_H

#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_trunk_cache {
    cs_row_cache *rows; /* on the host */
    float *made;        /* [batch,width] what a program made of what was missing */
    /* At the engine: the slots that have a place, and behind these a row for each of a batch that has none. */
    cs_store *store;
    cs_row_set *kept;
    int64_t *places; /* [batch] */
    int64_t first[CS_SPLIT_COUNT];
    bool whole; /* a tail of the group reads the images themselves */
} cs_trunk_cache;

/* `width` values a row, batches of up to `batch` rows. Tells (info) what is kept where. With stores limits->memory is
 * the device's, and no file is used. On failure the cache is left for cs_trunk_cache_close. */
CS_MUST_CHECK cs_status cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                                            const cs_augment *augment, size_t width, int batch, cs_trunk_cache *cache);
void cs_trunk_cache_close(cs_trunk_cache *cache); /* after the loaders and the trunk */
/* Tells the split's loader where to look, unless nothing of the split is kept. `config` has split and augment. */
void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config);

/* The first output of a program, which has run on what a batch with slots misses: that is kept, and with what was kept
 * before becomes that of the whole batch. Allocates nothing. */
CS_MUST_CHECK cs_status cs_trunk_cache_complete(const cs_trunk_cache *cache, const cs_batch *batch,
                                                cs_program *program);

#endif
