/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "layers.h"
#include "test.h"

enum { CLASSES = 5 };
/* The head uses flatten instead of an average before the logits, so that each pixel gets a gradient of its own. */
static void flat_head(cs_graph *g, int in) {
    int flat;
    assert_ok(cs_graph_flatten(g, "flatten", in, &flat));
    dense(g, "logits", flat, CLASSES, CS_ACT_SOFTMAX);
}

static void mean_head(cs_graph *g, int in) {
    dense(g, "logits", average(g, "mean", in, false), CLASSES, CS_ACT_SOFTMAX);
}

static int stem(cs_graph *g, const engine_case *row) {
    return conv(g, "stem", input(g, row->h, row->w, 3), (cs_conv_args){row->c, 1, 1, 1, CS_PADDING_VALID, true, 0, 0});
}

/* Builders with one layer between stem and head. */

static void conv_net(cs_graph *g, const engine_case *row) {
    flat_head(g, conv(g, "conv", stem(g, row), row->args));
}

static void first_conv_net(cs_graph *g, const engine_case *row) {
    flat_head(g, conv(g, "conv", input(g, row->h, row->w, row->c), row->args));
}

static void depthwise_net(cs_graph *g, const engine_case *row) {
    flat_head(g, depthwise(g, "depthwise", stem(g, row), row->args));
}

static void separable_net(cs_graph *g, const engine_case *row) {
    flat_head(g, separable(g, "separable", stem(g, row), row->args));
}

static void activation_net(cs_graph *g, const engine_case *row) {
    flat_head(g, activation(g, "activation", stem(g, row), row->args.activation));
}

static void pool_net(cs_graph *g, const engine_case *row, cs_layer_kind kind) {
    int pool, in = stem(g, row);
    assert_ok(cs_graph_pool(g, "pool", in,
                            (cs_pool_args){.kind = kind,
                                           .size = row->args.kernel_h,
                                           .stride = row->args.stride,
                                           .padding = row->args.padding,
                                           .pad = row->args.pad},
                            &pool));
    flat_head(g, pool);
}

static void max_pool_net(cs_graph *g, const engine_case *row) {
    pool_net(g, row, CS_LAYER_MAX_POOL);
}

static void average_pool_net(cs_graph *g, const engine_case *row) {
    pool_net(g, row, CS_LAYER_AVERAGE_POOL);
}

static void mean_net(cs_graph *g, const engine_case *row) {
    mean_head(g, activation(g, "relu", stem(g, row), CS_ACT_RELU));
}

static void zero_pad_net(cs_graph *g, const engine_case *row) {
    flat_head(g, activation(g, "relu", zero_pad(g, "pad", stem(g, row), 1, 2, 0, 3), CS_ACT_RELU));
}

/* Keras' explicit padding before a convolution with a stride. */
static void zero_pad_conv_net(cs_graph *g, const engine_case *row) {
    flat_head(g, conv(g, "conv", zero_pad(g, "pad", stem(g, row), 0, 1, 0, 1), row->args));
}

/* EfficientNet's padding, with one more row at the end than at the beginning. */
static void zero_pad_depthwise_net(cs_graph *g, const engine_case *row) {
    flat_head(g, depthwise(g, "depthwise", zero_pad(g, "pad", stem(g, row), 1, 2, 1, 2), row->args));
}

/* The scales follow trainable layers, so that the gradients through the scales are tested, too. */
static void scales_net(cs_graph *g, const engine_case *row) {
    const float factor[3] = {2, -0.5f, 0.25f};
    int x = stem(g, row);
    assert_ok(cs_graph_rescaling(g, "rescaling", x, factor, &x));
    assert_ok(cs_graph_normalization(g, "normalization", x, &x));
    flat_head(g, x);
}

/* The scales are the first layers, as in EfficientNet; a layer that is no convolution reads them, too. */
static void scaled_input_net(cs_graph *g, const engine_case *row) {
    const float first[3] = {0.5f, 0.5f, 0.5f}, second[3] = {2, 3, 4};
    int scaled, x = input(g, row->h, row->w, 3);
    assert_ok(cs_graph_rescaling(g, "rescaling", x, first, &x));
    assert_ok(cs_graph_normalization(g, "normalization", x, &x));
    assert_ok(cs_graph_rescaling(g, "rescaling_1", x, second, &scaled));
    int y = conv(g, "conv", zero_pad(g, "pad", scaled, 0, 1, 0, 1), row->args);
    int parts[] = {average(g, "mean", y, false), average(g, "mean_of_input", x, false)};
    int joined;
    assert_ok(cs_graph_concatenate(g, "joined", parts, 2, &joined));
    dense(g, "logits", joined, CLASSES, CS_ACT_SOFTMAX);
}

static void dense_net(cs_graph *g, const engine_case *row) {
    int flat, in = stem(g, row);
    assert_ok(cs_graph_flatten(g, "flatten", in, &flat));
    dense(g, "logits", dense(g, "hidden", flat, row->args.filters, row->args.activation), CLASSES, CS_ACT_SOFTMAX);
}

static void binary_net(cs_graph *g, const engine_case *row) {
    int flat, in = conv(g, "conv", stem(g, row), row->args);
    assert_ok(cs_graph_flatten(g, "flatten", in, &flat));
    dense(g, "logits", flat, 1, CS_ACT_BINARY);
}

