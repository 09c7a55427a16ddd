/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that fails with an error instead of NULL. Free the memory with free(). */
#ifndef CNNSWEEP_MEMORY_H
#define CNNSWEEP_MEMORY_H

#include "cnnsweep/status.h"

enum { CS_CACHE_LINE = 64 };

/* Allocates `n` items of `size` bytes, zeroed, into *out, which is any object pointer. With n = 0 the pointer is valid
 * too. An overflow or a failure is CS_ERR_NO_MEMORY naming `what` and the size. */
CS_MUST_CHECK cs_status cs_alloc(size_t n, size_t size, const char *what, void *out);
/* Does the same, aligned to a cache line. */
CS_MUST_CHECK cs_status cs_alloc_aligned(size_t n, size_t size, const char *what, void *out);
/* Grows a malloc'ed array by doubling until it holds `need` items; *capacity is in items. */
CS_MUST_CHECK cs_status cs_grow(void *array, size_t *capacity, size_t need, size_t size, const char *what);
CS_MUST_CHECK cs_status cs_strdup(const char *text, char **out);

#endif
