/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_network.h"
#include "cnnsweep/log.h"
#include "cnnsweep/weights.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *ending) {
    const size_t a = strlen(text), b = strlen(ending);
    return a >= b && strcmp(text + a - b, ending) == 0;
}

bool cs_is_network(const char *operand) {
    return cs_is_folder(operand) || ends_with(operand, ".h5") || ends_with(operand, ".safetensors");
}

/* The last part of a path, without slashes at its end. */
static void set_label(cs_network *network, const char *path, const char *trial) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    snprintf(network->label, sizeof network->label, "%.*s%s%s", (int)(end - begin < 80 ? end - begin : 80),
             path + begin, trial ? "-" : "", trial ? trial : "");
}

static cs_status open_results(const char *folder, const cs_network_args *args, cs_network *out) {
    CS_TRY(cs_trained_open(folder, args->trial, args->data, &out->trained));
    out->config = out->trained.config;
    out->graph = out->trained.graph;
    out->params = out->trained.params;
    out->dataset = out->trained.dataset;
    set_label(out, folder, out->trained.name);
    cs_log(CS_LOG_INFO, "%s: trial %s%s%s", folder, out->trained.name, out->trained.options[0] ? ", " : "",
           out->trained.options);
    return CS_OK;
}

/* The file must have the head, too: an explanation of initial values would say nothing. */
static cs_status read_weights(const char *path, cs_params *params) {
    cs_weights_report report = {0};
    cs_status status = cs_weights_read(path, CS_WEIGHTS_WHOLE, params, &report);
    if (status != CS_OK && report.text && report.text[0])
        cs_log(CS_LOG_INFO, "%s", report.text);
    cs_weights_report_clear(&report);
    return status;
}

static cs_status open_model(const char *path, const cs_network_args *args, cs_network *out) {
    cs_trial_config *config = &out->config;
    if (!args->arch)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: of which network are these weights?", path),
                       "such as --arch mobilenet --classes 10");
    CS_TRY(cs_model_args_arch(args->arch, config));
    CS_TRY(cs_model_args_apply(&args->model, config));
    if (args->data)
        CS_TRY(cs_dataset_open(args->data, &out->dataset));
    config->model.classes = args->model.classes ? args->model.classes
                            : out->dataset      ? cs_dataset_class_count(out->dataset)
                                                : 0;
    if (!config->model.classes)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: how many classes has the network?", path),
                       "--classes K, or --data FILE");
    if (config->data.image[0] > 0) {
        config->model.input_h = config->data.image[0];
        config->model.input_w = config->data.image[1];
    }
    CS_TRY(cs_weights_model(path, &config->model, &out->graph));
    CS_TRY(cs_params_create(out->graph, &out->params));
    set_label(out, path, NULL);
    return read_weights(path, out->params);
}

cs_status cs_network_open(const char *operand, const cs_network_args *args, cs_engine *engine, cs_network *out) {
    *out = (cs_network){0};
    CS_TRY(cs_is_folder(operand) ? open_results(operand, args, out) : open_model(operand, args, out));
    const cs_standardize standardize = cs_augment_standardize(&out->config.augment, false);
    out->bgr = cs_preprocess_of(out->graph->preprocess).bgr && !cs_standardize_is_on(&standardize);
    CS_TRY(cs_trial_input_open(&out->config, out->dataset, out->graph, &out->input));
    const cs_explain_spec spec = {
        .engine = engine, .graph = out->graph, .params = out->params, .layer = args->layer, .batch = args->batch};
    cs_status status = cs_explainer_open(&spec, &out->explainer);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", operand);
}

void cs_network_close(cs_network *network) {
    cs_explainer_close(network->explainer);
    cs_trial_input_close(network->input);
    if (!network->trained.graph) {
        cs_params_free(network->params);
        cs_graph_free(network->graph);
        cs_dataset_close(network->dataset);
    }
    cs_trained_close(&network->trained);
}

int cs_network_classes(const cs_network *network) {
    return cs_explainer_classes(network->explainer);
}

const char *cs_network_class(const cs_network *network, int class, char number[16]) {
    if (network->dataset && class < cs_dataset_class_count(network->dataset))
        return cs_dataset_class(network->dataset, class);
    snprintf(number, 16, "%d", class);
    return number;
}

cs_status cs_network_find_class(const cs_network *network, const char *name, int32_t *out) {
    char number[16], *end;
    for (int k = 0; k < cs_network_classes(network); k++)
        if (strcmp(cs_network_class(network, k, number), name) == 0) {
            *out = k;
            return CS_OK;
        }
    const long k = strtol(name, &end, 10);
    if (end != name && !*end && k >= 0 && k < cs_network_classes(network)) {
        *out = (int32_t)k;
        return CS_OK;
    }
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "--class %s: %s has no such class", name, network->label),
                   "predicted, true, the name of a class, or its number from 0 to %d", cs_network_classes(network) - 1);
}
