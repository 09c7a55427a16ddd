/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation with an error instead of NULL. Free with free(). */
#ifndef CNNSWEEP_MEMORY_H
#define CNNSWEEP_MEMORY_H

#include "cnnsweep/status.h"

enum { CS_CACHE_LINE = 64 };

/* `n` items of `size` bytes, zeroed; overflow and failure are CS_ERR_NO_MEMORY naming `what` and the size. n = 0 gives
 * a valid pointer. *out is any object pointer. */
CS_MUST_CHECK cs_status cs_alloc(size_t n, size_t size, const char *what, void *out);
/* The same, aligned to a cache line. */
CS_MUST_CHECK cs_status cs_alloc_aligned(size_t n, size_t size, const char *what, void *out);
/* Grows a malloc'ed array so that it holds `need` items, doubling; *capacity is in items. */
CS_MUST_CHECK cs_status cs_grow(void *array, size_t *capacity, size_t need, size_t size, const char *what);
CS_MUST_CHECK cs_status cs_strdup(const char *text, char **out);

#endif