/* Builders with a batch norm after a convolution, after a depthwise convolution, and where there is no convolution into
 * which it could be folded. */

static void conv_norm_net(cs_graph *g, const engine_case *row) {
    int x = norm(g, "bn", conv(g, "conv", stem(g, row), row->args), true);
    flat_head(g, activation(g, "relu", x, CS_ACT_RELU6));
}

static void conv_norm_no_gamma_net(cs_graph *g, const engine_case *row) {
    int x = norm(g, "bn", conv(g, "conv", stem(g, row), row->args), false);
    flat_head(g, activation(g, "relu", x, CS_ACT_RELU));
}

static void norm_activation_net(cs_graph *g, const engine_case *row) {
    cs_conv_args args = row->args;
    args.activation = CS_ACT_LINEAR;
    int x = norm(g, "bn", conv(g, "conv", stem(g, row), args), true);
    flat_head(g, activation(g, "activation", x, row->args.activation));
}

/* A batch norm with torch's running variance. */
static void unbiased_norm_net(cs_graph *g, const engine_case *row) {
    g->dialect = CS_DIALECT_TORCH;
    conv_norm_net(g, row);
}

/* The order of layers in Xception. */
static void separable_norm_net(cs_graph *g, const engine_case *row) {
    int x = norm(g, "bn1", separable(g, "separable1", stem(g, row), row->args), true);
    x = norm(g, "bn2", separable(g, "separable2", activation(g, "relu", x, CS_ACT_RELU), row->args), true);
    mean_head(g, x);
}

static void norm_linear_net(cs_graph *g, const engine_case *row) {
    flat_head(g, norm(g, "bn", conv(g, "conv", stem(g, row), row->args), true));
}

static void depthwise_norm_net(cs_graph *g, const engine_case *row) {
    int x = norm(g, "bn", depthwise(g, "depthwise", stem(g, row), row->args), true);
    mean_head(g, activation(g, "relu", x, CS_ACT_RELU6));
}

static void relu_norm_net(cs_graph *g, const engine_case *row) {
    flat_head(g, norm(g, "bn", activation(g, "relu", stem(g, row), CS_ACT_RELU), true));
}

/* Two layers read the convolution, so the batch norm must not be folded into it. */
static void shared_conv_norm_net(cs_graph *g, const engine_case *row) {
    int x = conv(g, "conv", stem(g, row), row->args);
    flat_head(g, add(g, "add", x, activation(g, "relu", norm(g, "bn", x, true), CS_ACT_RELU)));
}

static void dense_norm_net(cs_graph *g, const engine_case *row) {
    int flat, in = stem(g, row);
    assert_ok(cs_graph_flatten(g, "flatten", in, &flat));
    int x = norm(g, "bn", dense(g, "hidden", flat, row->args.filters, CS_ACT_LINEAR), true);
    dense(g, "logits", activation(g, "relu", x, CS_ACT_RELU), CLASSES, CS_ACT_SOFTMAX);
}

/* With one row of one pixel the variance is 0, so each batch norm multiplies stale values in other rows by a large
 * factor. */
static void norm_chain_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    for (int i = 0; i < 32; i++) {
        char name[2][CS_NAME_MAX];
        snprintf(name[0], sizeof name[0], "conv%d", i);
        snprintf(name[1], sizeof name[1], "bn%d", i);
        x = norm(g, name[1], conv(g, name[0], x, row->args), true);
    }
    flat_head(g, x);
}

/* A wide layer after a narrow one: an engine may use smaller chunks for it. */
static void widening_net(cs_graph *g, const engine_case *row) {
    int x = conv(g, "narrow", stem(g, row), (cs_conv_args){row->c, 1, 1, 1, CS_PADDING_SAME, true, CS_ACT_LINEAR, 0});
    mean_head(g, conv(g, "wide", x, row->args));
}

/* Builders of values that several layers read. */

static void add_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row), a = conv(g, "a", x, row->args), b = conv(g, "b", x, row->args);
    flat_head(g, activation(g, "relu", add(g, "add", a, b), CS_ACT_RELU));
}

static void residual_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    flat_head(g, activation(g, "relu", add(g, "add", x, conv(g, "conv", x, row->args)), CS_ACT_RELU));
}

static void double_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    flat_head(g, add(g, "add", x, x));
}

/* The blocks of ResNet: one with a convolution in the shortcut, one without an activation as in MobileNetV2, one that
 * adds its own input, and one that adds a value from much earlier. So gradients of sums are passed on several times. */
static void residual_chain_net(cs_graph *g, const engine_case *row) {
    cs_conv_args args = row->args;
    cs_activation kind = args.activation;
    args.activation = CS_ACT_LINEAR;
    int in = stem(g, row);
    int shortcut = norm(g, "shortcut_bn", conv(g, "shortcut", in, args), true);
    int x = norm(g, "a_bn", conv(g, "a", in, args), true);
    int first = x = activation(g, "a_out", add(g, "a_add", shortcut, x), kind);
    x = add(g, "b_add", norm(g, "b_bn", conv(g, "b", x, args), true), x);
    x = activation(g, "c_out", add(g, "c_add", x, norm(g, "c_bn", conv(g, "c", x, args), true)), kind);
    x = add(g, "d_add", first, norm(g, "d_bn", conv(g, "d", x, args), true));
    mean_head(g, activation(g, "d_out", x, kind));
}

