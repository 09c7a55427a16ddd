/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with a kernel and possibly a bias: convolutions, dense layers (convolutions of one pixel) and depthwise
 * convolutions. In training the activation is an operation of its own. */
#include "classes.h"
#include "node.h"
#include "params.h"
#include "transfer.h"

/* The layer's own bias; NULL if the operation has none. */
static const cs_param *own_bias(const cu_node *node) {
    const cs_graph *graph = node->program->graph;
    bool uses = cs_op_uses(node->op, &graph->layers[node->op->layer], CS_PARAM_BIAS);
    return uses ? cs_layer_param(graph, node->op->layer, CS_PARAM_BIAS) : NULL;
}

static bool has_bias(const cu_node *node) {
    return node->op->batch_norm != CS_NO_LAYER || own_bias(node) != NULL;
}

static const float *bias_of(const cu_node *node) {
    return node->program->training ? cu_param_value(node, CS_PARAM_BIAS) : node->bias;
}

/* The kernel in the engine's type. */
static const void *kernel_of(const cu_node *node) {
    const cu_program *program = node->program;
    const cs_param_row *kernel = cu_node_kernel(node);
    if (!program->copy)
        return cs_param_row_at(&program->params, CS_ARRAY_VALUE, kernel);
    return (const char *)program->copy + kernel->offset * cu_type_size(program->engine->type);
}

static size_t kernel_count(const cu_node *node) {
    return cu_node_kernel(node)->param->count;
}

static cs_status open_conv(cu_node *node, cu_conv_kind kind, cu_conv **out) {
    cu_conv_spec spec = {.kind = kind, .dims = cu_dims_of(node), .type = cu_type_of(node)};
    if (kind == CU_CONV_FORWARD) {
        spec.activation = node->op->activation;
        spec.has_bias = has_bias(node);
    }
    CS_TRY(cu_conv_open(node->program->engine->dnn, &spec, out));
    cu_want(&node->program->workspace_bytes, cu_conv_workspace(*out));
    return CS_OK;
}

static void want_bias_partial(cu_node *node) {
    const cu_tensor *out = cu_output(node);
    if (own_bias(node))
        cu_want(&node->program->workspace_bytes, cu_k_bias_partial(cu_pixels(node, out), out->shape.c));
}

static cs_status plan_conv(cu_node *node) {
    CS_TRY(open_conv(node, CU_CONV_FORWARD, &node->forward));
    if (node->op->trainable) {
        CS_TRY(open_conv(node, CU_CONV_BACKWARD_KERNEL, &node->backward_kernel));
        want_bias_partial(node);
        if (cu_type_of(node) != CU_F32)
            cu_want(&node->program->typed_bytes, kernel_count(node) * cu_type_size(cu_type_of(node)));
    }
    const cu_tensor *grad = &node->program->grads[node->op->inputs[0]];
    if (!grad->wanted || !node->program->grads[node->op->output].wanted)
        return CS_OK;
    node->scratch = *grad;
    node->scratch.wanted = node->accumulate[0];
    return open_conv(node, CU_CONV_BACKWARD_DATA, &node->backward_data);
}

static cs_status plan_depthwise(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    if (!node->op->trainable)
        return CS_OK;
    cu_want(&node->program->workspace_bytes, cu_k_depthwise_partial(&dims));
    want_bias_partial(node);
    return CS_OK;
}

static void place_bias(cu_node *node, cu_cursor *cursor) {
    if (!node->program->training && has_bias(node))
        node->bias = cu_take(cursor, (size_t)cu_output(node)->shape.c * sizeof(float));
}

