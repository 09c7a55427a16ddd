/* SPDX-License-Identifier: Apache-2.0 */
/* For sched_getaffinity, the cores that a process may run on, which POSIX does not have. */
#define _GNU_SOURCE
#include "ranks_impl.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Compares a name, up to a dot, with those of Open MPI: mpirun of 4.1 and its daemon on other nodes, then those of
 * version 5, in which mpirun becomes prterun. */
static bool is_launcher(const char *name) {
    static const char *const names[] = {"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted", "prte"};
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return true;
    return false;
}

/* Reads the name and the parent of a process: /proc/PID/stat is "PID (name) state parent ...". */
static bool read_process(pid_t pid, char name[32], int *parent) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    const char *read = file ? fgets(line, sizeof line, file) : NULL;
    if (file)
        fclose(file);
    const char *begin = read ? strchr(line, '(') : NULL, *end = read ? strrchr(line, ')') : NULL;
    const size_t state = strlen(") S");
    if (!begin || !end || strlen(end) <= state)
        return false;
    *parent = (int)strtol(end + state, NULL, 10);
    snprintf(name, 32, "%.*s", (int)(end - begin - 1), begin + 1);
    return true;
}

/* Looks for the launcher among the ancestors of this process, by its name. A shell or the starter of a container may be
 * between them. Slurm's daemon, the parent of what srun starts, is not in the list, because it may run on cores that do
 * not belong to the job. */
int cs_launcher_pid(void) {
    enum { DEPTH = 16 };
    char name[32];
    int pid = (int)getppid(), parent;
    for (int i = 0; i < DEPTH && pid > 0 && read_process(pid, name, &parent); i++) {
        if (is_launcher(name))
            return pid;
        pid = parent;
    }
    return 0;
}

int cs_launcher_cores(void) {
    cpu_set_t cores;
    const int pid = cs_launcher_pid();
    return pid > 0 && sched_getaffinity(pid, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 0;
}
