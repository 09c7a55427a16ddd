/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm with its activation, and other operations with a factor and a summand for each channel. */
#include "classes.h"
#include "fuse.h"
#include "node.h"
#include "params.h"
#include "transfer.h"

#include <math.h>

static const cs_layer *layer_of(const cu_node *node) {
    return &node->program->graph->layers[node->op->layer];
}

static cs_status plan_norm(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    node->batch_statistics = node->program->training && layer_of(node)->trainable;
    if (node->batch_statistics)
        cu_want(&node->program->workspace_bytes,
                cu_k_norm_partial(node->program->base.spec.batch, cu_pixels_a_row(in), in->shape.c));
    return CS_OK;
}

static void place_scale(cu_node *node, cu_cursor *cursor) {
    size_t bytes = (size_t)cu_input(node, 0)->shape.c * sizeof(float);
    node->norm.scale = cu_take(cursor, bytes);
    node->norm.shift = cu_take(cursor, bytes);
}

static void place_norm(cu_node *node, cu_cursor *cursor) {
    const cs_layer *layer = layer_of(node);
    cu_norm *norm = &node->norm;
    size_t bytes = (size_t)cu_input(node, 0)->shape.c * sizeof(float);
    place_scale(node, cursor);
    if (!node->batch_statistics)
        return;
    norm->channels = cu_input(node, 0)->shape.c;
    norm->epsilon = layer->epsilon;
    norm->momentum = layer->momentum;
    norm->unbiased = layer->unbiased;
    norm->gamma = cu_param_value(node, CS_PARAM_GAMMA);
    norm->beta = cu_param_value(node, CS_PARAM_BETA);
    norm->moving_mean = cu_param_value(node, CS_PARAM_MOVING_MEAN);
    norm->moving_variance = cu_param_value(node, CS_PARAM_MOVING_VARIANCE);
    norm->dgamma = cu_param_gradient(node, CS_PARAM_GAMMA);
    norm->dbeta = cu_param_gradient(node, CS_PARAM_BETA);
    float **arrays[] = {&norm->mean, &norm->inverse, &norm->p, &norm->q};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = cu_take(cursor, bytes);
}

static cs_status send_scale(cu_node *node) {
    cu_program *program = node->program;
    size_t channels = (size_t)cu_input(node, 0)->shape.c;
    CS_TRY(cu_send(program, node->norm.scale, program->fold_scale, channels));
    return cu_send(program, node->norm.shift, program->fold_shift, channels);
}

/* In inference the moving statistics are used, which only a load changes. */
static cs_status load_norm(cu_node *node, const cs_params *params) {
    cu_program *program = node->program;
    if (node->batch_statistics)
        return CS_OK;
    cs_fold(program->graph, params, NULL, node->op->layer, (size_t)cu_input(node, 0)->shape.c, program->fold_scale,
            program->fold_shift);
    return send_scale(node);
}

/* Writes the sums of all ranks that share the batch to `to`. For `weighted` see backward_norm. */
static cs_status share_sums(cu_node *node, double *to, bool weighted) {
    cu_program *program = node->program;
    const cs_comm *comm = program->base.comm;
    size_t count = 2 * (size_t)node->norm.channels;
    double *sums = program->sums_host;
    CS_TRY(cu_copy_out(program->engine->device, sums, program->sums, (count + 1) * sizeof *sums));
    CS_TRY(cu_wait(program->engine->device));
    double own = sums[count];
    for (size_t i = 0; weighted && i < count; i++)
        sums[i] *= own;
    CS_TRY(comm->sum_double(comm->context, sums, count + 1));
    for (size_t i = 0; weighted && i < count && own > 0; i++)
        sums[i] /= own;
    return cu_copy_in(program->engine->device, to, sums, (count + 1) * sizeof *sums);
}

