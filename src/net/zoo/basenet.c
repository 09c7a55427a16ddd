/* The small two-convolution net of the CIFAR-10 tutorials, with the layer names Keras would give. */
#include "families.h"

cs_status cs_build_basenet(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { FILTERS1 = 6, FILTERS2 = 16, KERNEL = 5, POOL = 2, UNITS = 50 };
    if (config->alpha != 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "basenet has no width multiplier, alpha is %g", (double)config->alpha),
                       "leave alpha out or set it to 1");
    cs_conv_args conv = {.filters = FILTERS1,
                         .kernel_h = KERNEL,
                         .kernel_w = KERNEL,
                         .stride = 1,
                         .padding = CS_PADDING_VALID,
                         .use_bias = true,
                         .activation = CS_ACT_RELU};
    int x;
    graph->preprocess = CS_PREPROCESS_UNIT;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(cs_graph_conv2d(graph, "conv2d", x, conv, &x));
    CS_TRY(cs_graph_pool(
        graph, "max_pooling2d", x,
        (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = POOL, .stride = POOL, .padding = CS_PADDING_VALID}, &x));
    conv.filters = FILTERS2;
    CS_TRY(cs_graph_conv2d(graph, "conv2d_1", x, conv, &x));
    CS_TRY(cs_graph_pool(
        graph, "max_pooling2d_1", x,
        (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = POOL, .stride = POOL, .padding = CS_PADDING_VALID}, &x));
    CS_TRY(cs_graph_flatten(graph, "flatten", x, &x));
    CS_TRY(cs_graph_dense(graph, "dense", x, UNITS, CS_ACT_RELU, &x));
    *top = x;
    return CS_OK;
}
