/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the layer kinds, a table row for each. Shape rules are TensorFlow's (tf.nn.convolution, "padding") and,
 * for symmetric padding, torch's. To add a kind: a row here, and in layers_add.c the function that users call. */
#include "layers_impl.h"

#include <limits.h>

static cs_status fail_input(const cs_layer_draft *draft, const char *wanted) {
    cs_shape in = draft->layer.in;
    return cs_fail(CS_ERR_SHAPE, "layer '%s' (%s) needs %s, its input is %d x %d x %d%s", draft->name,
                   cs_layer_kind_name(draft->layer.kind), wanted, in.h, in.w, in.c, in.flat ? " flat" : "");
}

static cs_status need_image(const cs_layer_draft *draft) {
    return draft->layer.in.flat ? fail_input(draft, "an image [H,W,C]") : CS_OK;
}

static cs_status shape_input(const cs_graph *graph, cs_layer_draft *draft) {
    if (graph->n_layers > 0)
        return cs_fail(CS_ERR_ARG, "%s: the input '%s' must be the first layer", graph->arch, draft->name);
    draft->layer.in = draft->layer.out;
    return CS_OK;
}

static cs_status shape_same(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    draft->layer.out = draft->layer.in;
    return CS_OK;
}

static cs_status shape_activation(const cs_graph *graph, cs_layer_draft *draft) {
    if (cs_activation_is_last(draft->layer.activation) && !draft->layer.in.flat)
        return fail_input(draft, "a flat input for softmax");
    return shape_same(graph, draft);
}

static int ceil_div(int a, int b) {
    return a / b + (a % b != 0);
}

/* Computes output size and padding of one axis of a window. "same" gives ceil(in/stride), with the odd row of padding
 * at the end. */
static cs_status resolve_axis(const cs_layer_draft *draft, int in, int kernel, int stride, int *before, int *after,
                              int *out) {
    if (kernel < 1 || stride < 1 || kernel > CS_DIMENSION_MAX || stride > CS_DIMENSION_MAX)
        return cs_fail(CS_ERR_ARG, "layer '%s': window %d, stride %d; both go from 1 to %d", draft->name, kernel,
                       stride, CS_DIMENSION_MAX);
    *before = *after = draft->padding == CS_PADDING_SYMMETRIC ? draft->pad : 0;
    if (*before < 0 || *before >= kernel)
        return cs_fail(CS_ERR_ARG, "layer '%s': padding %d around a window of %d", draft->name, *before, kernel);
    if (draft->padding == CS_PADDING_SAME) {
        *out = ceil_div(in, stride);
        int64_t missing = (int64_t)(*out - 1) * stride + kernel - in;
        if (missing > 0) {
            *before = (int)(missing / 2);
            *after = (int)(missing - missing / 2);
        }
    } else {
        if (kernel > in + 2 * *before)
            return cs_hint(
                cs_fail(CS_ERR_SHAPE, "layer '%s': a window of %d does not fit into %d", draft->name, kernel, in),
                "use a larger input image");
        *out = (in + 2 * *before - kernel) / stride + 1;
        int left_out = in + 2 * *before - ((*out - 1) * stride + kernel); /* rows that no window reaches */
        *after -= left_out < *after ? left_out : *after;
    }
    return CS_OK;
}

/* Sets out.h, out.w and the padding. */
static cs_status resolve_window(cs_layer_draft *draft) {
    cs_layer *layer = &draft->layer;
    cs_window *w = &layer->window;
    CS_TRY(need_image(draft));
    CS_TRY(resolve_axis(draft, layer->in.h, w->kernel_h, w->stride_h, &w->pad_top, &w->pad_bottom, &layer->out.h));
    return resolve_axis(draft, layer->in.w, w->kernel_w, w->stride_w, &w->pad_left, &w->pad_right, &layer->out.w);
}

static cs_status shape_conv2d(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    if (cs_activation_is_last(draft->layer.activation))
        return cs_fail(CS_ERR_ARG, "layer '%s': a convolution cannot end in softmax", draft->name);
    return resolve_window(draft);
}

static cs_status shape_depthwise(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    if (draft->layer.activation != CS_ACT_LINEAR)
        return cs_hint(cs_fail(CS_ERR_ARG, "layer '%s': a depthwise convolution with activation %s", draft->name,
                               cs_activation_name(draft->layer.activation)),
                       "add the activation as a layer of its own");
    draft->layer.out.c = draft->layer.in.c;
    return resolve_window(draft);
}

