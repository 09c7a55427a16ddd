/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep status: shows sweeps, still running or not, from their results folders. */
#include "cnnsweep/memory.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t stopped;

static void stop(int number) {
    (void)number;
    stopped = 1;
}

/* --watch may be followed by a number of seconds. Takes it out of the arguments. A folder with such a name can be given
 * as ./5. */
static double take_seconds(int *argc, char **argv) {
    const double least = 0.1, most = 86400, usual = 2;
    for (int i = 1; i + 1 < *argc; i++) {
        char *end;
        const double seconds = strtod(argv[i + 1], &end);
        if (strcmp(argv[i], "--watch") != 0 || end == argv[i + 1] || *end)
            continue;
        memmove(&argv[i + 1], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof *argv);
        --*argc;
        return fmin(most, fmax(least, seconds));
    }
    return usual;
}

static cs_status run(int argc, char **argv, const char **folders, int *exit_code) {
    bool help = false, watch = false;
    int n = 0;
    const double seconds = take_seconds(&argc, argv);
    const cs_arg args[] = {{"--watch", NULL,
                            "show it again every 2 seconds, or every so many as follow it, until it ends", cs_arg_bool,
                            &watch},
                           {"--help", NULL, "print this", cs_arg_bool, &help}};
    const cs_usage usage = {
        .line = "cnnsweep status [--watch [SECONDS]] DIR...",
        .doc =
            "Shows sweeps from their results folders, running or not: how far they are, what is trained at the moment, "
            "the best\ntrial so far, what to do next. A folder of parts stands for its parts. Files are only read, so "
            "it may be called on\nanother node. With --watch a terminal shows it in place; Ctrl-C ends that.",
        .operands = {"DIR"},
        .most = argc,
        .given = &n,
        .args = args,
        .n = sizeof args / sizeof *args,
        .help = &help};
    const struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART, so that a signal ends the sleep */
    if (!cs_command_parse(&usage, argc, argv, folders, exit_code))
        return CS_OK;
    if (watch) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
    }
    return cs_sweep_status(folders, n, watch ? seconds : 0, &stopped, stdout);
}

int cs_command_status(int argc, char **argv) {
    return cs_command_of_folders(argc, argv, run);
}
