/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of floats that are expensive to make, kept by number: the first numbers in memory, the next ones in a nameless
 * file of a folder, the rest not at all. */
#ifndef CNNSWEEP_ROW_CACHE_H
#define CNNSWEEP_ROW_CACHE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Where rows may be kept. All 0: nowhere. */
typedef struct cs_cache_limits {
    size_t memory;      /* bytes */
    size_t disk;        /* bytes of a file in `folder` */
    const char *folder; /* on a local disk */
} cs_cache_limits;

/* Which of a number of rows are kept somewhere. One thread may add while others ask: who is told that a row is there
 * finds what was written before it was added. */
typedef struct cs_row_set cs_row_set;
CS_MUST_CHECK cs_status cs_row_set_open(int64_t rows, cs_row_set **out);
void cs_row_set_close(cs_row_set *set);                  /* NULL-safe */
int64_t cs_row_set_size(const cs_row_set *set);          /* rows */
bool cs_row_set_has(const cs_row_set *set, int64_t row); /* false for one that is not among them */
void cs_row_set_add(cs_row_set *set, int64_t row);       /* nothing for one that is not among them */

typedef struct cs_row_cache cs_row_cache;
/* For `slots` rows of `width` floats. What the limits do not allow, or the machine does not give (memory, a full disk),
 * is not kept: no error. The file is written once it is there, never short of space. */
CS_MUST_CHECK cs_status cs_row_cache_open(const cs_cache_limits *limits, int64_t slots, size_t width,
                                          cs_row_cache **out);
void cs_row_cache_close(cs_row_cache *cache);                   /* NULL-safe */
const cs_row_set *cs_row_cache_kept(const cs_row_cache *cache); /* its slots */
size_t cs_row_cache_width(const cs_row_cache *cache);
/* Slots that have a place, from slot 0 on: in memory, and after them in the file. */
int64_t cs_row_cache_in_memory(const cs_row_cache *cache);
int64_t cs_row_cache_in_file(const cs_row_cache *cache);
/* [width], or NULL when the row is not kept (yet). */
const float *cs_row_cache_get(const cs_row_cache *cache, int64_t slot);
/* Keeps a row, where its slot has a place. One thread may put while others get other slots. */
void cs_row_cache_put(cs_row_cache *cache, int64_t slot, const float *row);

#endif
