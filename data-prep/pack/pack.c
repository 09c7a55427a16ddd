/* SPDX-License-Identifier: Apache-2.0 */
/* The packing pipeline. Threads decode images into a ring buffer, and the thread that finishes the oldest image writes
 * all images that are ready, in order. The ring bounds the memory; the order makes the dataset the same for any number
 * of threads. */
#include "image.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_PER_THREAD = 4, BAD_NAMED = 20 };

typedef struct ring_entry {
    packed_image image;
    cs_status code;
    cs_error error; /* when code is not CS_OK: the error, to be raised in the thread that writes */
    bool ready;
} ring_entry;

typedef struct pipeline {
    pack_search *search;
    pack_sample *samples;
    size_t n;
    cs_dataset_layout layout;
    char decode[CS_DECODE_TEXT]; /* the layout points to it */
    pack_hash *hashes;           /* [n] filled by the threads; NULL: not wanted */

    /* Used only by the thread that writes. */
    cs_dataset_writer *writer; /* NULL: the images are only checked */
    cs_pixel_sums sums;
    int64_t not_found;       /* images in which a filter found no region */
    cs_decode_counts counts; /* images that rules of decoding were about */

    /* Shared, under `lock`. */
    pthread_mutex_t lock;
    pthread_cond_t space;
    ring_entry *ring; /* [capacity] sample i uses entry i % capacity */
    size_t capacity;
    size_t next;    /* index of the sample that the next free thread takes */
    size_t written; /* samples that were written or found to be bad */
    bool writing;   /* a thread is writing */
    cs_status status;
    cs_error error; /* when status is not CS_OK */
} pipeline;

typedef struct worker {
    pipeline *pipe;
    pack_tools tools;
    pthread_t thread;
    bool running;
} worker;

static bool is_bad_file(cs_status code) {
    return code == CS_ERR_FORMAT || code == CS_ERR_IO;
}

static void name_bad_file(pack_sample *sample, pack_search *search) {
    sample->bad = true;
    search->bad++;
    cs_log(search->bad <= BAD_NAMED ? CS_LOG_WARN : CS_LOG_DEBUG, cs_error_last()->hint[0] ? "%s: %s" : "%s",
           cs_error_last()->text, cs_error_last()->hint);
    if (search->bad == BAD_NAMED + 1)
        cs_log(CS_LOG_WARN, "more bad images follow; they are counted, and --bad-list FILE names all");
}

/* The pass makes hashes only. */
static bool is_hashing(const pipeline *pipe) {
    return pipe->hashes && !pipe->writer;
}

static cs_status write_sample(pipeline *pipe, pack_sample *sample, const ring_entry *entry) {
    pack_search *search = pipe->search;
    if (*search->stop)
        return cs_fail(CS_ERR_INTERRUPTED, "%s: interrupted; nothing was written", search->options->out);
    if (entry->code != CS_OK) {
        cs_status code = cs_error_restore(&entry->error);
        if (!is_bad_file(code) || sample->stored)
            return code;
        if (is_hashing(pipe))
            return CS_OK; /* the pass that packs will name it */
        name_bad_file(sample, search);
        return CS_OK;
    }
    const packed_image *image = &entry->image;
    if (!pipe->writer || search->bad > 0)
        return CS_OK; /* no dataset will be made; the other images are decoded only to name the bad ones */
    const cs_dataset_sample stored = {.split = sample->split,
                                      .label = sample->label,
                                      .weight = sample->weight,
                                      .id = sample->id,
                                      .group = sample->group};
    const uint64_t times = 1 + (uint64_t)sample->repeats;
    for (uint64_t i = 0; i < times; i++)
        CS_TRY(cs_dataset_append_sample(pipe->writer, &stored, image->bytes, image->size));
    if (sample->split != CS_SPLIT_TRAIN)
        return CS_OK;
    pipe->sums.pixels += times * image->sums.pixels;
    for (int c = 0; c < 3; c++) {
        pipe->sums.sum[c] += times * image->sums.sum[c];
        pipe->sums.square[c] += times * image->sums.square[c];
    }
    return CS_OK;
}

