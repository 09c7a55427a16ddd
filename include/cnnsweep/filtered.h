/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a split after filters (filter.h). A filter may take much longer than a train step, so the images are
 * kept in memory once they are made, for the later epochs and for the later groups of trials. */
#ifndef CNNSWEEP_FILTERED_H
#define CNNSWEEP_FILTERED_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/filter.h"

/* Filtered images of several splits, at most `limit` bytes. Where an image does not fit, splits that nobody uses are
 * dropped, the one that was not used for the longest time first; if that is not enough, the image is not kept. */
typedef struct cs_filter_cache cs_filter_cache;
CS_MUST_CHECK cs_status cs_filter_cache_open(size_t limit, cs_filter_cache **out);
void cs_filter_cache_close(cs_filter_cache *cache); /* NULL-safe */
/* How many images are in it. */
int64_t cs_filter_cache_count(const cs_filter_cache *cache);

typedef struct cs_filtered_spec {
    const cs_dataset *dataset; /* borrowed */
    cs_split split;
    cs_filter_chain filter;
    cs_filter_cache *cache; /* borrowed, or NULL. One thread opens and closes all that use the same cache. */
} cs_filtered_spec;

typedef struct cs_filtered cs_filtered;
CS_MUST_CHECK cs_status cs_filtered_open(const cs_filtered_spec *spec, cs_filtered **out);
/* NULL-safe. Logs how many times a filter found no region. */
void cs_filtered_close(cs_filtered *filtered);

/* Sets *pixels to the pixels [h,w,3] of sample i, filtered as it is stored and then resized as the dataset says. If *h
 * is 0, it is not resized, and *h and *w become its size. The pixels are valid until the next call. One thread calls
 * it. Logs once that an image cannot be kept. */
CS_MUST_CHECK cs_status cs_filtered_pixels(cs_filtered *filtered, cs_decoder *decoder, int64_t i, int *h, int *w,
                                           const uint8_t **pixels);

#endif
