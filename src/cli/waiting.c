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

/* How many of libgomp's turns of waiting fit into `seconds`: a pause takes 40 cycles on some processors, 140 on others.
 * The shortest of several readings counts, as other programs may run in the middle of one. */
static long turns_in(double seconds) {
    enum { READINGS = 8, TURNS = 1000 };
    double shortest = HUGE_VAL;
    for (int reading = 0; reading < READINGS; reading++) {
        double begun = cs_now();
        for (volatile int i = 0; i < TURNS; i++)
            pause_once();
        shortest = fmin(shortest, cs_now() - begun);
    }
    return (long)(seconds * TURNS / fmax(shortest, 1e-9));
}

void cs_wait_briefly(char **argv) {
    const double longest = 100e-6; /* on an idle machine most waits of a training step are shorter */
    char turns[32], program[CS_PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    snprintf(turns, sizeof turns, "%ld", turns_in(longest));
    /* By its own name: what /proc/self/exe starts is called "exe" in every list of processes. */
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return;
    program[length] = '\0';
    const char *name = strrchr(program, '/');
    if (!name || strcmp(name + 1, "cnnsweep") != 0) /* the dynamic linker, say, which was given the program to start */
        return;
    if (setenv("GOMP_SPINCOUNT", turns, 1) == 0)
        execv(program, argv); /* where that fails the program goes on, and its threads wait as they would */
}