/* Writes the next samples in the order, as many as are ready. The lock is held at the call and at the return. */
static void write_ready(pipeline *pipe) {
    pipe->writing = true;
    while (pipe->status == CS_OK && pipe->ring[pipe->written % pipe->capacity].ready) {
        ring_entry *entry = &pipe->ring[pipe->written % pipe->capacity];
        pack_sample *sample = &pipe->samples[pipe->written];
        pthread_mutex_unlock(&pipe->lock);
        cs_status status = write_sample(pipe, sample, entry);
        cs_progress_add(pipe->search->progress, 1);
        pthread_mutex_lock(&pipe->lock);
        if (status != CS_OK) {
            pipe->status = status;
            pipe->error = *cs_error_last();
        }
        entry->ready = false;
        pipe->written++;
        pthread_cond_broadcast(&pipe->space);
    }
    pipe->writing = false;
}

static cs_status take_sample(const pipeline *pipe, pack_tools *tools, size_t i, packed_image *image) {
    const pack_options *options = pipe->search->options;
    const pack_sample *sample = &pipe->samples[i];
    if (pipe->writer)
        return pack_image(options, &pipe->layout, tools, sample, image, &pipe->hashes[i]);
    if (is_hashing(pipe))
        return pack_hash_sample(options, tools, sample, &image->content, &pipe->hashes[i]);
    return pack_decode(options, tools, sample, &image->content);
}

static void *pack_samples(void *argument) {
    worker *self = argument;
    pipeline *pipe = self->pipe;
    pthread_mutex_lock(&pipe->lock);
    while (pipe->status == CS_OK && pipe->next < pipe->n) {
        size_t i = pipe->next++;
        while (pipe->status == CS_OK && i - pipe->written >= pipe->capacity)
            pthread_cond_wait(&pipe->space, &pipe->lock);
        if (pipe->status != CS_OK)
            break;
        pthread_mutex_unlock(&pipe->lock);
        ring_entry *entry = &pipe->ring[i % pipe->capacity];
        entry->code = take_sample(pipe, &self->tools, i, &entry->image);
        if (entry->code != CS_OK)
            entry->error = *cs_error_last();
        pthread_mutex_lock(&pipe->lock);
        entry->ready = true;
        if (!pipe->writing)
            write_ready(pipe);
    }
    pthread_mutex_unlock(&pipe->lock);
    return NULL;
}

static cs_status start_workers(pipeline *pipe, worker *workers, int n) {
    for (int i = 0; i < n; i++) {
        workers[i].pipe = pipe;
        CS_TRY(pack_tools_open(pipe->search->options, &workers[i].tools));
        int code = pthread_create(&workers[i].thread, NULL, pack_samples, &workers[i]);
        if (code != 0)
            return cs_hint(cs_fail(CS_ERR_NO_MEMORY, "cannot start thread %d: %s", i + 1, strerror(code)),
                           "--threads asks for fewer");
        workers[i].running = true;
    }
    return CS_OK;
}

static void add_counts(pipeline *pipe, const pack_tools *tools) {
    if (!tools->filters)
        return;
    pipe->not_found += cs_filter_not_found(tools->filters);
    const cs_decode_counts counts = cs_decoder_counts(tools->decoder);
    pipe->counts.depth16 += counts.depth16;
    pipe->counts.turned += counts.turned;
}

/* Sends every sample through the pipeline. The first failure stops all threads, and its error becomes that of the
 * caller's thread. */
static cs_status run_workers(pipeline *pipe) {
    worker *workers = NULL;
    int n = pipe->search->options->threads;
    CS_TRY(cs_alloc((size_t)n, sizeof *workers, "threads", &workers));
    cs_status status = start_workers(pipe, workers, n);
    pthread_mutex_lock(&pipe->lock);
    if (status != CS_OK && pipe->status == CS_OK) {
        pipe->status = status;
        pipe->error = *cs_error_last();
    }
    pthread_mutex_unlock(&pipe->lock);
    for (int i = 0; i < n; i++) {
        if (workers[i].running)
            pthread_join(workers[i].thread, NULL);
        add_counts(pipe, &workers[i].tools);
        pack_tools_close(&workers[i].tools);
    }
    free(workers);
    return pipe->status == CS_OK ? CS_OK : cs_error_restore(&pipe->error);
}

static cs_status decode_first(const pack_options *options, const pack_list *list, pack_tools *tools,
                              pack_content *content) {
    cs_status status = CS_OK;
    for (size_t i = 0; i < list->n; i++) {
        status = pack_decode(options, tools, &list->samples[i], content);
        if (!is_bad_file(status))
            break;
    }
    return status == CS_OK ? cs_filter_apply(&options->filter, tools->filters, &tools->image) : status;
}

