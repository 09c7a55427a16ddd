/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "feed.h"
#include "kept.h"
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values of a row do not depend on the batch size. */
enum { BATCH = 32 };

static cs_status check_base(const cs_base *base) {
    if (!cs_augment_keeps_images(&base->trial->augment))
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

/* Does what the images are standardized by depend on which of them train? */
static bool depends_on_train(const cs_trial_config *trial) {
    const cs_standardize settings = cs_augment_standardize(&trial->augment, false);
    return settings.featurewise_center || settings.zca;
}

/* The features of all images of a dataset serve all of its folds, if they can. */
static const cs_dataset *extracted(const cs_base *base) {
    return depends_on_train(base->trial) ? base->dataset : cs_dataset_stored(base->dataset);
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
    const cs_standardize standardize = cs_augment_standardize(&base->trial->augment, false);
    int cut = cs_trial_cut(graph);
    char text[CS_STANDARDIZE_TEXT], resize[CS_RESIZE_TEXT];
    uint64_t params;
    CS_TRY(params_checksum(base, cut, &params));
    cs_standardize_text(&standardize, text, sizeof text);
    return cs_path(out, size,
                   "dataset %016llx, %s%s%s; %s (%s), alpha %.9g, %dx%dx%d, input %s, %s; output of layer %d, %s; "
                   "parameters %016llx; engine %s",
                   (unsigned long long)cs_dataset_checksum(extracted(base)),
                   cs_resize_text(cs_dataset_resize(base->dataset), resize), filter->n > 0 ? ", filter " : "",
                   filter->n > 0 ? cs_filter_text(filter) : "", graph->arch, cs_dialect_name(graph->dialect),
                   (double)base->trial->model.alpha, input->h, input->w, input->c,
                   text[0] ? text : cs_preprocess_name(graph->preprocess),
                   base->trial->weights[0] ? "pretrained" : "initial values", cut - 1, graph->layers[cut - 1].name,
                   (unsigned long long)params, base->engine);
}

static cs_status name_features(const cs_base *base, cs_kept *out) {
    CS_TRY(check_base(base));
    CS_TRY(describe_source(base, out->source, sizeof out->source));
    return cs_kept_name(&base->trial->data, base->graph->arch, out);
}

/* An extraction in progress. */
typedef struct extraction {
    cs_engine *engine;
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

static cs_status extract_split(extraction *x, cs_split split) {
    cs_loader_config config = cs_trial_loader(x->base->trial, x->base->graph, x->base->standardization, split);
    cs_feed *feed = NULL;
    cs_status status;
    config.batch = BATCH;
    if (cs_dataset_count(extracted(x->base), split) == 0)
        return CS_OK;
    CS_TRY(cs_feed_open(x->engine, extracted(x->base), &config, false, &feed));
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

static cs_status run_extraction(extraction *x, const cs_kept *kept) {
    const cs_graph *graph = x->base->graph;
    int cut = cs_trial_cut(graph);
    size_t width = cs_shape_count(graph->layers[cut - 1].out);
    int64_t counts[CS_SPLIT_COUNT], total = 0;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        total += counts[split] = cs_dataset_count(extracted(x->base), split);
    CS_TRY(cs_segment_create(graph, 0, cut, &x->segment));
    cs_program_spec spec = {.segment = x->segment, .batch = BATCH, .mode = CS_MODE_INFER};
    CS_TRY(cs_program_compile(x->engine, &spec, &x->program));
    CS_TRY(cs_program_load(x->program, CS_ARRAY_VALUE, x->base->params));
    CS_TRY(cs_alloc_aligned(BATCH * width, sizeof(float), "features", &x->rows));
    CS_TRY(cs_features_create(kept->path, kept->source, (int)width, counts, &x->writer));
    CS_TRY(cs_progress_open("features", "images", total, &x->progress));
    double started = cs_now();
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        CS_TRY(extract_split(x, split));
    CS_TRY(cs_features_commit(&x->writer));
    cs_log(CS_LOG_INFO, "%s: features of %lld images, %zu values each, computed in %.1f s", kept->path,
           (long long)total, width, cs_now() - started);
    return CS_OK;
}

static cs_status compute(void *context, const cs_kept *kept) {
    extraction *x = context;
    cs_status status = run_extraction(x, kept);
    cs_progress_close(x->progress);
    cs_features_abort(&x->writer);
    cs_program_free(x->program);
    cs_segment_free(x->segment);
    free(x->rows);
    return status;
}

cs_status cs_extract(cs_engine *engine, const cs_base *base, const volatile sig_atomic_t *stop, cs_features **out) {
    extraction x = {.engine = engine, .base = base, .stop = stop};
    cs_kept kept;
    CS_TRY(name_features(base, &kept));
    CS_TRY(cs_kept_open(&kept, stop, compute, &x, out));
    if (extracted(base) != base->dataset)
        cs_features_view(*out, base->dataset);
    return CS_OK;
}

cs_status cs_trial_check_features(const cs_trial_config *trial, const cs_dataset *dataset, const cs_graph *graph,
                                  const cs_params *params, const char *engine) {
    const cs_base base = {.trial = trial, .dataset = dataset, .graph = graph, .params = params, .engine = engine};
    cs_features *features = NULL;
    cs_kept kept;
    if (trial->train.mode != CS_TRAIN_FEATURES || (trial->data.fold.count > 0 && depends_on_train(trial)))
        return CS_OK;
    CS_TRY(name_features(&base, &kept));
    if (!cs_file_exists(kept.path)) {
        cs_log(CS_LOG_INFO, "%s: features of layer %s, to be computed once", kept.path,
               graph->layers[cs_trial_cut(graph) - 1].name);
        return CS_OK;
    }
    CS_TRY(cs_features_open(kept.path, kept.source, &features));
    cs_log(CS_LOG_INFO, "%s: features of layer %s, %d values an image, computed before", kept.path,
           graph->layers[cs_trial_cut(graph) - 1].name, cs_features_width(features));
    cs_features_close(features);
    return CS_OK;
}