static cs_status forward_scale(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    cu_k_scale(cu_stream_of(node), cu_type_of(node), cu_pixels(node, in), in->shape.c, node->norm.scale,
               node->norm.shift, node->op->activation, in->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status forward_norm(cu_node *node) {
    const cu_program *program = node->program;
    const cu_tensor *in = cu_input(node, 0);
    const cu_norm *norm = &node->norm;
    const void *residual = cu_has_residual(node->op) ? cu_input(node, 1)->data : NULL;
    int batch = program->base.spec.batch, pixels = cu_pixels_a_row(in);
    if (!node->batch_statistics)
        return forward_scale(node);
    cu_k_norm_moments(cu_stream_of(node), cu_type_of(node), batch, pixels, norm->channels, program->step, in->data,
                      program->workspace, program->sums);
    if (program->base.comm)
        CS_TRY(share_sums(node, program->sums, false));
    cu_k_norm_finish(cu_stream_of(node), norm, program->sums);
    cu_k_scale_rows(cu_stream_of(node), cu_type_of(node), batch, pixels, norm->channels, program->step, norm->scale,
                    norm->shift, residual, node->op->activation, in->data, cu_output(node)->data);
    return CS_OK;
}

static cs_status backward_scale(cu_node *node) {
    const cu_tensor *in = cu_input(node, 0);
    void *dx = cu_input_grad(node, 0);
    if (dx)
        cu_k_scale_backward(cu_stream_of(node), cu_type_of(node), cu_pixels(node, in), in->shape.c, node->norm.scale,
                            node->norm.shift, node->op->activation, in->data, cu_output_grad(node), dx,
                            node->accumulate[0]);
    return CS_OK;
}

/* The gradient before the activation overwrites the gradient after it. It is the gradient of the residual, too. */
static void backward_residual(cu_node *node) {
    const cu_tensor *out = cu_output(node);
    void *dy = node->program->grads[node->op->output].data, *dr = cu_input_grad(node, 1);
    if (cu_asks_output(node->op))
        cu_k_activation_backward(cu_stream_of(node), cu_type_of(node), cu_count(node, out), node->op->activation,
                                 out->data, dy, dy, false);
    if (dr && !node->passes_on)
        cu_k_copy(cu_stream_of(node), cu_type_of(node), cu_count(node, out), dy, dr, node->accumulate[1]);
}

/* Computes the sums of all ranks from this rank's. dz is the gradient of the mean over this rank's n_r rows. The
 * gradient of the mean over all N rows is n_r/N times dz, so its sums over the ranks are sum(n_r/N sum_r). dx is again
 * the gradient of the mean over n_r rows, for which the sums have to be N/n_r times these: sum(n_r sum_r)/n_r. */
static cs_status backward_norm(cu_node *node) {
    cs_activation activation = node->op->activation;
    if (cu_has_residual(node->op)) {
        backward_residual(node);
        activation = CS_ACT_LINEAR;
    }
    const cu_program *program = node->program;
    const cu_tensor *in = cu_input(node, 0);
    const cu_norm *norm = &node->norm;
    int batch = program->base.spec.batch, pixels = cu_pixels_a_row(in);
    void *dx = cu_input_grad(node, 0);
    double *all = program->sums;
    if (!node->batch_statistics)
        return backward_scale(node);
    cu_k_norm_reduce(cu_stream_of(node), cu_type_of(node), batch, pixels, program->step, norm, activation, in->data,
                     cu_output_grad(node), program->workspace, program->sums);
    if (program->base.comm) {
        all = program->all_sums;
        CS_TRY(share_sums(node, all, true));
    }
    cu_k_norm_gradients(cu_stream_of(node), norm, program->sums, all);
    if (dx)
        cu_k_norm_backward(cu_stream_of(node), cu_type_of(node), batch, pixels, program->step, norm, activation,
                           in->data, cu_output_grad(node), dx, node->accumulate[0]);
    return CS_OK;
}

static cs_status load_scale(cu_node *node, const cs_params *params) {
    cu_program *program = node->program;
    const cs_layer *layer = layer_of(node);
    const cs_param *mean = cs_layer_param(program->graph, node->op->layer, CS_PARAM_MEAN);
    const cs_param *variance = cs_layer_param(program->graph, node->op->layer, CS_PARAM_VARIANCE);
    for (int c = 0; c < layer->in.c; c++)
        if (layer->kind == CS_LAYER_RESCALING) {
            program->fold_scale[c] = layer->factor[c];
            program->fold_shift[c] = 0;
        } else {
            double scale = 1 / fmax(sqrt((double)params->data[variance->offset + (size_t)c]), 1e-7);
            program->fold_scale[c] = (float)scale;
            program->fold_shift[c] = (float)(-(double)params->data[mean->offset + (size_t)c] * scale);
        }
    return send_scale(node);
}

const cu_op_class cu_batch_norm_class = {true, plan_norm, place_norm, load_norm, forward_norm, backward_norm};
const cu_op_class cu_scale_class = {true, NULL, place_scale, load_scale, forward_scale, backward_scale};
