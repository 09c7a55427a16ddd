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

/* A batch buffer. The caller works on one while the thread fills the other. */
typedef struct batch_buffer {
    int n, n_global, n_missing, n_images, n_new;
    float *images;
    uint8_t *bytes; /* with config.bytes this and the next two replace `images` */
    cs_picture *pictures;
    int *new_images;
    int32_t *labels;
    int32_t *class_counts;
    double *class_sums;
    int64_t *samples;
    int *missing_rows;
    float *cached_values; /* with a cache */
    int64_t *cache_rows;  /* with a cache */
    int n_partners;
    float *soft; /* where images are mixed, as the next two */
    cs_mixed *mixed;
    int *partners;
    cs_status code;
    cs_error error; /* when code is not CS_OK: the error, to be raised in the caller's thread */
} batch_buffer;

enum { BUFFERS = 2 };

struct cs_loader {
    const cs_dataset *dataset;
    cs_loader_config config;
    int64_t count;
    int batches;
    double stall;

    /* Used by the thread alone. */
    cs_decoder *decoder;
    cs_image image;        /* decoded, and resized */
    cs_filtered *filtered; /* NULL: there are no filters */
    cs_augment_scratch scratch;
    float *standardized;   /* as many images as in a batch with partners, a scratch for config.standardization */
    float *multiply, *add; /* config's three values repeated over a row: [w,3] */
    int32_t *order;        /* [count] */
    cs_mix mix;            /* of the augmentation */
    /* Where images are mixed: how all images of a batch are, with the positions of their partners in the batch; and the
     * images of this part and their partners before that. */
    cs_mixed *mixed;   /* [config.batch] */
    int32_t *partners; /* [config.batch] */
    float *unmixed;    /* [part images,h,w,3]; NULL with config.bytes */

    /* Shared, under `lock`. Batch b of the epoch goes to buffer b % BUFFERS. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_thread, stop, idle;
    int epoch;          /* the epoch that the caller started; -1 before the first */
    bool new_epoch;     /* the thread has not yet seen this epoch */
    int produced;       /* batches filled */
    int taken;          /* batches that the caller has received; it uses the last of them */
    atomic_bool cancel; /* the thread must abandon the batch that it fills */
    batch_buffer buffers[BUFFERS];
    pthread_t thread;
};

int cs_loader_part_rows(int batch, int parts) {
    return parts > 1 ? (batch + parts - 1) / parts : batch;
}

static bool mixes(const cs_loader_config *config) {
    const cs_mix mix = cs_augment_mix(&config->augment);
    return cs_mix_is_on(&mix);
}

int cs_loader_part_images(const cs_loader_config *config) {
    return cs_loader_part_rows(config->batch, config->parts) * (mixes(config) ? 2 : 1);
}

int cs_loader_batches(const cs_loader *loader) {
    return loader->batches;
}

double cs_loader_stall(const cs_loader *loader) {
    return loader->stall;
}

/* Computes out = pixels * multiply + add, row by row so that the compiler vectorises it. */
static void to_float(const cs_loader *loader, const uint8_t *restrict pixels, float *restrict out) {
    const float *multiply = loader->multiply, *add = loader->add;
    size_t stride = (size_t)loader->config.w * 3;
    for (int y = 0; y < loader->config.h; y++, pixels += stride, out += stride)
        for (size_t i = 0; i < stride; i++)
            out[i] = (float)pixels[i] * multiply[i] + add[i];
}

/* Does the same with the channels of the pixels reversed. */
static void to_float_bgr(const cs_loader *loader, const uint8_t *restrict pixels, float *restrict out) {
    const float *multiply = loader->config.multiply, *add = loader->config.add;
    size_t count = (size_t)loader->config.h * (size_t)loader->config.w;
    for (size_t i = 0; i < count; i++, pixels += 3, out += 3)
        for (int c = 0; c < 3; c++)
            out[c] = (float)pixels[2 - c] * multiply[c] + add[c];
}

/* Sets the pixels [h,w,3] of a sample: as large as the batch's images, or as they are stored if augmentation decides
 * their size. */
static cs_status load_pixels(cs_loader *loader, int64_t sample, int *h, int *w, const uint8_t **pixels) {
    const cs_loader_config *config = &loader->config;
    const bool as_stored = cs_augment_resizes(&config->augment);
    *h = as_stored ? 0 : config->h;
    *w = as_stored ? 0 : config->w;
    if (loader->filtered)
        return cs_filtered_pixels(loader->filtered, loader->decoder, sample, h, w, pixels);
    return cs_dataset_pixels(loader->dataset, loader->decoder, config->split, sample, h, w, &loader->image, pixels);
}

