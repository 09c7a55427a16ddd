/* cnnsweep summary: the layers of an architecture, or of the network that a job trains. */
#include "cnnsweep/file.h"
#include "cnnsweep/job.h"
#include "cnnsweep/log.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct summary_args {
    const char *what, *alpha, *head, *fine_tune;
    int input[2]; /* height, width; 0: not given */
    int classes;  /* 0: not given */
    bool help;
} summary_args;

/* "HxWxC" as Keras writes shapes; images have 3 channels here. */
static cs_status parse_input(const char *text, void *target) {
    enum { LARGEST = 65535 };
    char *end;
    long h = strtol(text, &end, 10), w = 0, c = 3;
    if (*end == 'x')
        w = strtol(end + 1, &end, 10);
    if (*end == 'x')
        c = strtol(end + 1, &end, 10);
    if (*end || h < 1 || w < 1 || h > LARGEST || w > LARGEST || c != 3)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is not HxWx3", text), "such as 224x224x3");
    ((int *)target)[0] = (int)h;
    ((int *)target)[1] = (int)w;
    return CS_OK;
}

static bool parse(int argc, char **argv, summary_args *args, int *exit_code) {
    const cs_arg rows[] = {
        {"--input", "HxWxC", "input (default 224x224x3, or the job's)", parse_input, args->input},
        {"--classes", "K", "add a head of K classes (a job has its dataset's)", cs_arg_positive, &args->classes},
        {"--alpha", "A", "width multiplier (default 1)", cs_arg_text, &args->alpha},
        {"--head", "LIST", "layers on top, such as gap,dense", cs_arg_text, &args->head},
        {"--fine-tune", "X", "what trains: all, head, the last N layers, or a layer's name", cs_arg_text,
         &args->fine_tune},
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {.line = "cnnsweep summary [options] ARCH|JOB.yaml",
                            .doc = "Prints layers, shapes and parameters as Keras' model.summary() does.",
                            .operand = "ARCH|JOB.yaml",
                            .args = rows,
                            .n = sizeof rows / sizeof *rows,
                            .help = &args->help};
    return cs_command_parse(&usage, argc, argv, &args->what, exit_code);
}

static cs_status set(const char *key, const char *text, cs_trial_config *trial) {
    const cs_option *option = NULL;
    if (!text)
        return CS_OK;
    CS_TRY(cs_option_find(key, &option));
    return cs_option_set(option, text, trial);
}

static void set_input(const summary_args *args, cs_trial_config *trial) {
    if (args->input[0])
        memcpy(trial->data.image, args->input, sizeof trial->data.image);
}

/* A job's first trial: the image size and the classes come from its dataset unless flags give them. */
static cs_status read_job(const summary_args *args, cs_trial_config *trial, int *classes) {
    cs_job *job = NULL;
    cs_dataset *dataset = NULL;
    CS_TRY(cs_job_read(args->what, NULL, 0, &job));
    *trial = job->trials[0];
    cs_job_free(job);
    set_input(args, trial);
    if (args->classes && trial->data.image[0])
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
    cs_model_config_init(&trial->model);
    CS_TRY(set("fine_tune", "all", trial));
    if (is_job) {
        CS_TRY(read_job(args, trial, classes));
    } else {
        CS_TRY(set("model.arch", args->what, trial));
        set_input(args, trial);
    }
    CS_TRY(set("model.alpha", args->alpha, trial));
    CS_TRY(set("model.head", args->head, trial));
    CS_TRY(set("train.fine_tune", args->fine_tune, trial));
    if (args->classes)
        *classes = args->classes;
    return CS_OK;
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
