/* Inside the sweep room: how much of a machine the cache of a group may take. */
#ifndef CNNSWEEP_CACHE_LIMITS_H
#define CNNSWEEP_CACHE_LIMITS_H

#include "cnnsweep/job.h"

/* For each of `ranks` on this node, as the machine is now. `auto` takes a quarter of the memory that is available, a
 * size just that, and both half of what is free on the disk that holds $TMPDIR, else /tmp, as far as it is one. Where
 * the engine has stores the memory is its own, and there is no disk. */
cs_cache_limits cs_limits_of_cache(const cs_run_config *run, int ranks, const cs_engine *engine);

/* Bytes of the memory that programs and their caches lie in that each of `ranks` on this node may still take; 0:
 * unknown. */
double cs_available_memory(int ranks, const cs_engine *engine);

#endif
