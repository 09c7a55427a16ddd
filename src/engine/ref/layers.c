/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layers, and the layers that need only a line or two. */
#include "ref.h"

#include <assert.h>
#include <string.h>

static size_t count_in(const cs_ref_op *op) {
    return (size_t)op->n * cs_shape_count(op->layer->in);
}

static size_t count_out(const cs_ref_op *op) {
    return (size_t)op->n * cs_shape_count(op->layer->out);
}

static void copy_forward(const cs_ref_op *op) {
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = op->in[0][i];
}

static void copy_backward(const cs_ref_op *op) {
    if (!op->din[0])
        return;
    for (size_t i = 0; i < count_out(op); i++)
        op->din[0][i] += op->dout[i];
}

static void add_forward(const cs_ref_op *op) {
    copy_forward(op);
    for (int k = 1; k < op->layer->n_inputs; k++)
        for (size_t i = 0; i < count_out(op); i++)
            op->out[i] += op->in[k][i];
}

static void add_backward(const cs_ref_op *op) {
    for (int k = 0; k < op->layer->n_inputs; k++)
        if (op->din[k])
            for (size_t i = 0; i < count_out(op); i++)
                op->din[k][i] += op->dout[i];
}

/* The channels of input k begin at channel `at` of the output. */
static void join(const cs_ref_op *op, bool backward) {
    size_t pixels = count_out(op) / (size_t)op->layer->out.c, width = (size_t)op->layer->out.c, at = 0;
    for (int k = 0; k < op->layer->n_inputs; at += (size_t)op->channels[k++])
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < (size_t)op->channels[k]; c++) {
                size_t in = p * (size_t)op->channels[k] + c, out = p * width + at + c;
                if (!backward)
                    op->out[out] = op->in[k][in];
                else if (op->din[k])
                    op->din[k][in] += op->dout[out];
            }
}

static void concatenate_forward(const cs_ref_op *op) {
    join(op, false);
}

static void concatenate_backward(const cs_ref_op *op) {
    join(op, true);
}

/* The position in the output of ZERO_PAD of the input's pixel (row, y, 0). */
static size_t padded_row(const cs_ref_op *op, int row, int y) {
    const cs_layer *layer = op->layer;
    size_t line = (size_t)row * (size_t)layer->out.h + (size_t)(y + layer->window.pad_top);
    return (line * (size_t)layer->out.w + (size_t)layer->window.pad_left) * (size_t)layer->out.c;
}

static void zero_pad_forward(const cs_ref_op *op) {
    size_t width = (size_t)op->layer->in.w * (size_t)op->layer->in.c;
    const double *in = op->in[0];
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = 0;
    for (int row = 0; row < op->n; row++)
        for (int y = 0; y < op->layer->in.h; y++, in += width)
            for (size_t i = 0; i < width; i++)
                op->out[padded_row(op, row, y) + i] = in[i];
}

static void zero_pad_backward(const cs_ref_op *op) {
    size_t width = (size_t)op->layer->in.w * (size_t)op->layer->in.c;
    double *din = op->din[0];
    if (!din)
        return;
    for (int row = 0; row < op->n; row++)
        for (int y = 0; y < op->layer->in.h; y++, din += width)
            for (size_t i = 0; i < width; i++)
                din[i] += op->dout[padded_row(op, row, y) + i];
}

static void global_average_pool_forward(const cs_ref_op *op) {
    size_t c = (size_t)op->layer->in.c, area = (size_t)op->layer->in.h * (size_t)op->layer->in.w;
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = 0;
    for (size_t i = 0; i < count_in(op); i++)
        op->out[i / (area * c) * c + i % c] += op->in[0][i] / (double)area;
}

static void global_average_pool_backward(const cs_ref_op *op) {
    size_t c = (size_t)op->layer->in.c, area = (size_t)op->layer->in.h * (size_t)op->layer->in.w;
    if (!op->din[0])
        return;
    for (size_t i = 0; i < count_in(op); i++)
        op->din[0][i] += op->dout[i / (area * c) * c + i % c] / (double)area;
}

static void dense_forward(const cs_ref_op *op) {
    size_t inputs = (size_t)op->layer->in.c, units = (size_t)op->layer->out.c;
    for (size_t row = 0; row < (size_t)op->n; row++) {
        double *out = op->out + row * units;
        for (size_t u = 0; u < units; u++)
            out[u] = op->param[CS_PARAM_BIAS] ? op->param[CS_PARAM_BIAS][u] : 0;
        for (size_t i = 0; i < inputs; i++)
            for (size_t u = 0; u < units; u++)
                out[u] += op->in[0][row * inputs + i] * op->param[CS_PARAM_KERNEL][i * units + u];
    }
}

