/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

struct cs_feed {
    cs_loader *loader;
    cs_preprocess preprocess;
    cs_store *store; /* NULL: the loader makes floats */
    /* The samples in the store, each in the row of its index. NULL: only one batch is in it. */
    cs_row_set *held_samples;
    int64_t *rows;     /* [images] the store's row of each image of a batch */
    int64_t *new_rows; /* [images] the store's rows of the new images */
};

/* Is an image of the split read more than once? Not if the trunk cache keeps everything that is computed from it after
 * the first time. */
static bool reads_again(const cs_dataset *dataset, const cs_loader_config *config, bool again) {
    int64_t count = cs_dataset_count(dataset, config->split);
    bool cached = config->cached_rows && !config->all_images && cs_augment_variants(&config->augment) == 1 &&
                  cs_row_set_size(config->cached_rows) >= config->first_cache_row + count;
    return again && !cached;
}

/* Opens a store for all images of the split; leaves it NULL if there is not enough memory. */
static cs_status open_for_all(cs_feed *feed, cs_engine *engine, const cs_dataset *dataset, cs_split split,
                              cs_store_spec spec) {
    const double share = 0.25;
    spec.rows = cs_dataset_count(dataset, split);
    double bytes = (double)spec.rows * (double)spec.row_bytes;
    if (bytes > share * (double)cs_engine_free_bytes(engine))
        return CS_OK;
    cs_status status = cs_store_open(engine, &spec, &feed->store);
    if (status != CS_OK)
        return status == CS_ERR_NO_MEMORY ? CS_OK : status;
    cs_log(CS_LOG_INFO, "%s: %lld images stay in the device's memory (%.1f MB)", cs_split_name(split),
           (long long)spec.rows, bytes / 1e6);
    return cs_row_set_open(spec.rows, &feed->held_samples);
}

static cs_status open_store(cs_feed *feed, cs_engine *engine, const cs_dataset *dataset, bool again,
                            cs_loader_config *config) {
    const int images = cs_loader_part_images(config);
    const cs_store_spec spec = {.rows = images, .row_bytes = (size_t)config->h * (size_t)config->w * 3, .most = images};
    CS_TRY(cs_alloc((size_t)images, sizeof *feed->rows, "batch", &feed->rows));
    CS_TRY(cs_alloc((size_t)images, sizeof *feed->new_rows, "batch", &feed->new_rows));
    if (reads_again(dataset, config, again))
        CS_TRY(open_for_all(feed, engine, dataset, config->split, spec));
    if (!feed->store)
        CS_TRY(cs_store_open(engine, &spec, &feed->store));
    config->bytes = true;
    config->held_samples = feed->held_samples;
    return CS_OK;
}

/* Can the engine make the pictures of stored images? They must be as large as the network's input from the first step
 * to the last, no step may need the host, and a factor and an addend for each channel must be all that is done to them
 * then. */
static bool engine_makes_pictures(const cs_engine *engine, const cs_dataset *dataset, const cs_loader_config *config) {
    int h, w;
    cs_dataset_image_size(dataset, &h, &w);
    if (config->features || config->standardization || !cs_engine_has_stores(engine))
        return false;
    if (cs_augment_needs_host(&config->augment)) {
        cs_log(CS_LOG_INFO, "%s: the host augments the images, since one of the steps needs it",
               cs_split_name(config->split));
        return false;
    }
    return !cs_augment_resizes(&config->augment) || (!cs_filter_crops(&config->filter) && h == config->h &&
                                                     w == config->w && cs_augment_keeps_size(&config->augment, h, w));
}

cs_status cs_feed_open(cs_engine *engine, const cs_dataset *dataset, const cs_loader_config *config, bool again,
                       cs_feed **out) {
    cs_loader_config own = *config;
    cs_feed *feed = NULL;
    cs_status status;
    CS_TRY(cs_alloc(1, sizeof *feed, "feed", &feed));
    feed->preprocess.bgr = config->bgr;
    memcpy(feed->preprocess.multiply, config->multiply, sizeof config->multiply);
    memcpy(feed->preprocess.add, config->add, sizeof config->add);
    if (config->standardization && config->split == CS_SPLIT_TRAIN && cs_engine_has_stores(engine))
        cs_log(CS_LOG_INFO, "images are standardized by the CPU, as the device only scales and shifts their channels");
    if (engine_makes_pictures(engine, dataset, config))
        CS_TRY_GOTO(open_store(feed, engine, dataset, again, &own), failed);
    CS_TRY_GOTO(cs_loader_open(dataset, &own, &feed->loader), failed);
    *out = feed;
    return CS_OK;
failed:
    cs_feed_close(feed);
    return status;
}

void cs_feed_close(cs_feed *feed) {
    if (!feed)
        return;
    cs_loader_close(feed->loader);
    cs_store_close(feed->store);
    cs_row_set_close(feed->held_samples);
    free(feed->rows);
    free(feed->new_rows);
    free(feed);
}

cs_loader *cs_feed_loader(const cs_feed *feed) {
    return feed->loader;
}

/* Sends the images of the batch that the engine does not have yet, and records that it has them now. */
static cs_status send_new_images(cs_feed *feed, const cs_batch *batch) {
    for (int i = 0; i < batch->n_images + batch->n_partners; i++)
        feed->rows[i] = feed->held_samples ? batch->samples[cs_batch_row(batch, i)] : i;
    for (int i = 0; i < batch->n_new; i++)
        feed->new_rows[i] = feed->rows[batch->new_images[i]];
    CS_TRY(cs_store_put(feed->store, feed->new_rows, batch->bytes, batch->n_new));
    for (int i = 0; feed->held_samples && i < batch->n_new; i++)
        cs_row_set_add(feed->held_samples, feed->new_rows[i]);
    return CS_OK;
}

cs_status cs_feed_next(cs_feed *feed, cs_batch *batch) {
    CS_TRY(cs_loader_next(feed->loader, batch));
    return feed->store ? send_new_images(feed, batch) : CS_OK;
}

cs_status cs_feed_input(const cs_feed *feed, const cs_batch *batch, cs_program *program) {
    if (!feed->store)
        return cs_program_set_input(program, 0, batch->images, batch->n_images);
    const cs_pictures pictures = {.store = feed->store,
                                  .rows = feed->rows,
                                  .changes = batch->pictures,
                                  .preprocess = feed->preprocess,
                                  .mixed = batch->mixed,
                                  .partners = batch->partners,
                                  .n_partners = batch->n_partners};
    return cs_program_set_pictures(program, 0, &pictures, batch->n_images);
}
