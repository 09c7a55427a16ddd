/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with one kernel forward and one backward. */
#include "classes.h"
#include "node.h"

#include "cnnsweep/random.h"

static cs_status forward_activation(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    cu_k_activation(cu_stream_of(node), cu_type_of(node), cu_count(node, in), node->op->activation, in->data,
                    cu_output(node)->data);
    return CS_OK;
}

static cs_status backward_activation(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_activation_backward(cu_stream_of(node), cu_type_of(node), cu_count(node, in), node->op->activation,
                                 in->data, cu_output_grad(node), dx, node->accumulate[0]);
    return CS_OK;
}

/* What is positive of a gradient is its ReLU. The operation is the only reader of its input, so nothing else adds to
 * that gradient. */
static cs_status backward_guide(cu_node *node) {
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_activation(cu_stream_of(node), cu_type_of(node), cu_count(node, cu_input(node, 0)), CS_ACT_RELU,
                        cu_output_grad(node), dx);
    return CS_OK;
}

static cs_status forward_zero_pad(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    cu_k_zero_pad(cu_stream_of(node), cu_type_of(node), &dims, cu_input(node, 0)->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status backward_zero_pad(cu_node *node) {
    cu_dims dims = cu_dims_of(node);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_zero_pad_backward(cu_stream_of(node), cu_type_of(node), &dims, cu_output_grad(node), dx,
                               node->accumulate[0]);
    return CS_OK;
}

/* The inputs' gradients are written from the last to the first, as cs_backward_accumulates assumes for two equal
 * inputs. */
static cs_status backward_as_it_is(cu_node *node) {
    for (int i = node->op->n_inputs - 1; i >= 0; i--) {
        void *dx = cu_input_grad(node, i);
        if (dx)
            cu_k_copy(cu_stream_of(node), cu_type_of(node), cu_count(node, cu_input(node, i)), cu_output_grad(node), dx,
                      node->accumulate[i]);
    }
    return CS_OK;
}

static cs_status forward_add(cu_node *node) {
    cu_k_add(cu_stream_of(node), cu_type_of(node), cu_count(node, cu_output(node)), cu_input(node, 0)->data,
             cu_input(node, 1)->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status forward_copy(cu_node *node) {
    cu_k_copy(cu_stream_of(node), cu_type_of(node), cu_count(node, cu_output(node)), cu_input(node, 0)->data,
              cu_output(node)->data, false);
    return CS_OK;
}

/* Does it multiply an image by one value for each row and channel? If not, both inputs have the same shape. */
static bool is_gate(const cu_node *node) {
    return cu_input(node, 0)->row != cu_input(node, 1)->row;
}

static cs_status forward_multiply(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    cu_k_multiply(cu_stream_of(node), cu_type_of(node), node->program->base.spec.batch, cu_pixels_a_row(in),
                  in->shape.c, is_gate(node), in->data, cu_input(node, 1)->data, cu_output(node)->data);
    return CS_OK;
}

static void multiply_gradients(cu_node *node, void *da, void *db) {
    const cu_tensor *in = cu_input(node, 0);
    cu_k_multiply_backward(cu_stream_of(node), cu_type_of(node), node->program->base.spec.batch, cu_pixels_a_row(in),
                           in->shape.c, is_gate(node), in->data, cu_input(node, 1)->data, cu_output_grad(node), da,
                           node->accumulate[0], db, node->accumulate[1]);
}

static cs_status backward_multiply(cu_node *node) {
    void *da = cu_input_grad(node, 0), *db = cu_input_grad(node, 1);
    if (da && da == db) { /* a square: both add to the same gradient, one after the other */
        multiply_gradients(node, NULL, db);
        db = NULL;
    }
    if (da || db)
        multiply_gradients(node, da, db);
    return CS_OK;
}

static cs_status forward_concatenate(cu_node *node) {
    const cu_tensor *out = cu_output(node);
    for (int i = 0, at = 0; i < node->op->n_inputs; i++) {
        const cu_tensor *in = cu_input(node, i);
        cu_k_channels(cu_stream_of(node), cu_type_of(node), cu_pixels(node, out), in->shape.c, in->shape.c, 0, in->data,
                      out->shape.c, at, out->data, false);
        at += in->shape.c;
    }
    return CS_OK;
}

static cs_status backward_concatenate(cu_node *node) {
    const cu_tensor *out = cu_output(node);
    for (int i = node->op->n_inputs - 1, at = out->shape.c; i >= 0; i--) {
        const cu_tensor *in = cu_input(node, i);
        void *dx = cu_input_grad(node, i);
        at -= in->shape.c;
        if (dx)
            cu_k_channels(cu_stream_of(node), cu_type_of(node), cu_pixels(node, out), in->shape.c, out->shape.c, at,
                          cu_output_grad(node), in->shape.c, 0, dx, node->accumulate[i]);
    }
    return CS_OK;
}

static void drop(cu_node *node, const void *from, void *to, bool add) {
    const cu_program *program = node->program;
    const cs_layer *layer = &program->graph->layers[node->op->layer];
    const cs_dropout_rule rule = cs_dropout_rule_of(layer);
    cu_k_dropout(cu_stream_of(node), cu_type_of(node), program->base.spec.batch, cu_output(node)->row,
                 cs_hash_name(layer->name), rule.least, rule.factor, layer->per_row, program->step, program->samples,
                 from, to, add);
}

static cs_status forward_dropout(cu_node *node) {
    drop(node, cu_input(node, 0)->data, cu_output(node)->data, false);
    return CS_OK;
}

static cs_status backward_dropout(cu_node *node) {
    void *dx = cu_input_grad(node, 0);
    if (dx)
        drop(node, cu_output_grad(node), dx, node->accumulate[0]);
    return CS_OK;
}

const cu_op_class cu_activation_class = {.reads = true, .forward = forward_activation, .backward = backward_activation};
const cu_op_class cu_zero_pad_class = {.forward = forward_zero_pad, .backward = backward_zero_pad};
const cu_op_class cu_add_class = {.forward = forward_add, .backward = backward_as_it_is};
const cu_op_class cu_reshape_class = {.forward = forward_copy, .backward = backward_as_it_is};
const cu_op_class cu_guide_class = {.forward = forward_copy, .backward = backward_guide};
const cu_op_class cu_multiply_class = {.reads = true, .forward = forward_multiply, .backward = backward_multiply};
const cu_op_class cu_concatenate_class = {.forward = forward_concatenate, .backward = backward_concatenate};
const cu_op_class cu_dropout_class = {.forward = forward_dropout, .backward = backward_dropout};
