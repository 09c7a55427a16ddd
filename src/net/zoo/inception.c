/* SPDX-License-Identifier: Apache-2.0 */
/* Inception-v3 (Szegedy et al., arXiv:1512.00567) in the dialect of keras.applications.InceptionV3: no convolution has
 * a bias, no batch norm a gamma, and all layers but the concatenations have Keras' automatic names. Blocks: mixed0 to
 * mixed10. */
#include "block.h"
#include "families.h"
#include "width.h"

static const float bn_epsilon = 1e-3f, bn_momentum = 0.99f;

typedef enum step {
    SAME,
    VALID, /* without padding, so that the image gets smaller */
    HALVE  /* stride 2, without padding */
} step;

typedef struct conv {
    int filters, kernel_h, kernel_w;
    step step;
} conv;

/* Adds a convolution, batch norm and ReLU. */
static cs_status add_conv(cs_graph *graph, conv c, int *x) {
    char name[CS_NAME_MAX];
    cs_conv_args args = {.filters = c.filters,
                         .kernel_h = c.kernel_h,
                         .kernel_w = c.kernel_w,
                         .stride = c.step == HALVE ? 2 : 1,
                         .padding = c.step == SAME ? CS_PADDING_SAME : CS_PADDING_VALID};
    CS_TRY(cs_graph_conv2d(graph, cs_automatic_name(graph, "conv2d", name), *x, args, x));
    CS_TRY(cs_graph_batch_norm(graph, cs_automatic_name(graph, "batch_normalization", name), *x, bn_epsilon,
                               bn_momentum, false, x));
    return cs_graph_activation(graph, cs_automatic_name(graph, "activation", name), *x, CS_ACT_RELU, x);
}

/* Adds a chain of convolutions; `convs` ends with one that has 0 filters. */
static cs_status add_branch(cs_graph *graph, const conv *convs, int x, int *out) {
    *out = x;
    for (; convs->filters; convs++)
        CS_TRY(add_conv(graph, *convs, out));
    return CS_OK;
}

static cs_status add_max_pool(cs_graph *graph, int x, int *out) {
    char name[CS_NAME_MAX];
    const cs_pool_args args = {.kind = CS_LAYER_MAX_POOL, .size = 3, .stride = 2, .padding = CS_PADDING_VALID};
    return cs_graph_pool(graph, cs_automatic_name(graph, "max_pooling2d", name), x, args, out);
}

/* Adds a 3x3 average pool and then a 1x1 convolution. */
static cs_status add_pool_branch(cs_graph *graph, int filters, int x, int *out) {
    char name[CS_NAME_MAX];
    const cs_pool_args args = {.kind = CS_LAYER_AVERAGE_POOL, .size = 3, .stride = 1, .padding = CS_PADDING_SAME};
    CS_TRY(cs_graph_pool(graph, cs_automatic_name(graph, "average_pooling2d", name), x, args, out));
    return add_conv(graph, (conv){filters, 1, 1, SAME}, out);
}

static cs_status add_stem(cs_graph *graph, int *x) {
    CS_TRY(add_branch(graph, (const conv[]){{32, 3, 3, HALVE}, {32, 3, 3, VALID}, {64, 3, 3, SAME}, {0}}, *x, x));
    CS_TRY(add_max_pool(graph, *x, x));
    CS_TRY(add_branch(graph, (const conv[]){{80, 1, 1, VALID}, {192, 3, 3, VALID}, {0}}, *x, x));
    return add_max_pool(graph, *x, x);
}

/* Adds mixed0, mixed1 or mixed2. */
static cs_status add_5x5(cs_graph *graph, const char *name, int pool_filters, int *x) {
    int parts[4];
    CS_TRY(add_branch(graph, (const conv[]){{64, 1, 1, SAME}, {0}}, *x, &parts[0]));
    CS_TRY(add_branch(graph, (const conv[]){{48, 1, 1, SAME}, {64, 5, 5, SAME}, {0}}, *x, &parts[1]));
    CS_TRY(add_branch(graph, (const conv[]){{64, 1, 1, SAME}, {96, 3, 3, SAME}, {96, 3, 3, SAME}, {0}}, *x, &parts[2]));
    CS_TRY(add_pool_branch(graph, pool_filters, *x, &parts[3]));
    return cs_graph_concatenate(graph, name, parts, 4, x);
}

static cs_status add_mixed3(cs_graph *graph, int *x) {
    int parts[3];
    CS_TRY(add_branch(graph, (const conv[]){{384, 3, 3, HALVE}, {0}}, *x, &parts[0]));
    CS_TRY(
        add_branch(graph, (const conv[]){{64, 1, 1, SAME}, {96, 3, 3, SAME}, {96, 3, 3, HALVE}, {0}}, *x, &parts[1]));
    CS_TRY(add_max_pool(graph, *x, &parts[2]));
    return cs_graph_concatenate(graph, "mixed3", parts, 3, x);
}

