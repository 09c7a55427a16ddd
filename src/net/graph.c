/* SPDX-License-Identifier: Apache-2.0 */
#include "layers_impl.h"

#include "cnnsweep/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_graph_create(const char *arch, cs_graph **out) {
    cs_graph *graph;
    CS_TRY(cs_alloc(1, sizeof *graph, "graph", &graph));
    snprintf(graph->arch, sizeof graph->arch, "%s", arch);
    graph->dialect = CS_DIALECT_KERAS;
    graph->preprocess = CS_PREPROCESS_RAW;
    *out = graph;
    return CS_OK;
}

void cs_graph_free(cs_graph *graph) {
    if (!graph)
        return;
    free(graph->layers);
    free(graph->params);
    free(graph);
}

void cs_graph_begin_block(cs_graph *graph) {
    graph->n_blocks++;
}

static int find(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return i;
    return -1;
}

static cs_status check_name(const cs_graph *graph, const char *name) {
    if (!name || !name[0])
        return cs_fail(CS_ERR_ARG, "%s: layer %d has no name", graph->arch, graph->n_layers);
    if (strlen(name) >= CS_NAME_MAX)
        return cs_fail(CS_ERR_ARG, "%s: the name of layer '%s' has more than %d characters", graph->arch, name,
                       CS_NAME_MAX - 1);
    if (find(graph, name) >= 0)
        return cs_fail(CS_ERR_ARG, "%s: there are two layers of the name '%s'", graph->arch, name);
    return CS_OK;
}

static cs_status check_inputs(const cs_graph *graph, const cs_layer_draft *draft) {
    for (int i = 0; i < draft->layer.n_inputs; i++) {
        int input = draft->layer.inputs[i];
        if (input < 0 || input >= graph->n_layers)
            return cs_fail(CS_ERR_ARG, "layer '%s': input %d is no earlier layer (there are %d)", draft->name, input,
                           graph->n_layers);
        const cs_activation activation = graph->layers[input].activation;
        if (cs_activation_is_last(activation))
            return cs_hint(cs_fail(CS_ERR_ARG, "layer '%s': its input '%s' ends in %s", draft->name,
                                   graph->layers[input].name, cs_activation_name(activation)),
                           "the last layer's activation is a part of the loss");
    }
    return CS_OK;
}

static cs_status check_output(const cs_layer *layer) {
    cs_shape s = layer->out;
    bool in_range = s.h >= 1 && s.w >= 1 && s.c >= 1 && s.h <= CS_DIMENSION_MAX && s.w <= CS_DIMENSION_MAX &&
                    (s.flat || s.c <= CS_DIMENSION_MAX);
    if (!in_range || cs_shape_count(s) > INT_MAX)
        return cs_fail(CS_ERR_SHAPE, "layer '%s': the output would be %d x %d x %d; sizes go from 1 to %d", layer->name,
                       s.h, s.w, s.c, CS_DIMENSION_MAX);
    return CS_OK;
}

cs_status cs_graph_add_layer(cs_graph *graph, cs_layer_draft *draft, int *out) {
    cs_layer *layer = &draft->layer;
    const cs_layer_rule *rule = cs_layer_rule_of(layer->kind);
    CS_TRY(check_name(graph, draft->name));
    CS_TRY(check_inputs(graph, draft));
    snprintf(layer->name, sizeof layer->name, "%s", draft->name);
    layer->trainable = true;
    layer->lr_factor = 1;
    layer->block = graph->n_blocks;
    layer->first_param = graph->n_params;
    if (layer->n_inputs > 0)
        layer->in = graph->layers[layer->inputs[0]].out;
    CS_TRY(rule->shape(graph, draft));
    CS_TRY(check_output(layer));
    CS_TRY(cs_grow(&graph->layers, &graph->layer_capacity, (size_t)graph->n_layers + 1, sizeof *layer, "layers"));
    size_t values_before = graph->n_values;
    cs_status status = rule->params ? rule->params(graph, layer) : CS_OK;
    if (status != CS_OK) { /* remove all parameters of the layer that could not be added */
        graph->n_params = layer->first_param;
        graph->n_values = values_before;
        return status;
    }
    layer->n_params = graph->n_params - layer->first_param;
    graph->layers[graph->n_layers] = *layer;
    *out = graph->n_layers++;
    graph->head = graph->n_layers;
    return CS_OK;
}

const char *cs_dialect_name(cs_dialect dialect) {
    static const char *const names[] = {
        [CS_DIALECT_ANY] = "any", [CS_DIALECT_KERAS] = "keras", [CS_DIALECT_TORCH] = "torch"};
    return names[dialect];
}

void cs_param_name(const cs_graph *graph, const cs_param *param, char *out, size_t size) {
    const cs_layer *layer = &graph->layers[param->layer];
    bool depthwise = layer->kind == CS_LAYER_DEPTHWISE_CONV2D || layer->kind == CS_LAYER_SEPARABLE_CONV2D;
    bool depthwise_kernel = depthwise && param->role == CS_PARAM_KERNEL;
    snprintf(out, size, "%s/%s%s", layer->name, depthwise_kernel ? "depthwise_" : "", cs_param_role_name(param->role));
}

bool cs_param_is_statistic(const cs_param *param) {
    return param->role >= CS_PARAM_MOVING_MEAN && param->role <= CS_PARAM_COUNT;
}

cs_status cs_graph_find(const cs_graph *graph, const char *name, int *out) {
    int found = find(graph, name);
    if (found >= 0) {
        *out = found;
        return CS_OK;
    }
    const char **names;
    CS_TRY(cs_alloc((size_t)graph->n_layers, sizeof *names, "layer names", &names));
    for (int i = 0; i < graph->n_layers; i++)
        names[i] = graph->layers[i].name;
    char suggestion[CS_NAME_MAX + 32];
    cs_did_you_mean(name, names, (size_t)graph->n_layers, suggestion, sizeof suggestion);
    free(names);
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s has no layer '%s'%s", graph->arch, name, suggestion),
                   "`cnnsweep summary %s` prints the layers", graph->arch);
}

cs_param_counts cs_graph_count_params(const cs_graph *graph) {
    cs_param_counts counts = {.total = graph->n_values};
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        if (graph->layers[param->layer].trainable && !cs_param_is_statistic(param))
            counts.trainable += param->count;
    }
    counts.non_trainable = counts.total - counts.trainable;
    return counts;
}