/* The number of values of a sample. */
static size_t row_size(const cs_loader_config *config) {
    return config->features ? (size_t)cs_features_width(config->features) : (size_t)config->h * (size_t)config->w * 3;
}

static cs_augment_address address_of(const cs_loader *loader, int epoch, int64_t sample) {
    return (cs_augment_address){loader->config.seed, (uint32_t)epoch, (uint32_t)sample};
}

/* Makes the image that a sample becomes. */
static cs_status make_pixels(cs_loader *loader, int epoch, int64_t sample, const uint8_t **pixels) {
    const cs_loader_config *config = &loader->config;
    const cs_augment_address at = address_of(loader, epoch, sample);
    cs_picture picture;
    int h, w;
    CS_TRY(load_pixels(loader, sample, &h, &w, pixels));
    cs_status status = cs_augment_check_size(&config->augment, h, w, config->h, config->w);
    if (status != CS_OK)
        return cs_context(status, "%s: %s", cs_dataset_path(loader->dataset),
                          cs_dataset_id(loader->dataset, config->split, sample));
    cs_augment_draw(&config->augment, &at, h, w, &picture, NULL, NULL);
    return cs_augment_apply(&picture, *pixels, &loader->scratch, pixels);
}

static cs_status fill_row(cs_loader *loader, int epoch, int64_t sample, float *out) {
    const cs_loader_config *config = &loader->config;
    const uint8_t *pixels;
    if (config->features) {
        memcpy(out, cs_features_row(config->features, config->split, sample), row_size(config) * sizeof *out);
        return CS_OK;
    }
    CS_TRY(make_pixels(loader, epoch, sample, &pixels));
    (config->bgr ? to_float_bgr : to_float)(loader, pixels, out);
    return CS_OK;
}

/* Sets the buffer's row counts for this loader's part of the batch, and returns the index of its first row in the
 * epoch's order. */
static int64_t find_rows(const cs_loader *loader, int batch, batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    int64_t first = (int64_t)batch * config->batch, left = loader->count - first;
    int64_t n = left < config->batch ? left : config->batch, parts = config->parts > 0 ? config->parts : 1;
    int64_t begin = n * config->part / parts, end = n * (config->part + 1) / parts;
    buffer->n_global = (int)n;
    buffer->n = (int)(end - begin);
    return first + begin;
}

/* Whether row i of the batch is cached. If this loader has the cache, the row is copied from it. */
static bool find_cached(const cs_loader *loader, int epoch, batch_buffer *buffer, int i) {
    const cs_loader_config *config = &loader->config;
    if (!config->cached_rows)
        return false;
    const cs_augment_address at = address_of(loader, epoch, buffer->samples[i]);
    buffer->cache_rows[i] = config->first_cache_row + buffer->samples[i] * cs_augment_variants(&config->augment) +
                            cs_augment_variant(&config->augment, &at);
    if (!cs_row_set_has(config->cached_rows, buffer->cache_rows[i]))
        return false;
    if (config->cache) {
        size_t width = cs_row_cache_width(config->cache);
        memcpy(buffer->cached_values + (size_t)i * width, cs_row_cache_get(config->cache, buffer->cache_rows[i]),
               width * sizeof(float));
    }
    return true;
}

/* Finds the rows that are not cached. A sample comes once an epoch, and the thread works only for the current epoch. So
 * no row that is found missing can be added to the cache before the caller has received this batch. (The same holds for
 * samples that are not in config.held_samples.) */
static void find_missing(const cs_loader *loader, int epoch, batch_buffer *buffer) {
    buffer->n_missing = 0;
    for (int i = 0; i < buffer->n; i++)
        if (!find_cached(loader, epoch, buffer, i))
            buffer->missing_rows[buffer->n_missing++] = i;
    if (buffer->n_missing == 0 || !loader->config.all_images)
        return;
    buffer->n_missing = buffer->n;
    for (int i = 0; i < buffer->n; i++)
        buffer->missing_rows[i] = i;
}

/* Draws the picture of image i of the batch, and stores its bytes unless the caller holds them. */
static cs_status fill_bytes(cs_loader *loader, int epoch, int64_t sample, int i, batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    size_t row = row_size(config);
    const uint8_t *pixels;
    const cs_augment_address at = address_of(loader, epoch, sample);
    int h, w;
    cs_augment_draw(&config->augment, &at, config->h, config->w, &buffer->pictures[i], NULL, NULL);
    if (config->held_samples && cs_row_set_has(config->held_samples, sample))
        return CS_OK;
    CS_TRY(load_pixels(loader, sample, &h, &w, &pixels));
    memcpy(buffer->bytes + (size_t)buffer->n_new * row, pixels, row);
    buffer->new_images[buffer->n_new++] = i;
    return CS_OK;
}

