/* SPDX-License-Identifier: Apache-2.0 */
#include "depth.h"
#include "cnnsweep/zoo.h"

#include <math.h>
#include <string.h>

/* The number of layers from the first trained one on. */
static int trained_layers(const cs_graph *graph) {
    int first = 0;
    while (first < graph->n_layers && !graph->layers[first].trainable)
        first++;
    return graph->n_layers - first;
}

static bool has_one_network(const cs_job *job) {
    for (int t = 1; t < job->n_last; t++)
        if (strcmp(job->trials[t].model.arch, job->trials[0].model.arch) != 0 ||
            strcmp(job->trials[t].model.head, job->trials[0].model.head) != 0)
            return false;
    return job->n_last > 0;
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

cs_status cs_page_depth(cs_page_memory *memory, const cs_job *job, int swept, int classes, cs_page_option *option) {
    cs_graph *graph = NULL;
    if (strcmp(option->name, "fine_tune") != 0 || !has_one_network(job) || classes == 0)
        return CS_OK;
    cs_model_config model = job->trials[0].model;
    model.classes = classes;
    if (job->trials[0].data.image[0] > 0) {
        model.input_h = job->trials[0].data.image[0];
        model.input_w = job->trials[0].data.image[1];
    }
    if (cs_model_build(&model, &graph) != CS_OK)
        return CS_OK; /* as above */
    const cs_status status = read_graph(memory, &job->swept[swept], graph, option);
    cs_graph_free(graph);
    return status;
}
