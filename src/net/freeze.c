/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/graph.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *text) {
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}

/* Finds the first layer of the last `text` blocks. */
static cs_status first_of_blocks(const cs_graph *graph, const char *text, int *out) {
    long count = is_number(text) ? strtol(text, NULL, 10) : 0;
    if (count == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: blocks:%s is not a number of blocks", text),
                       "write blocks:K with K of 1 or more; %s has %d", graph->arch, graph->n_blocks);
    if (count > graph->n_blocks)
        return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: blocks:%s, but %s has %d", text, graph->arch, graph->n_blocks),
                       "all trains what lies before the first block too");
    int first = 0;
    while (first < graph->n_layers && graph->layers[first].block <= graph->n_blocks - count)
        first++;
    *out = first;
    return CS_OK;
}

/* Finds the first layer that `fine_tune` makes trainable. */
static cs_status first_trainable(const cs_graph *graph, const char *fine_tune, int *out) {
    const char *blocks = "blocks:";
    if (strcmp(fine_tune, "all") == 0) {
        *out = 0;
    } else if (strcmp(fine_tune, "head") == 0) {
        if (graph->head == graph->n_layers)
            return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: head, but %s has no head", graph->arch),
                           "give the number of classes, or fine_tune: all");
        *out = graph->head;
    } else if (strncmp(fine_tune, blocks, strlen(blocks)) == 0) {
        return first_of_blocks(graph, fine_tune + strlen(blocks), out);
    } else if (is_number(fine_tune)) {
        long count = strtol(fine_tune, NULL, 10);
        if (count == 0)
            return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: 0 leaves nothing to train"),
                           "use 1 or more, all, head, blocks:K, or the name of the first layer to train");
        *out = count > graph->n_layers ? 0 : graph->n_layers - (int)count;
    } else {
        cs_status status = cs_graph_find(graph, fine_tune, out);
        if (status != CS_OK)
            return cs_context(status, "fine_tune: %s", fine_tune);
    }
    return CS_OK;
}

cs_status cs_graph_freeze(cs_graph *graph, const char *fine_tune) {
    int first = 0;
    CS_TRY(first_trainable(graph, fine_tune, &first));
    for (int i = 0; i < graph->n_layers; i++)
        graph->layers[i].trainable = i >= first;
    return CS_OK;
}

bool cs_graph_drops(const cs_graph *graph, int layer) {
    const cs_layer *l = &graph->layers[layer];
    return l->kind == CS_LAYER_DROPOUT && l->rate > 0 && (l->trainable || layer >= graph->head);
}

bool cs_layer_has_trainable_params(const cs_graph *graph, int layer) {
    const cs_layer *l = &graph->layers[layer];
    for (int i = 0; i < l->n_params; i++)
        if (!cs_param_is_statistic(&graph->params[l->first_param + i]))
            return true;
    return false;
}

int cs_graph_trunk_end(const cs_graph *graph) {
    int first = 0, dropout = graph->n_layers;
    for (; first < graph->n_layers; first++) {
        if (graph->layers[first].trainable && cs_layer_has_trainable_params(graph, first))
            break;
        if (dropout == graph->n_layers && cs_graph_drops(graph, first))
            dropout = first;
    }
    return first < graph->n_layers && dropout < first ? dropout : first;
}