/* INFER: folds the batch norm into the kernel and the bias. */
static cs_status load_folded(cu_node *node, const cs_params *params) {
    cu_program *program = node->program;
    if (program->training)
        return CS_OK;
    const cs_param_row *kernel = cu_node_kernel(node);
    const float *from = params->data + kernel->param->offset;
    size_t channels = (size_t)cu_output(node)->shape.c, rows = kernel->param->count / channels;
    float *scale = program->fold_scale, *to;
    bool matrix = cu_is_matrix(node, kernel);
    cs_fold(program->graph, params, own_bias(node), node->op->batch_norm, channels, scale, program->fold_shift);
    CS_TRY(cu_staging_ready(program, &to));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++)
            to[matrix ? c * rows + r : r * channels + c] = from[r * channels + c] * scale[c];
    CS_TRY(cu_staging_send(program, cs_param_row_at(&program->params, CS_ARRAY_VALUE, kernel), kernel->count));
    return node->bias ? cu_send(program, node->bias, program->fold_shift, channels) : CS_OK;
}

static cs_status forward_conv(cu_node *node) {
    return cu_conv_run(node->forward, cu_input(node, 0)->data, kernel_of(node), bias_of(node), cu_output(node)->data,
                       node->program->workspace);
}

static cs_status forward_depthwise(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    cu_k_depthwise(cu_stream_of(node), cu_type_of(node), &dims, cu_input(node, 0)->data, kernel_of(node), bias_of(node),
                   node->op->activation, cu_output(node)->data);
    return CS_OK;
}

/* Computes the gradient of the bias, and adds the penalty's gradient to the kernel's. */
static void finish_gradients(cu_node *node) {
    const cu_program *program = node->program;
    const cu_tensor *out = cu_output(node);
    float *bias = cu_param_gradient(node, CS_PARAM_BIAS);
    if (bias)
        cu_k_bias_gradient(cu_stream_of(node), cu_type_of(node), cu_pixels(node, out), out->shape.c,
                           cu_output_grad(node), program->workspace, bias);
    if (node->penalty)
        cu_k_penalty_gradient(cu_stream_of(node), node->penalty, program->step, program->params.arrays[CS_ARRAY_VALUE],
                              program->params.arrays[CS_ARRAY_GRADIENT]);
}

static cs_status backward_kernel(cu_node *node) {
    const cu_program *program = node->program;
    float *gradient = cu_param_gradient(node, node->op->kernel);
    void *out = program->copy ? program->typed : gradient;
    CS_TRY(cu_conv_run(node->backward_kernel, cu_input(node, 0)->data, cu_output_grad(node), NULL, out,
                       program->workspace));
    if (program->copy)
        cu_k_to_float(cu_stream_of(node), cu_type_of(node), kernel_count(node), program->typed, gradient);
    finish_gradients(node);
    return CS_OK;
}

static cs_status backward_conv(cu_node *node) {
    if (node->backward_kernel)
        CS_TRY(backward_kernel(node));
    if (!node->backward_data)
        return CS_OK;
    const cu_tensor *dx = &node->program->grads[node->op->inputs[0]];
    void *out = node->accumulate[0] ? node->scratch.data : dx->data;
    CS_TRY(
        cu_conv_run(node->backward_data, cu_output_grad(node), kernel_of(node), NULL, out, node->program->workspace));
    if (node->accumulate[0])
        cu_k_copy(cu_stream_of(node), cu_type_of(node), cu_count(node, dx), out, dx->data, true);
    return CS_OK;
}

static cs_status backward_depthwise(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    const void *dy = cu_output_grad(node);
    void *dx = cu_input_grad(node, 0);
    if (node->op->trainable) {
        cu_k_depthwise_backward_kernel(cu_stream_of(node), cu_type_of(node), &dims, cu_input(node, 0)->data, dy,
                                       node->program->workspace, cu_param_gradient(node, node->op->kernel));
        finish_gradients(node);
    }
    if (dx)
        cu_k_depthwise_backward_data(cu_stream_of(node), cu_type_of(node), &dims, dy, kernel_of(node), dx,
                                     node->accumulate[0]);
    return CS_OK;
}

const cu_op_class cu_conv_class = {true, plan_conv, place_bias, load_folded, forward_conv, backward_conv};
const cu_op_class cu_depthwise_class = {true,        plan_depthwise,    place_bias,
                                        load_folded, forward_depthwise, backward_depthwise};
