/* SPDX-License-Identifier: Apache-2.0 */
/* One block of memory for pieces that are not all needed at the same time. */
#ifndef CNNSWEEP_ENGINE_ARENA_H
#define CNNSWEEP_ENGINE_ARENA_H

#include <stddef.h>

/* Needed in the steps [first, last] of a program; sizes and offsets are in whatever unit the caller counts. */
typedef struct cs_piece {
    void *owner;
    size_t size, offset;
    int first, last;
} cs_piece;

/* Gives every piece its offset and returns the size of the block. The pieces change places. */
size_t cs_arena_place(cs_piece *pieces, int n);

#endif
