/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch memory for filters. Memory is taken from one block, one array after another.
 * What does not fit gets blocks of its own, which the next filter has together as one. */
#include "filters.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BLOCKS = 32 };

struct cs_filter_scratch {
    uint8_t *block;
    size_t size, used;
    void *more[MOST_BLOCKS];
    int n_more;
    size_t more_size;
    int64_t not_found;
};

cs_status cs_filter_scratch_open(cs_filter_scratch **out) {
    return cs_alloc(1, sizeof **out, "filters", out);
}

static void free_more(cs_filter_scratch *scratch) {
    for (int i = 0; i < scratch->n_more; i++)
        free(scratch->more[i]);
    scratch->n_more = 0;
    scratch->more_size = 0;
}

void cs_filter_scratch_close(cs_filter_scratch *scratch) {
    if (!scratch)
        return;
    free_more(scratch);
    free(scratch->block);
    free(scratch);
}

void cs_scratch_reset(cs_filter_scratch *scratch) {
    size_t size = scratch->size + scratch->more_size;
    scratch->used = 0;
    if (scratch->n_more == 0)
        return;
    free_more(scratch);
    free(scratch->block);
    scratch->block = NULL;
    scratch->size = 0;
    if (cs_alloc_aligned(size, 1, "filters", &scratch->block) == CS_OK) /* else the arrays get blocks of their own */
        scratch->size = size;
}

cs_status cs_scratch_take(cs_filter_scratch *scratch, size_t n, size_t size, void *out) {
    size_t bytes = (n * size + CS_CACHE_LINE) / CS_CACHE_LINE * CS_CACHE_LINE;
    if (bytes <= scratch->size - scratch->used) {
        uint8_t *taken = scratch->block + scratch->used;
        memcpy(out, &taken, sizeof taken);
        scratch->used += bytes;
        return CS_OK;
    }
    if (scratch->n_more == MOST_BLOCKS)
        return cs_fail(CS_ERR_NO_MEMORY, "a filter takes more than %d arrays", MOST_BLOCKS);
    CS_TRY(cs_alloc_aligned(bytes, 1, "filters", &scratch->more[scratch->n_more]));
    memcpy(out, &scratch->more[scratch->n_more++], sizeof(void *));
    scratch->more_size += bytes;
    return CS_OK;
}

void cs_scratch_count_not_found(cs_filter_scratch *scratch) {
    scratch->not_found++;
}

int64_t cs_filter_not_found(const cs_filter_scratch *scratch) {
    return scratch->not_found;
}
