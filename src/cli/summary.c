/* cnnsweep summary: the layers of an architecture, or of the network that a job trains. */
#include "cnnsweep/file.h"
#include "cnnsweep/job.h"
#include "cnnsweep/log.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct summary_args {
    const char *what, *input, *classes, *alpha, *head, *fine_tune;
} summary_args;

static cs_parsed parse(int argc, char **argv, summary_args *args) {
    const cs_flag flags[] = {
        {.name = "--input", .value = "HxWxC", .text = &args->input, .doc = "input (default 224x224x3, or the job's)"},
        {.name = "--classes", .value = "K", .text = &args->classes, .doc = "add a head of K classes"},
        {.name = "--alpha", .value = "A", .text = &args->alpha, .doc = "width multiplier (default 1)"},
        {.name = "--head", .value = "LIST", .text = &args->head, .doc = "layers on top, such as gap,dense"},
        {.name = "--fine-tune", .value = "X", .text = &args->fine_tune, .doc = "all, head, last N layers, layer name"},
    };
    const cs_usage usage = {"cnnsweep summary ARCH|JOB.yaml",
                            "Prints layers, shapes and parameters as Keras' model.summary() does.", flags,
                            sizeof flags / sizeof *flags};
    return cs_args_parse(&usage, argc, argv, &args->what);
}

static cs_status set(const char *key, const char *text, cs_trial_config *trial) {
    const cs_option *option = NULL;
    if (!text)
        return CS_OK;
    CS_TRY(cs_option_find(key, &option));
    return cs_option_set(option, text, trial);
}

static cs_status set_input(const char *text, cs_trial_config *trial) {
    int h, w, c = 3, end = 0;
    if (!text)
        return CS_OK;
    bool read = sscanf(text, "%dx%d%nx%d%n", &h, &w, &end, &c, &end) >= 2 && !text[end];
    if (!read || h < 1 || w < 1 || h > 65536 || w > 65536 || c != 3)
        return cs_hint(cs_fail(CS_ERR_ARG, "--input is '%s'", text), "write HxWx3, such as 224x224x3");
    trial->data.image[0] = h;
    trial->data.image[1] = w;
    return CS_OK;
}

static cs_status read_classes(const char *text, int *classes) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < 0 || value > 1000000)
        return cs_fail(CS_ERR_ARG, "--classes is '%s', not a number of classes", text);
    *classes = (int)value;
    return CS_OK;
}

/* The base of a job: the image size and the classes come from its dataset unless flags give them. */
static cs_status read_job(const summary_args *args, cs_trial_config *trial, int *classes) {
    cs_job *job = NULL;
    cs_dataset *dataset = NULL;
    CS_TRY(cs_job_read(args->what, NULL, 0, &job));
    *trial = job->trials[0];
    cs_job_free(job);
    CS_TRY(set_input(args->input, trial));
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
        CS_TRY(set_input(args->input, trial));
    }
    CS_TRY(set("model.alpha", args->alpha, trial));
    CS_TRY(set("model.head", args->head, trial));
    CS_TRY(set("train.fine_tune", args->fine_tune, trial));
    return args->classes ? read_classes(args->classes, classes) : CS_OK;
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
    cs_parsed parsed = parse(argc, argv, &args);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_OK : CS_EXIT_USAGE;
    cs_status status = print_summary(&args);
    if (status != CS_OK)
        cs_log_error_last();
    return cs_exit_code(status);
}
