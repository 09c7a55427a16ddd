/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/graph.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

/* Does a layer in [begin, end) read layer `source`? */
static bool is_read(const cs_graph *graph, int source, int begin, int end) {
    for (int i = begin; i < end; i++)
        for (int k = 0; k < graph->layers[i].n_inputs; k++)
            if (graph->layers[i].inputs[k] == source)
                return true;
    return false;
}

cs_status cs_segment_create(const cs_graph *graph, int begin, int end, cs_segment **out) {
    if (begin < 0 || begin >= end || end > graph->n_layers)
        return cs_fail(CS_ERR_ARG, "%s: layers [%d, %d) are no segment of %d layers", graph->arch, begin, end,
                       graph->n_layers);
    cs_segment *segment;
    cs_status status = CS_OK;
    CS_TRY(cs_alloc(1, sizeof *segment, "segment", &segment));
    *segment = (cs_segment){.graph = graph, .begin = begin, .end = end};
    CS_TRY_GOTO(cs_alloc((size_t)begin, sizeof(int), "segment inputs", &segment->inputs), done);
    CS_TRY_GOTO(cs_alloc((size_t)(end - begin), sizeof(int), "segment outputs", &segment->outputs), done);
    for (int i = 0; i < begin; i++)
        if (is_read(graph, i, begin, end))
            segment->inputs[segment->n_inputs++] = i;
    for (int i = begin; i < end; i++)
        if (i == graph->n_layers - 1 || is_read(graph, i, end, graph->n_layers))
            segment->outputs[segment->n_outputs++] = i;
done:
    if (status != CS_OK)
        cs_segment_free(segment);
    else
        *out = segment;
    return status;
}

void cs_segment_free(cs_segment *segment) {
    if (!segment)
        return;
    free(segment->inputs);
    free(segment->outputs);
    free(segment);
}
