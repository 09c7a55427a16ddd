/* SPDX-License-Identifier: Apache-2.0 */
#include "trunk.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

typedef struct trunk_link {
    cs_segment *segment;
    cs_program *program;
} trunk_link;

struct cs_trunk {
    trunk_link *links;
    int n;
    const cs_trunk_cache *cache;
};

static const trunk_link *find_link(const cs_trunk *trunk, int cut) {
    for (int i = 0; i < trunk->n; i++)
        if (trunk->links[i].segment->end == cut)
            return &trunk->links[i];
    return NULL;
}

static cs_status build_link(cs_engine *engine, const cs_graph *graph, const cs_params *params, int begin, int end,
                            int batch, cs_trunk *trunk) {
    trunk_link *next = &trunk->links[trunk->n];
    CS_TRY(cs_segment_create(graph, begin, end, &next->segment));
    cs_program_spec spec = {
        .segment = next->segment, .batch = batch, .mode = CS_MODE_INFER, .upstream = cs_trunk_at(trunk, begin)};
    trunk->n++;
    CS_TRY(cs_program_compile(engine, &spec, &next->program));
    return cs_program_load(next->program, CS_ARRAY_VALUE, params);
}

cs_status cs_trunk_build(cs_engine *engine, const cs_graph *graph, const cs_params *params, const int *cuts, int n,
                         int batch, const cs_trunk_cache *cache, cs_trunk **out) {
    cs_trunk *trunk;
    cs_status status;
    CS_TRY(cs_alloc(1, sizeof *trunk, "trunk", &trunk));
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof(trunk_link), "trunk", &trunk->links), failed);
    for (int i = 0; i < n; i++)
        CS_TRY_GOTO(build_link(engine, graph, params, i ? cuts[i - 1] : 0, cuts[i], batch, trunk), failed);
    trunk->cache = cache;
    *out = trunk;
    return CS_OK;
failed:
    cs_trunk_free(trunk);
    return status;
}

void cs_trunk_free(cs_trunk *trunk) {
    if (!trunk)
        return;
    for (int i = trunk->n - 1; i >= 0; i--) {
        cs_program_free(trunk->links[i].program);
        cs_segment_free(trunk->links[i].segment);
    }
    free(trunk->links);
    free(trunk);
}

static cs_status run_first_link(cs_trunk *trunk, const cs_feed *feed, const cs_batch *batch) {
    cs_program *program = trunk->links[0].program;
    if (batch->n_missing > 0) {
        CS_TRY(cs_feed_input(feed, batch, program));
        CS_TRY(cs_program_forward(program, batch->n_missing));
    }
    return batch->cache_rows ? cs_trunk_cache_complete(trunk->cache, batch, program) : CS_OK;
}

cs_status cs_trunk_forward(cs_trunk *trunk, int cut, const cs_feed *feed, const cs_batch *batch) {
    for (int i = 0; i < trunk->n && trunk->links[i].segment->end <= cut; i++)
        CS_TRY(i == 0 ? run_first_link(trunk, feed, batch) : cs_program_forward(trunk->links[i].program, batch->n));
    return CS_OK;
}

cs_program *cs_trunk_at(const cs_trunk *trunk, int cut) {
    const trunk_link *found = find_link(trunk, cut);
    return found ? found->program : NULL;
}

size_t cs_trunk_memory(const cs_trunk *trunk, int cut) {
    size_t bytes = 0;
    for (int i = 0; i < trunk->n && trunk->links[i].segment->end <= cut; i++)
        bytes += cs_program_memory(trunk->links[i].program);
    return bytes;
}
