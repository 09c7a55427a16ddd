/* SPDX-License-Identifier: Apache-2.0 */
/* For sched_getaffinity, the cores that a process may run on, which POSIX does not have. */
#define _GNU_SOURCE

#include "cnnsweep/resources.h"
#include "cnnsweep/file.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = CS_PATH_MAX + 64 };

/* The first `n` numbers of a file of a control group; false: it has not so many, as where it says "max". */
static bool read_numbers(const char *folder, const char *name, int n, double *numbers) {
    char path[LINE + 64], line[256] = "", *at = line;
    if (cs_path(path, sizeof path, "%s/%s", folder, name) != CS_OK)
        return false;
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    bool good = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    for (int i = 0; good && i < n; i++) {
        char *end;
        numbers[i] = strtod(at, &end);
        good = end != at;
        at = end;
    }
    return good;
}

/* The limits that a folder of a control group has; -1: none. */
static double read_memory(const char *folder) {
    double bytes;
    return read_numbers(folder, "memory.max", 1, &bytes) ? bytes : -1;
}

static double read_memory_v1(const char *folder) {
    double bytes;
    return read_numbers(folder, "memory.limit_in_bytes", 1, &bytes) ? bytes : -1;
}

static double read_processor(const char *folder) {
    double times[2]; /* microseconds, in so many microseconds */
    return read_numbers(folder, "cpu.max", 2, times) && times[1] > 0 ? times[0] / times[1] : -1;
}

static double read_processor_v1(const char *folder) {
    double quota, period;
    return read_numbers(folder, "cpu.cfs_quota_us", 1, &quota) &&
                   read_numbers(folder, "cpu.cfs_period_us", 1, &period) && period > 0
               ? quota / period
               : -1;
}

/* Where a resource is limited, in version 2 and in version 1 of control groups. */
typedef struct resource {
    double (*read)(const char *folder);
    const char *controller; /* of version 1 */
    double (*read_v1)(const char *folder);
} resource;

static const resource memory = {read_memory, "memory", read_memory_v1};
static const resource processor = {read_processor, "cpu", read_processor_v1};

static double lesser(double limit, double other) {
    return other > 0 && (limit < 0 || other < limit) ? other : limit;
}

/* The smallest limit of this control group and of its parents. */
static double limit_around(const char *root, const char *hierarchy, char *group, double (*read)(const char *folder)) {
    double least = -1;
    for (;;) {
        char folder[LINE];
        if (cs_path(folder, sizeof folder, "%s/sys/fs/cgroup%s%s", root, hierarchy, group) == CS_OK)
            least = lesser(least, read(folder));
        char *last = strrchr(group, '/');
        if (!last)
            return least;
        *last = '\0';
    }
}

static bool names(const char *controllers, const char *controller) {
    size_t length = strlen(controller);
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, controller, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* Lines of /proc/self/cgroup are "number:controllers:/path"; in version 2 there are no controllers. */
static double find_limit(const char *root, const resource *of) {
    char line[LINE], path[LINE], hierarchy[LINE];
    double least = -1;
    if (cs_path(path, sizeof path, "%s/proc/self/cgroup", root) != CS_OK)
        return -1;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        controllers++;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        if (!*controllers)
            least = lesser(least, limit_around(root, "", group, of->read));
        else if (names(controllers, of->controller) &&
                 cs_path(hierarchy, sizeof hierarchy, "/%s", controllers) == CS_OK)
            least = lesser(least, limit_around(root, hierarchy, group, of->read_v1));
    }
    if (file)
        fclose(file);
    return least;
}

double cs_memory_limit(const char *root) {
    return find_limit(root, &memory);
}

double cs_processor_limit(const char *root) {
    return find_limit(root, &processor);
}

int cs_usable_cores(const char *root) {
    cpu_set_t own;
    int cores = sched_getaffinity(0, sizeof own, &own) == 0 ? CPU_COUNT(&own) : 1;
    double limit = cs_processor_limit(root);
    if (limit > 0 && ceil(limit) < cores)
        cores = (int)ceil(limit);
    return cores > 1 ? cores : 1;
}

/* The model of the first processor in /proc/cpuinfo; "" if it is not there. */
static void read_model(char *out, size_t size) {
    char line[256], name[128];
    FILE *file = fopen("/proc/cpuinfo", "r");
    out[0] = '\0';
    while (file && !out[0] && fgets(line, sizeof line, file))
        if (sscanf(line, "model name : %127[^\n]", name) == 1)
            snprintf(out, size, "%s", name);
    if (file)
        fclose(file);
}

/* A name that is too long is cut; POSIX does not say that it ends with '\0' then. */
void cs_host_name(char *out, size_t size) {
    if (gethostname(out, size) != 0)
        out[0] = '\0';
    out[size - 1] = '\0';
}

void cs_machine_text(char *out, size_t size) {
    char host[64], model[128];
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cs_host_name(host, sizeof host);
    read_model(model, sizeof model);
    snprintf(out, size, "%s%s%ld cores%s%s", host, host[0] ? ", " : "", cores, model[0] ? ", " : "", model);
}
