/* SPDX-License-Identifier: Apache-2.0 */
/* DenseNet-121 and -169 (Huang et al., arXiv:1608.06993) in the dialect of torchvision.models.densenet121 and 169. */
#include "families.h"
#include "torch_module.h"
#include "width.h"

enum { STAGES = 4 };

/* Concatenates the input of a block's last layer and `fresh`, its output. torchvision concatenates all parts again
 * before every layer; appending gives the same values. */
static cs_status append(cs_torch_module *module, const char *part, int fresh, int *x) {
    return cs_graph_concatenate(module->graph, cs_torch_name(module, part), (int[]){*x, fresh}, 2, x);
}

static cs_status add_layer(cs_torch_module *layer, int *x) {
    enum { GROWTH = 32, BOTTLENECK = 4 * GROWTH };
    CS_TRY(cs_torch_norm(layer, "norm1", x));
    CS_TRY(cs_torch_activation(layer, "relu1", CS_ACT_RELU, x));
    CS_TRY(cs_torch_conv(layer, "conv1", BOTTLENECK, 1, 1, x));
    CS_TRY(cs_torch_norm(layer, "norm2", x));
    CS_TRY(cs_torch_activation(layer, "relu2", CS_ACT_RELU, x));
    return cs_torch_conv(layer, "conv2", GROWTH, 3, 1, x);
}

static cs_status add_block(cs_torch_module *module, int stage, int layers, int *x) {
    int fresh = *x;
    for (int i = 0; i < layers; i++) {
        cs_graph_begin_block(module->graph);
        snprintf(module->prefix, sizeof module->prefix, "features.denseblock%d.denselayer%d", stage + 1, i + 1);
        if (i > 0)
            CS_TRY(append(module, "cat", fresh, x));
        fresh = *x;
        CS_TRY(add_layer(module, &fresh));
    }
    snprintf(module->prefix, sizeof module->prefix, "features.denseblock%d", stage + 1);
    return append(module, "cat", fresh, x);
}

/* Halves the number of channels, and height and width. */
static cs_status add_transition(cs_torch_module *module, int stage, int *x) {
    const cs_pool_args pool = {.kind = CS_LAYER_AVERAGE_POOL, .size = 2, .stride = 2, .padding = CS_PADDING_SYMMETRIC};
    int filters = module->graph->layers[*x].out.c / 2;
    snprintf(module->prefix, sizeof module->prefix, "features.transition%d", stage + 1);
    CS_TRY(cs_torch_norm(module, "norm", x));
    CS_TRY(cs_torch_activation(module, "relu", CS_ACT_RELU, x));
    CS_TRY(cs_torch_conv(module, "conv", filters, 1, 1, x));
    return cs_graph_pool(module->graph, cs_torch_name(module, "pool"), *x, pool, x);
}

static cs_status build(cs_graph *graph, const cs_model_config *config, const int layers[STAGES], int *top) {
    cs_torch_module module = {.graph = graph, .initializer = CS_INIT_KAIMING_FAN_IN, .prefix = "features"};
    int x;
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_TORCH;
    CS_TRY(cs_graph_input(graph, "x", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(cs_torch_add_stem(&module, (cs_torch_stem){"conv0", "norm0", "relu0", "pool0"}, &x));
    for (int stage = 0; stage < STAGES; stage++) {
        CS_TRY(add_block(&module, stage, layers[stage], &x));
        if (stage < STAGES - 1)
            CS_TRY(add_transition(&module, stage, &x));
    }
    snprintf(module.prefix, sizeof module.prefix, "features");
    CS_TRY(cs_torch_norm(&module, "norm5", &x));
    return cs_graph_activation(graph, "relu", x, CS_ACT_RELU, top);
}

cs_status cs_build_densenet121_torch(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, (const int[STAGES]){6, 12, 24, 16}, top);
}

cs_status cs_build_densenet169_torch(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, (const int[STAGES]){6, 12, 32, 32}, top);
}

cs_status cs_add_top_densenet_torch(cs_graph *graph, int classes, int *x) {
    CS_TRY(cs_graph_global_average_pool(graph, "adaptive_avg_pool2d", *x, false, x));
    return cs_torch_linear(graph, "classifier", CS_INIT_TORCH_ZERO_BIAS, classes, x);
}