static int32_t label_of(const cs_loader *loader, int64_t sample) {
    return cs_dataset_label(loader->dataset, loader->config.split, sample);
}

/* The index, among the images of this part and their partners, of the image at a position of the batch. `begin` is the
 * position of the part's first row. A partner outside the part is added. */
static int find_partner(const cs_loader *loader, int batch, int begin, int position, batch_buffer *buffer) {
    if (position >= begin && position < begin + buffer->n)
        return position - begin;
    int image = buffer->n + buffer->n_partners++;
    buffer->samples[image] = loader->order[(int64_t)batch * loader->config.batch + position];
    return image;
}

/* Draws how the images are mixed, and mixes their labels. A position is the partner of one image, so no partner is
 * added twice. */
static void draw_mix(const cs_loader *loader, int epoch, int batch, int begin, batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    const cs_mix_address at = {config->seed, (uint32_t)epoch, (uint32_t)batch};
    const size_t classes = (size_t)cs_dataset_class_count(loader->dataset);
    cs_mix_draw(&loader->mix, &at, buffer->n_global, config->h, config->w, loader->partners, loader->mixed);
    for (int i = 0; i < buffer->n; i++) {
        const int partner = find_partner(loader, batch, begin, loader->partners[begin + i], buffer);
        buffer->partners[i] = partner;
        buffer->mixed[i] = loader->mixed[begin + i];
        buffer->labels[i] =
            cs_mix_labels(&buffer->mixed[i], buffer->labels[i], label_of(loader, buffer->samples[partner]),
                          (int)classes, buffer->soft + (size_t)i * classes);
    }
}

static void mix_images(const cs_loader *loader, const batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    const size_t row = row_size(config);
    for (int i = 0; i < buffer->n; i++)
        cs_mix_images(&buffer->mixed[i], config->h, config->w, loader->unmixed + (size_t)i * row,
                      loader->unmixed + (size_t)buffer->partners[i] * row, buffer->images + (size_t)i * row);
}

/* Loads the images of the batch, and the partners that follow them. */
static cs_status fill_images(cs_loader *loader, int epoch, batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    const size_t row = row_size(config);
    float *images = loader->unmixed ? loader->unmixed : buffer->images;
    for (int i = 0; i < buffer->n_images + buffer->n_partners && !atomic_load(&loader->cancel); i++) {
        int64_t sample = buffer->samples[buffer->n_images < buffer->n ? buffer->missing_rows[i] : i];
        CS_TRY(config->bytes ? fill_bytes(loader, epoch, sample, i, buffer)
                             : fill_row(loader, epoch, sample, images + (size_t)i * row));
    }
    if (config->standardization && !config->features && !atomic_load(&loader->cancel))
        cs_standardization_apply(config->standardization, images, buffer->n_images + buffer->n_partners, row,
                                 loader->standardized);
    if (loader->unmixed && !atomic_load(&loader->cancel))
        mix_images(loader, buffer);
    return CS_OK;
}

static void count_classes(const cs_loader *loader, int batch, batch_buffer *buffer) {
    const int32_t *samples = loader->order + (int64_t)batch * loader->config.batch;
    const size_t classes = (size_t)cs_dataset_class_count(loader->dataset);
    memset(buffer->class_counts, 0, classes * sizeof *buffer->class_counts);
    memset(buffer->class_sums, 0, classes * sizeof *buffer->class_sums);
    for (int i = 0; i < buffer->n_global; i++) {
        const int32_t label = label_of(loader, samples[i]);
        buffer->class_counts[label]++;
        buffer->class_sums[label] += (double)cs_dataset_weight(loader->dataset, loader->config.split, samples[i]);
    }
}

static void fill_buffer(cs_loader *loader, int epoch, int batch, batch_buffer *buffer) {
    int64_t first = find_rows(loader, batch, buffer);
    for (int i = 0; i < buffer->n; i++) {
        buffer->samples[i] = loader->order[first + i];
        buffer->labels[i] = label_of(loader, buffer->samples[i]);
    }
    count_classes(loader, batch, buffer);
    buffer->n_partners = buffer->n_new = 0;
    if (buffer->mixed)
        draw_mix(loader, epoch, batch, (int)(first - (int64_t)batch * loader->config.batch), buffer);
    find_missing(loader, epoch, buffer);
    buffer->n_images = loader->config.all_images ? buffer->n : buffer->n_missing;
    buffer->code = fill_images(loader, epoch, buffer);
    if (buffer->code != CS_OK)
        buffer->error = *cs_error_last();
}

