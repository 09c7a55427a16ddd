/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_layout.h"

#include <string.h>

od_desc od_plain_kernel_desc(const od_node *node) {
    const od_kernel_layout *layout = &node->kernel_layout;
    const cs_graph *graph = node->program->graph;
    const cs_param *kernel = cs_layer_param(graph, node->op->layer, node->op->kernel);
    const int *d = kernel->dims;
    int inputs = d[kernel->rank - 2], outputs = d[kernel->rank - 1];
    cs_layer_kind kind = graph->layers[kernel->layer].kind;
    if (kind == CS_LAYER_DEPTHWISE_CONV2D || (kind == CS_LAYER_SEPARABLE_CONV2D && kernel->role == CS_PARAM_KERNEL))
        return (od_desc){.rank = 5, .dims = {d[2], 1, 1, d[0], d[1]}, .tag = dnnl_hwigo}; /* HWC1, i = o = 1 */
    if (layout->matrix)
        return (od_desc){.rank = 2, .dims = {outputs, inputs}, .tag = dnnl_ba};
    if (kernel->rank == 2)
        return (od_desc){.rank = 4, .dims = {outputs, inputs, 1, 1}, .tag = dnnl_hwio};
    return (od_desc){
        .rank = 4, .dims = {outputs, layout->inputs ? layout->inputs : inputs, d[0], d[1]}, .tag = dnnl_hwio};
}

/* The number of floats at one kernel position, or of the whole kernel if no channels are added: one copy is then
 * enough. */
static size_t position(const cs_param *kernel, int inputs) {
    return inputs ? (size_t)kernel->dims[2] * (size_t)kernel->dims[3] : kernel->count;
}

void od_pad_kernel(const cs_param *kernel, int inputs, const float *plain, float *padded) {
    size_t own = position(kernel, inputs), full = inputs ? (size_t)inputs * (size_t)kernel->dims[3] : own;
    for (size_t at = 0; at * own < kernel->count; at++) {
        memcpy(padded + at * full, plain + at * own, own * sizeof *plain);
        memset(padded + at * full + own, 0, (full - own) * sizeof *padded);
    }
}

void od_unpad_kernel(const cs_param *kernel, int inputs, const float *padded, float *plain) {
    size_t own = position(kernel, inputs), full = inputs ? (size_t)inputs * (size_t)kernel->dims[3] : own;
    for (size_t at = 0; at * own < kernel->count; at++)
        memcpy(plain + at * own, padded + at * full, own * sizeof *plain);
}
