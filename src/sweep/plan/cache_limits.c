/* SPDX-License-Identifier: Apache-2.0 */
/* For statfs, which is not in POSIX. statvfs cannot distinguish a disk from a file system in memory. */
#define _GNU_SOURCE
#include "cache_limits.h"
#include "cnnsweep/file.h"
#include "cnnsweep/resources.h"

#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>

/* The part of the memory, and of the disk, that all ranks of the node may take together. */
static const double memory_share = 0.25, filtered_share = 0.125, disk_share = 0.5;

/* The number after `key` at the start of a line of the file; -1: there is no such line. */
static double read_number(const char *path, const char *key) {
    char line[256];
    double value = -1;
    FILE *file = fopen(path, "r");
    while (file && value < 0 && fgets(line, sizeof line, file)) {
        char *end, *digits = line + strlen(key);
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        value = strtod(digits, &end);
        if (end == digits)
            break;
    }
    if (file)
        fclose(file);
    return value;
}

static double available_to_rank(int ranks) {
    double available = read_number("/proc/meminfo", "MemAvailable:") * 1024, limit = cs_memory_limit("");
    if (available < 0)
        return 0;
    return (limit > 0 && limit < available ? limit : available) / ranks;
}

double cs_available_memory(int ranks, const cs_engine *engine) {
    return cs_engine_has_stores(engine) ? (double)cs_engine_free_bytes(engine) : available_to_rank(ranks);
}

size_t cs_limit_of_filtered_images(int ranks) {
    return (size_t)(available_to_rank(ranks) * filtered_share);
}

/* Free bytes of the disk that holds `folder`; 0: it does not lie on a disk. */
static double free_disk(const char *folder) {
    struct statfs about;
    struct rlimit largest;
    if (statfs(folder, &about) != 0 || about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC)
        return 0;
    double bytes = (double)about.f_bavail * (double)about.f_bsize;
    if (getrlimit(RLIMIT_FSIZE, &largest) == 0 && largest.rlim_cur != RLIM_INFINITY && (double)largest.rlim_cur < bytes)
        bytes = (double)largest.rlim_cur;
    return bytes;
}

cs_cache_limits cs_limits_of_cache(const cs_run_config *run, int ranks, const cs_engine *engine) {
    const char *folder = getenv("TMPDIR");
    cs_cache_limits limits = {.folder = folder && *folder ? folder : "/tmp"};
    if (run->cache.mode == CS_CACHE_OFF)
        return limits;
    limits.memory = run->cache.mode == CS_CACHE_SIZE ? run->cache.bytes
                                                     : (size_t)(cs_available_memory(ranks, engine) * memory_share);
    if (!cs_engine_has_stores(engine))
        limits.disk = (size_t)(free_disk(limits.folder) * disk_share / ranks);
    return limits;
}
