/* SPDX-License-Identifier: Apache-2.0 */
/* ResNet-50, version 1 (He et al., arXiv:1512.03385) in the dialect of keras.applications.ResNet50: convolutions
 * have biases, and a block's stride is in its first 1x1 convolution. Blocks: conv2_block1 to conv5_block3. */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1.001e-5f, bn_momentum = 0.99f;

static const struct {
    int filters; /* of the narrow convolutions; the block's output has four times as many channels */
    int blocks;
    int stride; /* of the first block */
} stacks[] = {{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}};

static cs_status add_conv(cs_block *block, const char *part, int filters, int kernel, int stride, int *x) {
    cs_conv_args conv = {.filters = filters,
                         .kernel_h = kernel,
                         .kernel_w = kernel,
                         .stride = stride,
                         .padding = CS_PADDING_SAME, /* for 1x1 it is the same as "valid" */
                         .use_bias = true};
    return cs_graph_conv2d(block->graph, cs_block_name(block, part), *x, conv, x);
}

static cs_status add_norm(cs_block *block, const char *part, int *x) {
    return cs_graph_batch_norm(block->graph, cs_block_name(block, part), *x, bn_epsilon, bn_momentum, true, x);
}

static cs_status add_relu(cs_block *block, const char *part, int *x) {
    return cs_graph_activation(block->graph, cs_block_name(block, part), *x, CS_ACT_RELU, x);
}

static cs_status add_block(cs_block *block, int filters, int stride, bool conv_shortcut, int *x) {
    enum { EXPANSION = 4 };
    int shortcut = *x;
    cs_graph_begin_block(block->graph);
    if (conv_shortcut) {
        CS_TRY(add_conv(block, "0_conv", EXPANSION * filters, 1, stride, &shortcut));
        CS_TRY(add_norm(block, "0_bn", &shortcut));
    }
    CS_TRY(add_conv(block, "1_conv", filters, 1, stride, x));
    CS_TRY(add_norm(block, "1_bn", x));
    CS_TRY(add_relu(block, "1_relu", x));
    CS_TRY(add_conv(block, "2_conv", filters, 3, 1, x));
    CS_TRY(add_norm(block, "2_bn", x));
    CS_TRY(add_relu(block, "2_relu", x));
    CS_TRY(add_conv(block, "3_conv", EXPANSION * filters, 1, 1, x));
    CS_TRY(add_norm(block, "3_bn", x));
    CS_TRY(cs_graph_add(block->graph, cs_block_name(block, "add"), shortcut, *x, x));
    return add_relu(block, "out", x);
}

static cs_status add_stem(cs_graph *graph, int *x) {
    const cs_conv_args conv = {
        .filters = 64, .kernel_h = 7, .kernel_w = 7, .stride = 2, .padding = CS_PADDING_VALID, .use_bias = true};
    CS_TRY(cs_graph_zero_pad(graph, "conv1_pad", *x, 3, 3, 3, 3, x));
    CS_TRY(cs_graph_conv2d(graph, "conv1_conv", *x, conv, x));
    CS_TRY(cs_graph_batch_norm(graph, "conv1_bn", *x, bn_epsilon, bn_momentum, true, x));
    CS_TRY(cs_graph_activation(graph, "conv1_relu", *x, CS_ACT_RELU, x));
    CS_TRY(cs_graph_zero_pad(graph, "pool1_pad", *x, 1, 1, 1, 1, x));
    return cs_graph_pool(graph, "pool1_pool", *x,
                         (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_VALID},
                         x);
}

cs_status cs_build_resnet50(cs_graph *graph, const cs_model_config *config, int *top) {
    int x;
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_CAFFE;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(add_stem(graph, &x));
    for (int stack = 0; stack < (int)(sizeof stacks / sizeof stacks[0]); stack++)
        for (int i = 0; i < stacks[stack].blocks; i++) {
            cs_block block = {.graph = graph};
            snprintf(block.prefix, sizeof block.prefix, "conv%d_block%d", stack + 2, i + 1);
            CS_TRY(add_block(&block, stacks[stack].filters, i ? 1 : stacks[stack].stride, i == 0, &x));
        }
    *top = x;
    return CS_OK;
}
