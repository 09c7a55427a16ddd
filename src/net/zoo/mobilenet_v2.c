/* SPDX-License-Identifier: Apache-2.0 */
/* MobileNetV2 (Sandler et al., arXiv:1801.04381) in the dialect of keras.applications.MobileNetV2: a stride of 2 in a
 * block is explicit zero padding and then a "valid" depthwise convolution. Blocks: expanded_conv, block_1 to block_16.
 */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1e-3f, bn_momentum = 0.999f;

static const struct {
    int filters; /* of the block's output, at alpha 1 */
    int stride;
} blocks[] = {{16, 1}, {24, 2}, {24, 1}, {32, 2}, {32, 1},  {32, 1},  {64, 2},  {64, 1}, {64, 1},
              {64, 1}, {96, 1}, {96, 1}, {96, 1}, {160, 2}, {160, 1}, {160, 1}, {320, 1}};

static const cs_conv_args pointwise = {.kernel_h = 1, .kernel_w = 1, .stride = 1, .padding = CS_PADDING_SAME};

/* Writes the name of layer `part` of block `id`, such as "block_3_expand". The first block has no number. */
static const char *name_of(char name[CS_NAME_MAX], int id, const char *part) {
    if (id == 0)
        snprintf(name, CS_NAME_MAX, "expanded_conv_%s", part);
    else
        snprintf(name, CS_NAME_MAX, "block_%d_%s", id, part);
    return name;
}

static cs_status add_norm(cs_graph *graph, const char *name, int *x) {
    return cs_graph_batch_norm(graph, name, *x, bn_epsilon, bn_momentum, true, x);
}

static cs_status add_expansion(cs_graph *graph, int id, int *x) {
    enum { EXPANSION = 6 };
    char name[CS_NAME_MAX];
    cs_conv_args expand = pointwise;
    expand.filters = EXPANSION * graph->layers[*x].out.c;
    CS_TRY(cs_graph_conv2d(graph, name_of(name, id, "expand"), *x, expand, x));
    CS_TRY(add_norm(graph, name_of(name, id, "expand_BN"), x));
    return cs_graph_activation(graph, name_of(name, id, "expand_relu"), *x, CS_ACT_RELU6, x);
}

static cs_status add_depthwise(cs_graph *graph, int id, int stride, int *x) {
    char name[CS_NAME_MAX];
    cs_conv_args depthwise = {.kernel_h = 3, .kernel_w = 3, .stride = stride, .padding = CS_PADDING_SAME};
    if (stride > 1) {
        cs_shape in = graph->layers[*x].out; /* an even size gets no zeros at its top or left */
        CS_TRY(cs_graph_zero_pad(graph, name_of(name, id, "pad"), *x, in.h % 2, 1, in.w % 2, 1, x));
        depthwise.padding = CS_PADDING_VALID;
    }
    CS_TRY(cs_graph_depthwise_conv2d(graph, name_of(name, id, "depthwise"), *x, depthwise, x));
    CS_TRY(add_norm(graph, name_of(name, id, "depthwise_BN"), x));
    return cs_graph_activation(graph, name_of(name, id, "depthwise_relu"), *x, CS_ACT_RELU6, x);
}

static cs_status add_block(cs_graph *graph, int id, int filters, int stride, int *x) {
    char name[CS_NAME_MAX];
    int input = *x;
    cs_graph_begin_block(graph);
    cs_conv_args project = pointwise;
    project.filters = filters;
    if (id > 0)
        CS_TRY(add_expansion(graph, id, x));
    CS_TRY(add_depthwise(graph, id, stride, x));
    CS_TRY(cs_graph_conv2d(graph, name_of(name, id, "project"), *x, project, x));
    CS_TRY(add_norm(graph, name_of(name, id, "project_BN"), x));
    if (stride > 1 || graph->layers[input].out.c != filters)
        return CS_OK;
    return cs_graph_add(graph, name_of(name, id, "add"), input, *x, x);
}

cs_status cs_build_mobilenet_v2(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { FIRST = 32, LAST = 1280 };
    float alpha = config->alpha;
    CS_TRY(cs_width_check(graph, alpha, "0.35, 0.5, 0.75, 1, 1.3 and 1.4"));
    cs_conv_args first = {.filters = cs_width_divisible((double)(FIRST * alpha)),
                          .kernel_h = 3,
                          .kernel_w = 3,
                          .stride = 2,
                          .padding = CS_PADDING_SAME};
    cs_conv_args last = pointwise;
    last.filters = alpha > 1 ? cs_width_divisible((double)(LAST * alpha)) : LAST;
    int x;
    graph->preprocess = CS_PREPROCESS_TF;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(cs_graph_conv2d(graph, "Conv1", x, first, &x));
    CS_TRY(add_norm(graph, "bn_Conv1", &x));
    CS_TRY(cs_graph_activation(graph, "Conv1_relu", x, CS_ACT_RELU6, &x));
    for (int i = 0; i < (int)(sizeof blocks / sizeof blocks[0]); i++) {
        int filters = cs_width_divisible((int)((float)blocks[i].filters * alpha));
        CS_TRY(add_block(graph, i, filters, blocks[i].stride, &x));
    }
    CS_TRY(cs_graph_conv2d(graph, "Conv_1", x, last, &x));
    CS_TRY(add_norm(graph, "Conv_1_bn", &x));
    return cs_graph_activation(graph, "out_relu", x, CS_ACT_RELU6, top);
}

cs_status cs_add_top_mobilenet_v2(cs_graph *graph, int classes, int *x) {
    char name[CS_NAME_MAX];
    const char *pool = cs_automatic_name(graph, "global_average_pooling2d", name);
    CS_TRY(cs_graph_global_average_pool(graph, pool, *x, false, x));
    return cs_graph_dense(graph, "predictions", *x, classes, CS_ACT_SOFTMAX, x);
}
