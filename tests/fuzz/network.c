/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stdlib.h>

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        if ((call) != CS_OK)                                                                                           \
            abort();                                                                                                   \
    } while (0)

cs_graph *fuzz_network(cs_dialect dialect) {
    cs_conv_args conv = {.filters = 2, .kernel_h = 1, .kernel_w = 1, .stride = 1, .use_bias = true};
    cs_graph *graph;
    int x, top;
    MUST(cs_graph_create("fuzzed", &graph));
    graph->dialect = dialect;
    MUST(cs_graph_input(graph, "input", 4, 4, 3, &x));
    if (dialect == CS_DIALECT_KERAS)
        MUST(cs_graph_normalization(graph, "norm", x, &x));
    MUST(cs_graph_conv2d(graph, "conv", x, conv, &x));
    conv.use_bias = false;
    MUST(cs_graph_depthwise_conv2d(graph, "dw", x, conv, &x));
    if (dialect == CS_DIALECT_KERAS)
        MUST(cs_graph_separable_conv2d(graph, "sep", x, conv, &x));
    MUST(cs_graph_batch_norm(graph, "bn", x, 1e-3f, 0.99f, true, &x));
    MUST(cs_graph_global_average_pool(graph, "gap", x, false, &x));
    top = graph->n_layers;
    MUST(cs_graph_dense(graph, "dense", x, 2, CS_ACT_LINEAR, &x));
    graph->head = top;
    return graph;
}
