/* SPDX-License-Identifier: Apache-2.0 */
/* MobileNet v1 (Howard et al., arXiv:1704.04861) in the dialect of keras.applications.MobileNet: a stride of 2 in a
 * block is an explicit zero row and column at the end and then a "valid" depthwise convolution. Blocks: the pairs
 * conv_dw_N, conv_pw_N for N from 1 to 13. */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1e-3f, bn_momentum = 0.99f; /* Keras' defaults */

static const struct {
    int filters; /* of the pointwise convolution, at alpha 1 */
    int stride;
} blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
              {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};

/* Adds batch norm and ReLU6 after the convolution `name`. *x is the convolution, and becomes the last layer. */
static cs_status add_norm_relu(cs_graph *graph, const char *name, int *x) {
    char layer[CS_NAME_MAX + 8];
    snprintf(layer, sizeof layer, "%s_bn", name);
    CS_TRY(cs_graph_batch_norm(graph, layer, *x, bn_epsilon, bn_momentum, true, x));
    snprintf(layer, sizeof layer, "%s_relu", name);
    return cs_graph_activation(graph, layer, *x, CS_ACT_RELU6, x);
}

static cs_status add_block(cs_graph *graph, int id, int filters, int stride, int *x) {
    char name[CS_NAME_MAX];
    cs_conv_args depthwise = {.kernel_h = 3, .kernel_w = 3, .stride = stride, .padding = CS_PADDING_SAME};
    cs_conv_args pointwise = {
        .filters = filters, .kernel_h = 1, .kernel_w = 1, .stride = 1, .padding = CS_PADDING_SAME};
    cs_graph_begin_block(graph);
    if (stride > 1) {
        snprintf(name, sizeof name, "conv_pad_%d", id);
        CS_TRY(cs_graph_zero_pad(graph, name, *x, 0, 1, 0, 1, x));
        depthwise.padding = CS_PADDING_VALID;
    }
    snprintf(name, sizeof name, "conv_dw_%d", id);
    CS_TRY(cs_graph_depthwise_conv2d(graph, name, *x, depthwise, x));
    CS_TRY(add_norm_relu(graph, name, x));
    snprintf(name, sizeof name, "conv_pw_%d", id);
    CS_TRY(cs_graph_conv2d(graph, name, *x, pointwise, x));
    return add_norm_relu(graph, name, x);
}

cs_status cs_build_mobilenet(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { FILTERS = 32 };
    float alpha = config->alpha;
    CS_TRY(cs_width_check(graph, alpha, "0.25, 0.5, 0.75 and 1"));
    cs_conv_args conv1 = {
        .filters = (int)(FILTERS * alpha), .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = CS_PADDING_SAME};
    int x;
    graph->preprocess = CS_PREPROCESS_TF;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, &x));
    CS_TRY(cs_graph_conv2d(graph, "conv1", x, conv1, &x));
    CS_TRY(add_norm_relu(graph, "conv1", &x));
    for (int i = 0; i < (int)(sizeof blocks / sizeof blocks[0]); i++)
        CS_TRY(add_block(graph, i + 1, (int)((float)blocks[i].filters * alpha), blocks[i].stride, &x));
    *top = x;
    return CS_OK;
}

/* The classifier is a convolution of the pooled pixel, in place of a dense layer. */
cs_status cs_add_top_mobilenet(cs_graph *graph, int classes, int *x) {
    char name[CS_NAME_MAX];
    const float rate = 1e-3f;
    const cs_conv_args conv = {
        .filters = classes, .kernel_h = 1, .kernel_w = 1, .stride = 1, .padding = CS_PADDING_SAME, .use_bias = true};
    const char *pool = cs_automatic_name(graph, "global_average_pooling2d", name);
    CS_TRY(cs_graph_global_average_pool(graph, pool, *x, true, x));
    CS_TRY(cs_graph_dropout(graph, "dropout", *x, rate, false, x));
    CS_TRY(cs_graph_conv2d(graph, "conv_preds", *x, conv, x));
    CS_TRY(cs_graph_reshape(graph, "reshape_2", *x, x));
    return cs_graph_activation(graph, "predictions", *x, CS_ACT_SOFTMAX, x);
}
