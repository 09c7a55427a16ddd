/* SPDX-License-Identifier: Apache-2.0 */
/* The small networks of the CIFAR-10 tutorials, with Keras' defaults and the layer names that Keras would give.
 *
 * basenet: 5x5 "valid" convolutions with 6 and 16 filters, a max-pool after each, and a dense layer of 50 units.
 * basenet_deep: 5x5, 5x5 and three 3x3 "same" convolutions with 6, 16, 16, 24 and 32 filters, a max-pool after the
 * first two and the last, and dense layers of 100 and 50 units. _bn has a batch norm between each convolution and its
 * ReLU, _bn_after one after the ReLU. A block is a convolution with the layers after it, or the dense layers. */
#include "block.h"
#include "families.h"
#include "width.h"

/* Where the batch norms are. */
typedef enum norm_place { NO_NORM, NORM_BEFORE_RELU, NORM_AFTER_RELU } norm_place;

static cs_status add_norm(cs_graph *graph, int *x) {
    const float epsilon = 1e-3f, momentum = 0.99f;
    char name[CS_NAME_MAX];
    return cs_graph_batch_norm(graph, cs_automatic_name(graph, "batch_normalization", name), *x, epsilon, momentum,
                               true, x);
}

static cs_status add_conv(cs_graph *graph, cs_conv_args conv, norm_place place, int *x) {
    char name[CS_NAME_MAX];
    conv.stride = 1;
    conv.use_bias = true;
    conv.activation = place == NO_NORM ? CS_ACT_RELU : CS_ACT_LINEAR;
    cs_graph_begin_block(graph);
    CS_TRY(cs_graph_conv2d(graph, cs_automatic_name(graph, "conv2d", name), *x, conv, x));
    if (place == NORM_BEFORE_RELU)
        CS_TRY(add_norm(graph, x));
    if (place != NO_NORM)
        CS_TRY(cs_graph_activation(graph, cs_automatic_name(graph, "activation", name), *x, CS_ACT_RELU, x));
    return place == NORM_AFTER_RELU ? add_norm(graph, x) : CS_OK;
}

static cs_status add_pool(cs_graph *graph, int *x) {
    const cs_pool_args halve = {.kind = CS_LAYER_MAX_POOL, .size = 2, .stride = 2, .padding = CS_PADDING_VALID};
    char name[CS_NAME_MAX];
    return cs_graph_pool(graph, cs_automatic_name(graph, "max_pooling2d", name), *x, halve, x);
}

static cs_status begin(cs_graph *graph, const cs_model_config *config, int *x) {
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_UNIT;
    return cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, x);
}

cs_status cs_build_basenet(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { UNITS = 50 };
    const cs_conv_args convs[] = {{.filters = 6, .kernel_h = 5, .kernel_w = 5, .padding = CS_PADDING_VALID},
                                  {.filters = 16, .kernel_h = 5, .kernel_w = 5, .padding = CS_PADDING_VALID}};
    int x;
    CS_TRY(begin(graph, config, &x));
    for (int i = 0; i < 2; i++) {
        CS_TRY(add_conv(graph, convs[i], NO_NORM, &x));
        CS_TRY(add_pool(graph, &x));
    }
    cs_graph_begin_block(graph);
    CS_TRY(cs_graph_flatten(graph, "flatten", x, &x));
    return cs_graph_dense(graph, "dense", x, UNITS, CS_ACT_RELU, top);
}

static cs_status build_deep(cs_graph *graph, const cs_model_config *config, norm_place place, int *top) {
    enum { UNITS1 = 100, UNITS2 = 50 };
    static const struct {
        int filters, kernel;
        bool pool;
    } convs[] = {{6, 5, true}, {16, 5, true}, {16, 3, false}, {24, 3, false}, {32, 3, true}};
    int x;
    CS_TRY(begin(graph, config, &x));
    for (int i = 0; i < (int)(sizeof convs / sizeof convs[0]); i++) {
        cs_conv_args conv = {.filters = convs[i].filters,
                             .kernel_h = convs[i].kernel,
                             .kernel_w = convs[i].kernel,
                             .padding = CS_PADDING_SAME};
        CS_TRY(add_conv(graph, conv, place, &x));
        if (convs[i].pool)
            CS_TRY(add_pool(graph, &x));
    }
    cs_graph_begin_block(graph);
    CS_TRY(cs_graph_flatten(graph, "flatten", x, &x));
    CS_TRY(cs_graph_dense(graph, "dense", x, UNITS1, CS_ACT_RELU, &x));
    return cs_graph_dense(graph, "dense_1", x, UNITS2, CS_ACT_RELU, top);
}

cs_status cs_build_basenet_deep(cs_graph *graph, const cs_model_config *config, int *top) {
    return build_deep(graph, config, NO_NORM, top);
}

cs_status cs_build_basenet_deep_bn(cs_graph *graph, const cs_model_config *config, int *top) {
    return build_deep(graph, config, NORM_BEFORE_RELU, top);
}

cs_status cs_build_basenet_deep_bn_after(cs_graph *graph, const cs_model_config *config, int *top) {
    return build_deep(graph, config, NORM_AFTER_RELU, top);
}

/* Four times convolution, batch norm, ReLU and max-pool. The head has a dense layer of 512 units with dropout. */
cs_status cs_build_cnn4(cs_graph *graph, const cs_model_config *config, int *top) {
    static const int filters[] = {32, 64, 128, 256};
    int x;
    CS_TRY(begin(graph, config, &x));
    for (int i = 0; i < (int)(sizeof filters / sizeof filters[0]); i++) {
        cs_conv_args conv = {.filters = filters[i], .kernel_h = 3, .kernel_w = 3, .padding = CS_PADDING_SAME};
        CS_TRY(add_conv(graph, conv, NORM_BEFORE_RELU, &x));
        CS_TRY(add_pool(graph, &x));
    }
    *top = x;
    return CS_OK;
}
