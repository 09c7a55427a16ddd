/* The packing pipeline: threads decode into a ring of slots, the caller's thread writes them in their order. The ring
 * bounds the memory; the order makes the dataset the same whatever the number of threads. */
#include "image.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_PER_THREAD = 4, BAD_NAMED = 20 };

typedef struct ring_slot {
    packed_image image;
    cs_status code;
    cs_error error; /* when code is not CS_OK: the thread's error */
    bool ready;
} ring_slot;

typedef struct pipeline pipeline;

typedef struct worker {
    pipeline *pipe;
    cs_decoder *decoder;
    pthread_t thread;
} worker;

struct pipeline {
    const pack_options *options;
    const pack_list *list;
    cs_dataset_layout layout;
    worker *workers;
    int n_threads; /* workers that run */

    pthread_mutex_t lock;
    pthread_cond_t space, ready;
    ring_slot *ring;
    size_t slots;
    size_t next;    /* item that the next free thread takes */
    size_t written; /* items the writer is done with */
    bool stop;
};

/* What the writer gathers on the way. */
typedef struct pack_tally {
    int64_t *train; /* [n_classes] images */
    int64_t bad, good;
    uint64_t sum[3], square[3], pixels;
} pack_tally;

static void *decode_items(void *argument) {
    worker *self = argument;
    pipeline *pipe = self->pipe;
    pthread_mutex_lock(&pipe->lock);
    while (!pipe->stop && pipe->next < pipe->list->n) {
        size_t i = pipe->next++;
        while (!pipe->stop && i - pipe->written >= pipe->slots)
            pthread_cond_wait(&pipe->space, &pipe->lock);
        if (pipe->stop)
            break;
        pthread_mutex_unlock(&pipe->lock);
        ring_slot *slot = &pipe->ring[i % pipe->slots];
        slot->code = pack_image(pipe->options, &pipe->layout, self->decoder, &pipe->list->items[i], &slot->image);
        if (slot->code != CS_OK)
            slot->error = *cs_error_last();
        pthread_mutex_lock(&pipe->lock);
        slot->ready = true;
        pthread_cond_signal(&pipe->ready);
    }
    pthread_mutex_unlock(&pipe->lock);
    return NULL;
}

static bool is_bad_file(cs_status code) {
    return code == CS_ERR_FORMAT || code == CS_ERR_IO;
}

static void name_bad_file(pack_tally *tally) {
    tally->bad++;
    if (tally->bad <= BAD_NAMED)
        cs_log(CS_LOG_WARN, "%s", cs_error_last()->text);
    else if (tally->bad == BAD_NAMED + 1)
        cs_log(CS_LOG_WARN, "more bad images follow; they are counted, not named");
}

static cs_status write_item(const pack_item *item, const ring_slot *slot, cs_dataset_writer *writer,
                            pack_tally *tally) {
    if (slot->code != CS_OK) {
        cs_status code = cs_error_restore(&slot->error);
        if (!is_bad_file(code))
            return code;
        name_bad_file(tally);
        return CS_OK;
    }
    const packed_image *image = &slot->image;
    CS_TRY(cs_dataset_append(writer, item->split, item->label, item->id, image->bytes, image->size));
    tally->good++;
    if (item->split != CS_SPLIT_TRAIN)
        return CS_OK;
    tally->train[item->label]++;
    tally->pixels += image->pixels;
    for (int c = 0; c < 3; c++) {
        tally->sum[c] += image->sum[c];
        tally->square[c] += image->square[c];
    }
    return CS_OK;
}

static cs_status write_all(pipeline *pipe, cs_dataset_writer *writer, cs_progress *progress,
                           const volatile sig_atomic_t *stop, pack_tally *tally) {
    cs_status status = CS_OK;
    for (size_t i = 0; i < pipe->list->n && status == CS_OK; i++) {
        ring_slot *slot = &pipe->ring[i % pipe->slots];
        pthread_mutex_lock(&pipe->lock);
        while (!slot->ready)
            pthread_cond_wait(&pipe->ready, &pipe->lock);
        pthread_mutex_unlock(&pipe->lock);
        status = *stop ? cs_fail(CS_ERR_INTERRUPTED, "%s: interrupted; nothing was written", pipe->options->out)
                       : write_item(&pipe->list->items[i], slot, writer, tally);
        cs_progress_add(progress, 1);
        pthread_mutex_lock(&pipe->lock);
        slot->ready = false;
        pipe->written = i + 1;
        pthread_cond_broadcast(&pipe->space);
        pthread_mutex_unlock(&pipe->lock);
    }
    return status;
}

