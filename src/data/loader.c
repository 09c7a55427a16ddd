/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/loader.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One batch buffer. The caller works on one while the thread fills the other. */
typedef struct batch_slot {
    int n, n_global, missing, n_images, fresh;
    float *images;
    uint8_t *bytes;       /* with config.bytes, */
    cs_picture *pictures; /* these three in place of images */
    int *fresh_images;
    int32_t *labels;
    int64_t *samples;
    int *places;
    float *kept;    /* with a cache */
    int64_t *slots; /* with a cache */
    cs_status code;
    cs_error error; /* when code is not CS_OK: the thread's error, for the caller */
} batch_slot;

enum { SLOTS = 2 };

struct cs_loader {
    const cs_dataset *dataset;
    cs_loader_config config;
    int64_t count;
    int batches;
    double stall;

    /* Used by the thread alone. */
    cs_decoder *decoder;
    cs_image image;        /* decoded or resized */
    uint8_t *augmented;    /* [h,w,3], where images are augmented here */
    float *multiply, *add; /* config's three values repeated over a row: [w,3] */
    int32_t *order;        /* [count] */

    /* Shared, under `lock`. Batch b of the epoch goes to slot b % SLOTS. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_thread, stop, idle;
    int epoch;          /* asked for; -1 before the first start */
    bool fresh;         /* the thread has not yet seen this epoch */
    int produced;       /* batches filled */
    int taken;          /* batches the caller has got; it holds the last of them */
    atomic_bool cancel; /* leave the batch under way */
    batch_slot slots[SLOTS];
    pthread_t thread;
};

int cs_loader_part_rows(int batch, int parts) {
    return parts > 1 ? (batch + parts - 1) / parts : batch;
}

int cs_loader_batches(const cs_loader *loader) {
    return loader->batches;
}

double cs_loader_stall(const cs_loader *loader) {
    return loader->stall;
}

/* out = pixels * multiply + add, row by row so that the compiler makes vectors of it. */
static void to_float(const cs_loader *loader, const uint8_t *restrict pixels, float *restrict out) {
    const float *multiply = loader->multiply, *add = loader->add;
    size_t stride = (size_t)loader->config.w * 3;
    for (int y = 0; y < loader->config.h; y++, pixels += stride, out += stride)
        for (size_t i = 0; i < stride; i++)
            out[i] = (float)pixels[i] * multiply[i] + add[i];
}

/* The same with the channels of the pixels turned round. */
static void to_float_bgr(const cs_loader *loader, const uint8_t *restrict pixels, float *restrict out) {
    const float *multiply = loader->config.multiply, *add = loader->config.add;
    size_t count = (size_t)loader->config.h * (size_t)loader->config.w;
    for (size_t i = 0; i < count; i++, pixels += 3, out += 3)
        for (int c = 0; c < 3; c++)
            out[c] = (float)pixels[2 - c] * multiply[c] + add[c];
}

/* The sample's pixels at the batch's size: borrowed from the dataset, or in loader->image. */
static cs_status load_pixels(cs_loader *loader, int64_t sample, const uint8_t **pixels) {
    const cs_loader_config *config = &loader->config;
    const cs_dataset *dataset = loader->dataset;
    cs_resize how = cs_dataset_resize(dataset);
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, config->split, sample, &size);
    *pixels = loader->image.pixels;
    if (cs_dataset_encoding(dataset) == CS_ENCODING_JPEG) {
        cs_status status = cs_decode_resized(loader->decoder, cs_dataset_id(dataset, config->split, sample), bytes,
                                             size, how, config->h, config->w, &loader->image);
        *pixels = loader->image.pixels;
        return status == CS_OK ? CS_OK : cs_context(status, "%s", cs_dataset_path(dataset));
    }
    cs_image stored = {.pixels = (uint8_t *)bytes, .capacity = size};
    cs_dataset_image_size(dataset, &stored.h, &stored.w);
    if (stored.h != config->h || stored.w != config->w)
        return cs_resize_image(loader->decoder, &stored, how, config->h, config->w, loader->image.pixels);
    *pixels = bytes;
    return CS_OK;
}

