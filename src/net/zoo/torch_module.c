/* SPDX-License-Identifier: Apache-2.0 */
#include "torch_module.h"

const char *cs_torch_name(cs_torch_module *module, const char *part) {
    snprintf(module->layer, sizeof module->layer, "%s%s%s", module->prefix, module->prefix[0] ? "." : "", part);
    return module->layer;
}

cs_status cs_torch_conv(cs_torch_module *module, const char *part, int filters, int kernel, int stride, int *x) {
    cs_conv_args conv = {.filters = filters,
                         .kernel_h = kernel,
                         .kernel_w = kernel,
                         .stride = stride,
                         .padding = CS_PADDING_SYMMETRIC,
                         .pad = kernel / 2};
    CS_TRY(cs_graph_conv2d(module->graph, cs_torch_name(module, part), *x, conv, x));
    module->graph->layers[*x].initializer = module->initializer;
    return CS_OK;
}

cs_status cs_torch_depthwise(cs_torch_module *module, const char *part, int stride, int *x) {
    const cs_conv_args conv = {
        .kernel_h = 3, .kernel_w = 3, .stride = stride, .padding = CS_PADDING_SYMMETRIC, .pad = 1};
    CS_TRY(cs_graph_depthwise_conv2d(module->graph, cs_torch_name(module, part), *x, conv, x));
    module->graph->layers[*x].initializer = module->initializer;
    return CS_OK;
}

cs_status cs_torch_norm(cs_torch_module *module, const char *part, int *x) {
    const float epsilon = 1e-5f, momentum = 0.9f; /* torch writes 0.1, the weight of the new value */
    return cs_graph_batch_norm(module->graph, cs_torch_name(module, part), *x, epsilon, momentum, true, x);
}

cs_status cs_torch_activation(cs_torch_module *module, const char *part, cs_activation activation, int *x) {
    return cs_graph_activation(module->graph, cs_torch_name(module, part), *x, activation, x);
}

cs_status cs_torch_add_stem(cs_torch_module *module, cs_torch_stem names, int *x) {
    enum { FILTERS = 64, KERNEL = 7, STRIDE = 2 };
    const cs_pool_args pool = {
        .kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_SYMMETRIC, .pad = 1};
    CS_TRY(cs_torch_conv(module, names.conv, FILTERS, KERNEL, STRIDE, x));
    CS_TRY(cs_torch_norm(module, names.norm, x));
    CS_TRY(cs_torch_activation(module, names.relu, CS_ACT_RELU, x));
    return cs_graph_pool(module->graph, cs_torch_name(module, names.pool), *x, pool, x);
}

cs_status cs_torch_linear(cs_graph *graph, const char *name, cs_initializer initializer, int classes, int *x) {
    CS_TRY(cs_graph_dense(graph, name, *x, classes, CS_ACT_SOFTMAX, x));
    graph->layers[*x].initializer = initializer;
    return CS_OK;
}
