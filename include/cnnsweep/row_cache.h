/* SPDX-License-Identifier: Apache-2.0 */
/* A cache of rows of floats that are expensive to compute. A row is found by its index. The first rows are cached in
 * memory and the next ones in a nameless file of a folder; the rest are not cached. */
#ifndef CNNSWEEP_ROW_CACHE_H
#define CNNSWEEP_ROW_CACHE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The memory and the disk space that cached rows may take. If all members are 0, no row is cached. */
typedef struct cs_cache_limits {
    size_t memory;      /* bytes */
    size_t disk;        /* bytes of a file in `folder` */
    const char *folder; /* on a local disk */
} cs_cache_limits;

/* A set of rows, such as those that are cached. One thread may add rows while others look for them: a thread that finds
 * a row in the set also sees the values that were written before the row was added. */
typedef struct cs_row_set cs_row_set;
CS_MUST_CHECK cs_status cs_row_set_open(int64_t n_rows, cs_row_set **out);
void cs_row_set_close(cs_row_set *set);                  /* NULL-safe */
int64_t cs_row_set_size(const cs_row_set *set);          /* n_rows: the set's rows are in [0, n_rows) */
bool cs_row_set_has(const cs_row_set *set, int64_t row); /* false for a row that is out of range */
void cs_row_set_add(cs_row_set *set, int64_t row);       /* does nothing for a row that is out of range */

typedef struct cs_row_cache cs_row_cache;
/* Opens a cache for `n_rows` rows of `width` floats. Rows that exceed the limits, or for which the machine has no
 * memory or disk space, are not cached; that is no error. The space of the file is allocated when it is created, so
 * that writing a row cannot fail for lack of space. */
CS_MUST_CHECK cs_status cs_row_cache_open(const cs_cache_limits *limits, int64_t n_rows, size_t width,
                                          cs_row_cache **out);
void cs_row_cache_close(cs_row_cache *cache);                          /* NULL-safe */
const cs_row_set *cs_row_cache_cached_rows(const cs_row_cache *cache); /* the rows that are cached */
size_t cs_row_cache_width(const cs_row_cache *cache);
/* How many rows the cache has room for: rows from 0 on are in memory, those after them in the file. */
int64_t cs_row_cache_in_memory(const cs_row_cache *cache);
int64_t cs_row_cache_in_file(const cs_row_cache *cache);
/* The values [width] of a row, or NULL when it is not cached (yet). */
const float *cs_row_cache_get(const cs_row_cache *cache, int64_t row);
/* Caches a row if the cache has room for it. One thread may put a row while others get other rows. */
void cs_row_cache_put(cs_row_cache *cache, int64_t row, const float *values);

#endif
