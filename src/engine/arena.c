/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdbool.h>
#include <stdlib.h>

static int larger_first(const void *a, const void *b) {
    const cs_piece *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->first - y->first;
}

/* Each piece, the largest first, at the lowest place where no piece that lives at the same time lies. */
size_t cs_arena_place(cs_piece *pieces, int n) {
    size_t total = 0;
    qsort(pieces, (size_t)n, sizeof *pieces, larger_first);
    for (int i = 0; i < n; i++) {
        cs_piece *mine = &pieces[i];
        bool moved = true;
        mine->offset = 0;
        while (moved) {
            moved = false;
            for (int k = 0; k < i; k++) {
                const cs_piece *other = &pieces[k];
                bool together = mine->first <= other->last && other->first <= mine->last;
                if (together && mine->offset < other->offset + other->size &&
                    other->offset < mine->offset + mine->size) {
                    mine->offset = other->offset + other->size;
                    moved = true;
                }
            }
        }
        if (mine->offset + mine->size > total)
            total = mine->offset + mine->size;
    }
    return total;
}
