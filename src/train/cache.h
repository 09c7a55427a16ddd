/* Inside the training room: which outputs of a group's trunk are kept, and under which numbers.
 *
 * They are those of the trunk's first link, where the first tail begins: a slot for every image of val, then for every
 * picture that augmentation makes of an image of train, where those can be counted, then for every image of test. The
 * loader finds what is kept (loader.h), the trunk keeps what was missing (trunk.h). */
#ifndef CNNSWEEP_CACHE_H
#define CNNSWEEP_CACHE_H

#include "cnnsweep/loader.h"

typedef struct cs_trunk_cache {
    cs_row_cache *rows; /* NULL: off */
    int64_t first[CS_SPLIT_COUNT];
    bool whole; /* a tail of the group reads the images themselves */
} cs_trunk_cache;

/* `width` values a row. Tells (info) what is kept where. */
CS_MUST_CHECK cs_status cs_trunk_cache_open(const cs_cache_limits *limits, const cs_dataset *dataset,
                                            const cs_augment *augment, size_t width, cs_trunk_cache *cache);
void cs_trunk_cache_close(cs_trunk_cache *cache); /* after the loaders and the trunk */
/* Tells the split's loader where to look, unless nothing of the split is kept. `config` has split and augment. */
void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config);

#endif
