/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep options: prints the options of a job file. */
#include "cnnsweep/job.h"
#include "command.h"

#include <stdio.h>

int cs_command_options(int argc, char **argv) {
    bool markdown = false, help = false;
    const cs_arg args[] = {
        {"--markdown", NULL, "as a Markdown table", cs_arg_bool, &markdown},
        {"--help", NULL, "print this", cs_arg_bool, &help},
    };
    const cs_usage usage = {.line = "cnnsweep options [--markdown]",
                            .doc = "Prints every option of a job file; --set takes them too.",
                            .args = args,
                            .n = sizeof args / sizeof *args,
                            .help = &help};
    int exit_code;
    if (!cs_command_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    size_t n;
    const cs_option *options = cs_options(&n);
    if (markdown)
        cs_options_heading(stdout);
    cs_options_print(options, n, stdout, markdown);
    options = cs_job_options(&n);
    cs_options_print(options, n, stdout, markdown);
    return CS_EXIT_OK;
}
