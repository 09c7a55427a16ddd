/* SPDX-License-Identifier: Apache-2.0 */
/* For the cpu_set_t of sched.h, which POSIX does not have. */
#define _GNU_SOURCE
#include "busy_cores.h"

#include "cnnsweep/log.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Adds up the fields of "user nice system idle iowait irq softirq steal ..." in which the core was busy, in ticks. */
static double busy_ticks(char *numbers) {
    static const bool counts[] = {true, false, true, false, false, true, true, true};
    double ticks = 0;
    for (size_t field = 0; field < sizeof counts / sizeof *counts; field++) {
        double value = strtod(numbers, &numbers);
        ticks += counts[field] ? value : 0;
    }
    return ticks;
}

double cs_busy_seconds(FILE *stat, const cpu_set_t *cores) {
    char line[512];
    double ticks = 0;
    while (fgets(line, sizeof line, stat)) {
        char *rest = line + strlen("cpu");
        if (strncmp(line, "cpu", strlen("cpu")) != 0 || *rest < '0' || *rest > '9')
            continue;
        unsigned long core = strtoul(rest, &rest, 10);
        if (core < CPU_SETSIZE && CPU_ISSET(core, cores))
            ticks += busy_ticks(rest);
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static double read_busy(const cpu_set_t *cores) {
    FILE *stat = fopen("/proc/stat", "r");
    double busy = stat ? cs_busy_seconds(stat, cores) : 0;
    if (stat)
        fclose(stat);
    return busy;
}

/* The average number of cores that were busy during a short measurement. */
static double measure(const cpu_set_t *cores) {
    const struct timespec duration = {.tv_nsec = 100000000};
    double begun = cs_now(), before = read_busy(cores);
    nanosleep(&duration, NULL);
    return (read_busy(cores) - before) / (cs_now() - begun);
}

/* Up to half a core and two cores in a hundred are not counted: they are taken for background work of the system. */
static int count_busy(const cpu_set_t *cores) {
    const double noise = 0.5 + 0.02 * CPU_COUNT(cores);
    double busy = measure(cores);
    return busy < noise ? 0 : (int)(busy + 0.5);
}

int cs_busy_cores(const cpu_set_t *cores) {
    enum { MEASUREMENTS = 8 };
    const char *given = getenv("CNNSWEEP_BUSY_CORES");
    int fewest = CPU_COUNT(cores);
    if (given)
        return (int)strtol(given, NULL, 10);
    for (int i = 0; i < MEASUREMENTS && fewest > 0; i++) {
        int busy = count_busy(cores);
        fewest = busy < fewest ? busy : fewest;
    }
    return fewest;
}

int cs_threads_on_free_cores(int share, int cores, int busy, int ranks) {
    int left = (cores - busy) / ranks;
    return left >= share ? share : left > 0 ? left : 1;
}
