/* SPDX-License-Identifier: Apache-2.0 */
/* Adds parameters to a graph that is being built, and computes sizes of shapes. Both graph.c and the layers' rules
 * (layers.c) need these functions. */
#include "layers_impl.h"

#include "cnnsweep/memory.h"

cs_status cs_graph_add_param(cs_graph *graph, cs_param_role role, const int dims[4]) {
    const size_t most = (size_t)1 << 40;
    cs_param param = {.layer = graph->n_layers, .role = role, .offset = graph->n_values, .count = 1};
    for (; param.rank < 4 && dims[param.rank]; param.rank++) {
        size_t dim = (size_t)dims[param.rank];
        if (dim > most / param.count)
            return cs_fail(CS_ERR_SHAPE, "%s: the %s of layer %d has more than 2^40 values", graph->arch,
                           cs_param_role_name(role), param.layer);
        param.dims[param.rank] = dims[param.rank];
        param.count *= dim;
    }
    CS_TRY(cs_grow(&graph->params, &graph->param_capacity, (size_t)graph->n_params + 1, sizeof param, "parameters"));
    graph->params[graph->n_params++] = param;
    graph->n_values += param.count;
    return CS_OK;
}

size_t cs_shape_count(cs_shape shape) {
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

const char *cs_param_role_name(cs_param_role role) {
    static const char *const names[] = {
        [CS_PARAM_KERNEL] = "kernel",
        [CS_PARAM_BIAS] = "bias",
        [CS_PARAM_GAMMA] = "gamma",
        [CS_PARAM_BETA] = "beta",
        [CS_PARAM_MOVING_MEAN] = "moving_mean",
        [CS_PARAM_MOVING_VARIANCE] = "moving_variance",
        [CS_PARAM_MEAN] = "mean",
        [CS_PARAM_VARIANCE] = "variance",
        [CS_PARAM_COUNT] = "count",
        [CS_PARAM_POINTWISE_KERNEL] = "pointwise_kernel",
    };
    return names[role];
}
