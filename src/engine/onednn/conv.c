/* SPDX-License-Identifier: Apache-2.0 */
#include "conv.h"
#include "classes.h"
#include "dense.h"
#include "forward_plan.h"
#include "kernel_layout.h"
#include "layout.h"
#include "params.h"
#include "weights.h"

#include <string.h>

/* oneDNN takes a convolution with fewer input channels than a block for the first layer of a network, and has no fast
 * kernel for it in the blocked layout. The memory holds whole blocks, filled up with zeros, so the convolution is
 * created with that number of channels. */
static int padded_inputs(const od_node *node) {
    const od_tensor *in = &node->program->values[node->op->inputs[0]];
    bool pointwise = node->op->window.kernel_h == 1 && node->op->window.kernel_w == 1;
    int lanes = (int)od_lanes(node->program, in->shape.c);
    return in->layout == OD_BLOCKED && !pointwise && lanes != in->shape.c ? lanes : 0;
}

bool od_takes_winograd(const od_program *program, const cs_op *op) {
    enum { CHANNELS = 32, PIXELS = 49 };
    const cs_window *w = &op->window;
    cs_shape in = program->values[op->inputs[0]].shape, out = program->values[op->output].shape;
    bool fits = w->kernel_h == 3 && w->kernel_w == 3 && w->stride_h == 1 && w->stride_w == 1;
    return op->kind == CS_OP_CONV && DNNL_VERSION_MAJOR < 3 && program->engine->kernels->block == 16 && fits &&
           in.c >= CHANNELS && out.c >= CHANNELS && out.h * out.w >= PIXELS;
}

/* Training transforms the kernel in every call, so Winograd is only faster if the chunk has many more pixels. */
static bool winograd_pays(const od_node *node) {
    const od_program *program = node->program;
    cs_shape in = program->values[node->op->inputs[0]].shape, out = program->values[node->op->output].shape;
    int channels = in.c > out.c ? in.c : out.c;
    return !program->training || 4 * node->chunk * out.h * out.w >= 3 * channels;
}

static od_conv describe(const od_node *node) {
    const od_program *program = node->program;
    od_conv conv = {.source = od_desc_of(program, &program->values[node->op->inputs[0]], node->chunk),
                    .weights = od_plain_kernel_desc(node),
                    .destination = od_desc_of(program, &program->values[node->op->output], node->chunk),
                    .has_bias = od_has_bias(node),
                    .inference = !program->training,
                    .winograd = od_takes_winograd(program, node->op) && winograd_pays(node),
                    .activation = node->op->activation,
                    .window = &node->op->window};
    conv.weights.tag = dnnl_format_tag_any;
    if (node->op->kind == CS_OP_DEPTHWISE) /* one layout for all directions, which the engine's own loop uses, too */
        conv.weights.tag = program->engine->kernels->block == 16 ? dnnl_Goihw16g : dnnl_Goihw8g;
    return conv;
}

static cs_status plan_backward_data(od_node *node, const od_conv *conv) {
    if (!node->input_grads[0].wanted)
        return CS_OK;
    return od_conv_create(node->program->engine->engine, conv, OD_BACKWARD_DATA, &node->forward.primitive,
                          &node->backward_data.primitive);
}

/* oneDNN's wgrad spends most of its time on padding if the image is hardly larger than the kernel. */
static bool is_tiny(const od_node *node) {
    enum { TINY = 16 }; /* pixels */
    const od_tensor *in = &node->program->values[node->op->inputs[0]], *out = &node->program->values[node->op->output];
    const cs_window *window = &node->op->window;
    return in->layout == OD_BLOCKED && out->shape.h * out->shape.w <= TINY && window->kernel_h * window->kernel_w > 1;
}

static cs_status plan_own_weights(od_node *node, const od_conv *conv) {
    const od_program *program = node->program;
    od_desc *desc = &node->kernel_layout.desc;
    *desc = conv->weights;
    desc->tag = program->engine->kernels->block == 16 ? dnnl_OIhw16i16o : dnnl_OIhw8i8o;
    od_node_kernel(node)->count = od_lanes(program, (int)desc->dims[0]) * od_lanes(program, (int)desc->dims[1]) *
                                  (size_t)(desc->dims[2] * desc->dims[3]);
    return plan_backward_data(node, conv);
}

