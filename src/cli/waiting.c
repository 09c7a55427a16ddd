/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void pause_once(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* The number of iterations of libgomp's waiting loop that take `seconds`. A pause instruction takes 40 cycles on some
 * processors and 140 on others. The shortest of several measurements counts, because other programs may run in the
 * middle of one. */
static long count_iterations(double seconds) {
    enum { MEASUREMENTS = 8, ITERATIONS = 1000 };
    double shortest = HUGE_VAL;
    for (int n = 0; n < MEASUREMENTS; n++) {
        double begun = cs_now();
        for (volatile int i = 0; i < ITERATIONS; i++)
            pause_once();
        shortest = fmin(shortest, cs_now() - begun);
    }
    return (long)(seconds * ITERATIONS / fmax(shortest, 1e-9));
}

void cs_wait_briefly(char **argv) {
    const double longest = 100e-6; /* on an idle machine most waits of a train step are shorter */
    char iterations[32], program[CS_PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    snprintf(iterations, sizeof iterations, "%ld", count_iterations(longest));
    /* Start the program by its own path, because a process that is started as /proc/self/exe is listed as "exe". */
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return;
    program[length] = '\0';
    const char *name = strrchr(program, '/');
    /* Else it is, for example, the dynamic linker, which was called with the program as its argument. */
    if (!name || strcmp(name + 1, "cnnsweep") != 0)
        return;
    if (setenv("GOMP_SPINCOUNT", iterations, 1) == 0)
        execv(program, argv); /* if this fails the program goes on, and its threads wait as libgomp's do by default */
}
