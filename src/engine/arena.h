/* SPDX-License-Identifier: Apache-2.0 */
/* Places blocks of memory that are not all needed at the same time in one arena, so that they share its bytes. */
#ifndef CNNSWEEP_ENGINE_ARENA_H
#define CNNSWEEP_ENGINE_ARENA_H

#include <stddef.h>

/* A block of memory that a program needs in its steps [first, last]. The caller chooses the unit of sizes and offsets.
 */
typedef struct cs_arena_block {
    void *owner;
    size_t size, offset;
    int first, last;
} cs_arena_block;

/* Gives every block its offset in the arena and returns the size of the arena. Sorts the blocks. */
size_t cs_arena_place(cs_arena_block *blocks, int n);

#endif
