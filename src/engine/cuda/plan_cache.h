/* SPDX-License-Identifier: Apache-2.0 */
/* Stores plans of convolutions for later runs, in a folder with a small file for each plan.
 *
 * A file is named after the checksum of its key. It contains magic and checksum, the key, and the plan. A file that is
 * damaged or has another key counts as absent and is replaced. A file appears at once and complete, so any number of
 * processes may use the folder. These functions do not fail: without the folder, plans are searched for again. */
#ifndef CNNSWEEP_ENGINE_CUDA_PLAN_CACHE_H
#define CNNSWEEP_ENGINE_CUDA_PLAN_CACHE_H

#include <stdbool.h>

typedef struct cu_plan_cache {
    const char *folder; /* borrowed; NULL: plans are not stored */
    bool failed;        /* a write failed; a warning was logged, and writing is not tried again */
} cu_plan_cache;

/* Returns the plan as malloc'ed text, or NULL. A key is one line. */
char *cu_plan_cache_find(const cu_plan_cache *cache, const char *key);
void cu_plan_cache_keep(cu_plan_cache *cache, const char *key, const char *plan);

#endif