/* A sum of two batch norms of the same value, and a sum of a value and its own batch norm. */
static void norm_sums_net(cs_graph *g, const engine_case *row) {
    int x = conv(g, "conv", stem(g, row), row->args);
    int sum = add(g, "twice", norm(g, "a_bn", x, true), norm(g, "b_bn", x, true));
    flat_head(g, add(g, "itself", sum, norm(g, "c_bn", sum, true)));
}

static int pool_same(cs_graph *g, const char *name, int in, cs_layer_kind kind) {
    int out;
    assert_ok(cs_graph_pool(g, name, in,
                            (cs_pool_args){.kind = kind, .size = 3, .stride = 1, .padding = CS_PADDING_SAME}, &out));
    return out;
}

/* A layer of every kind that keeps its input's shape reads the same value, so their gradients must add up. */
static void fan_out_net(cs_graph *g, const engine_case *row) {
    cs_conv_args valid = row->args;
    valid.padding = CS_PADDING_VALID;
    int x = stem(g, row);
    int sum = depthwise(g, "valid", zero_pad(g, "pad", x, 1, 1, 1, 1), valid);
    sum = add(g, "add1", sum, pool_same(g, "max", x, CS_LAYER_MAX_POOL));
    sum = add(g, "add2", sum, pool_same(g, "average", x, CS_LAYER_AVERAGE_POOL));
    sum = add(g, "add3", sum, norm(g, "bn", x, true));
    sum = add(g, "add4", sum, conv(g, "conv", x, row->args));
    sum = add(g, "add5", sum, depthwise(g, "depthwise", x, row->args));
    sum = add(g, "add6", sum, activation(g, "relu", x, CS_ACT_RELU));
    flat_head(g, add(g, "add7", sum, x));
}

/* After the padding every pixel equals the bias, so windows are full of equal maxima, only one of which may get a
 * gradient. */
static void max_pool_ties_net(cs_graph *g, const engine_case *row) {
    int pool, x = zero_pad(g, "pad", stem(g, row), 3, 3, 3, 3);
    assert_ok(cs_graph_pool(
        g, "pool", conv(g, "conv", x, row->args),
        (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_SAME}, &pool));
    flat_head(g, pool);
}

/* Builders of whole networks. */

static int norm_relu6(cs_graph *g, int in, const char *bn, const char *relu) {
    return activation(g, relu, norm(g, bn, in, true), CS_ACT_RELU6);
}