static cs_status shape_separable(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    if (draft->layer.activation != CS_ACT_LINEAR)
        return cs_hint(cs_fail(CS_ERR_ARG, "layer '%s': a separable convolution with activation %s", draft->name,
                               cs_activation_name(draft->layer.activation)),
                       "add the activation as a layer of its own");
    return resolve_window(draft);
}

static cs_status shape_colours(const cs_graph *graph, cs_layer_draft *draft) {
    enum { COLOURS = 3 };
    if (draft->layer.in.flat || draft->layer.in.c != COLOURS)
        return fail_input(draft, "an image of 3 channels");
    return shape_same(graph, draft);
}

static cs_status shape_pool(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    draft->layer.out.c = draft->layer.in.c;
    return resolve_window(draft);
}

static cs_status shape_global_pool(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    CS_TRY(need_image(draft));
    draft->layer.out = (cs_shape){1, 1, draft->layer.in.c, draft->layer.out.flat};
    return CS_OK;
}

static cs_status shape_zero_pad(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    const cs_window *w = &draft->layer.window;
    cs_shape in = draft->layer.in;
    const int pads[] = {w->pad_top, w->pad_bottom, w->pad_left, w->pad_right};
    CS_TRY(need_image(draft));
    for (int i = 0; i < 4; i++)
        if (pads[i] < 0 || pads[i] > CS_DIMENSION_MAX)
            return cs_fail(CS_ERR_ARG, "layer '%s': padding %d; it goes from 0 to %d", draft->name, pads[i],
                           CS_DIMENSION_MAX);
    draft->layer.out = (cs_shape){in.h + w->pad_top + w->pad_bottom, in.w + w->pad_left + w->pad_right, in.c, false};
    return CS_OK;
}

static cs_status shape_add(const cs_graph *graph, cs_layer_draft *draft) {
    const cs_layer *b = &graph->layers[draft->layer.inputs[1]];
    cs_shape x = draft->layer.in, y = b->out;
    if (x.h != y.h || x.w != y.w || x.c != y.c || x.flat != y.flat)
        return cs_fail(CS_ERR_SHAPE, "layer '%s' adds '%s' (%d x %d x %d) and '%s' (%d x %d x %d): shapes differ",
                       draft->name, graph->layers[draft->layer.inputs[0]].name, x.h, x.w, x.c, b->name, y.h, y.w, y.c);
    return shape_same(graph, draft);
}

static cs_status shape_multiply(const cs_graph *graph, cs_layer_draft *draft) {
    const cs_layer *b = &graph->layers[draft->layer.inputs[1]];
    cs_shape x = draft->layer.in, y = b->out;
    bool gate = y.h == 1 && y.w == 1, same = x.h == y.h && x.w == y.w;
    if (x.c != y.c || x.flat != y.flat || (!gate && !same))
        return cs_fail(CS_ERR_SHAPE, "layer '%s' multiplies '%s' (%d x %d x %d) by '%s' (%d x %d x %d): shapes differ",
                       draft->name, graph->layers[draft->layer.inputs[0]].name, x.h, x.w, x.c, b->name, y.h, y.w, y.c);
    return shape_same(graph, draft);
}

static cs_status shape_concatenate(const cs_graph *graph, cs_layer_draft *draft) {
    cs_shape x = draft->layer.in;
    int64_t channels = 0;
    for (int i = 0; i < draft->layer.n_inputs; i++) {
        const cs_layer *other = &graph->layers[draft->layer.inputs[i]];
        cs_shape y = other->out;
        if (x.h != y.h || x.w != y.w || x.flat != y.flat)
            return cs_fail(CS_ERR_SHAPE, "layer '%s' joins '%s' (%d x %d) and '%s' (%d x %d): sizes differ",
                           draft->name, graph->layers[draft->layer.inputs[0]].name, x.h, x.w, other->name, y.h, y.w);
        channels += y.c;
    }
    if (channels > INT_MAX)
        return cs_fail(CS_ERR_SHAPE, "layer '%s': %lld channels", draft->name, (long long)channels);
    draft->layer.out = (cs_shape){x.h, x.w, (int)channels, x.flat};
    return CS_OK;
}

