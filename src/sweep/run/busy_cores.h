/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: cores that other programs use. Threads that wait for one another at every layer are slow
 * beside other programs: each wait lasts until the system gives the core back to the thread that all wait for. Include
 * <sched.h>, with _GNU_SOURCE, before it. */
#ifndef CNNSWEEP_BUSY_CORES_H
#define CNNSWEEP_BUSY_CORES_H

#include <sched.h>
#include <stdio.h>

/* How many of `cores` were busy during the calmest of a few moments, of which the first is enough on an idle machine
 * (0.1 s; else up to 0.8 s): a short burst of work is not to slow a sweep down for days. This process, and those of its
 * own job, must sleep meanwhile. 0 where the system does not tell. The environment variable CNNSWEEP_BUSY_CORES answers
 * instead, for tests. */
int cs_busy_cores(const cpu_set_t *cores);

/* The seconds that `cores` have been busy, all together, by the text of /proc/stat (proc(5)); programs that are nice do
 * not count, as they make room. */
double cs_busy_seconds(FILE *stat, const cpu_set_t *cores);

/* The threads of each of `ranks` that share `cores`, of which `busy` are other programs': at most `share`, at least 1.
 */
int cs_threads_beside(int share, int cores, int busy, int ranks);

#endif