cs_status pack_find_size(const pack_options *options, const pack_list *list, int *h, int *w) {
    pack_tools tools = {0};
    pack_content content = {0};
    cs_status status = pack_tools_open(options, &tools);
    if (status == CS_OK)
        status = decode_first(options, list, &tools, &content);
    *h = tools.image.h;
    *w = tools.image.w;
    pack_content_clear(&content);
    pack_tools_close(&tools);
    return status;
}

static cs_status make_layout(const pack_options *options, const pack_list *list, const char *decode,
                             cs_dataset_layout *layout) {
    *layout = (cs_dataset_layout){.encoding = options->encoding,
                                  .resize = options->resize,
                                  .h = options->size[1],
                                  .w = options->size[0],
                                  .replace = options->force,
                                  .filter = options->filter.n > 0 ? options->filter.text : NULL,
                                  .decode = decode,
                                  .classes = (const char *const *)list->classes,
                                  .n_classes = list->n_classes,
                                  .source_classes = list->source_classes,
                                  .source_counts = list->source_counts,
                                  .shard_bytes = options->shard_bytes,
                                  .weighted = list->weighted,
                                  .grouped = list->grouped};
    for (size_t i = 0; i < list->n; i++)
        layout->counts[list->samples[i].split] += 1 + list->samples[i].repeats;
    if (layout->encoding == CS_ENCODING_RAW && layout->h == 0)
        return pack_find_size(options, list, &layout->h, &layout->w);
    return CS_OK;
}

/* Writes the names of the filters that the images went through before, and then of those of this run. */
static cs_status join_filters(const pack_options *options, const pack_list *list, char out[CS_FILTER_TEXT]) {
    const char *now = cs_filter_text(&options->filter);
    if (!list->filter || strcmp(list->filter, "none") == 0)
        return cs_path(out, CS_FILTER_TEXT, "%s", now);
    if (options->filter.n == 0)
        return cs_path(out, CS_FILTER_TEXT, "%s", list->filter);
    return cs_path(out, CS_FILTER_TEXT, "%s,%s", list->filter, now);
}

static cs_status create_dataset(const pack_options *options, const pack_list *list, pipeline *pipe) {
    char path[CS_PATH_MAX], filters[CS_FILTER_TEXT];
    cs_decode_rules_text(&options->decode, pipe->decode);
    CS_TRY(make_layout(options, list, pipe->decode, &pipe->layout));
    if (options->part.count)
        CS_TRY(cs_dataset_part_path(options->out, options->part.index, path, sizeof path));
    else
        CS_TRY(cs_path(path, sizeof path, "%s", options->out));
    cs_dataset_layout stored = pipe->layout;
    CS_TRY(join_filters(options, list, filters));
    stored.filter = filters;
    if (list->decode)
        stored.decode = list->decode;
    return cs_dataset_create(path, &stored, &pipe->writer);
}

static cs_status run_pipeline(pipeline *pipe) {
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->space, NULL);
    pipe->capacity = (size_t)pipe->search->options->threads * ENTRIES_PER_THREAD;
    cs_status status = cs_alloc(pipe->capacity, sizeof *pipe->ring, "ring of images", &pipe->ring);
    if (status == CS_OK)
        status = run_workers(pipe);
    for (size_t i = 0; pipe->ring && i < pipe->capacity; i++)
        packed_image_clear(&pipe->ring[i].image);
    free(pipe->ring);
    pthread_cond_destroy(&pipe->space);
    pthread_mutex_destroy(&pipe->lock);
    return status;
}

cs_status pack_check_images(pack_search *search, pack_sample *samples, size_t n) {
    pipeline pipe = {.search = search, .samples = samples, .n = n};
    return run_pipeline(&pipe);
}

cs_status pack_hash_images(pack_search *search, pack_list *list, pack_hash *hashes) {
    pipeline pipe = {.search = search, .samples = list->samples, .n = list->n, .hashes = hashes};
    return run_pipeline(&pipe);
}

