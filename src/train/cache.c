#include "cache.h"
#include "cnnsweep/log.h"

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

cs_status cs_trunk_cache_open(const cs_cache_limits *limits, const cs_dataset *dataset, const cs_augment *augment,
                              size_t width, cs_trunk_cache *cache) {
    int64_t slots = 0;
    for (int i = 0; i < CS_SPLIT_COUNT; i++) {
        int variants = order[i] == CS_SPLIT_TRAIN ? cs_augment_variants(augment) : 1;
        cache->first[order[i]] = slots;
        slots += cs_dataset_count(dataset, order[i]) * variants;
    }
    CS_TRY(cs_row_cache_open(limits, slots, width, &cache->rows));
    tell(cache, slots, width);
    return CS_OK;
}

void cs_trunk_cache_close(cs_trunk_cache *cache) {
    cs_row_cache_close(cache->rows);
    cache->rows = NULL;
}

void cs_trunk_cache_use(const cs_trunk_cache *cache, cs_loader_config *config) {
    int64_t first = cache->first[config->split];
    if (!cache->rows || cs_augment_variants(&config->augment) == 0 ||
        first >= cs_row_cache_in_memory(cache->rows) + cs_row_cache_in_file(cache->rows))
        return;
    config->cache = cache->rows;
    config->first_slot = first;
    config->whole = cache->whole;
}