static cs_status pipeline_start(pipeline *pipe) {
    size_t threads = (size_t)pipe->options->threads;
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->space, NULL);
    pthread_cond_init(&pipe->ready, NULL);
    pipe->slots = threads * SLOTS_PER_THREAD;
    CS_TRY(cs_alloc(pipe->slots, sizeof *pipe->ring, "ring of images", &pipe->ring));
    CS_TRY(cs_alloc(threads, sizeof *pipe->workers, "threads", &pipe->workers));
    for (size_t i = 0; i < threads; i++) {
        worker *self = &pipe->workers[i];
        self->pipe = pipe;
        CS_TRY(cs_decoder_open(&self->decoder));
        int code = pthread_create(&self->thread, NULL, decode_items, self);
        if (code != 0)
            return cs_hint(cs_fail(CS_ERR_NO_MEMORY, "cannot start thread %zu: %s", i + 1, strerror(code)),
                           "--threads asks for fewer");
        pipe->n_threads++;
    }
    return CS_OK;
}

static void pipeline_stop(pipeline *pipe) {
    pthread_mutex_lock(&pipe->lock);
    pipe->stop = true;
    pthread_cond_broadcast(&pipe->space);
    pthread_mutex_unlock(&pipe->lock);
    for (int i = 0; i < pipe->n_threads; i++)
        pthread_join(pipe->workers[i].thread, NULL);
    for (int i = 0; pipe->workers && i < pipe->options->threads; i++)
        cs_decoder_close(pipe->workers[i].decoder);
    for (size_t i = 0; pipe->ring && i < pipe->slots; i++)
        packed_image_clear(&pipe->ring[i].image);
    free(pipe->workers);
    free(pipe->ring);
    pthread_cond_destroy(&pipe->ready);
    pthread_cond_destroy(&pipe->space);
    pthread_mutex_destroy(&pipe->lock);
}

static void set_mean_std(const pack_tally *tally, cs_dataset_writer *writer) {
    double mean[3], std[3], n = (double)tally->pixels;
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)tally->sum[c] / n;
        std[c] = sqrt(fmax(0, (double)tally->square[c] / n - mean[c] * mean[c]));
    }
    cs_dataset_set_mean_std(writer, mean, std);
}

static cs_status judge(const pack_options *options, const pack_list *list, const pack_tally *tally) {
    if (tally->bad > 0 && !options->skip_bad)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %lld of %zu files are no good (named above); nothing was written",
                               options->src, (long long)tally->bad, list->n),
                       "remove or repair them, or leave them out with --skip-bad");
    if (tally->bad > 0)
        cs_log(CS_LOG_WARN, "%lld of %zu files left out (--skip-bad)", (long long)tally->bad, list->n);
    return pack_check_classes(list, tally->train);
}

/* Raw images without --size must have one size: that of the first file that is an image. */
static cs_status find_size(const pack_options *options, const pack_list *list, int *h, int *w) {
    cs_decoder *decoder = NULL;
    cs_status status = cs_decoder_open(&decoder);
    CS_TRY(status);
    for (size_t i = 0; i < list->n; i++) {
        status = pack_image_size(options, decoder, &list->items[i], h, w);
        if (status == CS_OK)
            break;
    }
    cs_decoder_close(decoder);
    return status;
}

static cs_status make_layout(const pack_options *options, const pack_list *list, cs_dataset_layout *layout) {
    *layout = (cs_dataset_layout){.encoding = options->encoding,
                                  .resize = options->resize,
                                  .h = options->size[1],
                                  .w = options->size[0],
                                  .classes = (const char *const *)list->classes,
                                  .n_classes = list->n_classes,
                                  .shard_bytes = options->shard_bytes};
    for (size_t i = 0; i < list->n; i++)
        layout->counts[list->items[i].split]++;
    if (layout->encoding == CS_ENCODING_RAW && layout->h == 0)
        return find_size(options, list, &layout->h, &layout->w);
    return CS_OK;
}

cs_status pack_run(const pack_options *options, const pack_list *list, const volatile sig_atomic_t *stop) {
    pipeline pipe = {.options = options, .list = list};
    cs_dataset_writer *writer = NULL;
    cs_progress *progress = NULL;
    pack_tally tally = {0};
    double started = cs_now();
    CS_TRY(make_layout(options, list, &pipe.layout));
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *tally.train, "class counts", &tally.train));
    cs_status status = pipeline_start(&pipe);
    if (status == CS_OK)
        status = cs_dataset_create(options->out, &pipe.layout, &writer);
    if (status == CS_OK)
        status = cs_progress_open("packing", "images", (int64_t)list->n, &progress);
    if (status == CS_OK)
        status = write_all(&pipe, writer, progress, stop, &tally);
    cs_progress_close(progress);
    pipeline_stop(&pipe);
    if (status == CS_OK)
        status = judge(options, list, &tally);
    if (status == CS_OK) {
        set_mean_std(&tally, writer);
        status = cs_dataset_commit(&writer);
    }
    cs_dataset_abort(&writer);
    free(tally.train);
    if (status == CS_OK)
        cs_log(CS_LOG_INFO, "packed %lld images in %.2f s", (long long)tally.good, cs_now() - started);
    return status;
}