/* Adds mixed4, mixed5, mixed6 or mixed7: a 7x7 convolution in parts of 1x7 and 7x1, with `width` channels between the
 * parts. */
static cs_status add_7x7(cs_graph *graph, const char *name, int width, int *x) {
    int parts[4];
    const conv once[] = {{width, 1, 1, SAME}, {width, 1, 7, SAME}, {192, 7, 1, SAME}, {0}};
    const conv twice[] = {{width, 1, 1, SAME}, {width, 7, 1, SAME}, {width, 1, 7, SAME},
                          {width, 7, 1, SAME}, {192, 1, 7, SAME},   {0}};
    CS_TRY(add_branch(graph, (const conv[]){{192, 1, 1, SAME}, {0}}, *x, &parts[0]));
    CS_TRY(add_branch(graph, once, *x, &parts[1]));
    CS_TRY(add_branch(graph, twice, *x, &parts[2]));
    CS_TRY(add_pool_branch(graph, 192, *x, &parts[3]));
    return cs_graph_concatenate(graph, name, parts, 4, x);
}

static cs_status add_mixed8(cs_graph *graph, int *x) {
    int parts[3];
    const conv with_7x7[] = {{192, 1, 1, SAME}, {192, 1, 7, SAME}, {192, 7, 1, SAME}, {192, 3, 3, HALVE}, {0}};
    CS_TRY(add_branch(graph, (const conv[]){{192, 1, 1, SAME}, {320, 3, 3, HALVE}, {0}}, *x, &parts[0]));
    CS_TRY(add_branch(graph, with_7x7, *x, &parts[1]));
    CS_TRY(add_max_pool(graph, *x, &parts[2]));
    return cs_graph_concatenate(graph, "mixed8", parts, 3, x);
}

/* Adds a 1x3 and a 3x1 convolution of the same input, concatenated. */
static cs_status add_fork(cs_graph *graph, const char *name, int *x) {
    int parts[2];
    CS_TRY(add_branch(graph, (const conv[]){{384, 1, 3, SAME}, {0}}, *x, &parts[0]));
    CS_TRY(add_branch(graph, (const conv[]){{384, 3, 1, SAME}, {0}}, *x, &parts[1]));
    return cs_graph_concatenate(graph, name, parts, 2, x);
}

/* Adds mixed9 or mixed10. Keras calls their first forks mixed9_0 and mixed9_1. */
static cs_status add_forks(cs_graph *graph, const char *name, const char *first_fork, int *x) {
    int parts[4];
    char fork[CS_NAME_MAX];
    CS_TRY(add_branch(graph, (const conv[]){{320, 1, 1, SAME}, {0}}, *x, &parts[0]));
    CS_TRY(add_branch(graph, (const conv[]){{384, 1, 1, SAME}, {0}}, *x, &parts[1]));
    CS_TRY(add_fork(graph, first_fork, &parts[1]));
    CS_TRY(add_branch(graph, (const conv[]){{448, 1, 1, SAME}, {384, 3, 3, SAME}, {0}}, *x, &parts[2]));
    CS_TRY(add_fork(graph, cs_automatic_name(graph, "concatenate", fork), &parts[2]));
    CS_TRY(add_pool_branch(graph, 192, *x, &parts[3]));
    return cs_graph_concatenate(graph, name, parts, 4, x);
}

static cs_status add_block(cs_graph *graph, int index, int *x) {
    enum { MIXED3 = 3, MIXED4 = 4, MIXED7 = 7, MIXED8 = 8 };
    const int pool_filters[] = {32, 64, 64}, widths[] = {128, 160, 160, 192};
    char name[CS_NAME_MAX];
    snprintf(name, sizeof name, "mixed%d", index);
    cs_graph_begin_block(graph);
    if (index < MIXED3)
        return add_5x5(graph, name, pool_filters[index], x);
    if (index == MIXED3)
        return add_mixed3(graph, x);
    if (index <= MIXED7)
        return add_7x7(graph, name, widths[index - MIXED4], x);
    if (index == MIXED8)
        return add_mixed8(graph, x);
    return add_forks(graph, name, index == MIXED8 + 1 ? "mixed9_0" : "mixed9_1", x);
}

cs_status cs_build_inception_v3(cs_graph *graph, const cs_model_config *config, int *top) {
    enum { BLOCKS = 11 };
    CS_TRY(cs_width_refuse(graph, config->alpha));
    graph->preprocess = CS_PREPROCESS_TF;
    CS_TRY(cs_graph_input(graph, "input_layer", config->input_h, config->input_w, config->input_c, top));
    CS_TRY(add_stem(graph, top));
    for (int i = 0; i < BLOCKS; i++)
        CS_TRY(add_block(graph, i, top));
    return CS_OK;
}
