/* SPDX-License-Identifier: Apache-2.0 */
/* EfficientNet-B0 (Tan & Le, arXiv:1905.11946) in the dialect of keras.applications.EfficientNetB0: the network itself
 * scales its input, a stride of 2 is explicit zero padding and then a "valid" convolution, and blocks with a shortcut
 * drop whole samples while they train. Blocks: block1a, block2a, block2b, ... block7a. */
#include "block.h"
#include "families.h"
#include "width.h"

#include <math.h>

static const float bn_epsilon = 1e-3f, bn_momentum = 0.99f; /* Keras' defaults */

static const struct {
    int blocks, filters, kernel, expansion;
    int stride; /* of the first block */
} stages[] = {{1, 16, 3, 1, 1},  {2, 24, 3, 6, 2},  {2, 40, 5, 6, 2}, {3, 80, 3, 6, 2},
              {3, 112, 5, 6, 1}, {4, 192, 5, 6, 2}, {1, 320, 3, 6, 1}};
enum { STAGES = sizeof stages / sizeof stages[0], BLOCKS = 16 };

/* The settings of an inverted residual. */
typedef struct settings {
    int filters, kernel, expansion, stride;
    float drop; /* dropout rate */
} settings;

static const cs_conv_args pointwise = {.kernel_h = 1, .kernel_w = 1, .stride = 1, .padding = CS_PADDING_SAME};

static cs_status add_conv(cs_block *block, const char *part, cs_conv_args args, int *x) {
    CS_TRY(cs_graph_conv2d(block->graph, cs_block_name(block, part), *x, args, x));
    block->graph->layers[*x].initializer = CS_INIT_TRUNCATED_FAN_OUT;
    return CS_OK;
}

static cs_status add_norm(cs_block *block, const char *part, int *x) {
    return cs_graph_batch_norm(block->graph, cs_block_name(block, part), *x, bn_epsilon, bn_momentum, true, x);
}

static cs_status add_swish(cs_block *block, const char *part, int *x) {
    return cs_graph_activation(block->graph, cs_block_name(block, part), *x, CS_ACT_SWISH, x);
}

/* Adds the zero padding that a "valid" convolution of stride 2 needs; an even size gets one row or column less at its
 * top or left. */
static cs_status add_pad(cs_block *block, const char *part, int kernel, int *x) {
    cs_shape in = block->graph->layers[*x].out;
    int pad = kernel / 2, top = pad - 1 + in.h % 2, left = pad - 1 + in.w % 2;
    return cs_graph_zero_pad(block->graph, cs_block_name(block, part), *x, top, pad, left, pad, x);
}

static cs_status add_depthwise(cs_block *block, const settings *s, int *x) {
    cs_conv_args args = {.kernel_h = s->kernel, .kernel_w = s->kernel, .stride = s->stride, .padding = CS_PADDING_SAME};
    if (s->stride > 1) {
        CS_TRY(add_pad(block, "dwconv_pad", s->kernel, x));
        args.padding = CS_PADDING_VALID;
    }
    CS_TRY(cs_graph_depthwise_conv2d(block->graph, cs_block_name(block, "dwconv"), *x, args, x));
    block->graph->layers[*x].initializer = CS_INIT_TRUNCATED_FAN_OUT;
    CS_TRY(add_norm(block, "bn", x));
    return add_swish(block, "activation", x);
}

/* Adds squeeze and excitation (Hu et al., arXiv:1709.01507), `squeezed` channels wide. */
static cs_status add_gate(cs_block *block, int squeezed, int *x) {
    cs_graph *graph = block->graph;
    cs_conv_args conv = pointwise;
    int gate;
    conv.use_bias = true;
    CS_TRY(cs_graph_global_average_pool(graph, cs_block_name(block, "se_squeeze"), *x, false, &gate));
    CS_TRY(cs_graph_reshape(graph, cs_block_name(block, "se_reshape"), gate, &gate));
    conv.filters = squeezed;
    conv.activation = CS_ACT_SWISH;
    CS_TRY(add_conv(block, "se_reduce", conv, &gate));
    conv.filters = graph->layers[*x].out.c;
    conv.activation = CS_ACT_SIGMOID;
    CS_TRY(add_conv(block, "se_expand", conv, &gate));
    return cs_graph_multiply(graph, cs_block_name(block, "se_excite"), *x, gate, x);
}

