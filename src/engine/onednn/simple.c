/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with one loop forward and one backward. */
#include "classes.h"
#include "layout.h"

#include <string.h>

typedef struct ends {
    const od_kernels *kernels;
    od_dims dims; /* of the input */
    size_t count; /* floats in the chunk of the input */
    float *x, *y, *dx, *dy;
} ends;

static ends ends_of(const od_node *node, const od_rows *rows) {
    const od_program *program = node->program;
    const od_tensor *in = &program->values[node->op->inputs[0]], *out = &program->values[node->op->output];
    ends e = {.kernels = program->engine->kernels,
              .dims = od_dims_of(program, in, rows->size),
              .count = in->row * (size_t)rows->size,
              .x = od_at(in, rows),
              .y = od_at(out, rows)};
    if (program->grads[node->op->output].wanted)
        e.dy = od_at(&program->grads[node->op->output], rows);
    if (e.dy && node->input_grads[0].wanted)
        e.dx = od_at(&node->input_grads[0], rows);
    return e;
}

static bool is_flat(const od_node *node) {
    return node->program->values[node->op->inputs[0]].layout == OD_FLAT;
}

static cs_status forward_activation(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    e.kernels->activation(e.count, node->op->activation, e.x, e.y);
    if (node->op->activation == CS_ACT_SIGMOID && !is_flat(node)) /* sigmoid(0) is not 0 */
        e.kernels->clear_padding(e.dims, e.y);
    return CS_OK;
}

static cs_status backward_activation(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    if (e.dx)
        e.kernels->activation_backward(e.count, node->op->activation, e.x, e.dy, e.dx);
    return CS_OK;
}

static cs_status forward_guide(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    memcpy(e.y, e.x, e.count * sizeof *e.y);
    return CS_OK;
}

/* What is positive of a gradient is its ReLU. */
static cs_status backward_guide(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    if (e.dx)
        e.kernels->activation(e.count, CS_ACT_RELU, e.dy, e.dx);
    return CS_OK;
}

static cs_status forward_global_average(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    e.kernels->global_average(e.dims, e.x, node->program->values[node->op->output].row, e.y);
    return CS_OK;
}

static cs_status backward_global_average(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    if (e.dx)
        e.kernels->global_average_backward(e.dims, node->program->values[node->op->output].row, e.dy, e.dx);
    return CS_OK;
}

static cs_status forward_zero_pad(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    e.kernels->zero_pad(e.dims, &node->op->window, e.x, e.y);
    return CS_OK;
}

static cs_status backward_zero_pad(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    if (e.dx)
        e.kernels->zero_pad_backward(e.dims, &node->op->window, e.dy, e.dx);
    return CS_OK;
}

static cs_status forward_add(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    e.kernels->add(e.count, e.x, od_at(&node->program->values[node->op->inputs[1]], rows), e.y);
    return CS_OK;
}

static cs_status backward_add(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    for (int i = 0; i < node->op->n_inputs; i++)
        if (e.dy && node->input_grads[i].wanted)
            memcpy(od_at(&node->input_grads[i], rows), e.dy, e.count * sizeof *e.dy);
    return CS_OK;
}

/* Does it multiply an image by one value for each row and channel? If not, both inputs have the same shape. */
static bool is_gate(const od_node *node) {
    const od_tensor *values = node->program->values;
    return values[node->op->inputs[0]].row != values[node->op->inputs[1]].row;
}

static cs_status forward_multiply(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    const float *other = od_at(&node->program->values[node->op->inputs[1]], rows);
    if (is_gate(node))
        e.kernels->gate(e.dims, e.x, other, e.y);
    else
        e.kernels->multiply(e.count, e.x, other, e.y);
    return CS_OK;
}