/* Says which images could have been decoded otherwise. */
static void report_choices(const pack_options *options, const cs_decode_counts *counts) {
    static const char *const depths[CS_DEPTH16_COUNT] = {
        "the high byte is kept (--depth16 clip or scale suits values that use a part of the range)",
        "those above 255 become 255 (--depth16)", "the range of each image becomes 0 to 255 (--depth16)"};
    const bool high_byte = options->decode.depth16 == CS_DEPTH16_HIGH_BYTE;
    if (counts->depth16 > 0)
        cs_log(high_byte ? CS_LOG_WARN : CS_LOG_INFO, "values of 16 bits in %lld image%s: %s",
               (long long)counts->depth16, counts->depth16 == 1 ? "" : "s", depths[options->decode.depth16]);
    if (counts->turned > 0)
        cs_log(CS_LOG_INFO, "EXIF orientations in %lld image%s: %s", (long long)counts->turned,
               counts->turned == 1 ? "" : "s",
               options->decode.exif ? "applied (--exif)"
                                    : "ignored, as Keras and torchvision do (--exif apply turns the images)");
}

static cs_status finish(const pack_options *options, const pack_list *list, pipeline *pipe) {
    cs_dataset_part part = options->part;
    cs_duplicate_counts duplicates;
    double mean[3] = {0}, std[3] = {0};
    if (pipe->not_found > 0)
        cs_log(CS_LOG_WARN, "%s found no region %lld times and left the image as it was",
               cs_filter_text(&options->filter), (long long)pipe->not_found);
    report_choices(options, &pipe->counts);
    if (part.count) { /* joining the parts sets mean and std */
        CS_TRY(pack_keep_hashes(options, list, pipe->hashes));
        part.sums = pipe->sums;
        return cs_dataset_commit_part(&pipe->writer, &part);
    }
    CS_TRY(pack_report_duplicates(options, list, pipe->hashes, pipe->search->stop, &duplicates));
    cs_dataset_set_duplicates(pipe->writer, &duplicates);
    cs_pixel_mean_std(&pipe->sums, mean, std);
    cs_dataset_set_mean_std(pipe->writer, mean, std);
    return cs_dataset_commit(&pipe->writer);
}

/* Packs all images in one pass. *bad files were found to be bad, and if there are any, nothing was written. */
static cs_status pack_once(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop,
                           int64_t *bad) {
    pack_search search = {.options = options, .stop = stop};
    pipeline pipe = {.search = &search, .samples = list->samples, .n = list->n};
    cs_status status = cs_alloc(list->n, sizeof *pipe.hashes, "hashes", &pipe.hashes);
    if (status == CS_OK)
        status = create_dataset(options, list, &pipe);
    if (status == CS_OK)
        status = cs_progress_open("packing", "images", (int64_t)list->n, &search.progress);
    if (status == CS_OK)
        status = run_pipeline(&pipe);
    cs_progress_close(search.progress);
    *bad = search.bad;
    if (status == CS_OK && *bad == 0)
        status = finish(options, list, &pipe);
    cs_dataset_abort(&pipe.writer);
    free(pipe.hashes);
    return status;
}

static size_t count_new(const pack_list *list) {
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += !list->samples[i].stored;
    return n;
}

cs_status pack_run(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop) {
    int64_t bad = 0;
    CS_TRY(pack_once(options, list, stop, &bad));
    if (!options->part.count || !options->skip_bad) /* else the list of all parts was written before */
        CS_TRY(pack_list_bad(options, list));
    if (bad > 0 && !options->skip_bad)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %lld of %zu files are no good (%s); nothing was written",
                               options->input.path, (long long)bad, count_new(list),
                               bad <= BAD_NAMED ? "named above" : "--bad-list FILE names all"),
                       "remove or repair them, or leave them out with --skip-bad");
    if (bad > 0 && !options->part.count) { /* with parts, the bad ones were left out before */
        CS_TRY(pack_leave_out(options, list));
        CS_TRY(pack_once(options, list, stop, &bad));
    }
    if (bad > 0)
        return cs_hint(
            cs_fail(CS_ERR_IO, "%s: files went bad while they were packed; nothing was written", options->input.path),
            "is another program writing to them? with --part: remove %s.parts and pack every part again", options->out);
    double seconds = cs_now() - options->started;
    const int64_t images = pack_list_images(list);
    cs_log(CS_LOG_INFO, "packed %lld images in %.3f s (%.0f images/s)", (long long)images, seconds,
           (double)images / seconds);
    return CS_OK;
}
