/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/filtered.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A filtered image, resized to what its reader asked for. */
typedef struct kept_image {
    int wanted_h, wanted_w; /* 0: it was not resized */
    int h, w;
    uint8_t *pixels; /* NULL: not made yet, or not kept */
} kept_image;

/* The images of one split after one chain. */
typedef struct kept_split {
    uint64_t dataset; /* its checksum */
    cs_split split;
    char filter[CS_FILTER_TEXT];
    kept_image *images; /* [n] */
    int64_t n, opened;  /* `opened`: when it was opened last */
    bool in_use;
} kept_split;

/* What lies in it is used by one thread at a time; the rest of the cache is used under `lock`. */
struct cs_filter_cache {
    pthread_mutex_t lock;
    kept_split **splits;
    size_t n, capacity;
    size_t limit, bytes;
    int64_t opened; /* counts the calls that open a split */
    bool has_warned;
};

struct cs_filtered {
    cs_filtered_spec spec;
    kept_split *kept; /* NULL: nothing is kept */
    cs_filter_scratch *scratch;
    cs_image stored, resized;
};

static size_t bytes_of(const kept_image *image) {
    return (size_t)image->h * (size_t)image->w * 3;
}

static void drop_image(cs_filter_cache *cache, kept_image *image) {
    if (image->pixels)
        cache->bytes -= bytes_of(image);
    free(image->pixels);
    image->pixels = NULL;
}

static void free_split(cs_filter_cache *cache, kept_split *kept) {
    for (int64_t i = 0; i < kept->n; i++)
        drop_image(cache, &kept->images[i]);
    free(kept->images);
    free(kept);
}

cs_status cs_filter_cache_open(size_t limit, cs_filter_cache **out) {
    CS_TRY(cs_alloc(1, sizeof **out, "filtered images", out));
    (*out)->limit = limit;
    pthread_mutex_init(&(*out)->lock, NULL);
    return CS_OK;
}

void cs_filter_cache_close(cs_filter_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n; i++)
        free_split(cache, cache->splits[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache->splits);
    free(cache);
}

int64_t cs_filter_cache_count(const cs_filter_cache *cache) {
    int64_t count = 0;
    for (size_t s = 0; s < cache->n; s++)
        for (int64_t i = 0; i < cache->splits[s]->n; i++)
            count += cache->splits[s]->images[i].pixels != NULL;
    return count;
}

static kept_split *find_split(const cs_filter_cache *cache, const cs_filtered_spec *spec) {
    for (size_t i = 0; i < cache->n; i++) {
        kept_split *kept = cache->splits[i];
        if (kept->dataset == cs_dataset_checksum(spec->dataset) && kept->split == spec->split &&
            strcmp(kept->filter, cs_filter_text(&spec->filter)) == 0)
            return kept;
    }
    return NULL;
}

/* Drops the split that was not used for the longest time; false: all are in use. */
static bool drop_oldest(cs_filter_cache *cache) {
    size_t oldest = cache->n;
    for (size_t i = 0; i < cache->n; i++)
        if (!cache->splits[i]->in_use &&
            (oldest == cache->n || cache->splits[i]->opened < cache->splits[oldest]->opened))
            oldest = i;
    if (oldest == cache->n)
        return false;
    free_split(cache, cache->splits[oldest]);
    cache->splits[oldest] = cache->splits[--cache->n];
    return true;
}

static cs_status add_split(cs_filter_cache *cache, const cs_filtered_spec *spec, kept_split **out) {
    kept_split *kept = NULL;
    CS_TRY(cs_grow(&cache->splits, &cache->capacity, cache->n + 1, sizeof(kept_split *), "filtered images"));
    CS_TRY(cs_alloc(1, sizeof *kept, "filtered images", &kept));
    kept->n = cs_dataset_count(spec->dataset, spec->split);
    cs_status status = cs_alloc((size_t)kept->n, sizeof *kept->images, "filtered images", &kept->images);
    if (status != CS_OK) {
        free(kept);
        return status;
    }
    kept->dataset = cs_dataset_checksum(spec->dataset);
    kept->split = spec->split;
    strcpy(kept->filter, cs_filter_text(&spec->filter));
    cache->splits[cache->n++] = *out = kept;
    return CS_OK;
}

/* Of two that are open at the same time for the same images, the second keeps nothing. */
static cs_status use_split(cs_filtered *filtered) {
    cs_filter_cache *cache = filtered->spec.cache;
    pthread_mutex_lock(&cache->lock);
    kept_split *kept = find_split(cache, &filtered->spec);
    cs_status status = kept ? CS_OK : add_split(cache, &filtered->spec, &kept);
    if (status == CS_OK && !kept->in_use) {
        kept->in_use = true;
        kept->opened = ++cache->opened;
        filtered->kept = kept;
    }
    pthread_mutex_unlock(&cache->lock);
    return status;
}

cs_status cs_filtered_open(const cs_filtered_spec *spec, cs_filtered **out) {
    cs_filtered *filtered = NULL;
    CS_TRY(cs_alloc(1, sizeof *filtered, "filtered images", &filtered));
    filtered->spec = *spec;
    cs_status status = cs_filter_scratch_open(&filtered->scratch);
    if (status == CS_OK && spec->cache)
        status = use_split(filtered);
    if (status != CS_OK) {
        cs_filtered_close(filtered);
        return status;
    }
    *out = filtered;
    return CS_OK;
}

