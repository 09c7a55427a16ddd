/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep options: prints the options of a job file, or the parameters of an augmentation. */
#include "cnnsweep/augment.h"
#include "cnnsweep/job.h"
#include "command.h"

#include <stdio.h>

static void print_augmentations(bool markdown) {
    int n;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    if (markdown)
        puts("| parameter | takes | meaning |\n|---|---|---|");
    for (int i = 0; i < n; i++) {
        char takes[160];
        cs_augment_takes(&rules[i], takes, sizeof takes);
        printf(markdown ? "| `%s` | %s | %s |\n" : "%-21s %s; %s\n", rules[i].name, takes, rules[i].doc);
    }
}

int cs_command_options(int argc, char **argv) {
    bool augmentations = false, markdown = false, help = false;
    const cs_arg args[] = {
        {"--augmentations", NULL, "the parameters of an augmentation instead", cs_arg_bool, &augmentations},
        {"--markdown", NULL, "as a Markdown table", cs_arg_bool, &markdown},
        {"--help", NULL, "print this", cs_arg_bool, &help},
    };
    const cs_usage usage = {.line = "cnnsweep options [--augmentations] [--markdown]",
                            .doc = "Prints every option of a job file; --set takes them too.",
                            .args = args,
                            .n = sizeof args / sizeof *args,
                            .help = &help};
    int exit_code;
    if (!cs_command_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (augmentations) {
        print_augmentations(markdown);
        return CS_EXIT_OK;
    }
    size_t n;
    const cs_option *options = cs_options(&n);
    if (markdown)
        cs_options_heading(stdout);
    cs_options_print(options, n, stdout, markdown);
    options = cs_job_options(&n);
    cs_options_print(options, n, stdout, markdown);
    return CS_EXIT_OK;
}
