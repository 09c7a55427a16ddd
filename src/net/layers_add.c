/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that add a layer to a graph, one for each kind. Each fills a draft, and the rules of layers.c do the
 * rest. */
#include "layers_impl.h"

cs_status cs_graph_input(cs_graph *graph, const char *name, int h, int w, int c, int *out) {
    cs_layer_draft draft = {.name = name, .layer = {.kind = CS_LAYER_INPUT, .out = {h, w, c, false}}};
    return cs_graph_add_layer(graph, &draft, out);
}

static cs_initializer default_initializer(const cs_graph *graph) {
    return graph->dialect == CS_DIALECT_TORCH ? CS_INIT_TORCH_DEFAULT : CS_INIT_GLOROT_UNIFORM;
}

static cs_status add_conv(cs_graph *graph, cs_layer_kind kind, const char *name, int input, const cs_conv_args *args,
                          int *out) {
    cs_layer_draft draft = {
        .name = name,
        .padding = args->padding,
        .pad = args->pad,
        .layer = {.kind = kind,
                  .activation = args->activation,
                  .n_inputs = 1,
                  .inputs = {input},
                  .window = {.kernel_h = args->kernel_h,
                             .kernel_w = args->kernel_w,
                             .stride_h = args->stride,
                             .stride_w = args->stride},
                  .use_bias = args->use_bias,
                  .initializer = default_initializer(graph),
                  .out.c = args->filters},
    };
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args, int *out) {
    return add_conv(graph, CS_LAYER_CONV2D, name, input, &args, out);
}

cs_status cs_graph_depthwise_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args, int *out) {
    return add_conv(graph, CS_LAYER_DEPTHWISE_CONV2D, name, input, &args, out);
}

cs_status cs_graph_separable_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args, int *out) {
    return add_conv(graph, CS_LAYER_SEPARABLE_CONV2D, name, input, &args, out);
}

cs_status cs_graph_batch_norm(cs_graph *graph, const char *name, int input, float epsilon, float momentum, bool scale,
                              int *out) {
    cs_layer_draft draft = {.name = name,
                            .layer = {.kind = CS_LAYER_BATCH_NORM,
                                      .n_inputs = 1,
                                      .inputs = {input},
                                      .scale = scale,
                                      .unbiased = graph->dialect == CS_DIALECT_TORCH,
                                      .epsilon = epsilon,
                                      .momentum = momentum}};
    return cs_graph_add_layer(graph, &draft, out);
}

/* Adds a layer that has no settings. */
static cs_status add_plain(cs_graph *graph, cs_layer_kind kind, const char *name, int input, int *out) {
    cs_layer_draft draft = {.name = name, .layer = {.kind = kind, .n_inputs = 1, .inputs = {input}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_activation(cs_graph *graph, const char *name, int input, cs_activation activation, int *out) {
    cs_layer_draft draft = {
        .name = name,
        .layer = {.kind = CS_LAYER_ACTIVATION, .n_inputs = 1, .inputs = {input}, .activation = activation}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_rescaling(cs_graph *graph, const char *name, int input, const float factor[3], int *out) {
    cs_layer_draft draft = {
        .name = name,
        .layer = {
            .kind = CS_LAYER_RESCALING, .n_inputs = 1, .inputs = {input}, .factor = {factor[0], factor[1], factor[2]}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_normalization(cs_graph *graph, const char *name, int input, int *out) {
    return add_plain(graph, CS_LAYER_NORMALIZATION, name, input, out);
}

cs_status cs_graph_pool(cs_graph *graph, const char *name, int input, cs_pool_args args, int *out) {
    if (args.kind != CS_LAYER_MAX_POOL && args.kind != CS_LAYER_AVERAGE_POOL)
        return cs_fail(CS_ERR_ARG, "layer '%s': %s is no pooling layer", name, cs_layer_kind_name(args.kind));
    cs_layer_draft draft = {
        .name = name,
        .padding = args.padding,
        .pad = args.pad,
        .layer = {.kind = args.kind,
                  .n_inputs = 1,
                  .inputs = {input},
                  .window = {
                      .kernel_h = args.size, .kernel_w = args.size, .stride_h = args.stride, .stride_w = args.stride}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_global_average_pool(cs_graph *graph, const char *name, int input, bool keep_dims, int *out) {
    cs_layer_draft draft = {
        .name = name,
        .layer = {.kind = CS_LAYER_GLOBAL_AVERAGE_POOL, .n_inputs = 1, .inputs = {input}, .out.flat = !keep_dims}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_zero_pad(cs_graph *graph, const char *name, int input, int top, int bottom, int left, int right,
                            int *out) {
    cs_layer_draft draft = {.name = name,
                            .layer = {.kind = CS_LAYER_ZERO_PAD,
                                      .n_inputs = 1,
                                      .inputs = {input},
                                      .window = {.kernel_h = 1,
                                                 .kernel_w = 1,
                                                 .stride_h = 1,
                                                 .stride_w = 1,
                                                 .pad_top = top,
                                                 .pad_bottom = bottom,
                                                 .pad_left = left,
                                                 .pad_right = right}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_add(cs_graph *graph, const char *name, int a, int b, int *out) {
    cs_layer_draft draft = {.name = name, .layer = {.kind = CS_LAYER_ADD, .n_inputs = 2, .inputs = {a, b}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_multiply(cs_graph *graph, const char *name, int image, int gate, int *out) {
    cs_layer_draft draft = {.name = name, .layer = {.kind = CS_LAYER_MULTIPLY, .n_inputs = 2, .inputs = {image, gate}}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_concatenate(cs_graph *graph, const char *name, const int *inputs, int n_inputs, int *out) {
    if (n_inputs < 1 || n_inputs > CS_LAYER_MAX_INPUTS)
        return cs_fail(CS_ERR_ARG, "layer '%s' joins %d layers; 1 to %d can be", name, n_inputs, CS_LAYER_MAX_INPUTS);
    cs_layer_draft draft = {.name = name, .layer = {.kind = CS_LAYER_CONCATENATE, .n_inputs = n_inputs}};
    for (int i = 0; i < n_inputs; i++)
        draft.layer.inputs[i] = inputs[i];
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_flatten(cs_graph *graph, const char *name, int input, int *out) {
    return add_plain(graph, CS_LAYER_FLATTEN, name, input, out);
}

cs_status cs_graph_reshape(cs_graph *graph, const char *name, int input, int *out) {
    return add_plain(graph, CS_LAYER_RESHAPE, name, input, out);
}

cs_status cs_graph_dropout(cs_graph *graph, const char *name, int input, float rate, bool per_row, int *out) {
    cs_layer_draft draft = {
        .name = name,
        .layer = {.kind = CS_LAYER_DROPOUT, .n_inputs = 1, .inputs = {input}, .rate = rate, .per_row = per_row}};
    return cs_graph_add_layer(graph, &draft, out);
}

cs_status cs_graph_dense(cs_graph *graph, const char *name, int input, int units, cs_activation activation, int *out) {
    cs_layer_draft draft = {.name = name,
                            .layer = {.kind = CS_LAYER_DENSE,
                                      .n_inputs = 1,
                                      .inputs = {input},
                                      .activation = activation,
                                      .use_bias = true,
                                      .initializer = default_initializer(graph),
                                      .out = {1, 1, units, true}}};
    return cs_graph_add_layer(graph, &draft, out);
}
