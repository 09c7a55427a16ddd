/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep options: prints the options of a job file, what an augmentation can be made of, the filters or the metrics.
 */
#include "cnnsweep/augment.h"
#include "cnnsweep/explain.h"
#include "cnnsweep/filter.h"
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

/* Writes "sigma: a number from 0.1 to 100 (1)", with the default in parentheses. */
static void describe_filter(const cs_filter *filter, char *out, size_t size) {
    size_t used = 0;
    snprintf(out, size, "%s", "");
    for (int i = 0; i < CS_FILTER_PARAMETERS && filter->parameters[i].name && used < size; i++) {
        const cs_filter_parameter *parameter = &filter->parameters[i];
        char takes[96], fallback[32];
        cs_filter_takes(parameter, takes, sizeof takes);
        snprintf(fallback, sizeof fallback, "%g", (double)parameter->fallback);
        used += (size_t)snprintf(out + used, size - used, "%s%s: %s (%s)", i > 0 ? "; " : "", parameter->name, takes,
                                 parameter->type == CS_FILTER_CHOICE ? parameter->choices[(int)parameter->fallback]
                                                                     : fallback);
    }
}

static void print_filters(bool markdown) {
    int n;
    const cs_filter *filters = cs_filters(&n);
    if (markdown)
        puts("| filter | parameters (default) | meaning |\n|---|---|---|");
    for (int i = 0; i < n; i++) {
        char parameters[512];
        describe_filter(&filters[i], parameters, sizeof parameters);
        if (markdown)
            printf("| `%s` | %s | %s |\n", filters[i].name, parameters, filters[i].doc);
        else
            printf("%-14s %s\n%s%s%s", filters[i].name, filters[i].doc, parameters[0] ? "               " : "",
                   parameters, parameters[0] ? "\n" : "");
    }
}

static void print_metrics(bool markdown) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    if (markdown)
        puts("| metric | better | meaning |\n|---|---|---|");
    for (size_t i = 0; i < n; i++) {
        const char *better = metrics[i].maximize ? "larger" : "smaller";
        if (markdown)
            printf("| `%s` | %s | %s |\n", metrics[i].name, better, metrics[i].doc);
        else
            printf("%-24s %s; %s is better\n", metrics[i].name, metrics[i].doc, better);
    }
}

static void print_explanations(bool markdown) {
    static const char *const resolutions[] = {
        [CS_MAP_LAYER] = "layer", [CS_MAP_INPUT] = "input", [CS_MAP_COLOUR] = "input, a value for each colour"};
    size_t n;
    const cs_explain_method *methods = cs_explain_methods(&n);
    if (markdown)
        puts("| method | resolution | meaning |\n|---|---|---|");
    for (size_t i = 0; i < n; i++)
        if (markdown)
            printf("| `%s` | %s | %s |\n", methods[i].name, resolutions[methods[i].kind], methods[i].doc);
        else
            printf("%-21s %s\n", methods[i].name, methods[i].doc);
}

int cs_command_options(int argc, char **argv) {
    bool augmentations = false, filters = false, metrics = false, explanations = false, markdown = false, help = false;
    const cs_arg args[] = {
        {"--augmentations", NULL, "what an augmentation can be made of instead", cs_arg_bool, &augmentations},
        {"--filters", NULL, "the filters and their parameters instead", cs_arg_bool, &filters},
        {"--metrics", NULL, "the metrics instead", cs_arg_bool, &metrics},
        {"--explanations", NULL, "the methods of `cnnsweep explain` instead", cs_arg_bool, &explanations},
        {"--markdown", NULL, "as a Markdown table", cs_arg_bool, &markdown},
        {"--help", NULL, "print this", cs_arg_bool, &help},
    };
    const cs_usage usage = {.line = "cnnsweep options [--augmentations | --filters | --metrics | --explanations] "
                                    "[--markdown]",
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
    if (filters) {
        print_filters(markdown);
        return CS_EXIT_OK;
    }
    if (metrics) {
        print_metrics(markdown);
        return CS_EXIT_OK;
    }
    if (explanations) {
        print_explanations(markdown);
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
