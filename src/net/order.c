/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts layers into the order that Keras' Functional gives a model, which does not depend on the order of their
 * creation (see map_graph in keras/src/ops/function.py). The layers are sorted by depth, the length of the longest path
 * to the output, in descending order. Layers of equal depth are in the order in which a depth-first walk from the
 * output back through the inputs visits them. */
#include "cnnsweep/graph.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

typedef struct rank {
    int depth, visit; /* visit: -1 before the walk has been there */
    int layer;
} rank;

/* Layers come after their inputs, so that one pass from the last layer to the first finds every depth. */
static void find_depths(const cs_graph *graph, rank *ranks) {
    for (int i = graph->n_layers - 1; i >= 0; i--)
        for (int k = 0; k < graph->layers[i].n_inputs; k++) {
            rank *input = &ranks[graph->layers[i].inputs[k]];
            if (input->depth < ranks[i].depth + 1)
                input->depth = ranks[i].depth + 1;
        }
}

static cs_status find_visits(const cs_graph *graph, rank *ranks) {
    int *stack, visits = 0, size = 0;
    CS_TRY(cs_alloc((size_t)graph->n_layers * CS_LAYER_MAX_INPUTS + 1, sizeof *stack, "layers to visit", &stack));
    stack[size++] = graph->n_layers - 1;
    while (size > 0) {
        int at = stack[--size];
        if (ranks[at].visit >= 0)
            continue;
        ranks[at].visit = visits++;
        const cs_layer *layer = &graph->layers[at];
        for (int k = layer->n_inputs - 1; k >= 0; k--)
            stack[size++] = layer->inputs[k];
    }
    free(stack);
    return CS_OK;
}

static int compare(const void *a, const void *b) {
    const rank *x = a, *y = b;
    return x->depth != y->depth ? y->depth - x->depth : x->visit - y->visit;
}

/* Moves the layers and their parameters into the order of `ranks`, which is sorted. */
static cs_status permute(cs_graph *graph, const rank *ranks) {
    cs_layer *layers = NULL;
    cs_param *params = NULL;
    int *new_index = NULL, n_params = 0;
    size_t n_values = 0;
    cs_status status = cs_alloc((size_t)graph->n_layers, sizeof *layers, "layers", &layers);
    if (status == CS_OK)
        status = cs_alloc((size_t)graph->n_params, sizeof *params, "parameters", &params);
    if (status == CS_OK)
        status = cs_alloc((size_t)graph->n_layers, sizeof *new_index, "indexes of layers", &new_index);
    if (status != CS_OK) {
        free(layers);
        free(params);
        return status;
    }
    for (int i = 0; i < graph->n_layers; i++)
        new_index[ranks[i].layer] = i;
    for (int i = 0; i < graph->n_layers; i++) {
        cs_layer *layer = &layers[i];
        *layer = graph->layers[ranks[i].layer];
        for (int k = 0; k < layer->n_inputs; k++)
            layer->inputs[k] = new_index[layer->inputs[k]];
        for (int p = 0; p < layer->n_params; p++) {
            cs_param *param = &params[n_params + p];
            *param = graph->params[layer->first_param + p];
            param->layer = i;
            param->offset = n_values;
            n_values += param->count;
        }
        layer->first_param = n_params;
        n_params += layer->n_params;
    }
    free(new_index);
    free(graph->layers);
    free(graph->params);
    graph->layers = layers;
    graph->params = params;
    graph->layer_capacity = (size_t)graph->n_layers;
    graph->param_capacity = (size_t)graph->n_params;
    return CS_OK;
}

cs_status cs_graph_order_as_keras(cs_graph *graph) {
    rank *ranks;
    CS_TRY(cs_alloc((size_t)graph->n_layers, sizeof *ranks, "ranks of layers", &ranks));
    for (int i = 0; i < graph->n_layers; i++)
        ranks[i] = (rank){.visit = -1, .layer = i};
    find_depths(graph, ranks);
    cs_status status = find_visits(graph, ranks);
    if (status == CS_OK) {
        qsort(ranks, (size_t)graph->n_layers, sizeof *ranks, compare);
        status = permute(graph, ranks);
    }
    free(ranks);
    return status;
}