static void dense_backward(const cs_ref_op *op) {
    size_t inputs = (size_t)op->layer->in.c, units = (size_t)op->layer->out.c;
    double *dkernel = op->dparam[CS_PARAM_KERNEL], *dbias = op->dparam[CS_PARAM_BIAS], *din = op->din[0];
    for (size_t row = 0; row < (size_t)op->n; row++) {
        const double *dout = op->dout + row * units;
        for (size_t u = 0; dbias && u < units; u++)
            dbias[u] += dout[u];
        for (size_t i = 0; i < inputs; i++) {
            const double *kernel = op->param[CS_PARAM_KERNEL] + i * units;
            for (size_t u = 0; dkernel && u < units; u++)
                dkernel[i * units + u] += op->in[0][row * inputs + i] * dout[u];
            for (size_t u = 0; din && u < units; u++)
                din[row * inputs + i] += kernel[u] * dout[u];
        }
    }
}

static void input_function(const cs_ref_op *op) {
    (void)op; /* set_input has written the output */
}

static const cs_ref_row rows[CS_LAYER_KIND_COUNT] = {
    [CS_LAYER_INPUT] = {CS_LAYER_INPUT, input_function, input_function},
    [CS_LAYER_CONV2D] = {CS_LAYER_CONV2D, cs_ref_conv2d_forward, cs_ref_conv2d_backward},
    [CS_LAYER_DEPTHWISE_CONV2D] = {CS_LAYER_DEPTHWISE_CONV2D, cs_ref_depthwise_forward, cs_ref_depthwise_backward},
    [CS_LAYER_SEPARABLE_CONV2D] = {CS_LAYER_SEPARABLE_CONV2D, cs_ref_separable_forward, cs_ref_separable_backward},
    [CS_LAYER_BATCH_NORM] = {CS_LAYER_BATCH_NORM, cs_ref_batch_norm_forward, cs_ref_batch_norm_backward},
    [CS_LAYER_RESCALING] = {CS_LAYER_RESCALING, cs_ref_rescaling_forward, cs_ref_rescaling_backward},
    [CS_LAYER_NORMALIZATION] = {CS_LAYER_NORMALIZATION, cs_ref_normalization_forward, cs_ref_normalization_backward},
    [CS_LAYER_ACTIVATION] = {CS_LAYER_ACTIVATION, copy_forward, copy_backward},
    [CS_LAYER_MAX_POOL] = {CS_LAYER_MAX_POOL, cs_ref_max_pool_forward, cs_ref_max_pool_backward},
    [CS_LAYER_AVERAGE_POOL] = {CS_LAYER_AVERAGE_POOL, cs_ref_average_pool_forward, cs_ref_average_pool_backward},
    [CS_LAYER_GLOBAL_AVERAGE_POOL] = {CS_LAYER_GLOBAL_AVERAGE_POOL, global_average_pool_forward,
                                      global_average_pool_backward},
    [CS_LAYER_ZERO_PAD] = {CS_LAYER_ZERO_PAD, zero_pad_forward, zero_pad_backward},
    [CS_LAYER_ADD] = {CS_LAYER_ADD, add_forward, add_backward},
    [CS_LAYER_MULTIPLY] = {CS_LAYER_MULTIPLY, cs_ref_multiply_forward, cs_ref_multiply_backward},
    [CS_LAYER_CONCATENATE] = {CS_LAYER_CONCATENATE, concatenate_forward, concatenate_backward},
    [CS_LAYER_FLATTEN] = {CS_LAYER_FLATTEN, copy_forward, copy_backward},
    [CS_LAYER_RESHAPE] = {CS_LAYER_RESHAPE, copy_forward, copy_backward},
    [CS_LAYER_DROPOUT] = {CS_LAYER_DROPOUT, cs_ref_dropout_forward, cs_ref_dropout_backward},
    [CS_LAYER_DENSE] = {CS_LAYER_DENSE, dense_forward, dense_backward},
};

static const cs_ref_row *row_of(const cs_ref_op *op) {
    const cs_ref_row *row = &rows[op->layer->kind];
    assert(row->kind == op->layer->kind);
    return row;
}

void cs_ref_layer_forward(const cs_ref_op *op) {
    row_of(op)->forward(op);
    if (op->layer->activation == CS_ACT_SWISH)
        memcpy(op->saved, op->out, count_out(op) * sizeof *op->out);
    cs_ref_activate(op->layer->activation, count_out(op), op->out);
}

void cs_ref_layer_backward(const cs_ref_op *op) {
    cs_activation activation = op->layer->activation;
    if (op->guided && (activation == CS_ACT_RELU || activation == CS_ACT_RELU6))
        cs_ref_activate(CS_ACT_RELU, count_out(op), op->dout);
    cs_ref_activation_slope(activation, count_out(op), activation == CS_ACT_SWISH ? op->saved : NULL, op->out,
                            op->dout);
    row_of(op)->backward(op);
}
