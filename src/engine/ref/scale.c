/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that multiply each value by another layer's value, by a number for each channel, or by a dropout's factor. */
#include "ref.h"

#include <math.h>

static size_t count_out(const cs_ref_op *op) {
    return (size_t)op->n * cs_shape_count(op->layer->out);
}

/* The index of the gate's value for value i of the image: i itself, or the index of the same row and channel. */
static size_t gate_of(const cs_ref_op *op, size_t i) {
    size_t row = cs_shape_count(op->layer->out), c = (size_t)op->layer->out.c;
    return op->gated ? i / row * c + i % c : i;
}

void cs_ref_multiply_forward(const cs_ref_op *op) {
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = op->in[0][i] * op->in[1][gate_of(op, i)];
}

void cs_ref_multiply_backward(const cs_ref_op *op) {
    for (size_t i = 0; i < count_out(op); i++) {
        size_t gate = gate_of(op, i);
        if (op->din[0])
            op->din[0][i] += op->dout[i] * op->in[1][gate];
        if (op->din[1])
            op->din[1][gate] += op->dout[i] * op->in[0][i];
    }
}

void cs_ref_rescaling_forward(const cs_ref_op *op) {
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = op->in[0][i] * (double)op->layer->factor[i % (size_t)op->layer->out.c];
}

void cs_ref_rescaling_backward(const cs_ref_op *op) {
    for (size_t i = 0; op->din[0] && i < count_out(op); i++)
        op->din[0][i] += op->dout[i] * (double)op->layer->factor[i % (size_t)op->layer->out.c];
}

static double deviation(const cs_ref_op *op, size_t c) {
    return fmax(sqrt(op->param[CS_PARAM_VARIANCE][c]), 1e-7);
}

void cs_ref_normalization_forward(const cs_ref_op *op) {
    size_t channels = (size_t)op->layer->out.c;
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = (op->in[0][i] - op->param[CS_PARAM_MEAN][i % channels]) / deviation(op, i % channels);
}

void cs_ref_normalization_backward(const cs_ref_op *op) {
    for (size_t i = 0; op->din[0] && i < count_out(op); i++)
        op->din[0][i] += op->dout[i] / deviation(op, i % (size_t)op->layer->out.c);
}

/* Adds from * factor to `to`. */
static void add_kept(const cs_ref_op *op, const double *from, double *to) {
    size_t count = cs_shape_count(op->layer->out);
    for (int row = 0; row < op->n; row++, from += count, to += count) {
        if (op->draw)
            cs_dropout_factors(op->layer, op->draw, row, op->factors);
        for (size_t i = 0; i < count; i++)
            to[i] += from[i] * (op->draw ? (double)op->factors[i] : 1);
    }
}

void cs_ref_dropout_forward(const cs_ref_op *op) {
    for (size_t i = 0; i < count_out(op); i++)
        op->out[i] = 0;
    add_kept(op, op->in[0], op->out);
}

void cs_ref_dropout_backward(const cs_ref_op *op) {
    if (op->din[0])
        add_kept(op, op->dout, op->din[0]);
}
