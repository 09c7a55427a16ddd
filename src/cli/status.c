/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep status: shows a sweep, still running or not, from its results folder. */
#include "cnnsweep/log.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>

int cs_command_status(int argc, char **argv) {
    bool help = false;
    const char *folder = NULL;
    const cs_arg args[] = {{"--help", NULL, "print this", cs_arg_bool, &help}};
    const cs_usage usage = {.line = "cnnsweep status DIR",
                            .doc = "Shows a sweep from its results folder, running or not: how far it is, the best "
                                   "trial so far, what to do next.",
                            .operands = {"DIR"},
                            .args = args,
                            .n = sizeof args / sizeof *args,
                            .help = &help};
    int exit_code;
    if (!cs_command_parse(&usage, argc, argv, &folder, &exit_code))
        return exit_code;
    cs_status status = cs_sweep_status(folder, stdout);
    if (status != CS_OK)
        cs_log_error_last();
    return cs_exit_code(status);
}
