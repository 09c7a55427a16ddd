/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "feed.h"
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The values of a row do not depend on the batch size. */
enum { BATCH = 32 };

cs_status cs_check_stop(const volatile sig_atomic_t *stop) {
    if (stop && *stop)
        return cs_fail(CS_ERR_INTERRUPTED, "stopped on request");
    return CS_OK;
}

static cs_status check_base(const cs_base *base) {
    if (!cs_augment_is_off(&base->trial->augment))
        return cs_hint(cs_fail(CS_ERR_ARG, "train.mode features with the augmentation %s", base->trial->augment_name),
                       "features are computed once, from images as they are: use mode fine_tune");
    if (cs_trial_cut(base->graph) == 0)
        return cs_hint(cs_fail(CS_ERR_ARG,
                               "train.mode features, but fine_tune: %s leaves no layer frozen that has "
                               "parameters",
                               base->trial->fine_tune),
                       "use fine_tune: head");
    return CS_OK;
}

/* The checksum of the values of all parameters before `cut`: they identify the network better than the name of a
 * weights file, or a seed. */
static cs_status params_checksum(const cs_base *base, int cut, uint64_t *out) {
    cs_checksum_stream *stream = NULL;
    CS_TRY(cs_checksum_open(&stream));
    for (int i = 0; i < base->graph->n_params; i++) {
        const cs_param *param = &base->graph->params[i];
        if (param->layer < cut)
            cs_checksum_add(stream, base->params->data + param->offset, param->count * sizeof(float));
    }
    *out = cs_checksum_close(stream);
    return CS_OK;
}

/* Describes everything that the features depend on. Engines round differently, so that the features of two engines
 * differ in some bits. */
static cs_status describe_source(const cs_base *base, char *out, size_t size) {
    const cs_graph *graph = base->graph;
    const cs_shape *input = &graph->layers[0].out;
    const cs_filter_chain *filter = &base->trial->data.filter;
    int cut = cs_trial_cut(graph);
    uint64_t params;
    CS_TRY(params_checksum(base, cut, &params));
    return cs_path(out, size,
                   "dataset %016llx, %s%s%s; %s (%s), alpha %.9g, %dx%dx%d, input %s, %s; output of layer %d, %s; "
                   "parameters %016llx; engine %s",
                   (unsigned long long)cs_dataset_checksum(base->dataset),
                   cs_resize_name(cs_dataset_resize(base->dataset)), filter->n > 0 ? ", filter " : "",
                   filter->n > 0 ? cs_filter_text(filter) : "", graph->arch, cs_dialect_name(graph->dialect),
                   (double)base->trial->model.alpha, input->h, input->w, input->c,
                   cs_preprocess_name(graph->preprocess), base->trial->weights[0] ? "pretrained" : "initial values",
                   cut - 1, graph->layers[cut - 1].name, (unsigned long long)params, base->engine);
}

/* The folder is data.features, or one next to the dataset. */
static cs_status find_folder(const cs_data_config *data, char *out, size_t size) {
    const char *suffix = ".h5";
    if (data->features[0])
        return cs_path(out, size, "%s", data->features);
    size_t length = strlen(data->path), tail = strlen(suffix);
    while (length > 1 && data->path[length - 1] == '/')
        length--;
    if (length > tail && strncmp(data->path + length - tail, suffix, tail) == 0)
        length -= tail;
    return cs_path(out, size, "%.*s.features", (int)length, data->path);
}

/* The paths of a features file, and the description of its source. */
typedef struct features_name {
    char folder[CS_PATH_MAX], path[CS_PATH_MAX], lock[CS_PATH_MAX], source[CS_SOURCE_MAX];
} features_name;

static cs_status name_features(const cs_base *base, features_name *out) {
    CS_TRY(check_base(base));
    CS_TRY(describe_source(base, out->source, sizeof out->source));
    CS_TRY(find_folder(&base->trial->data, out->folder, sizeof out->folder));
    CS_TRY(cs_path(out->path, sizeof out->path, "%s/%s-%016llx.h5", out->folder, base->graph->arch,
                   (unsigned long long)cs_checksum(out->source, strlen(out->source))));
    return cs_path(out->lock, sizeof out->lock, "%s.lock", out->path);
}

/* An extraction in progress. */
typedef struct extraction {
    const cs_base *base;
    const volatile sig_atomic_t *stop;
    cs_segment *segment;
    cs_program *program;
    cs_features_writer *writer;
    cs_progress *progress;
    float *rows; /* [BATCH,width] */
} extraction;

static cs_status extract_batch(extraction *x, cs_split split, const cs_feed *feed, const cs_batch *batch) {
    CS_TRY(cs_feed_input(feed, batch, x->program));
    CS_TRY(cs_program_forward(x->program, batch->n));
    CS_TRY(cs_program_get_output(x->program, 0, x->rows, batch->n));
    CS_TRY(cs_features_append(x->writer, split, x->rows, batch->labels, batch->n));
    cs_progress_add(x->progress, batch->n);
    return cs_check_stop(x->stop);
}

