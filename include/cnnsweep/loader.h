/* SPDX-License-Identifier: Apache-2.0 */
/* The loader makes batches from the samples of a split, in the order of the epoch. A loader thread decodes, resizes,
 * augments and preprocesses the next batch while the caller trains on the current one. What a batch contains depends on
 * (seed, epoch, sample) only, never on timing or on the number of threads.
 *
 * Instead of images a batch can have features, which were computed before. If the caller caches what a network makes of
 * the images (the output of a trunk), the loader does not decode an image whose cached row exists: the batch has that
 * row in its place. An engine with its own device memory gets the images as bytes, and only those that it does not hold
 * yet.
 *
 * If the augmentation mixes images (mix.h), a batch has soft targets, and the label of a row is the class of its
 * largest target. Both images are augmented first, each by its own address. A loader that makes a part of a batch also
 * loads the partners that are not in its part. */
#ifndef CNNSWEEP_LOADER_H
#define CNNSWEEP_LOADER_H

#include "cnnsweep/augment.h"
#include "cnnsweep/features.h"
#include "cnnsweep/filtered.h"
#include "cnnsweep/row_cache.h"

typedef struct cs_loader_config {
    cs_split split;
    int batch;
    int h, w; /* size of the batch's images; a stored image of another size is resized by the dataset's own rule */
    cs_filter_chain filter;        /* applied to the stored image, before it is resized */
    cs_filter_cache *filter_cache; /* borrowed, or NULL: the images are filtered anew in every epoch */
    float multiply[3];             /* x = pixel * multiply[c] + add[c] */
    float add[3];
    bool bgr; /* x[c] is computed from pixel[2 - c] instead */
    /* Borrowed, or NULL. cs_standardization_apply is done to the images then; not with `bytes`. */
    const cs_standardization *standardization;
    bool shuffle; /* random order, given by (seed, epoch); false: the stored order */
    uint64_t seed;
    cs_augment augment;
    /* Borrowed, or NULL. The features of this dataset, which are then the rows of the batches; of the members above
     * only split, batch, shuffle and seed are used. */
    const cs_features *features;
    /* For ranks that share every batch: of a batch of n rows this loader makes [n*part/parts, n*(part+1)/parts), which
     * may be no rows at all. parts = 0: it makes all rows. */
    int part, parts;
    /* Borrowed, or NULL. The row computed from sample s, augmented into picture v of V, is cached as row
     * first_cache_row + s*V + v. V is cs_augment_variants(&augment) and must not be 0. */
    const cs_row_cache *cache;
    int64_t first_cache_row;
    bool all_images; /* every batch has all its images, and either all its rows are missing or none */
    /* Borrowed, or NULL. For a caller that stores the cached rows itself: the rows that are cached. Then `cache` is
     * NULL, and the caller reads the rows that are not missing. */
    const cs_row_set *cached_rows;
    /* Batches hold images as bytes that are not augmented, and pictures that describe their augmentation. */
    bool bytes;
    /* With `bytes`: borrowed, or NULL. The samples whose images the caller holds already. The loader does not decode
     * them, and batches do not contain their bytes. */
    const cs_row_set *held_samples;
} cs_loader_config;

/* Sets the order in which an epoch takes the `count` samples of a split: batch b has order[b*batch] and those after it.
 */
void cs_epoch_order(bool shuffle, uint64_t seed, int epoch, int64_t count, int32_t *order);

typedef struct cs_batch {
    int n;                 /* rows of this part */
    int n_global;          /* rows of all parts together: config.batch, or fewer in the last batch of an epoch */
    int n_images;          /* equals n_missing; with config.all_images it is n */
    const float *images;   /* [n_images,H,W,3], or features [n,width]; NULL with config.bytes */
    const int32_t *labels; /* [n] */
    const float *soft;     /* [n,classes] targets; NULL if images are not mixed */
    /* [classes] how many rows of all parts together have that class before images are mixed */
    const int32_t *class_counts;
    const double *class_sums; /* [classes] the sum of the samples' weights in place of their number */
    const int64_t *samples;   /* [n+n_partners] index in the split */
    int n_missing;            /* rows that are not in the cache; without a cache it is n */
    const int *missing_rows;  /* [n_missing] indices of these rows in the batch, ascending */
    /* The next two are NULL without a cache. */
    float *cached_values;      /* [n,cache's width] the cached rows; the caller fills those that are missing */
    const int64_t *cache_rows; /* [n] index of each row in the cache */
    /* Only with config.bytes: */
    const cs_picture *pictures; /* [n_images+n_partners] */
    const uint8_t *bytes;       /* [n_new,H,W,3] the images whose samples the caller does not hold */
    int n_new;
    const int *new_images; /* [n_new] indices of these images in `pictures`, ascending */
    /* Where images are mixed, each image with a partner. Partners that are not in this part follow its images, and
     * their samples those of its rows. */
    const cs_mixed *mixed; /* [n_images]; NULL if images are not mixed */
    const int *partners;   /* [n_images] indices in `pictures` */
    int n_partners;        /* of those that follow */
} cs_batch;

/* The index in `samples` of an image or of a partner that follows the images. */
static inline int cs_batch_row(const cs_batch *batch, int image) {
    return batch->n_images < batch->n ? batch->missing_rows[image] : image;
}

typedef struct cs_loader cs_loader;
/* `dataset` is borrowed and must outlive the loader. An empty split is CS_ERR_NOT_FOUND. */
CS_MUST_CHECK cs_status cs_loader_open(const cs_dataset *dataset, const cs_loader_config *config, cs_loader **out);
void cs_loader_close(cs_loader *loader);       /* NULL-safe; stops the thread */
int cs_loader_part_rows(int batch, int parts); /* the most rows of a part */
/* The most images of a part, with the partners that follow them. */
int cs_loader_part_images(const cs_loader_config *config);
int cs_loader_batches(const cs_loader *loader); /* batches an epoch */
/* Starts an epoch (counted from 0) at its batch `first`. A batch of the previous epoch that is being filled is dropped.
 * Allocates nothing. */
CS_MUST_CHECK cs_status cs_loader_start(cs_loader *loader, int epoch, int first);
/* Returns the next batch of the epoch, which is valid until the next call; batch->n_global = 0 after the last one.
 * Allocates nothing, except that filters need memory for images that are larger than those before. An image that cannot
 * be decoded is CS_ERR_FORMAT naming its id. */
CS_MUST_CHECK cs_status cs_loader_next(cs_loader *loader, cs_batch *batch);
/* Seconds that cs_loader_next has waited for batches since the loader was opened. */
double cs_loader_stall(const cs_loader *loader);

#endif