/* Values of a sample. */
static size_t row_size(const cs_loader_config *config) {
    return config->features ? (size_t)cs_features_width(config->features) : (size_t)config->h * (size_t)config->w * 3;
}

static cs_augment_address address_of(const cs_loader *loader, int epoch, int64_t sample) {
    return (cs_augment_address){loader->config.seed, (uint32_t)epoch, (uint32_t)sample};
}

/* The pixels after augmentation: the same ones where it leaves the image alone. */
static const uint8_t *augment(const cs_loader *loader, int epoch, int64_t sample, const uint8_t *pixels) {
    const cs_loader_config *config = &loader->config;
    const cs_augment_address at = address_of(loader, epoch, sample);
    cs_picture picture;
    cs_augment_draw(&config->augment, &at, config->h, config->w, &picture);
    if (!picture.moves && !picture.recolours)
        return pixels;
    cs_augment_apply(&picture, pixels, loader->augmented);
    return loader->augmented;
}

static cs_status fill_row(cs_loader *loader, int epoch, int64_t sample, float *out) {
    const cs_loader_config *config = &loader->config;
    const uint8_t *pixels;
    if (config->features) {
        memcpy(out, cs_features_row(config->features, config->split, sample), row_size(config) * sizeof *out);
        return CS_OK;
    }
    CS_TRY(load_pixels(loader, sample, &pixels));
    if (loader->augmented)
        pixels = augment(loader, epoch, sample, pixels);
    (config->bgr ? to_float_bgr : to_float)(loader, pixels, out);
    return CS_OK;
}

/* Which samples of the epoch's order are in this part of the batch; fills the slot's row counts. */
static int64_t find_rows(const cs_loader *loader, int batch, batch_slot *slot) {
    const cs_loader_config *config = &loader->config;
    int64_t first = (int64_t)batch * config->batch, left = loader->count - first;
    int64_t n = left < config->batch ? left : config->batch, parts = config->parts > 0 ? config->parts : 1;
    int64_t begin = n * config->part / parts, end = n * (config->part + 1) / parts;
    slot->n_global = (int)n;
    slot->n = (int)(end - begin);
    return first + begin;
}

/* Is row i of the batch kept? Then it is copied from the cache, if that is where it lies. */
static bool find_kept(const cs_loader *loader, int epoch, batch_slot *slot, int i) {
    const cs_loader_config *config = &loader->config;
    if (!config->kept)
        return false;
    const cs_augment_address at = address_of(loader, epoch, slot->samples[i]);
    slot->slots[i] = config->first_slot + slot->samples[i] * cs_augment_variants(&config->augment) +
                     cs_augment_variant(&config->augment, &at);
    if (!cs_row_set_has(config->kept, slot->slots[i]))
        return false;
    if (config->cache) {
        size_t width = cs_row_cache_width(config->cache);
        memcpy(slot->kept + (size_t)i * width, cs_row_cache_get(config->cache, slot->slots[i]), width * sizeof(float));
    }
    return true;
}

/* Which rows are missing. A sample comes once an epoch, and the thread works for the epoch under way only: what it
 * finds missing here nobody puts into the cache before the caller has got this batch. (So too with samples that are
 * not present.) */
static void find_missing(const cs_loader *loader, int epoch, batch_slot *slot) {
    slot->missing = 0;
    for (int i = 0; i < slot->n; i++)
        if (!find_kept(loader, epoch, slot, i))
            slot->places[slot->missing++] = i;
    if (slot->missing == 0 || !loader->config.whole)
        return;
    slot->missing = slot->n;
    for (int i = 0; i < slot->n; i++)
        slot->places[i] = i;
}

/* Image i of the batch as bytes, unless the caller has it, and what becomes of it. */
static cs_status fill_bytes(cs_loader *loader, int epoch, int64_t sample, int i, batch_slot *slot) {
    const cs_loader_config *config = &loader->config;
    size_t row = row_size(config);
    const uint8_t *pixels;
    const cs_augment_address at = address_of(loader, epoch, sample);
    cs_augment_draw(&config->augment, &at, config->h, config->w, &slot->pictures[i]);
    if (config->present && cs_row_set_has(config->present, sample))
        return CS_OK;
    CS_TRY(load_pixels(loader, sample, &pixels));
    memcpy(slot->bytes + (size_t)slot->fresh * row, pixels, row);
    slot->fresh_images[slot->fresh++] = i;
    return CS_OK;
}

