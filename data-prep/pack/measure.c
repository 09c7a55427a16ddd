/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct measurement {
    const cs_dataset *dataset;
    pack_measured *images;
    size_t n;
    const volatile sig_atomic_t *stop;
    cs_progress *progress;
    atomic_size_t next; /* index of the image that the next free thread takes */
    atomic_bool failed;
    pthread_mutex_t lock;
    cs_error error; /* the first one, under the lock */
} measurement;

typedef struct tools {
    cs_decoder *decoder;
    cs_image image;
    uint8_t *grey; /* [h,w] */
    pack_hasher hasher;
    size_t capacity;
} tools;

/* The line beside line i of n, where the image is continued as in a mirror that stands on its outermost line, as OpenCV
 * does by default. */
static int beside(int i, int step, int n) {
    const int next = i + step;
    return next >= 0 && next < n ? next : n > 1 ? i - step : i;
}

/* The variance of the Laplacian, which is the sum of the four neighbours less four times the value itself. */
static double find_sharpness(const uint8_t *grey, int h, int w) {
    int64_t sum = 0, squares = 0;
    for (int y = 0; y < h; y++) {
        const uint8_t *row = grey + (size_t)y * (size_t)w;
        const uint8_t *above = grey + (size_t)beside(y, -1, h) * (size_t)w;
        const uint8_t *below = grey + (size_t)beside(y, 1, h) * (size_t)w;
        for (int x = 0; x < w; x++) {
            const bool inside = x > 0 && x + 1 < w;
            const int left = row[inside ? x - 1 : beside(x, -1, w)], right = row[inside ? x + 1 : beside(x, 1, w)];
            const int value = above[x] + below[x] + left + right - 4 * row[x];
            sum += value;
            squares += (int64_t)value * value;
        }
    }
    const double n = (double)h * w, mean = (double)sum / n;
    return fmax(0, (double)squares / n - mean * mean);
}

static cs_status measure_image(const cs_dataset *dataset, tools *with, pack_measured *image) {
    const uint8_t *pixels;
    uint64_t sum = 0;
    cs_dataset_image_size(dataset, &image->h, &image->w);
    CS_TRY(cs_dataset_pixels(dataset, with->decoder, image->split, image->at, &image->h, &image->w, &with->image,
                             &pixels));
    const cs_image whole = {.h = image->h, .w = image->w, .pixels = (uint8_t *)pixels};
    const size_t n = (size_t)image->h * (size_t)image->w;
    if (!cs_dataset_is_repeat(dataset, image->split, image->at))
        CS_TRY(pack_hash_image(&with->hasher, &whole, &image->hash));
    CS_TRY(cs_grow(&with->grey, &with->capacity, n, 1, "grey values"));
    for (size_t i = 0; i < n; i++, pixels += 3) {
        with->grey[i] = (uint8_t)((pixels[0] * 19595 + pixels[1] * 38470 + pixels[2] * 7471 + 0x8000) >> 16);
        sum += with->grey[i];
    }
    image->brightness = (double)sum / (double)n;
    image->sharpness = find_sharpness(with->grey, image->h, image->w);
    return CS_OK;
}

static cs_status measure_next(measurement *all, tools *with, size_t i) {
    if (*all->stop)
        return cs_fail(CS_ERR_INTERRUPTED, "%s: interrupted while its images were measured",
                       cs_dataset_path(all->dataset));
    CS_TRY(measure_image(all->dataset, with, &all->images[i]));
    cs_progress_add(all->progress, 1);
    return CS_OK;
}

static void *measure_images(void *argument) {
    measurement *all = argument;
    tools with = {0};
    cs_status status = cs_decoder_open(&with.decoder);
    pack_hasher_open(&with.hasher);
    while (status == CS_OK && !atomic_load(&all->failed)) {
        const size_t i = atomic_fetch_add(&all->next, 1);
        if (i >= all->n)
            break;
        status = measure_next(all, &with, i);
    }
    pthread_mutex_lock(&all->lock);
    if (status != CS_OK && !atomic_exchange(&all->failed, true))
        all->error = *cs_error_last();
    pthread_mutex_unlock(&all->lock);
    pack_hasher_close(&with.hasher);
    cs_decoder_close(with.decoder);
    cs_image_clear(&with.image);
    free(with.grey);
    return NULL;
}

/* The caller's thread works too, so that threads which cannot be started are no failure. */
static cs_status run_threads(measurement *all, int n) {
    pthread_t *threads = NULL;
    int started = 0;
    CS_TRY(cs_alloc((size_t)n, sizeof *threads, "threads", &threads));
    pthread_mutex_init(&all->lock, NULL);
    while (started < n - 1 && pthread_create(&threads[started], NULL, measure_images, all) == 0)
        started++;
    measure_images(all);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    pthread_mutex_destroy(&all->lock);
    free(threads);
    return atomic_load(&all->failed) ? cs_error_restore(&all->error) : CS_OK;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ratio(const pack_measured *image) {
    return fmax(image->h, image->w) / fmin(image->h, image->w);
}

static cs_status find_odd_ratios(pack_measured *images, size_t n) {
    double *sorted = NULL;
    CS_TRY(cs_alloc(n, sizeof *sorted, "ratios of sides", &sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = ratio(&images[i]);
    qsort(sorted, n, sizeof *sorted, ascending);
    for (size_t i = 0; i < n; i++)
        images[i].odd_ratio = fabs(log(ratio(&images[i]) / sorted[n / 2]));
    free(sorted);
    return CS_OK;
}

cs_status pack_measure(const cs_dataset *dataset, int threads, const volatile sig_atomic_t *stop, pack_measured **out,
                       size_t *n) {
    measurement all = {.dataset = dataset, .stop = stop};
    int64_t images = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        images += cs_dataset_count(dataset, (cs_split)s);
    CS_TRY(cs_alloc((size_t)images, sizeof *all.images, "measured images", &all.images));
    *out = all.images;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, (cs_split)s); i++)
            all.images[all.n++] =
                (pack_measured){.split = (cs_split)s, .at = i, .label = cs_dataset_label(dataset, (cs_split)s, i)};
    *n = all.n;
    CS_TRY(cs_progress_open("measuring", "images", images, &all.progress));
    cs_status status = run_threads(&all, threads);
    cs_progress_close(all.progress);
    return status == CS_OK ? find_odd_ratios(all.images, all.n) : status;
}