static cs_status shape_flatten(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    size_t count = cs_shape_count(draft->layer.in); /* at most INT_MAX, which check_output ensures for every layer */
    draft->layer.out = (cs_shape){1, 1, (int)count, true};
    return CS_OK;
}

static cs_status shape_reshape(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    cs_shape in = draft->layer.in;
    if (in.h != 1 || in.w != 1)
        return fail_input(draft, "a single pixel or a flat input");
    draft->layer.out = (cs_shape){1, 1, in.c, !in.flat};
    return CS_OK;
}

static cs_status shape_dropout(const cs_graph *graph, cs_layer_draft *draft) {
    if (!(draft->layer.rate >= 0 && draft->layer.rate < 1))
        return cs_fail(CS_ERR_ARG, "layer '%s': a dropout rate of %g; it goes from 0 to below 1", draft->name,
                       (double)draft->layer.rate);
    return shape_same(graph, draft);
}

static cs_status shape_dense(const cs_graph *graph, cs_layer_draft *draft) {
    (void)graph;
    if (!draft->layer.in.flat)
        return cs_hint(fail_input(draft, "a flat input"), "put gap or flatten before it");
    if (draft->layer.activation == CS_ACT_BINARY && draft->layer.out.c != 1)
        return cs_fail(CS_ERR_ARG, "layer '%s': a binary head has 1 unit, not %d", draft->name, draft->layer.out.c);
    return CS_OK;
}

static cs_status add_bias(cs_graph *graph, const cs_layer *layer) {
    return layer->use_bias ? cs_graph_add_param(graph, CS_PARAM_BIAS, (int[4]){layer->out.c}) : CS_OK;
}

static cs_status params_conv2d(cs_graph *graph, const cs_layer *layer) {
    const cs_window *w = &layer->window;
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_KERNEL, (int[4]){w->kernel_h, w->kernel_w, layer->in.c, layer->out.c}));
    return add_bias(graph, layer);
}

static cs_status params_depthwise(cs_graph *graph, const cs_layer *layer) {
    const cs_window *w = &layer->window;
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_KERNEL, (int[4]){w->kernel_h, w->kernel_w, layer->in.c, 1}));
    return add_bias(graph, layer);
}

static cs_status params_separable(cs_graph *graph, const cs_layer *layer) {
    const cs_window *w = &layer->window;
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_KERNEL, (int[4]){w->kernel_h, w->kernel_w, layer->in.c, 1}));
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_POINTWISE_KERNEL, (int[4]){1, 1, layer->in.c, layer->out.c}));
    return add_bias(graph, layer);
}

static cs_status params_normalization(cs_graph *graph, const cs_layer *layer) {
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_MEAN, (int[4]){layer->in.c}));
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_VARIANCE, (int[4]){layer->in.c}));
    return cs_graph_add_param(graph, CS_PARAM_COUNT, (int[4]){0});
}

static cs_status params_dense(cs_graph *graph, const cs_layer *layer) {
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_KERNEL, (int[4]){layer->in.c, layer->out.c}));
    return add_bias(graph, layer);
}

static cs_status params_batch_norm(cs_graph *graph, const cs_layer *layer) {
    const int dims[4] = {layer->out.c};
    if (layer->scale)
        CS_TRY(cs_graph_add_param(graph, CS_PARAM_GAMMA, dims));
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_BETA, dims));
    CS_TRY(cs_graph_add_param(graph, CS_PARAM_MOVING_MEAN, dims));
    return cs_graph_add_param(graph, CS_PARAM_MOVING_VARIANCE, dims);
}

static double macs_depthwise(const cs_layer *layer) {
    return (double)cs_shape_count(layer->out) * layer->window.kernel_h * layer->window.kernel_w;
}

static double macs_conv2d(const cs_layer *layer) {
    return macs_depthwise(layer) * layer->in.c;
}

static double macs_separable(const cs_layer *layer) {
    double pixels = (double)layer->out.h * layer->out.w, taps = (double)layer->window.kernel_h * layer->window.kernel_w;
    return pixels * layer->in.c * (taps + layer->out.c);
}

static double macs_batch_norm(const cs_layer *layer) {
    return (double)cs_shape_count(layer->out);
}

