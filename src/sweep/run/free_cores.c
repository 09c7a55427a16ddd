/* sched.h: the bits of a set of cores, which POSIX does not have. */
#define _GNU_SOURCE
#include "free_cores.h"

#include "cnnsweep/log.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "user nice system idle iowait ...", in ticks: the fourth and the fifth. */
static double idle_ticks(char *numbers) {
    enum { IDLE = 3, WAITING = 4 };
    double ticks = 0;
    for (int field = 0; field <= WAITING; field++) {
        double value = strtod(numbers, &numbers);
        ticks += field >= IDLE ? value : 0;
    }
    return ticks;
}

double cs_idle_seconds(FILE *stat, const cpu_set_t *cores) {
    char line[512];
    double ticks = 0;
    bool found = false;
    while (fgets(line, sizeof line, stat)) {
        char *rest = line + strlen("cpu");
        if (strncmp(line, "cpu", strlen("cpu")) != 0 || *rest < '0' || *rest > '9')
            continue;
        unsigned long core = strtoul(rest, &rest, 10);
        if (core >= CPU_SETSIZE || !CPU_ISSET(core, cores))
            continue;
        ticks += idle_ticks(rest);
        found = true;
    }
    return found ? ticks / (double)sysconf(_SC_CLK_TCK) : -1;
}

static double read_idle(const cpu_set_t *cores) {
    FILE *stat = fopen("/proc/stat", "r");
    double idle = stat ? cs_idle_seconds(stat, cores) : -1;
    if (stat)
        fclose(stat);
    return idle;
}

/* A moment's look; -1: this system does not tell. */
static double look(const cpu_set_t *cores) {
    const struct timespec moment = {.tv_nsec = 100000000};
    double begun = cs_now(), idle = read_idle(cores);
    nanosleep(&moment, NULL);
    double later = read_idle(cores);
    return idle < 0 || later < 0 ? -1 : (later - idle) / (cs_now() - begun);
}

int cs_free_cores(const cpu_set_t *cores) {
    enum { LOOKS = 8 };
    const char *told = getenv("CNNSWEEP_FREE_CORES");
    int all = CPU_COUNT(cores), most = 0;
    if (told)
        return (int)strtol(told, NULL, 10);
    for (int i = 0; i < LOOKS && most < all; i++) {
        double free_now = look(cores);
        int rounded = free_now < 0 ? all : (int)(free_now + 0.5);
        most = rounded > most ? rounded : most;
    }
    return most < all ? most : all;
}