static cs_status add_block(cs_block *block, const settings *s, int *x) {
    cs_graph *graph = block->graph;
    int input = *x, channels = graph->layers[*x].out.c;
    cs_conv_args conv = pointwise;
    cs_graph_begin_block(graph);
    if (s->expansion > 1) {
        conv.filters = s->expansion * channels;
        CS_TRY(add_conv(block, "expand_conv", conv, x));
        CS_TRY(add_norm(block, "expand_bn", x));
        CS_TRY(add_swish(block, "expand_activation", x));
    }
    CS_TRY(add_depthwise(block, s, x));
    CS_TRY(add_gate(block, channels / 4, x));
    conv.filters = s->filters;
    CS_TRY(add_conv(block, "project_conv", conv, x));
    CS_TRY(add_norm(block, "project_bn", x));
    if (s->stride > 1 || channels != s->filters)
        return CS_OK;
    CS_TRY(cs_graph_dropout(graph, cs_block_name(block, "drop"), *x, s->drop, true, x));
    return cs_graph_add(graph, cs_block_name(block, "add"), *x, input, x);
}

/* The input is pixels from 0 to 255. The published weights were trained with a division by the variance instead of the
 * deviation; a second rescaling corrects that for them, as in Keras. */
static cs_status add_scaling(cs_graph *graph, bool pretrained, int *x) {
    const double deviations[3] = {0.229, 0.224, 0.225}, most = 255;
    float unit[3], again[3];
    for (int c = 0; c < 3; c++) {
        unit[c] = (float)(1 / most);
        again[c] = (float)(1 / sqrt(deviations[c]));
    }
    CS_TRY(cs_graph_rescaling(graph, "rescaling", *x, unit, x));
    CS_TRY(cs_graph_normalization(graph, "normalization", *x, x));
    return pretrained ? cs_graph_rescaling(graph, "rescaling_1", *x, again, x) : CS_OK;
}

static cs_status add_stem(cs_graph *graph, int *x) {
    cs_block stem = {.graph = graph, .prefix = "stem"};
    const cs_conv_args conv = {.filters = 32, .kernel_h = 3, .kernel_w = 3, .stride = 2, .padding = CS_PADDING_VALID};
    CS_TRY(add_pad(&stem, "conv_pad", conv.kernel_h, x));
    CS_TRY(add_conv(&stem, "conv", conv, x));
    CS_TRY(add_norm(&stem, "bn", x));
    return add_swish(&stem, "activation", x);
}

cs_status cs_build_efficientnet_b0(cs_graph *graph, const cs_model_config *config, int *top) {
    const double drop = 0.2; /* the rate increases with the depth, up to this */
    int index = 0;
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = config->pretrained ? CS_PREPROCESS_RAW_IMAGENET : CS_PREPROCESS_RAW;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, top));
    CS_TRY(add_scaling(graph, config->pretrained, top));
    CS_TRY(add_stem(graph, top));
    for (int i = 0; i < STAGES; i++)
        for (int j = 0; j < stages[i].blocks; j++) {
            cs_block block = {.graph = graph};
            const settings s = {stages[i].filters, stages[i].kernel, stages[i].expansion, j ? 1 : stages[i].stride,
                                (float)(drop * index++ / BLOCKS)};
            snprintf(block.prefix, sizeof block.prefix, "block%d%c", i + 1, 'a' + j);
            CS_TRY(add_block(&block, &s, top));
        }
    cs_block last = {.graph = graph, .prefix = "top"};
    cs_conv_args conv = pointwise;
    conv.filters = 1280;
    CS_TRY(add_conv(&last, "conv", conv, top));
    CS_TRY(add_norm(&last, "bn", top));
    return add_swish(&last, "activation", top);
}

cs_status cs_add_top_efficientnet(cs_graph *graph, int classes, int *x) {
    const float rate = 0.2f;
    CS_TRY(cs_graph_global_average_pool(graph, "avg_pool", *x, false, x));
    CS_TRY(cs_graph_dropout(graph, "top_dropout", *x, rate, false, x));
    CS_TRY(cs_graph_dense(graph, "predictions", *x, classes, CS_ACT_SOFTMAX, x));
    graph->layers[*x].initializer = CS_INIT_UNIFORM_THIRD;
    return CS_OK;
}
