/* SPDX-License-Identifier: Apache-2.0 */
/* MobileNetV2 (Sandler et al., arXiv:1801.04381) in the dialect of torchvision.models.mobilenet_v2; alpha is its
 * width_mult. */
#include "families.h"
#include "torch_module.h"
#include "width.h"

static const struct {
    int filters; /* of the blocks' output, at alpha 1 */
    int blocks;
    int stride; /* of the first block */
} stages[] = {{16, 1, 1}, {24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}};

enum { N_STAGES = sizeof stages / sizeof stages[0] };

/* The names of a Conv2dNormActivation's three modules. */
typedef struct triple {
    const char *conv, *norm, *relu;
} triple;

static cs_status add_norm_relu(cs_torch_module *module, triple names, int *x) {
    CS_TRY(cs_torch_norm(module, names.norm, x));
    return cs_torch_activation(module, names.relu, CS_ACT_RELU6, x);
}

static cs_status add_conv_norm_relu(cs_torch_module *module, triple names, int filters, int kernel, int stride,
                                    int *x) {
    CS_TRY(cs_torch_conv(module, names.conv, filters, kernel, stride, x));
    return add_norm_relu(module, names, x);
}

/* Adds an inverted residual; the first one of the network does not expand. */
static cs_status add_block(cs_torch_module *block, bool expand, int filters, int stride, int *x) {
    enum { EXPANSION = 6 };
    const triple first = {"conv.0.0", "conv.0.1", "conv.0.2"}, second = {"conv.1.0", "conv.1.1", "conv.1.2"};
    const triple depthwise = expand ? second : first;
    int input = *x, channels = block->graph->layers[input].out.c;
    cs_graph_begin_block(block->graph);
    if (expand)
        CS_TRY(add_conv_norm_relu(block, first, EXPANSION * channels, 1, 1, x));
    CS_TRY(cs_torch_depthwise(block, depthwise.conv, stride, x));
    CS_TRY(add_norm_relu(block, depthwise, x));
    CS_TRY(cs_torch_conv(block, expand ? "conv.2" : "conv.1", filters, 1, 1, x));
    CS_TRY(cs_torch_norm(block, expand ? "conv.3" : "conv.2", x));
    if (stride > 1 || channels != filters)
        return CS_OK;
    return cs_graph_add(block->graph, cs_torch_name(block, "add"), input, *x, x);
}

cs_status cs_build_mobilenet_v2_torch(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { FIRST = 32, LAST = 1280 };
    const triple ends = {"0", "1", "2"}; /* of the first and the last module */
    const float alpha = config->alpha;
    cs_torch_module module = {.graph = graph, .initializer = CS_INIT_KAIMING_FAN_OUT, .prefix = "features.0"};
    int x, index = 1;
    CS_TRY(cs_width_check(graph, alpha, "1"));
    graph->preprocess = CS_PREPROCESS_TORCH;
    CS_TRY(cs_graph_input(graph, "x", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(add_conv_norm_relu(&module, ends, cs_width_divisible((double)(FIRST * alpha)), 3, 2, &x));
    for (int stage = 0; stage < N_STAGES; stage++)
        for (int i = 0; i < stages[stage].blocks; i++, index++) {
            int filters = cs_width_divisible((double)((float)stages[stage].filters * alpha));
            snprintf(module.prefix, sizeof module.prefix, "features.%d", index);
            CS_TRY(add_block(&module, index > 1, filters, i ? 1 : stages[stage].stride, &x));
        }
    snprintf(module.prefix, sizeof module.prefix, "features.%d", index);
    CS_TRY(add_conv_norm_relu(&module, ends, cs_width_divisible((double)(LAST * (alpha > 1 ? alpha : 1))), 1, 1, &x));
    *top = x;
    return CS_OK;
}

cs_status cs_add_top_mobilenet_v2_torch(cs_graph *graph, int classes, int *x) {
    const float rate = 0.2f;
    CS_TRY(cs_graph_global_average_pool(graph, "adaptive_avg_pool2d", *x, false, x));
    CS_TRY(cs_graph_dropout(graph, "classifier.0", *x, rate, false, x));
    return cs_torch_linear(graph, "classifier.1", CS_INIT_NORMAL_001, classes, x);
}
