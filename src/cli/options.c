/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep options: prints the options of a job file, or what an augmentation can be made of. */
#include "cnnsweep/augment.h"
#include "cnnsweep/job.h"
#include "command.h"

#include <stdio.h>

/* Writes "degrees: a number to either side ...; p: 0.5". */
static void describe_parameters(const cs_augment_rule *rule, char *out, size_t size) {
    size_t used = 0;
    snprintf(out, size, "%s", "");
    for (const cs_augment_parameter *p = rule->parameters; p->type != CS_AUGMENT_END && used < size; p++) {
        char takes[160];
        cs_augment_takes(p, takes, sizeof takes);
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", p->name ? p->name : "", p->name ? ": " : "", takes);
        used += (size_t)snprintf(out + used, size - used, "%s", p->name ? "; " : "");
    }
    if (rule->choose)
        used += (size_t)snprintf(out + used, size - used, "steps: a list; ");
    if (rule->family != CS_FAMILY_GENERATOR)
        snprintf(out + used, size - used, "p: %g if not given", rule->p > 0 ? (double)rule->p : 1);
}

static void print_augmentations(bool markdown) {
    const cs_augment_rule *rule;
    cs_augment_family family = CS_FAMILY_COUNT;
    for (int i = 0; (rule = cs_augment_rule_at(i)); i++) {
        char parameters[1024];
        if (rule->family != family) {
            printf(markdown ? "%s## %s\n\n| name | parameters | meaning |\n|---|---|---|\n" : "%s%s:\n",
                   i > 0 ? "\n" : "", cs_augment_family_name(rule->family));
            family = rule->family;
        }
        describe_parameters(rule, parameters, sizeof parameters);
        if (markdown)
            printf("| `%s` | %s | %s |\n", rule->name, parameters, rule->doc);
        else
            printf("  %-24s %s\n  %-24s %s\n", rule->name, rule->doc, "", parameters);
    }
}

int cs_command_options(int argc, char **argv) {
    bool augmentations = false, markdown = false, help = false;
    const cs_arg args[] = {
        {"--augmentations", NULL, "what an augmentation can be made of instead", cs_arg_bool, &augmentations},
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
