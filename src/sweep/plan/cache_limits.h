/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how much memory and disk the cache of a group may take. */
#ifndef CNNSWEEP_CACHE_LIMITS_H
#define CNNSWEEP_CACHE_LIMITS_H

#include "cnnsweep/job.h"

/* The limits for each of `ranks` ranks on this node, as the machine is now. In memory, `auto` takes a quarter of what
 * is available, and a size takes just that. Both take half of the free space of the disk that holds $TMPDIR (else
 * /tmp); a folder in memory (tmpfs) is no disk. An engine with stores uses its own memory and no disk. */
cs_cache_limits cs_limits_of_cache(const cs_run_config *run, int ranks, const cs_engine *engine);

/* Bytes that each of `ranks` ranks on this node may still take of the memory in which programs and caches lie; 0:
 * unknown. */
double cs_available_memory(int ranks, const cs_engine *engine);

/* Bytes in which each of `ranks` ranks on this node may keep filtered images: an eighth of the memory that is
 * available, whatever engine it has. */
size_t cs_limit_of_filtered_images(int ranks);

#endif