static void fill_slot(cs_loader *loader, int epoch, int batch, batch_slot *slot) {
    size_t row = row_size(&loader->config);
    int64_t first = find_rows(loader, batch, slot);
    slot->code = CS_OK;
    for (int i = 0; i < slot->n; i++) {
        slot->samples[i] = loader->order[first + i];
        slot->labels[i] = cs_dataset_label(loader->dataset, loader->config.split, slot->samples[i]);
    }
    find_missing(loader, epoch, slot);
    bool whole = loader->config.whole;
    slot->n_images = whole ? slot->n : slot->missing;
    slot->fresh = 0;
    for (int i = 0; i < slot->n_images && slot->code == CS_OK && !atomic_load(&loader->cancel); i++) {
        int64_t sample = slot->samples[whole ? i : slot->places[i]];
        slot->code = loader->config.bytes ? fill_bytes(loader, epoch, sample, i, slot)
                                          : fill_row(loader, epoch, sample, slot->images + (size_t)i * row);
    }
    if (slot->code != CS_OK)
        slot->error = *cs_error_last();
}

static void make_order(cs_loader *loader, int epoch) {
    if (loader->config.shuffle) {
        cs_rng rng = cs_rng_at(loader->config.seed, CS_PURPOSE_SHUFFLE, (uint32_t)epoch, 0);
        cs_rng_permutation(&rng, loader->order, (size_t)loader->count);
    } else {
        for (int64_t i = 0; i < loader->count; i++)
            loader->order[i] = (int32_t)i;
    }
}

/* A batch may be filled when its slot is not the one the caller holds. None is begun while the caller waits for the
 * thread to give up an epoch: it would never find the thread idle. */
static bool has_work(const cs_loader *loader) {
    return !atomic_load(&loader->cancel) && loader->epoch >= 0 && loader->produced < loader->batches &&
           loader->produced - loader->taken < SLOTS - 1;
}

