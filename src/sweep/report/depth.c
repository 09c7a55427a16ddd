/* SPDX-License-Identifier: Apache-2.0 */
#include "depth.h"
#include "network.h"

#include <string.h>

/* The number of layers from the first trained one on. */
static int trained_layers(const cs_graph *graph) {
    int first = 0;
    while (first < graph->n_layers && !graph->layers[first].trainable)
        first++;
    return graph->n_layers - first;
}

/* Is nothing swept that changes the network, apart from what trains of it? */
static bool has_one_network(const cs_job *job, int fine_tune) {
    for (int i = 0; i < job->n_swept; i++)
        if (i != fine_tune && job->swept[i].option->affects & CS_AFFECTS_GRAPH)
            return false;
    return true;
}

static cs_status read_graph(cs_page_memory *memory, const cs_swept_option *swept, cs_graph *graph,
                            cs_page_option *option) {
    double *depth = NULL, *blocks = NULL;
    CS_TRY(cs_page_alloc(memory, (size_t)swept->n, sizeof *depth, &depth));
    CS_TRY(cs_page_alloc(memory, (size_t)graph->n_blocks, sizeof *blocks, &blocks));
    for (int i = 0; i < swept->n; i++) {
        if (cs_graph_freeze(graph, swept->values[i]) != CS_OK)
            return CS_OK; /* the value is of a network that cannot be built here: there is no depth */
        depth[i] = trained_layers(graph);
    }
    for (int block = 1, layer = 0; block <= graph->n_blocks; block++) {
        while (layer < graph->n_layers && graph->layers[layer].block < block)
            layer++;
        blocks[block - 1] = graph->n_layers - layer;
    }
    option->depth = depth;
    option->blocks = blocks;
    option->n_blocks = graph->n_blocks;
    return CS_OK;
}

cs_status cs_page_depth(cs_page_memory *memory, const cs_collection *c, int swept, int classes,
                        cs_page_option *option) {
    if (strcmp(option->name, "fine_tune") != 0 || !has_one_network(c->job, swept))
        return CS_OK;
    cs_graph *graph = cs_report_network(c, 0, classes);
    if (!graph)
        return CS_OK;
    const cs_status status = read_graph(memory, &c->job->swept[swept], graph, option);
    cs_graph_free(graph);
    return status;
}
