/* Inside the sweep room: cores that other programs leave. Threads that wait for one another at every layer get on badly
 * beside other programs: each wait lasts until the system gives the core back to the thread that all wait for. Includes
 * <sched.h>, with _GNU_SOURCE, before it. */
#ifndef CNNSWEEP_FREE_CORES_H
#define CNNSWEEP_FREE_CORES_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

/* How many of `cores` were idle during the calmest of a few moments, of which the first is enough on an idle machine
 * (0.1 s; else up to 0.8 s): a short burst of work is not to slow a sweep down for days. This process, and those of its
 * own job, must sleep meanwhile. All of them where the system does not tell. The environment variable
 * CNNSWEEP_FREE_CORES answers instead, for tests. */
int cs_free_cores(const cpu_set_t *cores);

/* The seconds that `cores` have been idle, all together, by the text of /proc/stat (proc(5)); -1: it has none of them.
 */
double cs_idle_seconds(FILE *stat, const cpu_set_t *cores);

#endif
