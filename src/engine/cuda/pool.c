/* SPDX-License-Identifier: Apache-2.0 */
#include "classes.h"
#include "node.h"

/* Backward needs the position of the maximum in each window. */
static cs_status plan_max_pool(cu_node *node) {
    node->argmax = *cu_output(node);
    node->argmax.wanted = node->program->grads[node->op->inputs[0]].wanted;
    return CS_OK;
}

static cs_status forward_max_pool(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    cu_k_max_pool(cu_stream_of(node), cu_type_of(node), &dims, cu_input(node, 0)->data, cu_output(node)->data,
                  node->argmax.data);
    return CS_OK;
}

static cs_status backward_max_pool(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_max_pool_backward(cu_stream_of(node), cu_type_of(node), &dims, node->argmax.data, cu_output_grad(node), dx,
                               node->accumulate[0]);
    return CS_OK;
}

static cs_status forward_average_pool(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    cu_k_average_pool(cu_stream_of(node), cu_type_of(node), &dims, cu_input(node, 0)->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status backward_average_pool(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_average_pool_backward(cu_stream_of(node), cu_type_of(node), &dims, cu_output_grad(node), dx,
                                   node->accumulate[0]);
    return CS_OK;
}

static cs_status forward_global_average(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    cu_k_global_average(cu_stream_of(node), cu_type_of(node), node->program->base.spec.batch, cu_pixels_a_row(in),
                        in->shape.c, in->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status backward_global_average(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_global_average_backward(cu_stream_of(node), cu_type_of(node), node->program->base.spec.batch,
                                     cu_pixels_a_row(in), in->shape.c, cu_output_grad(node), dx, node->accumulate[0]);
    return CS_OK;
}

const cu_op_class cu_max_pool_class = {
    .plan = plan_max_pool, .forward = forward_max_pool, .backward = backward_max_pool};
const cu_op_class cu_average_pool_class = {.forward = forward_average_pool, .backward = backward_average_pool};
const cu_op_class cu_global_average_class = {.forward = forward_global_average, .backward = backward_global_average};
