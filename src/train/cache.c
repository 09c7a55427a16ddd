/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are read most often come first: val and train are read in every epoch, and val has fewer variants; test is
 * read again only when trials end at different times. */
static const cs_split order[CS_SPLIT_COUNT] = {CS_SPLIT_VAL, CS_SPLIT_TRAIN, CS_SPLIT_TEST};

static void log_sizes(const cs_trunk_cache *cache, int64_t n_rows, size_t width) {
    int64_t in_memory = cs_row_cache_in_memory(cache->row_cache), in_file = cs_row_cache_in_file(cache->row_cache);
    double row_mb = (double)width * sizeof(float) / 1e6;
    cs_log(CS_LOG_INFO,
           "trunk cache: up to %lld rows of %zu values, %lld in memory (%.1f MB), %lld in a file (%.1f MB), "
           "%lld not cached",
           (long long)n_rows, width, (long long)in_memory, (double)in_memory * row_mb, (long long)in_file,
           (double)in_file * row_mb, (long long)(n_rows - in_memory - in_file));
}

static cs_status open_on_host(const cs_cache_limits *limits, int64_t n_rows, size_t width, int batch,
                              cs_trunk_cache *cache) {
    CS_TRY(cs_alloc_aligned((size_t)batch * width, sizeof(float), "trunk", &cache->outputs));
    CS_TRY(cs_row_cache_open(limits, n_rows, width, &cache->row_cache));
    log_sizes(cache, n_rows, width);
    return CS_OK;
}

/* Caches as many rows as the device has memory for: tries all that the limit allows, then half of them, and so on. */
static cs_status open_in_store(cs_engine *engine, const cs_cache_limits *limits, int64_t n_rows, size_t width,
                               int batch, cs_trunk_cache *cache) {
    cs_store_spec spec = {.row_bytes = width * cs_engine_value_bytes(engine)};
    size_t allowed = limits->memory / spec.row_bytes;
    int64_t n_cached = allowed < (size_t)n_rows ? (int64_t)allowed : n_rows;
    for (; n_cached > 0 && !cache->store; n_cached /= 2) {
        spec.rows = n_cached + batch;
        cs_status status = cs_store_open(engine, &spec, &cache->store);
        if (status == CS_OK)
            break;
        if (status != CS_ERR_NO_MEMORY)
            return status;
    }
    CS_TRY(cs_alloc((size_t)batch, sizeof *cache->store_rows, "trunk", &cache->store_rows));
    CS_TRY(cs_row_set_open(n_cached, &cache->cached_rows));
    cs_log(CS_LOG_INFO,
           "trunk cache: up to %lld rows of %zu values, %lld in the device's memory (%.1f MB), %lld not cached",
           (long long)n_rows, width, (long long)n_cached, (double)n_cached * (double)spec.row_bytes / 1e6,
           (long long)(n_rows - n_cached));
    return CS_OK;
}

cs_status cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                              const cs_trial_config *trial, size_t width, int batch, cs_trunk_cache *cache) {
    int64_t n_rows = 0;
    for (int i = 0; i < CS_SPLIT_COUNT; i++) {
        int variants = cs_augment_variants(cs_trial_augment(trial, order[i]));
        cache->first[order[i]] = n_rows;
        n_rows += cs_dataset_count(dataset, order[i]) * variants;
    }
    if (cs_engine_has_stores(engine))
        return open_in_store(engine, limits, n_rows, width, batch, cache);
    return open_on_host(limits, n_rows, width, batch, cache);
}

void cs_trunk_cache_close(cs_trunk_cache *cache) {
    cs_row_cache_close(cache->row_cache);
    cs_store_close(cache->store);
    cs_row_set_close(cache->cached_rows);
    free(cache->outputs);
    free(cache->store_rows);
    *cache = (cs_trunk_cache){0};
}

void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config) {
    const cs_row_set *cached_rows = cache->row_cache ? cs_row_cache_cached_rows(cache->row_cache) : cache->cached_rows;
    int64_t first = cache->first[config->split];
    if (!cached_rows || cs_augment_variants(&config->augment) == 0 || first >= cs_row_set_size(cached_rows))
        return;
    config->cache = cache->row_cache;
    config->cached_rows = cached_rows;
    config->first_cache_row = first;
    config->all_images = cache->all_images;
}

/* Copies the outputs of the missing rows into the cache and into the batch, beside the rows that were cached before. */
static cs_status complete_on_host(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    size_t width = cs_row_cache_width(cache->row_cache);
    if (batch->n_missing > 0)
        CS_TRY(cs_program_get_output(program, 0, cache->outputs, batch->n_missing));
    for (int i = 0; i < batch->n_missing; i++) {
        const float *row = cache->outputs + (size_t)i * width;
        memcpy(batch->cached_values + (size_t)batch->missing_rows[i] * width, row, width * sizeof *row);
        cs_row_cache_put(cache->row_cache, batch->cache_rows[batch->missing_rows[i]], row);
    }
    return batch->n_missing < batch->n ? cs_program_set_output(program, 0, batch->cached_values, batch->n) : CS_OK;
}

/* The store's row for a row of the batch. */
static int64_t store_row_of(const cs_trunk_cache *cache, const cs_batch *batch, int row) {
    int64_t n_cached = cs_row_set_size(cache->cached_rows), number = batch->cache_rows[row];
    return number < n_cached ? number : n_cached + row;
}

static cs_status complete_in_store(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    for (int i = 0; i < batch->n_missing; i++)
        cache->store_rows[i] = store_row_of(cache, batch, batch->missing_rows[i]);
    if (batch->n_missing > 0)
        CS_TRY(cs_program_keep_output(program, 0, cache->store, cache->store_rows, batch->n_missing));
    for (int i = 0; i < batch->n_missing; i++)
        cs_row_set_add(cache->cached_rows, batch->cache_rows[batch->missing_rows[i]]);
    if (batch->n_missing == batch->n)
        return CS_OK;
    for (int i = 0; i < batch->n; i++)
        cache->store_rows[i] = store_row_of(cache, batch, i);
    return cs_program_use_output(program, 0, cache->store, cache->store_rows, batch->n);
}

cs_status cs_trunk_cache_complete(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    return (cache->store ? complete_in_store : complete_on_host)(cache, batch, program);
}
