/* SPDX-License-Identifier: Apache-2.0 */
/* for mmap: MAP_ANONYMOUS is not in POSIX yet */
#define _GNU_SOURCE
#include "cnnsweep/row_cache.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The rows of one memory mapping. */
typedef struct region {
    float *rows; /* [n,width]; NULL when n is 0 */
    int64_t n;
} region;

struct cs_row_set {
    int64_t n_rows;
    atomic_uchar has[]; /* [n_rows] */
};

struct cs_row_cache {
    size_t width;
    region memory, file;
    cs_row_set *cached_rows; /* [memory.n + file.n] */
};

cs_status cs_row_set_open(int64_t n_rows, cs_row_set **out) {
    cs_row_set *set = NULL;
    CS_TRY(cs_alloc(sizeof *set + (size_t)n_rows * sizeof *set->has, 1, "cached rows", &set));
    set->n_rows = n_rows;
    *out = set;
    return CS_OK;
}

void cs_row_set_close(cs_row_set *set) {
    free(set);
}

int64_t cs_row_set_size(const cs_row_set *set) {
    return set->n_rows;
}

bool cs_row_set_has(const cs_row_set *set, int64_t row) {
    return row < set->n_rows && atomic_load_explicit(&set->has[row], memory_order_acquire);
}

void cs_row_set_add(cs_row_set *set, int64_t row) {
    if (row < set->n_rows)
        atomic_store_explicit(&set->has[row], 1, memory_order_release);
}

/* Opens a file without a name, which disappears with the process; -1 if it cannot be created. */
static int open_nameless(const char *folder) {
    char path[CS_PATH_MAX];
    if (cs_path(path, sizeof path, "%s/cnnsweep-cache-XXXXXX", folder) != CS_OK)
        return -1;
    int fd = mkstemp(path);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Maps as many of `n` rows as there is space for: all, else half of them, and so on. The space of a file is allocated
 * at once, so that a full disk is found now and not when a page is written. With fd = -1 the rows are in memory, of
 * which each page is allocated when it is first written. */
static void map_rows(int64_t n, size_t row_bytes, int fd, region *out) {
    for (; n > 0; n /= 2) {
        size_t bytes = (size_t)n * row_bytes;
        if (fd >= 0 && posix_fallocate(fd, 0, (off_t)bytes) != 0) {
            if (ftruncate(fd, 0) != 0)
                return;
            continue;
        }
        void *rows =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
        if (rows == MAP_FAILED)
            continue;
        *out = (region){rows, n};
        return;
    }
}

/* The number of rows, at most `left`, that `bytes` bytes hold. */
static int64_t rows_in(size_t bytes, size_t row_bytes, int64_t left) {
    return bytes / row_bytes < (size_t)left ? (int64_t)(bytes / row_bytes) : left;
}

static void map_file(const cs_cache_limits *limits, size_t row_bytes, int64_t left, region *out) {
    int64_t wanted = rows_in(limits->disk, row_bytes, left);
    int fd = wanted > 0 ? open_nameless(limits->folder) : -1;
    if (fd >= 0) {
        map_rows(wanted, row_bytes, fd, out);
        close(fd);
    }
    if (out->n < wanted)
        cs_log(CS_LOG_WARN, "%s: there is room for only %lld of %lld rows of a cache", limits->folder,
               (long long)out->n, (long long)wanted);
}

cs_status cs_row_cache_open(const cs_cache_limits *limits, int64_t n_rows, size_t width, cs_row_cache **out) {
    cs_row_cache *cache = NULL;
    size_t row_bytes = width * sizeof(float);
    if (n_rows < 0 || width == 0)
        return cs_fail(CS_ERR_ARG, "a cache of %lld rows of %zu values", (long long)n_rows, width);
    CS_TRY(cs_alloc(1, sizeof *cache, "cache", &cache));
    cache->width = width;
    map_rows(rows_in(limits->memory, row_bytes, n_rows), row_bytes, -1, &cache->memory);
    map_file(limits, row_bytes, n_rows - cache->memory.n, &cache->file);
    cs_status status = cs_row_set_open(cache->memory.n + cache->file.n, &cache->cached_rows);
    if (status != CS_OK) {
        cs_row_cache_close(cache);
        return status;
    }
    *out = cache;
    return CS_OK;
}

static void unmap(const cs_row_cache *cache, const region *part) {
    if (part->rows)
        munmap(part->rows, (size_t)part->n * cache->width * sizeof(float));
}

void cs_row_cache_close(cs_row_cache *cache) {
    if (!cache)
        return;
    unmap(cache, &cache->memory);
    unmap(cache, &cache->file);
    cs_row_set_close(cache->cached_rows);
    free(cache);
}

const cs_row_set *cs_row_cache_cached_rows(const cs_row_cache *cache) {
    return cache->cached_rows;
}

size_t cs_row_cache_width(const cs_row_cache *cache) {
    return cache->width;
}

int64_t cs_row_cache_in_memory(const cs_row_cache *cache) {
    return cache->memory.n;
}

int64_t cs_row_cache_in_file(const cs_row_cache *cache) {
    return cache->file.n;
}

/* Returns the memory of a row's values; NULL if the cache has no room for it. */
static float *values_of(const cs_row_cache *cache, int64_t row) {
    int64_t in_file = row - cache->memory.n;
    if (in_file < 0)
        return cache->memory.rows + (size_t)row * cache->width;
    return in_file < cache->file.n ? cache->file.rows + (size_t)in_file * cache->width : NULL;
}

const float *cs_row_cache_get(const cs_row_cache *cache, int64_t row) {
    return cs_row_set_has(cache->cached_rows, row) ? values_of(cache, row) : NULL;
}

void cs_row_cache_put(cs_row_cache *cache, int64_t row, const float *values) {
    float *to = values_of(cache, row);
    if (!to)
        return;
    memcpy(to, values, cache->width * sizeof *values);
    cs_row_set_add(cache->cached_rows, row);
}
