/* SPDX-License-Identifier: Apache-2.0 */
/* ResNet-18 and -50 (He et al., arXiv:1512.03385) in the dialect of torchvision.models.resnet18 and resnet50:
 * convolutions before batch norms have no biases, and a bottleneck's stride is in its 3x3 convolution ("version 1.5").
 */
#include "families.h"
#include "torch_module.h"
#include "width.h"

enum { STAGES = 4 };

static const int widths[STAGES] = {64, 128, 256, 512};

typedef struct resnet {
    int blocks[STAGES];
    /* blocks of 1x1, 3x3 and 1x1 (four times as many channels) convolutions, instead of two 3x3 ones */
    bool bottleneck;
} resnet;

static cs_status add_basic(cs_torch_module *block, int width, int stride, int *x) {
    CS_TRY(cs_torch_conv(block, "conv1", width, 3, stride, x));
    CS_TRY(cs_torch_norm(block, "bn1", x));
    CS_TRY(cs_torch_activation(block, "relu", CS_ACT_RELU, x));
    CS_TRY(cs_torch_conv(block, "conv2", width, 3, 1, x));
    return cs_torch_norm(block, "bn2", x);
}

static cs_status add_bottleneck(cs_torch_module *block, int width, int stride, int filters, int *x) {
    CS_TRY(cs_torch_conv(block, "conv1", width, 1, 1, x));
    CS_TRY(cs_torch_norm(block, "bn1", x));
    CS_TRY(cs_torch_activation(block, "relu", CS_ACT_RELU, x));
    CS_TRY(cs_torch_conv(block, "conv2", width, 3, stride, x));
    CS_TRY(cs_torch_norm(block, "bn2", x));
    CS_TRY(cs_torch_activation(block, "relu_1", CS_ACT_RELU, x));
    CS_TRY(cs_torch_conv(block, "conv3", filters, 1, 1, x));
    return cs_torch_norm(block, "bn3", x);
}

static cs_status add_block(cs_torch_module *block, bool bottleneck, int width, int stride, int *x) {
    enum { EXPANSION = 4 };
    int shortcut = *x, filters = bottleneck ? EXPANSION * width : width;
    cs_graph_begin_block(block->graph);
    CS_TRY(bottleneck ? add_bottleneck(block, width, stride, filters, x) : add_basic(block, width, stride, x));
    if (stride > 1 || block->graph->layers[shortcut].out.c != filters) {
        CS_TRY(cs_torch_conv(block, "downsample.0", filters, 1, stride, &shortcut));
        CS_TRY(cs_torch_norm(block, "downsample.1", &shortcut));
    }
    CS_TRY(cs_graph_add(block->graph, cs_torch_name(block, "add"), *x, shortcut, x));
    return cs_torch_activation(block, bottleneck ? "relu_2" : "relu_1", CS_ACT_RELU, x);
}

static cs_status build(cs_graph *graph, const cs_model_config *config, const resnet *net, int *top) {
    cs_torch_module module = {.graph = graph, .initializer = CS_INIT_KAIMING_FAN_OUT};
    int x;
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_TORCH;
    CS_TRY(cs_graph_input(graph, "x", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(cs_torch_add_stem(&module, (cs_torch_stem){"conv1", "bn1", "relu", "maxpool"}, &x));
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < net->blocks[stage]; i++) {
            snprintf(module.prefix, sizeof module.prefix, "layer%d.%d", stage + 1, i);
            CS_TRY(add_block(&module, net->bottleneck, widths[stage], stage > 0 && i == 0 ? 2 : 1, &x));
        }
    *top = x;
    return CS_OK;
}

cs_status cs_build_resnet18_torch(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, &(resnet){.blocks = {2, 2, 2, 2}}, top);
}

cs_status cs_build_resnet50_torch(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, &(resnet){.blocks = {3, 4, 6, 3}, .bottleneck = true}, top);
}

cs_status cs_add_top_resnet_torch(cs_graph *graph, int classes, int *x) {
    CS_TRY(cs_graph_global_average_pool(graph, "avgpool", *x, false, x));
    return cs_torch_linear(graph, "fc", CS_INIT_TORCH_DEFAULT, classes, x);
}