void cs_epoch_order(bool shuffle, uint64_t seed, int epoch, int64_t count, int32_t *order) {
    if (shuffle) {
        cs_rng rng = cs_rng_at(seed, CS_PURPOSE_SHUFFLE, (uint32_t)epoch, 0);
        cs_rng_permutation(&rng, order, (size_t)count);
    } else {
        for (int64_t i = 0; i < count; i++)
            order[i] = (int32_t)i;
    }
}

/* Whether the thread may fill the next batch: its buffer must not be the one that the caller uses. While the caller
 * waits for the thread to abandon an epoch, no batch is begun, or the caller would never find the thread idle. */
static bool has_work(const cs_loader *loader) {
    return !atomic_load(&loader->cancel) && loader->epoch >= 0 && loader->produced < loader->batches &&
           loader->produced - loader->taken < BUFFERS - 1;
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
        bool new_epoch = loader->new_epoch;
        loader->new_epoch = loader->idle = false;
        pthread_mutex_unlock(&loader->lock);
        if (new_epoch)
            cs_epoch_order(loader->config.shuffle, loader->config.seed, epoch, loader->count, loader->order);
        fill_buffer(loader, epoch, batch, &loader->buffers[batch % BUFFERS]);
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
    loader->new_epoch = true;
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
    const batch_buffer *buffer = &loader->buffers[loader->taken++ % BUFFERS];
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    loader->stall += cs_now() - started;
    if (buffer->code != CS_OK)
        return cs_error_restore(&buffer->error);
    *batch = (cs_batch){.n = buffer->n,
                        .n_global = buffer->n_global,
                        .n_images = buffer->n_images,
                        .images = buffer->images,
                        .labels = buffer->labels,
                        .soft = buffer->soft,
                        .class_counts = buffer->class_counts,
                        .class_sums = buffer->class_sums,
                        .samples = buffer->samples,
                        .n_missing = buffer->n_missing,
                        .missing_rows = buffer->missing_rows,
                        .cached_values = buffer->cached_values,
                        .cache_rows = buffer->cache_rows,
                        .pictures = buffer->pictures,
                        .bytes = buffer->bytes,
                        .n_new = buffer->n_new,
                        .new_images = buffer->new_images,
                        .mixed = buffer->mixed,
                        .partners = buffer->partners,
                        .n_partners = buffer->n_partners};
    return CS_OK;
}

/* Finds the largest image of the split in the JPEG headers and allocates scratch memory for it, so that the step loop
 * allocates nothing. */
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
    /* The decoder swaps its image and ours, so both need the space. */
    CS_TRY(
        cs_image_reserve(&loader->image, max_h > config->h ? max_h : config->h, max_w > config->w ? max_w : config->w));
    return cs_decoder_reserve(loader->decoder, cs_dataset_resize(loader->dataset), max_h, max_w, config->h, config->w);
}

static cs_status open_filtered(cs_loader *loader) {
    const cs_loader_config *config = &loader->config;
    const cs_filtered_spec spec = {
        .dataset = loader->dataset, .split = config->split, .filter = config->filter, .cache = config->filter_cache};
    return cs_filtered_open(&spec, &loader->filtered);
}

/* Allocates what is needed to turn images into floats. */
static cs_status allocate_image(cs_loader *loader) {
    const cs_loader_config *config = &loader->config;
    size_t stride = (size_t)config->w * 3;
    if (!config->bytes && !cs_augment_is_off(&config->augment))
        CS_TRY(cs_augment_reserve(&loader->scratch, config->h, config->w));
    if (config->standardization)
        CS_TRY(cs_alloc((size_t)cs_loader_part_images(config) * row_size(config), sizeof(float), "standardized images",
                        &loader->standardized));
    CS_TRY(cs_alloc(stride, sizeof(float), "loader row", &loader->multiply));
    CS_TRY(cs_alloc(stride, sizeof(float), "loader row", &loader->add));
    for (size_t i = 0; i < stride; i++) {
        loader->multiply[i] = config->multiply[i % 3];
        loader->add[i] = config->add[i % 3];
    }
    CS_TRY(cs_decoder_open(&loader->decoder));
    return config->filter.n > 0 ? open_filtered(loader) : reserve_decoder(loader);
}

