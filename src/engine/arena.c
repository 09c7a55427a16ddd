/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdbool.h>
#include <stdlib.h>

static int larger_first(const void *a, const void *b) {
    const cs_arena_block *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->first - y->first;
}

/* Places the largest blocks first, each at the lowest offset at which it overlaps no block of the same time. */
size_t cs_arena_place(cs_arena_block *blocks, int n) {
    size_t total = 0;
    qsort(blocks, (size_t)n, sizeof *blocks, larger_first);
    for (int i = 0; i < n; i++) {
        cs_arena_block *block = &blocks[i];
        bool moved = true;
        block->offset = 0;
        while (moved) {
            moved = false;
            for (int k = 0; k < i; k++) {
                const cs_arena_block *other = &blocks[k];
                bool same_time = block->first <= other->last && other->first <= block->last;
                if (same_time && block->offset < other->offset + other->size &&
                    other->offset < block->offset + block->size) {
                    block->offset = other->offset + other->size;
                    moved = true;
                }
            }
        }
        if (block->offset + block->size > total)
            total = block->offset + block->size;
    }
    return total;
}