static void *run(void *argument) {
    cs_loader *loader = argument;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop) {
        if (!has_work(loader)) {
            pthread_cond_wait(&loader->changed, &loader->lock);
            continue;
        }
        int epoch = loader->epoch, batch = loader->produced;
        bool fresh = loader->fresh;
        loader->fresh = loader->idle = false;
        pthread_mutex_unlock(&loader->lock);
        if (fresh)
            make_order(loader, epoch);
        fill_slot(loader, epoch, batch, &loader->slots[batch % SLOTS]);
        pthread_mutex_lock(&loader->lock);
        loader->idle = true;
        if (!atomic_load(&loader->cancel))
            loader->produced++;
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

cs_status cs_loader_start(cs_loader *loader, int epoch, int first) {
    if (epoch < 0 || first < 0 || first > loader->batches)
        return cs_fail(CS_ERR_ARG, "epoch %d from batch %d of %d", epoch, first, loader->batches);
    pthread_mutex_lock(&loader->lock);
    atomic_store(&loader->cancel, true);
    while (!loader->idle)
        pthread_cond_wait(&loader->changed, &loader->lock);
    atomic_store(&loader->cancel, false);
    loader->epoch = epoch;
    loader->fresh = true;
    loader->produced = loader->taken = first;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    return CS_OK;
}

cs_status cs_loader_next(cs_loader *loader, cs_batch *batch) {
    *batch = (cs_batch){0};
    if (loader->epoch < 0)
        return cs_fail(CS_ERR_ARG, "cs_loader_next before cs_loader_start");
    double started = cs_now();
    pthread_mutex_lock(&loader->lock);
    if (loader->taken == loader->batches) {
        pthread_mutex_unlock(&loader->lock);
        return CS_OK;
    }
    while (loader->produced <= loader->taken)
        pthread_cond_wait(&loader->changed, &loader->lock);
    const batch_slot *slot = &loader->slots[loader->taken++ % SLOTS];
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    loader->stall += cs_now() - started;
    if (slot->code != CS_OK)
        return cs_error_restore(&slot->error);
    *batch = (cs_batch){.n = slot->n,
                        .n_global = slot->n_global,
                        .n_images = slot->n_images,
                        .images = slot->images,
                        .labels = slot->labels,
                        .samples = slot->samples,
                        .missing = slot->missing,
                        .places = slot->places,
                        .kept = slot->kept,
                        .slots = slot->slots,
                        .pictures = slot->pictures,
                        .bytes = slot->bytes,
                        .fresh = slot->fresh,
                        .fresh_images = slot->fresh_images};
    return CS_OK;
}

/* Room for the largest JPEG of the split, found in the headers: nothing is allocated in the step loop. */
static cs_status reserve_decoder(cs_loader *loader) {
    const cs_loader_config *config = &loader->config;
    int max_h, max_w;
    cs_dataset_image_size(loader->dataset, &max_h, &max_w);
    if (cs_dataset_encoding(loader->dataset) == CS_ENCODING_JPEG)
        for (int64_t i = 0; i < loader->count; i++) {
            int h, w;
            size_t size;
            const uint8_t *bytes = cs_dataset_bytes(loader->dataset, config->split, i, &size);
            cs_status status = cs_image_size(cs_dataset_id(loader->dataset, config->split, i), bytes, size, &h, &w);
            if (status != CS_OK)
                return cs_context(status, "%s", cs_dataset_path(loader->dataset));
            max_h = h > max_h ? h : max_h;
            max_w = w > max_w ? w : max_w;
        }
    /* Both images are swapped on the way through the decoder, so both need the room. */
    CS_TRY(
        cs_image_reserve(&loader->image, max_h > config->h ? max_h : config->h, max_w > config->w ? max_w : config->w));
    return cs_decoder_reserve(loader->decoder, max_h, max_w, config->h, config->w);
}

/* What turns images into floats. */
static cs_status allocate_image(cs_loader *loader) {
    const cs_loader_config *config = &loader->config;
    size_t stride = (size_t)config->w * 3;
    if (!config->bytes && !cs_augment_is_off(&config->augment))
        CS_TRY(cs_alloc((size_t)config->h, stride, "augmented image", &loader->augmented));
    CS_TRY(cs_alloc(stride, sizeof(float), "loader row", &loader->multiply));
    CS_TRY(cs_alloc(stride, sizeof(float), "loader row", &loader->add));
    for (size_t i = 0; i < stride; i++) {
        loader->multiply[i] = config->multiply[i % 3];
        loader->add[i] = config->add[i % 3];
    }
    CS_TRY(cs_decoder_open(&loader->decoder));
    return reserve_decoder(loader);
}

static cs_status allocate_slot(const cs_loader_config *config, batch_slot *slot) {
    size_t batch = (size_t)cs_loader_part_rows(config->batch, config->parts);
    CS_TRY(cs_alloc(batch, sizeof(int32_t), "batch", &slot->labels));
    CS_TRY(cs_alloc(batch, sizeof(int64_t), "batch", &slot->samples));
    CS_TRY(cs_alloc(batch, sizeof(int), "batch", &slot->places));
    if (config->kept)
        CS_TRY(cs_alloc(batch, sizeof(int64_t), "batch", &slot->slots));
    if (config->cache)
        CS_TRY(cs_alloc_aligned(batch * cs_row_cache_width(config->cache), sizeof(float), "batch", &slot->kept));
    if (!config->bytes)
        return cs_alloc_aligned(batch * row_size(config), sizeof(float), "batch", &slot->images);
    CS_TRY(cs_alloc(batch, sizeof(cs_picture), "batch", &slot->pictures));
    CS_TRY(cs_alloc(batch, sizeof(int), "batch", &slot->fresh_images));
    return cs_alloc_aligned(batch * row_size(config), 1, "batch", &slot->bytes);
}

static cs_status allocate(cs_loader *loader) {
    CS_TRY(cs_alloc((size_t)loader->count, sizeof(int32_t), "batch order", &loader->order));
    for (int i = 0; i < SLOTS; i++)
        CS_TRY(allocate_slot(&loader->config, &loader->slots[i]));
    return loader->config.features ? CS_OK : allocate_image(loader);
}

/* Signals are for the caller's thread: it checks the flag they set. */
static cs_status start_thread(cs_loader *loader) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&loader->thread, NULL, run, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return cs_fail(CS_ERR_NO_MEMORY, "cannot start the loader thread: %s", strerror(code));
    loader->has_thread = true;
    return CS_OK;
}