static cs_status allocate_mixing(const cs_loader *loader, batch_buffer *buffer) {
    const size_t batch = (size_t)cs_loader_part_rows(loader->config.batch, loader->config.parts);
    CS_TRY(cs_alloc(batch, sizeof(cs_mixed), "batch", &buffer->mixed));
    CS_TRY(cs_alloc(batch, sizeof(int), "batch", &buffer->partners));
    return cs_alloc(batch * (size_t)cs_dataset_class_count(loader->dataset), sizeof(float), "batch", &buffer->soft);
}

static cs_status allocate_buffer(const cs_loader *loader, batch_buffer *buffer) {
    const cs_loader_config *config = &loader->config;
    const size_t batch = (size_t)cs_loader_part_rows(config->batch, config->parts);
    const size_t images = (size_t)cs_loader_part_images(config);
    const size_t classes = (size_t)cs_dataset_class_count(loader->dataset);
    if (mixes(config))
        CS_TRY(allocate_mixing(loader, buffer));
    CS_TRY(cs_alloc(batch, sizeof(int32_t), "batch", &buffer->labels));
    CS_TRY(cs_alloc(classes, sizeof(int32_t), "batch", &buffer->class_counts));
    CS_TRY(cs_alloc(classes, sizeof(double), "batch", &buffer->class_sums));
    CS_TRY(cs_alloc(images, sizeof(int64_t), "batch", &buffer->samples));
    CS_TRY(cs_alloc(batch, sizeof(int), "batch", &buffer->missing_rows));
    if (config->cached_rows)
        CS_TRY(cs_alloc(batch, sizeof(int64_t), "batch", &buffer->cache_rows));
    if (config->cache)
        CS_TRY(cs_alloc_aligned(batch * cs_row_cache_width(config->cache), sizeof(float), "batch",
                                &buffer->cached_values));
    if (!config->bytes)
        return cs_alloc_aligned(batch * row_size(config), sizeof(float), "batch", &buffer->images);
    CS_TRY(cs_alloc(images, sizeof(cs_picture), "batch", &buffer->pictures));
    CS_TRY(cs_alloc(images, sizeof(int), "batch", &buffer->new_images));
    return cs_alloc_aligned(images * row_size(config), 1, "batch", &buffer->bytes);
}

static cs_status allocate(cs_loader *loader) {
    const cs_loader_config *config = &loader->config;
    CS_TRY(cs_alloc((size_t)loader->count, sizeof(int32_t), "batch order", &loader->order));
    for (int i = 0; i < BUFFERS; i++)
        CS_TRY(allocate_buffer(loader, &loader->buffers[i]));
    if (mixes(config)) {
        CS_TRY(cs_alloc((size_t)config->batch, sizeof *loader->mixed, "mixed images", &loader->mixed));
        CS_TRY(cs_alloc((size_t)config->batch, sizeof *loader->partners, "mixed images", &loader->partners));
    }
    if (mixes(config) && !config->bytes)
        CS_TRY(cs_alloc_aligned((size_t)cs_loader_part_images(config) * row_size(config), sizeof(float), "mixed images",
                                &loader->unmixed));
    return loader->config.features ? CS_OK : allocate_image(loader);
}

/* Starts the thread with all signals blocked: they go to the caller's thread, which checks the flag that they set. */
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
    if (config->features && (config->bytes || mixes(config)))
        return cs_fail(CS_ERR_ARG, "%s: features have no %s", cs_dataset_path(dataset),
                       config->bytes ? "bytes" : "images to mix");
    if (config->bytes && config->standardization)
        return cs_fail(CS_ERR_ARG, "%s: standardized images have no bytes", cs_dataset_path(dataset));
    if ((config->cache || config->cached_rows) && (config->features || cs_augment_variants(&config->augment) == 0))
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
    loader->mix = cs_augment_mix(&config->augment);
    if (config->cache)
        loader->config.cached_rows = cs_row_cache_cached_rows(config->cache);
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
    for (int i = 0; i < BUFFERS; i++) {
        const batch_buffer *buffer = &loader->buffers[i];
        void *const parts[] = {buffer->images,       buffer->bytes,         buffer->pictures,   buffer->new_images,
                               buffer->labels,       buffer->class_counts,  buffer->class_sums, buffer->samples,
                               buffer->missing_rows, buffer->cached_values, buffer->cache_rows, buffer->soft,
                               buffer->mixed,        buffer->partners};
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            free(parts[k]);
    }
    free(loader->mixed);
    free(loader->partners);
    free(loader->unmixed);
    cs_decoder_close(loader->decoder);
    cs_image_clear(&loader->image);
    cs_augment_scratch_clear(&loader->scratch);
    cs_filtered_close(loader->filtered);
    void *const parts[] = {loader->standardized, loader->multiply, loader->add, loader->order, loader};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        free(parts[k]);
}
