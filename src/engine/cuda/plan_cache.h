/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of convolutions that outlive the program: a folder with a small file a plan.
 *
 * A file is named after the checksum of its key, and holds magic and checksum, the key, the plan. What is damaged, or
 * somebody else's, is as good as absent and is written anew; files are whole or absent, so that any number of processes
 * may use a folder. Nothing here fails: without the folder plans are searched for again. */
#ifndef CNNSWEEP_ENGINE_CUDA_PLAN_CACHE_H
#define CNNSWEEP_ENGINE_CUDA_PLAN_CACHE_H

#include <stdbool.h>

typedef struct cu_plan_cache {
    const char *folder; /* borrowed; NULL: nothing is kept */
    bool failed;        /* could not write: it was said, and is not tried again */
} cu_plan_cache;

/* The plan, malloc'ed text, or NULL. Keys are one line. */
char *cu_plan_cache_find(const cu_plan_cache *cache, const char *key);
void cu_plan_cache_keep(cu_plan_cache *cache, const char *key, const char *plan);

#endif
