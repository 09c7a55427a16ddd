/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep summary: prints the layers of an architecture, or of the network that a job trains. */
#include "cnnsweep/file.h"
#include "cnnsweep/job.h"
#include "cnnsweep/log.h"
#include "command.h"
#include "model_args.h"

#include <stdio.h>
#include <string.h>

typedef struct summary_args {
    const char *what, *fine_tune;
    cs_model_args model;
    bool help;
} summary_args;

static bool parse(int argc, char **argv, summary_args *args, int *exit_code) {
    const cs_arg rows[] = {
        CS_MODEL_ARG_ROWS(args->model),
        {"--fine-tune", "X", "what trains: all, head, blocks:K, the last N layers, or a layer's name", cs_arg_text,
         &args->fine_tune},
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {.line = "cnnsweep summary [options] ARCH|JOB.yaml",
                            .doc = "Prints layers, shapes and parameters as Keras' model.summary() does.",
                            .operands = {"ARCH|JOB.yaml"},
                            .args = rows,
                            .n = sizeof rows / sizeof *rows,
                            .help = &args->help};
    return cs_command_parse(&usage, argc, argv, &args->what, exit_code);
}

/* Reads the first trial of a job. The image size and the number of classes are those of its dataset, unless flags give
 * them. */
static cs_status read_job(const summary_args *args, cs_trial_config *trial, int *classes) {
    cs_job *job = NULL;
    cs_dataset *dataset = NULL;
    CS_TRY(cs_job_read(args->what, NULL, 0, &job));
    *trial = job->trials[0];
    cs_job_free(job);
    if (args->model.input[0])
        memcpy(trial->data.image, args->model.input, sizeof trial->data.image);
    if (args->model.classes && trial->data.image[0])
        return CS_OK;
    cs_status status = cs_dataset_open(trial->data.path, &dataset);
    if (status != CS_OK)
        return cs_hint(status, "--input and --classes print it without the dataset");
    *classes = cs_dataset_class_count(dataset);
    status = cs_trial_resolve_image(dataset, trial);
    cs_dataset_close(dataset);
    return status;
}

static cs_status configure(const summary_args *args, cs_trial_config *trial, int *classes) {
    size_t length = strlen(args->what);
    bool is_job = cs_file_exists(args->what) || (length > 5 && strcmp(args->what + length - 5, ".yaml") == 0);
    if (is_job)
        CS_TRY(read_job(args, trial, classes));
    else
        CS_TRY(cs_model_args_arch(args->what, trial));
    CS_TRY(cs_model_args_apply(&args->model, trial));
    if (args->model.classes)
        *classes = args->model.classes;
    return cs_set_option("train.fine_tune", args->fine_tune, trial);
}

static cs_status print_summary(const summary_args *args) {
    cs_trial_config trial = {0};
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    int classes = 0;
    CS_TRY(configure(args, &trial, &classes));
    CS_TRY(cs_trial_network(&trial, classes, &graph, &params));
    cs_graph_summary(graph, stdout);
    cs_params_free(params);
    cs_graph_free(graph);
    return CS_OK;
}

int cs_command_summary(int argc, char **argv) {
    summary_args args = {0};
    int exit_code;
    if (!parse(argc, argv, &args, &exit_code))
        return exit_code;
    cs_status status = print_summary(&args);
    if (status != CS_OK)
        cs_log_error_last();
    return cs_exit_code(status);
}