static cs_status backward_multiply(od_node *node, const od_rows *rows) {
    ends e = ends_of(node, rows);
    const float *other = od_at(&node->program->values[node->op->inputs[1]], rows);
    const od_tensor *other_grad = &node->input_grads[1];
    if (is_gate(node)) {
        if (e.dx)
            e.kernels->gate(e.dims, e.dy, other, e.dx);
        if (other_grad->wanted)
            e.kernels->gate_gradient(e.dims, e.x, e.dy, od_at(other_grad, rows));
        return CS_OK;
    }
    if (e.dx)
        e.kernels->multiply(e.count, e.dy, other, e.dx);
    if (other_grad->wanted)
        e.kernels->multiply(e.count, e.dy, e.x, od_at(other_grad, rows));
    return CS_OK;
}

/* The channels of input i begin at channel `at` of the output. Flat rows are copied without change. */
static void copy_part(const od_node *node, const od_rows *rows, int i, int at, bool backward) {
    const od_program *program = node->program;
    const od_tensor *part = backward ? &node->input_grads[i] : &program->values[node->op->inputs[i]];
    const od_tensor *whole = backward ? &program->grads[node->op->output] : &program->values[node->op->output];
    float *p = od_at(part, rows), *w = od_at(whole, rows);
    if (part->layout == OD_FLAT) {
        for (size_t r = 0; r < (size_t)rows->size; r++) {
            float *inside = w + r * whole->row + at;
            memcpy(backward ? p + r * part->row : inside, backward ? inside : p + r * part->row, part->row * sizeof *p);
        }
        return;
    }
    od_dims part_dims = od_dims_of(program, part, rows->size), whole_dims = od_dims_of(program, whole, rows->size);
    if (backward)
        program->engine->kernels->copy_channels(whole_dims, w, at, part_dims, p, 0, part->shape.c);
    else
        program->engine->kernels->copy_channels(part_dims, p, 0, whole_dims, w, at, part->shape.c);
}

static cs_status forward_concatenate(od_node *node, const od_rows *rows) {
    for (int i = 0, at = 0; i < node->op->n_inputs; at += node->input_grads[i++].shape.c)
        copy_part(node, rows, i, at, false);
    return CS_OK;
}

static cs_status backward_concatenate(od_node *node, const od_rows *rows) {
    for (int i = 0, at = 0; i < node->op->n_inputs; at += node->input_grads[i++].shape.c)
        if (node->input_grads[i].wanted)
            copy_part(node, rows, i, at, true);
    return CS_OK;
}

/* Copies in NHWC order, which flat tensors have already. */
static void reshape(const od_program *program, const od_tensor *from, const od_tensor *to, const od_rows *rows) {
    const od_kernels *kernels = program->engine->kernels;
    const float *in = od_at(from, rows);
    float *out = od_at(to, rows);
    if (from->layout != OD_FLAT)
        kernels->to_nhwc(od_dims_of(program, from, rows->size), in, out);
    else if (to->layout != OD_FLAT)
        kernels->from_nhwc(od_dims_of(program, to, rows->size), in, out);
    else
        memcpy(out, in, from->row * (size_t)rows->size * sizeof *out);
}

static cs_status forward_reshape(od_node *node, const od_rows *rows) {
    const od_program *program = node->program;
    reshape(program, &program->values[node->op->inputs[0]], &program->values[node->op->output], rows);
    return CS_OK;
}

static cs_status backward_reshape(od_node *node, const od_rows *rows) {
    if (node->input_grads[0].wanted)
        reshape(node->program, &node->program->grads[node->op->output], &node->input_grads[0], rows);
    return CS_OK;
}

const od_op_class od_activation_class = {.forward = forward_activation, .backward = backward_activation};
const od_op_class od_guide_class = {.forward = forward_guide, .backward = backward_guide};
const od_op_class od_global_average_class = {.forward = forward_global_average, .backward = backward_global_average};
const od_op_class od_zero_pad_class = {.forward = forward_zero_pad, .backward = backward_zero_pad};
const od_op_class od_add_class = {.forward = forward_add, .backward = backward_add};
const od_op_class od_concatenate_class = {.forward = forward_concatenate, .backward = backward_concatenate};
const od_op_class od_multiply_class = {.forward = forward_multiply, .backward = backward_multiply};
const od_op_class od_reshape_class = {.forward = forward_reshape, .backward = backward_reshape};
