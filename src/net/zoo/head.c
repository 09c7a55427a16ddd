/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include "block.h"
#include "cnnsweep/head.h"
#include "families.h"

static cs_status add_gap(cs_graph *graph, const cs_model_config *config, const cs_head_layer *layer, const char *name,
                         int *x) {
    (void)config;
    (void)layer;
    return cs_graph_global_average_pool(graph, name, *x, false, x);
}

static cs_status add_flatten(cs_graph *graph, const cs_model_config *config, const cs_head_layer *layer,
                             const char *name, int *x) {
    (void)config;
    (void)layer;
    return cs_graph_flatten(graph, name, *x, x);
}

static cs_status add_dropout(cs_graph *graph, const cs_model_config *config, const cs_head_layer *layer,
                             const char *name, int *x) {
    return cs_graph_dropout(graph, name, *x, layer->plain ? config->dropout : layer->rate, false, x);
}

static cs_status add_dense(cs_graph *graph, const cs_model_config *config, const cs_head_layer *layer, const char *name,
                           int *x) {
    if (layer->activation == CS_ACT_BINARY && config->classes != 2)
        return cs_hint(
            cs_fail(CS_ERR_ARG, "head: dense:1:sigmoid decides between 2 classes, but there are %d", config->classes),
            "end it in a plain dense, which gets the number of classes");
    return cs_graph_dense(graph, name, *x, layer->plain ? config->classes : layer->units, layer->activation, x);
}

static const struct {
    const char *layer; /* Keras' automatic name */
    cs_status (*add)(cs_graph *graph, const cs_model_config *config, const cs_head_layer *layer, const char *name,
                     int *x);
} kinds[] = {
    [CS_HEAD_GAP] = {"global_average_pooling2d", add_gap},
    [CS_HEAD_FLATTEN] = {"flatten", add_flatten},
    [CS_HEAD_DROPOUT] = {"dropout", add_dropout},
    [CS_HEAD_DENSE] = {"dense", add_dense},
};

static cs_status add_list(cs_graph *graph, const cs_model_config *config, const cs_head_spec *spec, int *x) {
    char name[CS_NAME_MAX];
    for (int i = 0; i < spec->n; i++) {
        const cs_head_layer *layer = &spec->layers[i];
        cs_automatic_name(graph, kinds[layer->kind].layer, name);
        CS_TRY(kinds[layer->kind].add(graph, config, layer, name, x));
    }
    return CS_OK;
}

cs_status cs_add_top_avg_pool(cs_graph *graph, int classes, int *x) {
    CS_TRY(cs_graph_global_average_pool(graph, "avg_pool", *x, false, x));
    return cs_graph_dense(graph, "predictions", *x, classes, CS_ACT_SOFTMAX, x);
}

cs_status cs_head_add(cs_graph *graph, const cs_model_config *config, const cs_zoo_entry *entry, int top) {
    cs_head_spec spec;
    CS_TRY(cs_head_parse(config->head[0] ? config->head : entry->default_head, &spec));
    if (!spec.top)
        return add_list(graph, config, &spec, &top);
    if (!entry->add_top)
        return cs_hint(cs_fail(CS_ERR_ARG, "head: top, but %s was published without one", entry->name),
                       "its usual head is %s", entry->default_head);
    return entry->add_top(graph, config->classes, &top);
}
