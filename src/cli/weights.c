/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep weights: shows what a weights file holds, checks whether it fits a network, and converts it to another
 * format. */
#include "cnnsweep/weights.h"
#include "cnnsweep/log.h"
#include "command.h"
#include "model_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct weights_args {
    const char *operands[CS_MAX_OPERANDS];
    const char *arch;
    cs_model_args model;
    bool allow_missing, help;
} weights_args;

static cs_status show(const weights_args *args) {
    char *text;
    CS_TRY(cs_weights_describe(args->operands[0], &text));
    fputs(text, stdout);
    free(text);
    return CS_OK;
}

/* Builds the network of `arch` that fits the weights file of the first operand. */
static cs_status build(const weights_args *args, const char *arch, cs_graph **graph) {
    cs_trial_config trial = {0};
    CS_TRY(cs_model_args_arch(arch, &trial));
    CS_TRY(cs_model_args_apply(&args->model, &trial));
    if (trial.data.image[0] > 0) {
        trial.model.input_h = trial.data.image[0];
        trial.model.input_w = trial.data.image[1];
    }
    trial.model.classes = args->model.classes;
    return cs_weights_model(args->operands[0], &trial.model, graph);
}

static void print_report(const char *path, const cs_weights_report *report) {
    printf("%s%s: %d matched, %d missing, %d unused, %d of another shape%s\n", report->text, path, report->matched,
           report->missing, report->unused, report->wrong_shape,
           report->head_differs ? "; another head: the network's keeps its initial values" : "");
}

/* Reads the file and prints the report, also if the weights do not fit. Standardized images are recorded in the
 * network. */
static cs_status read_weights(const weights_args *args, unsigned rules, const char *path, cs_graph *graph,
                              cs_params *params) {
    cs_weights_report report;
    cs_status status =
        cs_weights_read(path, rules | (args->allow_missing ? CS_WEIGHTS_ALLOW_MISSING : 0), params, &report);
    if (report.text && (status == CS_OK || report.missing > 0 || report.wrong_shape > 0))
        print_report(path, &report);
    if (cs_record_is_standardized(report.record))
        snprintf(graph->record, sizeof graph->record, "%s", report.record);
    cs_weights_report_clear(&report);
    return status;
}

static cs_status check(const weights_args *args) {
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    cs_status status = build(args, args->operands[1], &graph);
    if (status == CS_OK)
        status = cs_params_create(graph, &params);
    if (status == CS_OK)
        status = read_weights(args, 0, args->operands[0], graph, params);
    cs_params_free(params);
    cs_graph_free(graph);
    return status;
}

/* The file must have the head too: layers that it lacks would be written as if they were pretrained. */
static cs_status convert(const weights_args *args) {
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    if (!args->arch)
        return cs_hint(cs_fail(CS_ERR_ARG, "--arch is missing"), "such as --arch mobilenet");
    cs_status status = build(args, args->arch, &graph);
    if (status == CS_OK)
        status = cs_params_create(graph, &params);
    if (status == CS_OK)
        status = read_weights(args, CS_WEIGHTS_WHOLE | CS_WEIGHTS_STANDARDIZED, args->operands[0], graph, params);
    if (status == CS_OK)
        status = cs_weights_write(args->operands[1], params);
    cs_params_free(params);
    cs_graph_free(graph);
    return status;
}

static const struct action {
    const char *name;
    cs_status (*run)(const weights_args *args);
    const char *line, *doc;
    const char *operands[CS_MAX_OPERANDS];
    bool has_model, has_arch;
} actions[] = {
    {"show",
     show,
     "cnnsweep weights show FILE",
     "Prints a line a tensor: name, shape, type; then the totals.",
     {"FILE"},
     false,
     false},
    {"check",
     check,
     "cnnsweep weights check [options] FILE ARCH",
     "Prints which parameters of a network the file has, and fails when it would not load.",
     {"FILE", "ARCH"},
     true,
     false},
    {"convert",
     convert,
     "cnnsweep weights convert [options] --arch ARCH IN OUT",
     "Writes a network's weights in the format of OUT's ending: .weights.h5, .h5 or .safetensors.",
     {"IN", "OUT"},
     true,
     true},
};
enum { N_ACTIONS = sizeof actions / sizeof *actions };

/* Options that an action does not take are at the end of the table and are left out. */
static bool parse(const struct action *action, int argc, char **argv, weights_args *args, int *exit_code) {
    const cs_arg rows[] = {
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
        CS_MODEL_ARG_ROWS(args->model),
        {"--allow-missing", NULL, "also when the file lacks a parameter", cs_arg_bool, &args->allow_missing},
        {"--arch", "ARCH", "the network", cs_arg_text, &args->arch},
    };
    const size_t all = sizeof rows / sizeof *rows;
    cs_usage usage = {.line = action->line,
                      .doc = action->doc,
                      .args = rows,
                      .n = action->has_arch    ? all
                           : action->has_model ? all - 1
                                               : 1,
                      .help = &args->help};
    memcpy(usage.operands, action->operands, sizeof usage.operands);
    return cs_command_parse(&usage, argc, argv, args->operands, exit_code);
}

static int run(const struct action *action, int argc, char **argv) {
    weights_args args = {0};
    int exit_code;
    if (!parse(action, argc, argv, &args, &exit_code))
        return exit_code;
    cs_status status = action->run(&args);
    if (status != CS_OK)
        cs_log_error_last();
    return cs_exit_code(status);
}

static void print_help(void) {
    puts("usage:");
    for (int i = 0; i < N_ACTIONS; i++)
        printf("  %s\n      %s\n", actions[i].line, actions[i].doc);
}

int cs_command_weights(int argc, char **argv) {
    const char *names[N_ACTIONS], *wanted = argc > 1 ? argv[1] : "";
    char guess[64];
    if (strcmp(wanted, "--help") == 0) {
        print_help();
        return CS_EXIT_OK;
    }
    for (int i = 0; i < N_ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(wanted, names[i]) == 0)
            return run(&actions[i], argc - 1, argv + 1);
    }
    cs_log(CS_LOG_ERROR, "weights: '%s' is none of show, check, convert%s", wanted,
           cs_did_you_mean(wanted, names, N_ACTIONS, guess, sizeof guess));
    cs_log(CS_LOG_INFO, "  hint: `cnnsweep weights --help` shows the options");
    return CS_EXIT_USAGE;
}