static cs_status extract_split(extraction *x, cs_engine *engine, cs_split split) {
    cs_loader_config config = cs_trial_loader(x->base->trial, x->base->graph, split);
    cs_feed *feed = NULL;
    cs_status status;
    config.batch = BATCH;
    if (cs_dataset_count(x->base->dataset, split) == 0)
        return CS_OK;
    CS_TRY(cs_feed_open(engine, x->base->dataset, &config, false, &feed));
    CS_TRY_GOTO(cs_loader_start(cs_feed_loader(feed), 0, 0), done);
    for (int i = 0; i < cs_loader_batches(cs_feed_loader(feed)); i++) {
        cs_batch batch;
        CS_TRY_GOTO(cs_feed_next(feed, &batch), done);
        CS_TRY_GOTO(extract_batch(x, split, feed, &batch), done);
    }
done:
    cs_feed_close(feed);
    return status;
}

static cs_status run_extraction(extraction *x, cs_engine *engine, const features_name *name) {
    const cs_graph *graph = x->base->graph;
    int cut = cs_trial_cut(graph);
    size_t width = cs_shape_count(graph->layers[cut - 1].out);
    int64_t counts[CS_SPLIT_COUNT], total = 0;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        total += counts[split] = cs_dataset_count(x->base->dataset, split);
    CS_TRY(cs_segment_create(graph, 0, cut, &x->segment));
    cs_program_spec spec = {.segment = x->segment, .batch = BATCH, .mode = CS_MODE_INFER};
    CS_TRY(cs_program_compile(engine, &spec, &x->program));
    CS_TRY(cs_program_load(x->program, CS_ARRAY_VALUE, x->base->params));
    CS_TRY(cs_alloc_aligned(BATCH * width, sizeof(float), "features", &x->rows));
    CS_TRY(cs_features_create(name->path, name->source, (int)width, counts, &x->writer));
    CS_TRY(cs_progress_open("features", "images", total, &x->progress));
    double started = cs_now();
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        CS_TRY(extract_split(x, engine, split));
    CS_TRY(cs_features_commit(&x->writer));
    cs_log(CS_LOG_INFO, "%s: features of %lld images, %zu values each, computed in %.1f s", name->path,
           (long long)total, width, cs_now() - started);
    return CS_OK;
}

static cs_status compute(cs_engine *engine, const cs_base *base, const features_name *name,
                         const volatile sig_atomic_t *stop) {
    extraction x = {.base = base, .stop = stop};
    cs_status status = run_extraction(&x, engine, name);
    cs_progress_close(x.progress);
    cs_features_abort(&x.writer);
    cs_program_free(x.program);
    cs_segment_free(x.segment);
    free(x.rows);
    return status;
}

/* Returns when the file exists, or when this process holds the lock and must compute it. */
static cs_status find_or_lock(const features_name *name, const volatile sig_atomic_t *stop, cs_file_lock **lock) {
    const struct timespec pause = {.tv_nsec = 20000000L}; /* 20 ms */
    cs_status status = cs_folder_create(name->folder);
    if (status == CS_OK && !cs_file_exists(name->path))
        status = cs_file_lock_try(name->lock, lock);
    while (status == CS_OK && !*lock && !cs_file_exists(name->path)) {
        nanosleep(&pause, NULL);
        CS_TRY(cs_check_stop(stop));
        status = cs_file_lock_try(name->lock, lock);
    }
    return status == CS_OK ? CS_OK : cs_hint(status, "data.features names another folder for the features");
}

cs_status cs_extract(cs_engine *engine, const cs_base *base, const volatile sig_atomic_t *stop, cs_features **out) {
    features_name name;
    cs_file_lock *lock = NULL;
    CS_TRY(name_features(base, &name));
    CS_TRY(find_or_lock(&name, stop, &lock));
    cs_status status = CS_OK;
    if (lock && !cs_file_exists(name.path))
        status = compute(engine, base, &name, stop);
    cs_file_lock_release(lock);
    return status == CS_OK ? cs_features_open(name.path, name.source, out) : status;
}

cs_status cs_trial_check_features(const cs_trial_config *trial, const cs_dataset *dataset, const cs_graph *graph,
                                  const cs_params *params, const char *engine) {
    const cs_base base = {trial, dataset, graph, params, engine};
    cs_features *features = NULL;
    features_name name;
    if (trial->train.mode != CS_TRAIN_FEATURES)
        return CS_OK;
    CS_TRY(name_features(&base, &name));
    if (!cs_file_exists(name.path)) {
        cs_log(CS_LOG_INFO, "%s: features of layer %s, to be computed once", name.path,
               graph->layers[cs_trial_cut(graph) - 1].name);
        return CS_OK;
    }
    CS_TRY(cs_features_open(name.path, name.source, &features));
    cs_log(CS_LOG_INFO, "%s: features of layer %s, %d values an image, computed before", name.path,
           graph->layers[cs_trial_cut(graph) - 1].name, cs_features_width(features));
    cs_features_close(features);
    return CS_OK;
}