static const cs_conv_args pointwise_8 = {8, 1, 1, 1, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
static const cs_conv_args pointwise_24 = {24, 1, 1, 1, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
static const cs_conv_args same_3x3 = {8, 3, 3, 1, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
static const cs_conv_args valid_3x3_stride_2 = {8, 3, 3, 2, CS_PADDING_VALID, false, CS_ACT_LINEAR, 0};

/* A small MobileNet v1: a first convolution with a stride, a plain block, and a block with a stride and Keras'
 * padding. */
static void mobilenet_net(cs_graph *g, const engine_case *row) {
    cs_conv_args first = {8, 3, 3, 2, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
    int x = norm_relu6(g, conv(g, "conv1", input(g, row->h, row->w, row->c), first), "conv1_bn", "conv1_relu");
    x = norm_relu6(g, depthwise(g, "dw1", x, same_3x3), "dw1_bn", "dw1_relu");
    x = norm_relu6(g, conv(g, "pw1", x, pointwise_8), "pw1_bn", "pw1_relu");
    x = depthwise(g, "dw2", zero_pad(g, "pad2", x, 0, 1, 0, 1), valid_3x3_stride_2);
    x = norm_relu6(g, conv(g, "pw2", norm_relu6(g, x, "dw2_bn", "dw2_relu"), pointwise_24), "pw2_bn", "pw2_relu");
    mean_head(g, x);
}

/* EfficientNet's block: the gate is computed from the image that it scales. */
static void gate_net(cs_graph *g, const engine_case *row) {
    cs_conv_args expand = {row->args.filters, 1, 1, 1, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
    cs_conv_args reduce = {3, 1, 1, 1, CS_PADDING_SAME, true, CS_ACT_SWISH, 0};
    cs_conv_args sigmoid = {row->args.filters, 1, 1, 1, CS_PADDING_SAME, true, CS_ACT_SIGMOID, 0};
    cs_conv_args project = {row->c, 1, 1, 1, CS_PADDING_SAME, false, CS_ACT_LINEAR, 0};
    int in = stem(g, row);
    int x = activation(g, "swish1", norm(g, "bn1", conv(g, "expand", in, expand), true), CS_ACT_SWISH);
    x = activation(g, "swish2", norm(g, "bn2", depthwise(g, "depthwise", x, row->args), true), CS_ACT_SWISH);
    int gate = reshape(g, "reshape", average(g, "squeeze", x, false));
    gate = conv(g, "gate", conv(g, "reduce", gate, reduce), sigmoid);
    x = norm(g, "bn3", conv(g, "project", multiply(g, "excite", x, gate), project), true);
    mean_head(g, add(g, "add", dropout(g, "drop", x, true), in));
}

static void keep_dims_gate_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    int gate = activation(g, "sigmoid", average(g, "squeeze", x, true), CS_ACT_SIGMOID);
    flat_head(g, multiply(g, "excite", x, gate));
}

static void multiply_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    flat_head(g, multiply(g, "multiply", x, conv(g, "conv", x, row->args)));
}

static void square_flat_net(cs_graph *g, const engine_case *row) {
    int x = average(g, "squeeze", stem(g, row), false);
    dense(g, "logits", multiply(g, "square", x, x), CLASSES, CS_ACT_SOFTMAX);
}

static void reshape_net(cs_graph *g, const engine_case *row) {
    int x = average(g, "squeeze", stem(g, row), true);
    x = conv(g, "conv", reshape(g, "pixel", reshape(g, "vector", x)), row->args);
    dense(g, "logits", reshape(g, "last", x), CLASSES, CS_ACT_SOFTMAX);
}

/* A dropout of an image and a dropout of a vector. */
static void dropout_net(cs_graph *g, const engine_case *row) {
    int x = average(g, "mean", dropout(g, "drop1", conv(g, "conv", stem(g, row), row->args), false), false);
    dense(g, "logits", dropout(g, "drop2", x, false), CLASSES, CS_ACT_SOFTMAX);
}

/* If the dropout drops nothing, the batch norm must not be folded into the convolution, which two layers read. */
static void dropout_residual_net(cs_graph *g, const engine_case *row) {
    int x = conv(g, "conv", stem(g, row), row->args);
    flat_head(g, add(g, "add", x, norm(g, "bn", dropout(g, "drop", x, true), true)));
}

/* All kernels have penalties, and updates limit their norms. */
static void penalize(cs_graph *g) {
    for (int l = 0; l < g->n_layers; l++) {
        g->layers[l].l1 = 0.02f;
        g->layers[l].l2 = 0.05f;
        g->layers[l].max_norm = 0.75f;
    }
}

#define PENALIZED(net)                                                                                                 \
    static void l2_##net(cs_graph *g, const engine_case *row) {                                                        \
        net(g, row);                                                                                                   \
        penalize(g);                                                                                                   \
    }
PENALIZED(dense_net)
PENALIZED(conv_net)
PENALIZED(depthwise_net)
PENALIZED(separable_net)
PENALIZED(conv_norm_net)

static int concatenate(cs_graph *g, const char *name, const int *inputs, int n) {
    int out;
    assert_ok(cs_graph_concatenate(g, name, inputs, n, &out));
    return out;
}

/* Concatenates row->c channels of the stem, the channels of the case's convolution, and the stem after an
 * activation. */
static int joined(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    int parts[] = {x, conv(g, "conv", x, row->args), activation(g, "relu", x, CS_ACT_RELU)};
    return concatenate(g, "concatenate", parts, 3);
}

static void concatenate_net(cs_graph *g, const engine_case *row) {
    flat_head(g, joined(g, row));
}

/* Inception's block: four branches whose numbers of channels are no multiples of a block. */
static void inception_net(cs_graph *g, const engine_case *row) {
    cs_conv_args args = row->args;
    int x = stem(g, row), parts[4];
    for (int i = 0; i < 4; i++) {
        const char *const names[] = {"a", "b", "c", "d"}, *const bns[] = {"a_bn", "b_bn", "c_bn", "d_bn"},
                          *const relus[] = {"a_relu", "b_relu", "c_relu", "d_relu"};
        args.filters = row->args.filters + 5 * i;
        x = i == 3 ? pool_same(g, "average", x, CS_LAYER_AVERAGE_POOL) : x;
        parts[i] = activation(g, relus[i], norm(g, bns[i], conv(g, names[i], x, args), false), CS_ACT_RELU);
    }
    mean_head(g, conv(g, "next", concatenate(g, "concatenate", parts, 4), row->args));
}

/* The pattern of a dense block: a concatenation is normalised, and a later layer reads it, too. */
static void dense_block_net(cs_graph *g, const engine_case *row) {
    int x = joined(g, row);
    int y = conv(g, "next", norm_relu6(g, x, "next_bn", "next_relu"), row->args);
    int parts[] = {x, y};
    mean_head(g, norm_relu6(g, concatenate(g, "block", parts, 2), "last_bn", "last_relu"));
}

static void concatenate_flat_net(cs_graph *g, const engine_case *row) {
    int mean = average(g, "mean", stem(g, row), false);
    int parts[] = {mean, dense(g, "hidden", mean, 7, CS_ACT_RELU)};
    dense(g, "logits", concatenate(g, "concatenate", parts, 2), CLASSES, CS_ACT_SOFTMAX);
}

/* Two values cross a cut at "b": the residual and the convolution. */
static void residual_block_net(cs_graph *g, const engine_case *row) {
    int x = norm_relu6(g, conv(g, "first", input(g, row->h, row->w, row->c), same_3x3), "first_bn", "first_relu");
    int a = norm_relu6(g, conv(g, "a", x, same_3x3), "a_bn", "a_relu");
    int b = norm(g, "b_bn", conv(g, "b", a, same_3x3), true);
    mean_head(g, activation(g, "relu", add(g, "add", x, b), CS_ACT_RELU));
}

/* A layer that no other layer reads. */
static void dead_end_net(cs_graph *g, const engine_case *row) {
    int x = stem(g, row);
    norm(g, "bn", conv(g, "unread", x, row->args), true);
    flat_head(g, x);
}

/* A smaller version of the network with two convolutions of the CIFAR notebooks. */
static void basenet_net(cs_graph *g, const engine_case *row) {
    cs_conv_args args = {6, 5, 5, 1, CS_PADDING_VALID, true, CS_ACT_RELU, 0};
    int flat, pool, x = conv(g, "conv1", input(g, row->h, row->w, row->c), args);
    assert_ok(cs_graph_pool(
        g, "pool", x, (cs_pool_args){.kind = CS_LAYER_MAX_POOL, .size = 2, .stride = 2, .padding = CS_PADDING_VALID},
        &pool));
    assert_ok(cs_graph_flatten(g, "flatten", pool, &flat));
    dense(g, "logits", dense(g, "hidden", flat, 12, CS_ACT_RELU), CLASSES, CS_ACT_SOFTMAX);
}

#define SAME  CS_PADDING_SAME
#define VALID CS_PADDING_VALID
#define SYMM  CS_PADDING_SYMMETRIC
const engine_case engine_cases[] = {
    /* filters, kernel, stride, padding, bias, activation, pad */
    {"conv_1x1", conv_net, 6, 6, 8, {16, 1, 1, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"conv_1x1_stride_2", conv_net, 7, 7, 5, {24, 1, 1, 2, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"conv_3x3_same", conv_net, 6, 6, 8, {24, 3, 3, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"conv_3x3_large_enough_for_winograd",
     conv_net,
     14,
     12,
     32,
     {40, 3, 3, 1, SAME, true, CS_ACT_RELU, 0},
     4,
     4,
     0,
     0,
     0},
    {"conv_3x3_winograd_valid_last_row_unused", conv_net, 13, 15, 48, {32, 3, 3, 1, VALID, false, 0, 0}, 4, 3, 0, 0, 0},
    {"conv_3x3_valid_bias", conv_net, 7, 5, 5, {3, 3, 3, 1, VALID, true, 0, 0}, 4, 4, 0, 0, 0},
    {"conv_3x3_same_stride_2_even", conv_net, 8, 8, 8, {8, 3, 3, 2, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"conv_3x3_same_stride_2_odd", conv_net, 7, 9, 3, {40, 3, 3, 2, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"conv_5x5_valid_relu", conv_net, 9, 8, 3, {6, 5, 5, 1, VALID, true, CS_ACT_RELU, 0}, 3, 3, 0, 0, 0},
    {"conv_5x5_same_stride_2_relu6", conv_net, 9, 9, 5, {8, 5, 5, 2, SAME, true, CS_ACT_RELU6, 0}, 3, 3, 0, 0, 0},
    {"conv_1x3_same", conv_net, 6, 6, 8, {8, 1, 3, 1, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"conv_3x3_tiny", conv_net, 2, 2, 21, {40, 3, 3, 1, SAME, true, 0, 0}, 6, 5, 0, 0, 0},
    {"conv_3x3_tiny_stride_2", conv_net, 3, 2, 40, {21, 3, 3, 2, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"conv_1x7_same", conv_net, 9, 8, 24, {20, 1, 7, 1, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"conv_7x1_same", conv_net, 8, 9, 20, {24, 7, 1, 1, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"conv_7x7_symmetric_stride_2", first_conv_net, 12, 11, 3, {16, 7, 7, 2, SYMM, false, 0, 3}, 3, 3, 0, 0, 0},
    {"conv_3x3_symmetric_stride_2", conv_net, 8, 7, 16, {5, 3, 3, 2, SYMM, true, 0, 1}, 3, 3, 0, 0, 0},
    {"conv_1x1_symmetric_stride_2", conv_net, 8, 7, 16, {5, 1, 1, 2, SYMM, true, 0, 0}, 3, 3, 0, 0, 0},
    {"conv_swish", conv_net, 6, 6, 5, {19, 3, 3, 1, SAME, true, CS_ACT_SWISH, 0}, 3, 3, 0, 0, 0},
    {"conv_sigmoid", conv_net, 6, 6, 5, {19, 3, 3, 1, SAME, true, CS_ACT_SIGMOID, 0}, 3, 3, 0, 0, 0},
    {"conv_40_channels", conv_net, 5, 5, 40, {24, 3, 3, 1, SAME, true, 0, 0}, 2, 2, 0, 0, 0},
    {"conv_16_channels", conv_net, 5, 5, 16, {32, 3, 3, 1, SAME, false, CS_ACT_RELU, 0}, 2, 2, 0, 0, 0},
    {"conv_partial_batch", conv_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, CS_ACT_RELU, 0}, 8, 3, 0, 0, 0},
    {"conv_one_row", conv_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 1, 0, 0, 0},
    {"conv_frozen_below", conv_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 4, "conv", 0, 0},
    {"conv_frozen_between", conv_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 4, 0, "conv", 0},
    {"first_conv_3x3_stride_2", first_conv_net, 8, 8, 3, {8, 3, 3, 2, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"first_conv_5x5_gray", first_conv_net, 9, 7, 1, {6, 5, 5, 1, VALID, true, CS_ACT_RELU, 0}, 4, 4, 0, 0, 0},
    {"depthwise_3x3_same", depthwise_net, 6, 6, 8, {0, 3, 3, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"depthwise_3x3_same_stride_2", depthwise_net, 8, 7, 24, {0, 3, 3, 2, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"depthwise_3x3_valid_stride_2", depthwise_net, 9, 9, 16, {0, 3, 3, 2, VALID, false, 0, 0}, 3, 3, 0, 0, 0},
    {"depthwise_5x5_bias", depthwise_net, 7, 7, 5, {0, 5, 5, 1, SAME, true, 0, 0}, 3, 3, 0, 0, 0},
    {"depthwise_5x5_bias_tiny", depthwise_net, 2, 2, 21, {0, 5, 5, 1, SAME, true, 0, 0}, 6, 5, 0, 0, 0},
    {"depthwise_40_channels", depthwise_net, 5, 5, 40, {0, 3, 3, 1, SAME, true, 0, 0}, 2, 2, 0, 0, 0},
    {"depthwise_partial_batch", depthwise_net, 6, 6, 3, {0, 3, 3, 1, SAME, false, 0, 0}, 5, 2, 0, 0, 0},
    {"depthwise_5x5_asymmetric", zero_pad_depthwise_net, 8, 8, 24, {0, 5, 5, 2, VALID, 0, 0, 0}, 3, 3, 0, 0, 0},
    {"separable_3x3", separable_net, 6, 6, 8, {19, 3, 3, 1, SAME, false, 0, 0}, 3, 3, 0, 0, 0},
    {"separable_3x3_stride_2_odd", separable_net, 9, 7, 24, {16, 3, 3, 2, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"separable_frozen_below", separable_net, 6, 6, 8, {19, 3, 3, 1, SAME, true, 0, 0}, 3, 3, "separable", 0, 0},
    {"separable_frozen", separable_net, 6, 6, 8, {19, 3, 3, 1, SAME, true, 0, 0}, 3, 3, 0, "separable", 0},
    {"relu", activation_net, 5, 5, 8, {.activation = CS_ACT_RELU}, 4, 4, 0, 0, 0},
    {"relu6", activation_net, 5, 5, 5, {.activation = CS_ACT_RELU6}, 4, 4, 0, 0, 0},
    {"swish", activation_net, 5, 5, 5, {.activation = CS_ACT_SWISH}, 4, 4, 0, 0, 0},
    {"sigmoid", activation_net, 5, 5, 5, {.activation = CS_ACT_SIGMOID}, 4, 3, 0, 0, 0},
    {"linear", activation_net, 5, 5, 3, {.activation = CS_ACT_LINEAR}, 4, 4, 0, 0, 0},
    {"max_pool_2x2", max_pool_net, 6, 6, 8, {0, 2, 2, 2, VALID, false, 0, 0}, 4, 4, 0, 0, 0},
    {"max_pool_3x3_same_stride_2", max_pool_net, 7, 8, 5, {0, 3, 3, 2, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"max_pool_3x3_same_stride_2_odd", max_pool_net, 9, 7, 24, {0, 3, 3, 2, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"max_pool_3x3_symmetric_even", max_pool_net, 8, 6, 8, {0, 3, 3, 2, SYMM, false, 0, 1}, 4, 4, 0, 0, 0},
    {"max_pool_3x3_overlapping", max_pool_net, 6, 6, 24, {0, 3, 3, 1, SAME, false, 0, 0}, 2, 2, 0, 0, 0},
    {"max_pool_ties", max_pool_ties_net, 3, 3, 5, {8, 1, 1, 1, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"average_pool_2x2", average_pool_net, 6, 6, 8, {0, 2, 2, 2, VALID, false, 0, 0}, 4, 4, 0, 0, 0},
    {"average_pool_3x3_same", average_pool_net, 6, 5, 3, {0, 3, 3, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"average_pool_3x3_same_wide", average_pool_net, 5, 5, 40, {0, 3, 3, 1, SAME, false, 0, 0}, 4, 3, 0, 0, 0},
    {"average_pool_3x3_symmetric", average_pool_net, 8, 7, 5, {0, 3, 3, 2, SYMM, false, 0, 1}, 4, 4, 0, 0, 0},
    {"average_pool_3x3_same_stride_2", average_pool_net, 8, 7, 16, {0, 3, 3, 2, SAME, false, 0, 0}, 2, 2, 0, 0, 0},
    {"global_average_pool", mean_net, 5, 7, 24, {0}, 4, 4, 0, 0, 0},
    {"global_average_pool_partial", mean_net, 5, 7, 5, {0}, 4, 3, 0, 0, 0},
    {"zero_pad", zero_pad_net, 4, 5, 5, {0}, 4, 4, 0, 0, 0},
    {"zero_pad_conv", zero_pad_conv_net, 8, 8, 8, {8, 3, 3, 2, VALID, false, 0, 0}, 4, 4, 0, 0, 0},
    {"scales", scales_net, 5, 4, 3, {0}, 4, 3, 0, 0, 0},
    {"scaled_input", scaled_input_net, 8, 8, 3, {8, 3, 3, 2, VALID, false, 0, 0}, 4, 3, 0, 0, 0},
    {"dense_swish", dense_net, 3, 5, 5, {.filters = 21, .activation = CS_ACT_SWISH}, 4, 4, 0, 0, 0},
    {"dense_sigmoid", dense_net, 3, 5, 5, {.filters = 21, .activation = CS_ACT_SIGMOID}, 4, 3, 0, 0, 0},
    {"dense_l2", l2_dense_net, 3, 5, 5, {.filters = 21, .activation = CS_ACT_RELU}, 4, 3, 0, 0, 0},
    {"dense_l2_frozen", l2_dense_net, 3, 5, 5, {.filters = 21, .activation = CS_ACT_RELU}, 4, 3, 0, "hidden", 0},
    {"conv_l2", l2_conv_net, 4, 5, 5, {21, 3, 3, 1, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"depthwise_l2", l2_depthwise_net, 6, 6, 5, {0, 3, 3, 1, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"separable_l2", l2_separable_net, 6, 6, 8, {19, 3, 3, 1, SAME, true, 0, 0}, 3, 3, 0, 0, 0},
    {"batch_norm_l2", l2_conv_norm_net, 6, 6, 8, {16, 3, 3, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"conv_l2_pixel", l2_conv_net, 1, 1, 24, {5, 1, 1, 1, SAME, true, 0, 0}, 4, 4, 0, "conv", 0},
    {"binary", binary_net, 4, 5, 5, {7, 3, 3, 1, SAME, true, CS_ACT_RELU, 0}, 6, 5, 0, 0, 0},
    {"binary_alone_trained", binary_net, 4, 5, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 4, "logits", 0, 0},
    {"binary_cut", binary_net, 3, 3, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 3, "logits", 0, "logits"},
    {"dense_relu", dense_net, 3, 5, 5, {.filters = 24, .activation = CS_ACT_RELU}, 4, 4, 0, 0, 0},
    {"dense_relu6_partial", dense_net, 4, 4, 8, {.filters = 10, .activation = CS_ACT_RELU6}, 6, 5, 0, 0, 0},
    {"batch_norm_conv", conv_norm_net, 6, 6, 8, {16, 3, 3, 1, SAME, false, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_conv_bias", conv_norm_net, 6, 6, 5, {24, 3, 3, 1, SAME, true, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_no_gamma", conv_norm_no_gamma_net, 6, 6, 8, {8, 3, 3, 1, SAME, false, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_swish", norm_activation_net, 6, 6, 8, {21, 3, 3, 1, SAME, 0, CS_ACT_SWISH, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_sigmoid", norm_activation_net, 6, 6, 8, {21, 1, 1, 1, SAME, 0, CS_ACT_SIGMOID, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_swish_frozen", norm_activation_net, 6, 6, 8, {5, 3, 3, 1, SAME, 0, CS_ACT_SWISH, 0}, 4, 4, 0, "bn", 0},
    {"batch_norm_unbiased", unbiased_norm_net, 6, 6, 8, {16, 3, 3, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_unbiased_pixel", unbiased_norm_net, 1, 1, 8, {16, 1, 1, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_separable", separable_norm_net, 7, 7, 8, {24, 3, 3, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_linear", norm_linear_net, 6, 6, 8, {5, 3, 3, 2, SAME, false, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_depthwise", depthwise_norm_net, 6, 6, 24, {0, 3, 3, 1, SAME, false, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_after_relu", relu_norm_net, 5, 5, 3, {0}, 6, 6, 0, 0, 0},
    {"batch_norm_large_conv", conv_norm_net, 2, 2, 1024, {512, 1, 1, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"batch_norm_shared_conv", shared_conv_norm_net, 5, 5, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 6, 6, 0, 0, 0},
    {"batch_norm_dense", dense_norm_net, 3, 3, 5, {.filters = 10}, 6, 6, 0, 0, 0},
    {"batch_norm_partial_batch", conv_norm_net, 6, 6, 8, {16, 3, 3, 1, SAME, false, 0, 0}, 9, 4, 0, 0, 0},
    {"batch_norm_frozen_below", conv_norm_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 4, "logits", 0, 0},
    {"batch_norm_frozen_above", conv_norm_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 4, 0, "bn", 0},
    {"batch_norm_frozen_no_gamma", conv_norm_no_gamma_net, 6, 6, 8, {5, 3, 3, 1, SAME, 0, 0, 0}, 4, 4, 0, "bn", 0},
    {"batch_norm_one_row_of_one_pixel", norm_chain_net, 1, 1, 8, {8, 1, 1, 1, SAME, false, 0, 0}, 4, 1, 0, 0, 0},
    {"batch_norm_alone_trained", conv_norm_net, 6, 6, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 6, 5, "bn", "logits", 0},
    {"widening_partial_batch", widening_net, 28, 28, 8, {80, 1, 1, 1, SAME, true, 0, 0}, 8, 1, 0, 0, 0},
    {"dead_end", dead_end_net, 5, 5, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"cut_behind_input", mobilenet_net, 16, 16, 3, {0}, 6, 5, 0, 0, "conv1"},
    {"add", add_net, 5, 5, 8, {16, 3, 3, 1, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"add_residual", residual_net, 5, 5, 5, {5, 3, 3, 1, SAME, true, CS_ACT_RELU, 0}, 4, 4, 0, 0, 0},
    {"add_chain", residual_chain_net, 5, 5, 8, {8, 3, 3, 1, SAME, false, CS_ACT_RELU, 0}, 4, 4, 0, 0, 0},
    {"add_chain_partial", residual_chain_net, 5, 4, 5, {5, 3, 3, 1, SAME, true, CS_ACT_RELU6, 0}, 6, 5, 0, 0, 0},
    {"add_chain_swish", residual_chain_net, 4, 4, 8, {8, 1, 1, 1, SAME, false, CS_ACT_SWISH, 0}, 4, 4, 0, 0, 0},
    {"add_chain_fine_tuned", residual_chain_net, 5, 5, 8, {8, 1, 1, 1, SAME, 0, CS_ACT_RELU, 0}, 4, 3, "c", 0, 0},
    {"add_chain_frozen_norm", residual_chain_net, 5, 5, 8, {8, 1, 1, 1, SAME, 0, CS_ACT_RELU, 0}, 4, 4, 0, "b_bn", 0},
    {"add_chain_cut", residual_chain_net, 5, 5, 8, {8, 3, 3, 1, SAME, 0, CS_ACT_RELU, 0}, 6, 5, "b_bn", 0, "b_bn"},
    {"add_norms", norm_sums_net, 5, 5, 8, {8, 3, 3, 1, SAME, false, 0, 0}, 5, 4, 0, 0, 0},
    {"add_itself", double_net, 4, 4, 8, {0}, 4, 4, 0, 0, 0},
    {"gate", gate_net, 6, 6, 8, {24, 3, 3, 1, SAME, false, 0, 0}, 6, 5, 0, 0, 0},
    {"gate_odd_channels", gate_net, 6, 5, 5, {21, 5, 5, 1, SAME, false, 0, 0}, 6, 6, 0, 0, 0},
    {"gate_fine_tuned", gate_net, 6, 6, 8, {24, 3, 3, 1, SAME, false, 0, 0}, 6, 5, "reduce", 0, 0},
    {"gate_cut", gate_net, 6, 6, 8, {24, 3, 3, 1, SAME, false, 0, 0}, 6, 5, "gate", 0, "gate"},
    {"gate_keeps_dims", keep_dims_gate_net, 4, 5, 19, {0}, 4, 3, 0, 0, 0},
    {"multiply", multiply_net, 5, 5, 5, {5, 3, 3, 1, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"multiply_flat_by_itself", square_flat_net, 4, 4, 10, {0}, 4, 3, 0, 0, 0},
    {"reshape", reshape_net, 4, 4, 10, {7, 1, 1, 1, SAME, true, 0, 0}, 4, 3, 0, 0, 0},
    {"dropout", dropout_net, 4, 5, 5, {19, 3, 3, 1, SAME, true, 0, 0}, 6, 5, 0, 0, 0},
    {"dropout_frozen", dropout_net, 4, 5, 5, {19, 3, 3, 1, SAME, true, 0, 0}, 6, 5, 0, "drop1", 0},
    {"dropout_residual", dropout_residual_net, 4, 5, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 6, 5, 0, 0, 0},
    {"dropout_residual_frozen", dropout_residual_net, 4, 5, 8, {8, 3, 3, 1, SAME, true, 0, 0}, 6, 5, 0, "drop", 0},
    {"concatenate_four", inception_net, 6, 6, 8, {7, 3, 3, 1, SAME, false, 0, 0}, 4, 3, 0, 0, 0},
    {"concatenate_whole_blocks", concatenate_net, 5, 5, 16, {32, 3, 3, 1, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"concatenate_parts_of_blocks", concatenate_net, 5, 5, 5, {19, 3, 3, 1, SAME, true, 0, 0}, 4, 4, 0, 0, 0},
    {"concatenate_flat", concatenate_flat_net, 4, 4, 10, {0}, 4, 3, 0, 0, 0},
    {"dense_block", dense_block_net, 6, 6, 16, {16, 3, 3, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"dense_block_partial", dense_block_net, 7, 5, 12, {12, 3, 3, 1, SAME, false, 0, 0}, 8, 5, 0, 0, 0},
    {"fan_out", fan_out_net, 5, 5, 8, {8, 3, 3, 1, SAME, false, 0, 0}, 4, 4, 0, 0, 0},
    {"basenet", basenet_net, 12, 12, 3, {0}, 4, 4, 0, 0, 0},
    {"mobilenet", mobilenet_net, 16, 16, 3, {0}, 6, 6, 0, 0, 0},
    {"mobilenet_odd_partial", mobilenet_net, 19, 17, 3, {0}, 8, 5, 0, 0, 0},
    {"mobilenet_fine_tuned", mobilenet_net, 16, 16, 3, {0}, 4, 4, "dw2_bn", 0, 0},
    {"mobilenet_cut_at_first_trainable", mobilenet_net, 16, 16, 3, {0}, 6, 6, "pw2", 0, "pw2"},
    {"mobilenet_cut_below_trainable", mobilenet_net, 16, 16, 3, {0}, 8, 5, "pw2", 0, "dw1"},
    {"mobilenet_cut_between_conv_and_norm", mobilenet_net, 16, 16, 3, {0}, 6, 6, "pw2_bn", 0, "pw2_bn"},
    {"mobilenet_cut_at_head", mobilenet_net, 16, 16, 3, {0}, 6, 6, "logits", 0, "mean"},
    {"residual_block", residual_block_net, 8, 8, 3, {0}, 4, 4, 0, 0, 0},
    {"residual_block_cut_twice_read", residual_block_net, 8, 8, 3, {0}, 4, 3, "b", 0, "b"},
};
const size_t n_engine_cases = sizeof engine_cases / sizeof *engine_cases;
