/* SPDX-License-Identifier: Apache-2.0 */
/* DenseNet-121 and -169 (Huang et al., arXiv:1608.06993) in the dialect of keras.applications.DenseNet121 and 169.
 * Blocks: conv2_block1 to conv5_block16 (or 32), each with the transition after it, if any. */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1.001e-5f, bn_momentum = 0.99f;

static cs_status add_conv(cs_block *group, const char *part, int filters, int kernel, int *x) {
    cs_conv_args conv = {
        .filters = filters, .kernel_h = kernel, .kernel_w = kernel, .stride = 1, .padding = CS_PADDING_SAME};
    return cs_graph_conv2d(group->graph, cs_block_name(group, part), *x, conv, x);
}

static cs_status add_norm_relu(cs_block *group, const char *norm, const char *relu, int *x) {
    CS_TRY(cs_graph_batch_norm(group->graph, cs_block_name(group, norm), *x, bn_epsilon, bn_momentum, true, x));
    return cs_graph_activation(group->graph, cs_block_name(group, relu), *x, CS_ACT_RELU, x);
}

/* Each block appends GROWTH channels to its input. */
static cs_status add_block(cs_graph *graph, int stack, int index, int *x) {
    enum { GROWTH = 32, BOTTLENECK = 4 * GROWTH };
    cs_block block = {.graph = graph};
    snprintf(block.prefix, sizeof block.prefix, "conv%d_block%d", stack, index);
    int parts[2] = {*x, *x};
    cs_graph_begin_block(graph);
    CS_TRY(add_norm_relu(&block, "0_bn", "0_relu", &parts[1]));
    CS_TRY(add_conv(&block, "1_conv", BOTTLENECK, 1, &parts[1]));
    CS_TRY(add_norm_relu(&block, "1_bn", "1_relu", &parts[1]));
    CS_TRY(add_conv(&block, "2_conv", GROWTH, 3, &parts[1]));
    return cs_graph_concatenate(graph, cs_block_name(&block, "concat"), parts, 2, x);
}

/* Halves the number of channels, and height and width. */
static cs_status add_transition(cs_graph *graph, int stack, int *x) {
    cs_block pool = {.graph = graph};
    snprintf(pool.prefix, sizeof pool.prefix, "pool%d", stack);
    int filters = graph->layers[*x].out.c / 2;
    CS_TRY(add_norm_relu(&pool, "bn", "relu", x));
    CS_TRY(add_conv(&pool, "conv", filters, 1, x));
    return cs_graph_pool(
        graph, cs_block_name(&pool, "pool"), *x,
        (cs_pool_args){.kind = CS_LAYER_AVERAGE_POOL, .size = 2, .stride = 2, .padding = CS_PADDING_VALID}, x);
}

static cs_status add_stem(cs_graph *graph, int *x) {
    const cs_conv_args conv = {.filters = 64, .kernel_h = 7, .kernel_w = 7, .stride = 2, .padding = CS_PADDING_VALID};
    CS_TRY(cs_graph_zero_pad(graph, "zero_padding2d", *x, 3, 3, 3, 3, x));
    CS_TRY(cs_graph_conv2d(graph, "conv1_conv", *x, conv, x));
    CS_TRY(cs_graph_batch_norm(graph, "conv1_bn", *x, bn_epsilon, bn_momentum, true, x));
    CS_TRY(cs_graph_activation(graph, "conv1_relu", *x, CS_ACT_RELU, x));
    CS_TRY(cs_graph_zero_pad(graph, "zero_padding2d_1", *x, 1, 1, 1, 1, x));
    return cs_graph_pool(graph, "pool1", *x,
                         (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_VALID},
                         x);
}

enum { STACKS = 4 };

static cs_status build(cs_graph *graph, const cs_model_config *config, const int blocks[STACKS], int *top) {
    int x;
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_TORCH;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(add_stem(graph, &x));
    for (int stack = 0; stack < STACKS; stack++) {
        if (stack > 0)
            CS_TRY(add_transition(graph, stack + 1, &x));
        for (int i = 0; i < blocks[stack]; i++)
            CS_TRY(add_block(graph, stack + 2, i + 1, &x));
    }
    CS_TRY(cs_graph_batch_norm(graph, "bn", x, bn_epsilon, bn_momentum, true, &x));
    return cs_graph_activation(graph, "relu", x, CS_ACT_RELU, top);
}

cs_status cs_build_densenet121(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, (const int[STACKS]){6, 12, 24, 16}, top);
}

cs_status cs_build_densenet169(cs_graph *graph, const cs_model_config *config, int *top) {
    return build(graph, config, (const int[STACKS]){6, 12, 32, 32}, top);
}
