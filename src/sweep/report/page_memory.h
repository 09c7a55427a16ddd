/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: memory that a page borrows, and that is freed with it. */
#ifndef CNNSWEEP_PAGE_MEMORY_H
#define CNNSWEEP_PAGE_MEMORY_H

#include "cnnsweep/status.h"

#include <stddef.h>

typedef struct cs_page_memory {
    void **blocks; /* [n] */
    size_t n, capacity;
} cs_page_memory;

/* Allocates zeroed memory [n] of elements of `size` bytes; `out` is the address of the pointer that gets it. */
CS_MUST_CHECK cs_status cs_page_alloc(cs_page_memory *memory, size_t n, size_t size, void *out);
/* Copies a text. */
CS_MUST_CHECK cs_status cs_page_text(cs_page_memory *memory, const char *text, const char **out);
void cs_page_memory_free(cs_page_memory *memory);

#endif
