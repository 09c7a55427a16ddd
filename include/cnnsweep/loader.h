/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: samples of a split in their order, decoded, resized, augmented and preprocessed on a loader thread while the
 * previous batch trains; or, of the same samples, features that were computed before. With a cache of what is made from
 * the images later, an image of which that is kept is not touched: what is kept comes in its place. An engine with a
 * memory of its own gets bytes instead, and only of images that it does not have. The content of a
 * batch depends on (seed, epoch, sample) only, never on timing or threads. */
#ifndef CNNSWEEP_LOADER_H
#define CNNSWEEP_LOADER_H

#include "cnnsweep/augment.h"
#include "cnnsweep/features.h"
#include "cnnsweep/row_cache.h"

typedef struct cs_loader_config {
    cs_split split;
    int batch;
    int h, w;          /* size of the batch's images; another size in the dataset is resized (its own resize rule) */
    float multiply[3]; /* x = pixel * multiply[c] + add[c] */
    float add[3];
    bool bgr;     /* x[c] is made from pixel[2 - c] instead */
    bool shuffle; /* Philox order by (seed, epoch); else stored order */
    uint64_t seed;
    cs_augment augment;
    /* Borrowed, or NULL. Of this dataset; then rows are these, and nothing above says how they are made but split,
     * batch, shuffle and seed. */
    const cs_features *features;
    /* Where ranks share every batch: of one of n rows this loader makes [n*part/parts, n*(part+1)/parts), which may be
     * none. parts 0: it makes all. */
    int part, parts;
    /* Borrowed, or NULL. What is made of sample s, augmented into picture v of V, is kept in slot first_slot + s*V + v;
     * V is cs_augment_variants(&augment), not 0. */
    const cs_row_cache *cache;
    int64_t first_slot;
    bool whole; /* all images of a batch are wanted anyway: then either all its rows are missing or none */
    /* The same where what is kept lies elsewhere: then `cache` is NULL, and rows that are not missing are for the
     * caller to find. */
    const cs_row_set *kept;
    /* Batches carry images as bytes, not augmented, and in numbers what would be made of them. */
    bool bytes;
    /* With bytes, borrowed, or NULL: samples that the caller has already, which are neither decoded nor brought. */
    const cs_row_set *present;
} cs_loader_config;

typedef struct cs_batch {
    int n;                  /* rows of this part */
    int n_global;           /* of all parts: config.batch, fewer in the last batch of an epoch */
    int n_images;           /* missing; config.whole: n */
    const float *images;    /* [n_images,H,W,3], or features [n,width]; NULL with config.bytes */
    const int32_t *labels;  /* [n] */
    const int64_t *samples; /* [n] index in the split */
    int missing;            /* rows that are not in the cache; without one: n */
    const int *places;      /* [missing] of those, which rows of the batch they are, ascending */
    /* With a cache, else NULL. */
    float *kept;          /* [n,cache's width]: the rows that are not missing; the others are the caller's to fill */
    const int64_t *slots; /* [n] in the cache */
    /* With config.bytes. */
    const cs_picture *pictures; /* [n_images] */
    const uint8_t *bytes;       /* [fresh,H,W,3] of those whose samples are not present */
    int fresh;
    const int *fresh_images; /* [fresh] which images they are, ascending */
} cs_batch;

typedef struct cs_loader cs_loader;
/* `dataset` is borrowed and must outlive the loader. An empty split is CS_ERR_NOT_FOUND. */
CS_MUST_CHECK cs_status cs_loader_open(const cs_dataset *dataset, const cs_loader_config *config, cs_loader **out);
void cs_loader_close(cs_loader *loader);        /* NULL-safe; stops the thread */
int cs_loader_part_rows(int batch, int parts);  /* the most rows of a part */
int cs_loader_batches(const cs_loader *loader); /* batches an epoch */
/* Starts an epoch (numbered from 0) at its batch `first`; what was still under way is dropped. Allocates nothing. */
CS_MUST_CHECK cs_status cs_loader_start(cs_loader *loader, int epoch, int first);
/* The next batch of the epoch, valid until the next call; batch->n_global = 0 after the last. Allocates nothing. An
 * image that cannot be decoded is CS_ERR_FORMAT naming its id. */
CS_MUST_CHECK cs_status cs_loader_next(cs_loader *loader, cs_batch *batch);
/* Seconds spent waiting in cs_loader_next since open. */
double cs_loader_stall(const cs_loader *loader);

#endif
