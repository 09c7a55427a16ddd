/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: counts the cores that other programs use. Threads that wait for one another at every layer are
 * slow when other programs run on the same cores: each wait lasts until the system gives a core back to the thread that
 * the others wait for. Include <sched.h>, with _GNU_SOURCE, before this header. */
#ifndef CNNSWEEP_BUSY_CORES_H
#define CNNSWEEP_BUSY_CORES_H

#include <sched.h>
#include <stdio.h>

/* How many of `cores` were busy during the least busy of a few short measurements, so that a short burst of work does
 * not slow a sweep down for days. On an idle machine the first measurement is enough (0.1 s; else up to 0.8 s). This
 * process and the other ranks of its job must sleep meanwhile. 0 if the system does not say. For tests, the environment
 * variable CNNSWEEP_BUSY_CORES gives the answer instead. */
int cs_busy_cores(const cpu_set_t *cores);

/* The seconds that `cores` have been busy, summed over them, by the text of /proc/stat (proc(5)). Programs with a nice
 * value do not count, because they yield to others. */
double cs_busy_seconds(FILE *stat, const cpu_set_t *cores);

/* The number of threads for each of `ranks` that share `cores`, of which `busy` are used by other programs: at most
 * `share`, at least 1. */
int cs_threads_on_free_cores(int share, int cores, int busy, int ranks);

#endif
