/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* Val and train come again every epoch, val with the fewer pictures; test when trials end at different times. */
static const cs_split order[CS_SPLIT_COUNT] = {CS_SPLIT_VAL, CS_SPLIT_TRAIN, CS_SPLIT_TEST};

static void tell(const cs_trunk_cache *cache, int64_t slots, size_t width) {
    int64_t in_memory = cs_row_cache_in_memory(cache->rows), in_file = cs_row_cache_in_file(cache->rows);
    double row_mb = (double)width * sizeof(float) / 1e6;
    cs_log(
        CS_LOG_INFO,
        "trunk cache: up to %lld rows of %zu values, %lld in memory (%.1f MB), %lld in a file (%.1f MB), %lld not kept",
        (long long)slots, width, (long long)in_memory, (double)in_memory * row_mb, (long long)in_file,
        (double)in_file * row_mb, (long long)(slots - in_memory - in_file));
}

static cs_status open_on_host(const cs_cache_limits *limits, int64_t slots, size_t width, int batch,
                              cs_trunk_cache *cache) {
    CS_TRY(cs_alloc_aligned((size_t)batch * width, sizeof(float), "trunk", &cache->made));
    CS_TRY(cs_row_cache_open(limits, slots, width, &cache->rows));
    tell(cache, slots, width);
    return CS_OK;
}

/* As many slots as the device gives: all that are allowed, else half of them, and so on. */
static cs_status open_at_engine(cs_engine *engine, const cs_cache_limits *limits, int64_t slots, size_t width,
                                int batch, cs_trunk_cache *cache) {
    cs_store_spec spec = {.row_bytes = width * cs_engine_value_bytes(engine)};
    size_t allowed = limits->memory / spec.row_bytes;
    int64_t places = allowed < (size_t)slots ? (int64_t)allowed : slots;
    for (; places > 0 && !cache->store; places /= 2) {
        spec.rows = places + batch;
        cs_status status = cs_store_open(engine, &spec, &cache->store);
        if (status == CS_OK)
            break;
        if (status != CS_ERR_NO_MEMORY)
            return status;
    }
    CS_TRY(cs_alloc((size_t)batch, sizeof *cache->places, "trunk", &cache->places));
    CS_TRY(cs_row_set_open(places, &cache->kept));
    cs_log(CS_LOG_INFO,
           "trunk cache: up to %lld rows of %zu values, %lld in the device's memory (%.1f MB), %lld not kept",
           (long long)slots, width, (long long)places, (double)places * (double)spec.row_bytes / 1e6,
           (long long)(slots - places));
    return CS_OK;
}

cs_status cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                              const cs_augment *augment, size_t width, int batch, cs_trunk_cache *cache) {
    int64_t slots = 0;
    for (int i = 0; i < CS_SPLIT_COUNT; i++) {
        int variants = order[i] == CS_SPLIT_TRAIN ? cs_augment_variants(augment) : 1;
        cache->first[order[i]] = slots;
        slots += cs_dataset_count(dataset, order[i]) * variants;
    }
    if (cs_engine_has_stores(engine))
        return open_at_engine(engine, limits, slots, width, batch, cache);
    return open_on_host(limits, slots, width, batch, cache);
}

void cs_trunk_cache_close(cs_trunk_cache *cache) {
    cs_row_cache_close(cache->rows);
    cs_store_close(cache->store);
    cs_row_set_close(cache->kept);
    free(cache->made);
    free(cache->places);
    *cache = (cs_trunk_cache){0};
}

void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config) {
    const cs_row_set *kept = cache->rows ? cs_row_cache_kept(cache->rows) : cache->kept;
    int64_t first = cache->first[config->split];
    if (!kept || cs_augment_variants(&config->augment) == 0 || first >= cs_row_set_size(kept))
        return;
    config->cache = cache->rows;
    config->kept = kept;
    config->first_slot = first;
    config->whole = cache->whole;
}

/* Puts what was made of the missing rows into the cache, and among the kept rows of the batch. */
static cs_status complete_on_host(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    size_t width = cs_row_cache_width(cache->rows);
    if (batch->missing > 0)
        CS_TRY(cs_program_get_output(program, 0, cache->made, batch->missing));
    for (int i = 0; i < batch->missing; i++) {
        const float *row = cache->made + (size_t)i * width;
        memcpy(batch->kept + (size_t)batch->places[i] * width, row, width * sizeof *row);
        cs_row_cache_put(cache->rows, batch->slots[batch->places[i]], row);
    }
    return batch->missing < batch->n ? cs_program_set_output(program, 0, batch->kept, batch->n) : CS_OK;
}

/* Where a row of the batch lies in the store. */
static int64_t place_of(const cs_trunk_cache *cache, const cs_batch *batch, int row) {
    int64_t places = cs_row_set_size(cache->kept), slot = batch->slots[row];
    return slot < places ? slot : places + row;
}

static cs_status complete_at_engine(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    for (int i = 0; i < batch->missing; i++)
        cache->places[i] = place_of(cache, batch, batch->places[i]);
    if (batch->missing > 0)
        CS_TRY(cs_program_keep_output(program, 0, cache->store, cache->places, batch->missing));
    for (int i = 0; i < batch->missing; i++)
        cs_row_set_add(cache->kept, batch->slots[batch->places[i]]);
    if (batch->missing == batch->n)
        return CS_OK;
    for (int i = 0; i < batch->n; i++)
        cache->places[i] = place_of(cache, batch, i);
    return cs_program_use_output(program, 0, cache->store, cache->places, batch->n);
}

cs_status cs_trunk_cache_complete(const cs_trunk_cache *cache, const cs_batch *batch, cs_program *program) {
    return (cache->store ? complete_at_engine : complete_on_host)(cache, batch, program);
}