/* A 1x1 convolution of one pixel is a matrix product, because whole blocks of channels are plain rows in memory.
 * oneDNN's convolution would read the kernel again for every row. */
static bool is_product(const od_node *node) {
    const od_tensor *in = &node->program->values[node->op->inputs[0]], *out = &node->program->values[node->op->output];
    const cs_window *window = &node->op->window;
    int block = node->program->engine->kernels->block;
    return in->layout == OD_BLOCKED && window->kernel_h * window->kernel_w == 1 && in->shape.h * in->shape.w == 1 &&
           out->shape.h * out->shape.w == 1 && in->shape.c % block == 0 && out->shape.c % block == 0;
}

static cs_status plan_conv(od_node *node) {
    dnnl_engine_t engine = node->program->engine->engine;
    od_kernel_layout *layout = &node->kernel_layout;
    if (is_product(node))
        return od_product_plan(node);
    layout->inputs = padded_inputs(node);
    od_conv conv = describe(node);
    if (layout->inputs)
        conv.source.dims[1] = layout->inputs;
    CS_TRY(od_forward_plan(node, &conv, 0));
    if (!node->program->training)
        return CS_OK;
    if (node->op->trainable && is_tiny(node))
        return plan_own_weights(node, &conv);
    if (node->op->trainable)
        CS_TRY(od_conv_create(engine, &conv, OD_BACKWARD_WEIGHTS, &node->forward.primitive,
                              &node->backward_weights.primitive));
    od_kernel_follows_primitive(node);
    return plan_backward_data(node, &conv);
}

/* oneDNN's wgrad of a depthwise convolution falls back to a reference loop, which is a thousand times slower, if the
 * image is smaller than about the kernel. The engine then uses its own loop. */
static cs_status plan_depthwise(od_node *node) {
    dnnl_engine_t engine = node->program->engine->engine;
    od_conv conv = describe(node);
    CS_TRY(od_forward_plan(node, &conv, 0));
    if (!node->program->training)
        return CS_OK;
    if (node->op->trainable) {
        od_primitive *weights = &node->backward_weights.primitive;
        CS_TRY(od_conv_create(engine, &conv, OD_BACKWARD_WEIGHTS, &node->forward.primitive, weights));
        if (strncmp(od_primitive_implementation(weights), "ref", 3) == 0)
            od_primitive_clear(weights);
    }
    node->kernel_layout.desc = conv.weights;
    od_node_kernel(node)->count = od_primitive_bytes(&node->forward.primitive, dnnl_query_weights_md) / sizeof(float);
    return plan_backward_data(node, &conv);
}

/* Computes the gradients of the kernel and the bias with the engine's own loops. */
static void backward_own_weights(od_node *node, const od_rows *rows) {
    const od_program *program = node->program;
    const od_kernels *kernels = program->engine->kernels;
    const od_tensor *in = &program->values[node->op->inputs[0]], *out = &program->grads[node->op->output];
    const cs_param_row *kernel = od_node_kernel(node), *bias = od_node_param(node, CS_PARAM_BIAS);
    od_dims in_dims = od_dims_of(program, in, rows->size), out_dims = od_dims_of(program, out, rows->size);
    const float *x = od_at(in, rows), *dy = od_at(out, rows);
    float *dw = od_gradient_target(node, kernel, rows->index);
    if (node->op->kind == CS_OP_DEPTHWISE)
        kernels->depthwise_weights(in_dims, &node->op->window, out->shape.h, out->shape.w, x, dy, dw);
    else
        kernels->conv_weights(in_dims, out_dims, &node->op->window, x, dy, dw);
    od_gradient_add(node, kernel, rows->index);
    if (!bias)
        return;
    kernels->channel_sums(out_dims, dy, od_gradient_target(node, bias, rows->index));
    od_gradient_add(node, bias, rows->index);
}

static cs_status backward_conv(od_node *node, const od_rows *rows) {
    if (node->op->trainable && !node->backward_weights.primitive.code)
        backward_own_weights(node, rows);
    return od_weighted_backward(node, rows);
}

const od_op_class od_conv_class = {plan_conv,           od_weighted_bind,    od_weighted_load,
                                   od_weighted_refresh, od_weighted_forward, backward_conv};
const od_op_class od_depthwise_class = {plan_depthwise,      od_weighted_bind,    od_weighted_load,
                                        od_weighted_refresh, od_weighted_forward, backward_conv};
