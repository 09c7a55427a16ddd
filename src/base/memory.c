/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static cs_status fail_memory(size_t n, size_t size, const char *what) {
    return cs_hint(cs_fail(CS_ERR_NO_MEMORY, "no memory for %s: %zu x %zu bytes", what, n, size),
                   "a smaller batch or image needs less");
}

cs_status cs_alloc(size_t n, size_t size, const char *what, void *out) {
    void *block = calloc(n ? n : 1, size ? size : 1);
    if (!block)
        return fail_memory(n, size, what);
    memcpy(out, &block, sizeof block);
    return CS_OK;
}

cs_status cs_alloc_aligned(size_t n, size_t size, const char *what, void *out) {
    if (size && n > (SIZE_MAX - CS_CACHE_LINE) / size)
        return fail_memory(n, size, what);
    size_t bytes = (n * size + CS_CACHE_LINE) / CS_CACHE_LINE * CS_CACHE_LINE;
    void *block = aligned_alloc(CS_CACHE_LINE, bytes);
    if (!block)
        return fail_memory(n, size, what);
    memset(block, 0, bytes);
    memcpy(out, &block, sizeof block);
    return CS_OK;
}

cs_status cs_grow(void *array, size_t *capacity, size_t need, size_t size, const char *what) {
    if (need <= *capacity)
        return CS_OK;
    size_t grown = *capacity ? *capacity : 8;
    while (grown < need && grown <= SIZE_MAX / 2)
        grown *= 2;
    void *block;
    memcpy(&block, array, sizeof block);
    void *moved = grown < need || grown > SIZE_MAX / size ? NULL : realloc(block, grown * size);
    if (!moved)
        return fail_memory(need, size, what);
    memset((char *)moved + *capacity * size, 0, (grown - *capacity) * size);
    memcpy(array, &moved, sizeof moved);
    *capacity = grown;
    return CS_OK;
}

cs_status cs_strdup(const char *text, char **out) {
    size_t size = strlen(text) + 1;
    CS_TRY(cs_alloc(size, 1, "text", out));
    memcpy(*out, text, size);
    return CS_OK;
}