static cs_status check_config(const cs_dataset *dataset, const cs_loader_config *config) {
    int64_t count = cs_dataset_count(dataset, config->split);
    if (config->batch < 1 || (!config->features && (config->h < 1 || config->w < 1)))
        return cs_fail(CS_ERR_ARG, "batches of %d images of %dx%d", config->batch, config->w, config->h);
    if (config->parts < 0 || config->part < 0 || config->part >= (config->parts > 0 ? config->parts : 1))
        return cs_fail(CS_ERR_ARG, "part %d of %d of a batch", config->part, config->parts);
    if (config->features && config->bytes)
        return cs_fail(CS_ERR_ARG, "%s: features have no bytes", cs_dataset_path(dataset));
    if ((config->cache || config->kept) && (config->features || cs_augment_variants(&config->augment) == 0))
        return cs_fail(CS_ERR_ARG, "%s: a cache of what is made from %s", cs_dataset_path(dataset),
                       config->features ? "features" : "images that are never twice the same");
    if (count == 0)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: the split \"%s\" is empty", cs_dataset_path(dataset),
                               cs_split_name(config->split)),
                       "pack the images with --split or --val to get one");
    if (count > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "%s: %lld samples in one split", cs_dataset_path(dataset), (long long)count);
    if (config->features && cs_features_count(config->features, config->split) != count)
        return cs_fail(CS_ERR_SHAPE, "%s: %s has %lld rows, but %s has %lld samples",
                       cs_features_path(config->features), cs_split_name(config->split),
                       (long long)cs_features_count(config->features, config->split), cs_dataset_path(dataset),
                       (long long)count);
    return CS_OK;
}

cs_status cs_loader_open(const cs_dataset *dataset, const cs_loader_config *config, cs_loader **out) {
    CS_TRY(check_config(dataset, config));
    cs_loader *loader = NULL;
    CS_TRY(cs_alloc(1, sizeof *loader, "loader", &loader));
    loader->dataset = dataset;
    loader->config = *config;
    if (config->cache)
        loader->config.kept = cs_row_cache_kept(config->cache);
    loader->count = cs_dataset_count(dataset, config->split);
    loader->batches = (int)((loader->count + config->batch - 1) / config->batch);
    loader->epoch = -1;
    loader->idle = true;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->changed, NULL);
    cs_status status = allocate(loader);
    if (status == CS_OK)
        status = start_thread(loader);
    if (status != CS_OK) {
        cs_loader_close(loader);
        return status;
    }
    *out = loader;
    return CS_OK;
}

void cs_loader_close(cs_loader *loader) {
    if (!loader)
        return;
    if (loader->has_thread) {
        pthread_mutex_lock(&loader->lock);
        loader->stop = true;
        atomic_store(&loader->cancel, true);
        pthread_cond_broadcast(&loader->changed);
        pthread_mutex_unlock(&loader->lock);
        pthread_join(loader->thread, NULL);
    }
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    for (int i = 0; i < SLOTS; i++) {
        free(loader->slots[i].images);
        free(loader->slots[i].bytes);
        free(loader->slots[i].pictures);
        free(loader->slots[i].fresh_images);
        free(loader->slots[i].labels);
        free(loader->slots[i].samples);
        free(loader->slots[i].places);
        free(loader->slots[i].kept);
        free(loader->slots[i].slots);
    }
    cs_decoder_close(loader->decoder);
    cs_image_clear(&loader->image);
    free(loader->augmented);
    free(loader->multiply);
    free(loader->add);
    free(loader->order);
    free(loader);
}
