/* SPDX-License-Identifier: Apache-2.0 */
#include "page_memory.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

cs_status cs_page_alloc(cs_page_memory *memory, size_t n, size_t size, void *out) {
    void *block = NULL;
    CS_TRY(cs_grow(&memory->blocks, &memory->capacity, memory->n + 1, sizeof *memory->blocks, "the page"));
    CS_TRY(cs_alloc(n ? n : 1, size, "the page", &block));
    memory->blocks[memory->n++] = block;
    *(void **)out = block;
    return CS_OK;
}

cs_status cs_page_text(cs_page_memory *memory, const char *text, const char **out) {
    const size_t size = strlen(text) + 1;
    char *copy = NULL;
    CS_TRY(cs_page_alloc(memory, size, 1, &copy));
    memcpy(copy, text, size);
    *out = copy;
    return CS_OK;
}

void cs_page_memory_free(cs_page_memory *memory) {
    for (size_t i = 0; i < memory->n; i++)
        free(memory->blocks[i]);
    free(memory->blocks);
    *memory = (cs_page_memory){0};
}
