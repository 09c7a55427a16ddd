/* SPDX-License-Identifier: Apache-2.0 */
/* Xception (Chollet, arXiv:1610.02357) in the dialect of keras.applications.Xception: the layers of the shortcuts and
 * the additions have Keras' automatic names. Blocks: block1 to block14. */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1e-3f, bn_momentum = 0.99f; /* Keras' defaults */

enum { MIDDLE = 728 }; /* channels of most blocks */

static cs_block begin_block(cs_graph *graph, int index) {
    cs_block block = {.graph = graph};
    snprintf(block.prefix, sizeof block.prefix, "block%d", index);
    cs_graph_begin_block(graph);
    return block;
}

static cs_status add_norm(cs_block *block, const char *part, int *x) {
    return cs_graph_batch_norm(block->graph, cs_block_name(block, part), *x, bn_epsilon, bn_momentum, true, x);
}

static cs_status add_relu(cs_block *block, const char *part, int *x) {
    return cs_graph_activation(block->graph, cs_block_name(block, part), *x, CS_ACT_RELU, x);
}

static cs_status add_separable(cs_block *block, const char *part, int filters, int *x) {
    char norm[CS_NAME_MAX];
    const cs_conv_args args = {
        .filters = filters, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = CS_PADDING_SAME};
    snprintf(norm, sizeof norm, "%s_bn", part);
    CS_TRY(cs_graph_separable_conv2d(block->graph, cs_block_name(block, part), *x, args, x));
    return add_norm(block, norm, x);
}

/* Adds a 1x1 convolution that halves height and width. */
static cs_status add_shortcut(cs_graph *graph, int filters, int x, int *out) {
    char name[CS_NAME_MAX];
    const cs_conv_args args = {
        .filters = filters, .kernel_h = 1, .kernel_w = 1, .stride = 2, .padding = CS_PADDING_SAME};
    CS_TRY(cs_graph_conv2d(graph, cs_automatic_name(graph, "conv2d", name), x, args, out));
    return cs_graph_batch_norm(graph, cs_automatic_name(graph, "batch_normalization", name), *out, bn_epsilon,
                               bn_momentum, true, out);
}

static cs_status add_sum(cs_graph *graph, int shortcut, int *x) {
    char name[CS_NAME_MAX];
    return cs_graph_add(graph, cs_automatic_name(graph, "add", name), *x, shortcut, x);
}

static cs_status add_block1(cs_graph *graph, int *x) {
    cs_block block = begin_block(graph, 1);
    cs_conv_args args = {.filters = 32, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = CS_PADDING_VALID};
    CS_TRY(cs_graph_conv2d(graph, cs_block_name(&block, "conv1"), *x, args, x));
    CS_TRY(add_norm(&block, "conv1_bn", x));
    CS_TRY(add_relu(&block, "conv1_act", x));
    args.filters = 64;
    args.stride = 1;
    CS_TRY(cs_graph_conv2d(graph, cs_block_name(&block, "conv2"), *x, args, x));
    CS_TRY(add_norm(&block, "conv2_bn", x));
    return add_relu(&block, "conv2_act", x);
}

/* Adds block 2, 3, 4 or 13. The input of block 2 has already been through ReLU. */
static cs_status add_halving_block(cs_graph *graph, int index, int between, int filters, int *x) {
    cs_block block = begin_block(graph, index);
    const cs_pool_args pool = {.kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_SAME};
    int shortcut;
    CS_TRY(add_shortcut(graph, filters, *x, &shortcut));
    if (index > 2)
        CS_TRY(add_relu(&block, "sepconv1_act", x));
    CS_TRY(add_separable(&block, "sepconv1", between, x));
    CS_TRY(add_relu(&block, "sepconv2_act", x));
    CS_TRY(add_separable(&block, "sepconv2", filters, x));
    CS_TRY(cs_graph_pool(graph, cs_block_name(&block, "pool"), *x, pool, x));
    return add_sum(graph, shortcut, x);
}

/* Adds one of the blocks 5 to 12. */
static cs_status add_middle_block(cs_graph *graph, int index, int *x) {
    cs_block block = begin_block(graph, index);
    int shortcut = *x;
    CS_TRY(add_relu(&block, "sepconv1_act", x));
    CS_TRY(add_separable(&block, "sepconv1", MIDDLE, x));
    CS_TRY(add_relu(&block, "sepconv2_act", x));
    CS_TRY(add_separable(&block, "sepconv2", MIDDLE, x));
    CS_TRY(add_relu(&block, "sepconv3_act", x));
    CS_TRY(add_separable(&block, "sepconv3", MIDDLE, x));
    return add_sum(graph, shortcut, x);
}

static cs_status add_block14(cs_graph *graph, int *x) {
    cs_block block = begin_block(graph, 14);
    CS_TRY(add_separable(&block, "sepconv1", 1536, x));
    CS_TRY(add_relu(&block, "sepconv1_act", x));
    CS_TRY(add_separable(&block, "sepconv2", 2048, x));
    return add_relu(&block, "sepconv2_act", x);
}

cs_status cs_build_xception(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { FIRST_MIDDLE = 5, LAST_MIDDLE = 12 };
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_TF;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, top));
    CS_TRY(add_block1(graph, top));
    CS_TRY(add_halving_block(graph, 2, 128, 128, top));
    CS_TRY(add_halving_block(graph, 3, 256, 256, top));
    CS_TRY(add_halving_block(graph, 4, MIDDLE, MIDDLE, top));
    for (int i = FIRST_MIDDLE; i <= LAST_MIDDLE; i++)
        CS_TRY(add_middle_block(graph, i, top));
    CS_TRY(add_halving_block(graph, 13, MIDDLE, 1024, top));
    return add_block14(graph, top);
}