static double macs_dense(const cs_layer *layer) {
    return (double)layer->in.c * layer->out.c;
}

static const cs_layer_rule rules[CS_LAYER_KIND_COUNT] = {
    [CS_LAYER_INPUT] = {"InputLayer", shape_input, NULL, NULL},
    [CS_LAYER_CONV2D] = {"Conv2D", shape_conv2d, params_conv2d, macs_conv2d},
    [CS_LAYER_DEPTHWISE_CONV2D] = {"DepthwiseConv2D", shape_depthwise, params_depthwise, macs_depthwise},
    [CS_LAYER_SEPARABLE_CONV2D] = {"SeparableConv2D", shape_separable, params_separable, macs_separable},
    [CS_LAYER_BATCH_NORM] = {"BatchNormalization", shape_same, params_batch_norm, macs_batch_norm},
    [CS_LAYER_RESCALING] = {"Rescaling", shape_colours, NULL, NULL},
    [CS_LAYER_NORMALIZATION] = {"Normalization", shape_colours, params_normalization, NULL},
    [CS_LAYER_ACTIVATION] = {"Activation", shape_activation, NULL, NULL},
    [CS_LAYER_MAX_POOL] = {"MaxPooling2D", shape_pool, NULL, NULL},
    [CS_LAYER_AVERAGE_POOL] = {"AveragePooling2D", shape_pool, NULL, NULL},
    [CS_LAYER_GLOBAL_AVERAGE_POOL] = {"GlobalAveragePooling2D", shape_global_pool, NULL, NULL},
    [CS_LAYER_ZERO_PAD] = {"ZeroPadding2D", shape_zero_pad, NULL, NULL},
    [CS_LAYER_ADD] = {"Add", shape_add, NULL, NULL},
    [CS_LAYER_MULTIPLY] = {"Multiply", shape_multiply, NULL, NULL},
    [CS_LAYER_CONCATENATE] = {"Concatenate", shape_concatenate, NULL, NULL},
    [CS_LAYER_FLATTEN] = {"Flatten", shape_flatten, NULL, NULL},
    [CS_LAYER_RESHAPE] = {"Reshape", shape_reshape, NULL, NULL},
    [CS_LAYER_DROPOUT] = {"Dropout", shape_dropout, NULL, NULL},
    [CS_LAYER_DENSE] = {"Dense", shape_dense, params_dense, macs_dense},
};

const cs_layer_rule *cs_layer_rule_of(cs_layer_kind kind) {
    return &rules[kind];
}

const char *cs_layer_kind_name(cs_layer_kind kind) {
    return rules[kind].name;
}

const char *cs_activation_name(cs_activation activation) {
    static const char *const names[] = {
        [CS_ACT_LINEAR] = "linear", [CS_ACT_RELU] = "relu",       [CS_ACT_RELU6] = "relu6",
        [CS_ACT_SWISH] = "swish",   [CS_ACT_SIGMOID] = "sigmoid", [CS_ACT_SOFTMAX] = "softmax",
        [CS_ACT_BINARY] = "sigmoid"};
    return names[activation];
}

bool cs_activation_is_last(cs_activation activation) {
    return activation == CS_ACT_SOFTMAX || activation == CS_ACT_BINARY;
}

int cs_layer_classes(const cs_layer *last) {
    return last->activation == CS_ACT_BINARY ? 2 : last->out.c;
}

double cs_layer_macs(const cs_graph *graph, int layer) {
    const cs_layer *l = &graph->layers[layer];
    return rules[l->kind].macs ? rules[l->kind].macs(l) : 0;
}

bool cs_layer_is_convolution(const cs_layer *layer) {
    return layer->kind == CS_LAYER_CONV2D || layer->kind == CS_LAYER_DEPTHWISE_CONV2D ||
           layer->kind == CS_LAYER_SEPARABLE_CONV2D;
}

bool cs_layer_takes_norm(const cs_graph *graph, int layer) {
    enum { LARGE = 1 << 19, SMALL = 64 }; /* values of a kernel; pixels of the output */
    const cs_layer *l = &graph->layers[layer];
    bool large = false;
    for (int i = 0; i < l->n_params; i++)
        large |= graph->params[l->first_param + i].count >= LARGE;
    return cs_layer_is_convolution(l) && !(large && l->out.h * l->out.w <= SMALL);
}