static void leave_split(cs_filter_cache *cache, kept_split *kept) {
    pthread_mutex_lock(&cache->lock);
    kept->in_use = false;
    pthread_mutex_unlock(&cache->lock);
}

void cs_filtered_close(cs_filtered *filtered) {
    if (!filtered)
        return;
    const cs_filtered_spec *spec = &filtered->spec;
    if (filtered->scratch && cs_filter_not_found(filtered->scratch) > 0)
        cs_log(CS_LOG_WARN, "%s: %s found no region %lld times in %s and left the image as it was",
               cs_dataset_path(spec->dataset), cs_filter_text(&spec->filter),
               (long long)cs_filter_not_found(filtered->scratch), cs_split_name(spec->split));
    if (filtered->kept)
        leave_split(spec->cache, filtered->kept);
    cs_filter_scratch_close(filtered->scratch);
    cs_image_clear(&filtered->stored);
    cs_image_clear(&filtered->resized);
    free(filtered);
}

static cs_status read_stored(cs_filtered *filtered, cs_decoder *decoder, int64_t i) {
    const cs_dataset *dataset = filtered->spec.dataset;
    cs_image *image = &filtered->stored;
    size_t size;
    int h, w;
    const uint8_t *bytes = cs_dataset_bytes(dataset, filtered->spec.split, i, &size);
    if (cs_dataset_encoding(dataset) == CS_ENCODING_JPEG) {
        const char *id = cs_dataset_id(dataset, filtered->spec.split, i);
        cs_status status = cs_decode(decoder, id, bytes, size, 0, 0, image);
        return status == CS_OK ? CS_OK : cs_context(status, "%s", cs_dataset_path(dataset));
    }
    cs_dataset_image_size(dataset, &h, &w);
    CS_TRY(cs_image_reserve(image, h, w));
    memcpy(image->pixels, bytes, size);
    return CS_OK;
}

/* Makes filtered->stored or filtered->resized, and returns which. */
static cs_status make(cs_filtered *filtered, cs_decoder *decoder, int64_t i, int h, int w, const cs_image **out) {
    const cs_image *stored = *out = &filtered->stored;
    CS_TRY(read_stored(filtered, decoder, i));
    CS_TRY(cs_filter_apply(&filtered->spec.filter, filtered->scratch, &filtered->stored));
    if (h == 0 || (stored->h == h && stored->w == w))
        return CS_OK;
    *out = &filtered->resized;
    CS_TRY(cs_image_reserve(&filtered->resized, h, w));
    return cs_resize_image(decoder, stored, cs_dataset_resize(filtered->spec.dataset), h, w, filtered->resized.pixels);
}

/* Reserves the bytes for an image; false: there is no room. */
static bool reserve_bytes(cs_filter_cache *cache, size_t bytes) {
    pthread_mutex_lock(&cache->lock);
    while (bytes > cache->limit - cache->bytes && drop_oldest(cache))
        ;
    const bool fits = bytes <= cache->limit - cache->bytes, warns = !fits && !cache->has_warned;
    cache->bytes += fits ? bytes : 0;
    cache->has_warned |= !fits;
    pthread_mutex_unlock(&cache->lock);
    if (warns)
        cs_log(
            CS_LOG_WARN,
            "the filtered images do not all fit in the %.1f MB for them: the others are filtered anew in every epoch. "
            "cnnsweep-pack --filter would filter them once",
            (double)cache->limit / 1e6);
    return fits;
}

static void release_bytes(cs_filter_cache *cache, size_t bytes) {
    pthread_mutex_lock(&cache->lock);
    cache->bytes -= bytes;
    pthread_mutex_unlock(&cache->lock);
}

/* Keeps the image in place of one of another size, if there is room. */
static void keep(cs_filter_cache *cache, const cs_image *made, int h, int w, kept_image *kept) {
    const kept_image image = {.wanted_h = h, .wanted_w = w, .h = made->h, .w = made->w};
    if (kept->pixels)
        release_bytes(cache, bytes_of(kept));
    free(kept->pixels);
    *kept = image;
    if (!reserve_bytes(cache, bytes_of(kept)))
        return;
    kept->pixels = malloc(bytes_of(kept));
    if (kept->pixels)
        memcpy(kept->pixels, made->pixels, bytes_of(kept));
    else
        release_bytes(cache, bytes_of(kept));
}

cs_status cs_filtered_pixels(cs_filtered *filtered, cs_decoder *decoder, int64_t i, int *h, int *w,
                             const uint8_t **pixels) {
    kept_image *kept = filtered->kept ? &filtered->kept->images[i] : NULL;
    const cs_image *made;
    if (kept && kept->pixels && kept->wanted_h == *h && kept->wanted_w == *w) {
        *h = kept->h;
        *w = kept->w;
        *pixels = kept->pixels;
        return CS_OK;
    }
    CS_TRY(make(filtered, decoder, i, *h, *w, &made));
    if (kept)
        keep(filtered->spec.cache, made, *h, *w, kept);
    *h = made->h;
    *w = made->w;
    *pixels = made->pixels;
    return CS_OK;
}
