/* SPDX-License-Identifier: Apache-2.0 */
/* Batch normalisation (Ioffe and Szegedy 2015) with its activation. */
#include "norm.h"
#include "classes.h"
#include "layout.h"
#include "params.h"

#include "cnnsweep/memory.h"

#include <math.h>

static const od_tensor *input_of(const od_node *node) {
    return &node->program->values[node->op->inputs[0]];
}

static size_t lanes_of(const od_node *node) {
    return od_lanes(node->program, input_of(node)->shape.c);
}

static od_affine affine_of(const od_node *node) {
    return (od_affine){node->norm.scale, node->norm.shift, node->op->activation};
}

static const od_kernels *kernels_of(const od_node *node) {
    return node->program->engine->kernels;
}

/* The kernels need blocks of channels. A flat tensor, which is NHWC with H = W = 1, is copied chunk by chunk to one of
 * the norm's blocked buffers. */
static float *blocked(const od_node *node, const od_tensor *tensor, const od_rows *rows, int copy) {
    if (tensor->layout != OD_FLAT)
        return od_at(tensor, rows);
    float *at = node->norm.copies + (size_t)copy * (size_t)node->program->rows * lanes_of(node);
    kernels_of(node)->from_nhwc(od_dims_of(node->program, tensor, rows->size), od_at(tensor, rows), at);
    return at;
}

static void unblock(const od_node *node, const od_tensor *tensor, const od_rows *rows, const float *at) {
    if (tensor->layout == OD_FLAT)
        kernels_of(node)->to_nhwc(od_dims_of(node->program, tensor, rows->size), at, od_at(tensor, rows));
}

static cs_status bind_norm(od_node *node) {
    od_norm *norm = &node->norm;
    size_t lanes = lanes_of(node);
    float **arrays[] = {&norm->scale, &norm->shift, &norm->p, &norm->q, &norm->mean, &norm->inverse};
    enum { ARRAYS = sizeof arrays / sizeof *arrays };
    CS_TRY(cs_alloc_aligned(ARRAYS * lanes, sizeof(float), "batch norm", &norm->scale));
    for (size_t i = 0; i < ARRAYS; i++)
        *arrays[i] = norm->scale + i * lanes;
    enum { COPIES = 3 };
    if (input_of(node)->layout == OD_FLAT)
        CS_TRY(
            cs_alloc_aligned(COPIES * (size_t)node->program->rows * lanes, sizeof(float), "batch norm", &norm->copies));
    norm->batch_statistics = node->program->training && node->program->graph->layers[node->op->layer].trainable;
    if (norm->batch_statistics)
        CS_TRY(cs_alloc_aligned((size_t)node->program->rows * 2 * lanes, sizeof(double), "batch norm", &norm->partial));
    return norm->batch_statistics ? cs_alloc(2 * lanes + 1, sizeof(double), "batch norm", &norm->sums) : CS_OK;
}

/* Computes scale and shift from a mean and a variance. Lanes beyond the channels stay zero. */
static void set_affine(od_node *node, const float *gamma, const float *beta, const float *mean, const float *variance) {
    double epsilon = (double)node->program->graph->layers[node->op->layer].epsilon;
    for (int c = 0; c < input_of(node)->shape.c; c++) {
        double inverse = 1 / sqrt((double)variance[c] + epsilon);
        double scale = gamma ? (double)gamma[c] * inverse : inverse;
        node->norm.inverse[c] = (float)inverse;
        node->norm.scale[c] = (float)scale;
        node->norm.shift[c] = (float)((double)beta[c] - (double)mean[c] * scale);
    }
}

static const float *host_values(const od_node *node, const cs_params *params, cs_param_role role) {
    const cs_param *param = cs_layer_param(node->program->graph, node->op->layer, role);
    return param ? params->data + param->offset : NULL;
}

static cs_status load_norm(od_node *node, const cs_params *params) {
    set_affine(node, host_values(node, params, CS_PARAM_GAMMA), host_values(node, params, CS_PARAM_BETA),
               host_values(node, params, CS_PARAM_MOVING_MEAN), host_values(node, params, CS_PARAM_MOVING_VARIANCE));
    return CS_OK;
}

static float *value_of(const od_node *node, cs_param_role role) {
    const cs_param_row *param = od_node_param(node, role);
    return param ? od_param_at(node, CS_ARRAY_VALUE, param) : NULL;
}

/* A batch norm that is frozen in training uses the moving statistics, which only a load changes. */
static cs_status refresh_norm(od_node *node) {
    if (!node->norm.batch_statistics)
        set_affine(node, value_of(node, CS_PARAM_GAMMA), value_of(node, CS_PARAM_BETA),
                   value_of(node, CS_PARAM_MOVING_MEAN), value_of(node, CS_PARAM_MOVING_VARIANCE));
    return CS_OK;
}

static double *partial_at(const od_node *node, const od_rows *rows) {
    return node->norm.partial + (size_t)rows->first * 2 * lanes_of(node);
}

cs_status od_norm_moments(od_node *node, const od_rows *rows) {
    const od_tensor *in = input_of(node);
    kernels_of(node)->moments(od_dims_of(node->program, in, rows->active), blocked(node, in, rows, 0),
                              partial_at(node, rows));
    return CS_OK;
}

/* Sets norm.sums: the two sums of every channel over the first n rows, always in the same order, and the number of
 * values in a channel. */
static void sum_partial(const od_node *node, int n) {
    size_t lanes = lanes_of(node), channels = (size_t)input_of(node)->shape.c;
    double *sums = node->norm.sums;
    for (size_t i = 0; i < 2 * channels; i++)
        sums[i] = 0;
    for (size_t r = 0; r < (size_t)n; r++)
        for (size_t k = 0; k < 2; k++) {
            const double *row = node->norm.partial + (r * 2 + k) * lanes;
            for (size_t c = 0; c < channels; c++)
                sums[2 * c + k] += row[c];
        }
    sums[2 * channels] = (double)n * input_of(node)->shape.h * input_of(node)->shape.w;
}

/* Adds up norm.sums over the ranks that share the batch. */
static cs_status share_sums(const od_node *node) {
    const cs_comm *comm = node->program->base.comm;
    return comm ? comm->sum_double(comm->context, node->norm.sums, 2 * (size_t)input_of(node)->shape.c + 1) : CS_OK;
}

cs_status od_norm_finish_moments(od_node *node, int n) {
    const cs_layer *layer = &node->program->graph->layers[node->op->layer];
    const float *gamma = value_of(node, CS_PARAM_GAMMA), *beta = value_of(node, CS_PARAM_BETA);
    float *moving_mean = value_of(node, CS_PARAM_MOVING_MEAN);
    float *moving_variance = value_of(node, CS_PARAM_MOVING_VARIANCE);
    bool scaled = od_node_param(node, CS_PARAM_GAMMA) != NULL;
    sum_partial(node, n);
    CS_TRY(share_sums(node));
    size_t channels = (size_t)input_of(node)->shape.c;
    double count = node->norm.sums[2 * channels];
    double keep = (double)layer->momentum, factor = cs_variance_factor(layer, count);
    for (size_t c = 0; c < channels; c++) {
        const double *sums = node->norm.sums + 2 * c;
        double mean = sums[0] / count, variance = sums[1] / count - mean * mean;
        if (variance < 0)
            variance = 0;
        double inverse = 1 / sqrt(variance + (double)layer->epsilon);
        double scale = scaled ? (double)gamma[c] * inverse : inverse;
        node->norm.mean[c] = (float)mean;
        node->norm.inverse[c] = (float)inverse;
        node->norm.scale[c] = (float)scale;
        node->norm.shift[c] = (float)((double)beta[c] - mean * scale);
        moving_mean[c] = (float)((double)moving_mean[c] * keep + mean * (1 - keep));
        moving_variance[c] = (float)((double)moving_variance[c] * keep + variance * factor * (1 - keep));
    }
    return CS_OK;
}

cs_status od_norm_apply(od_node *node, const od_rows *rows) {
    const od_tensor *in = input_of(node), *out = &node->program->values[node->op->output];
    float *x = blocked(node, in, rows, 0), *y = blocked(node, out, rows, 1);
    od_dims dims = od_dims_of(node->program, in, rows->size);
    kernels_of(node)->affine(dims, affine_of(node), x, y);
    if (node->op->activation == CS_ACT_SIGMOID) /* sigmoid(0) is not 0 */
        kernels_of(node)->clear_padding(dims, y);
    unblock(node, out, rows, y);
    return CS_OK;
}

cs_status od_norm_reduce(od_node *node, const od_rows *rows) {
    const od_tensor *in = input_of(node), *dy = &node->program->grads[node->op->output];
    const float *x = blocked(node, in, rows, 0), *gradient = blocked(node, dy, rows, 1);
    kernels_of(node)->affine_reduce(od_dims_of(node->program, in, rows->active), affine_of(node), node->norm.mean, x,
                                    gradient, partial_at(node, rows));
    return CS_OK;
}

/* Replaces this rank's sums by those of all ranks that share the batch. dz is the gradient of the mean over this rank's
 * n_r rows. The gradient of the mean over all N rows is n_r/N times dz, so its sums over the ranks are sum(n_r/N
 * sum_r). dx is again the gradient of the mean over n_r rows, for which the sums have to be N/n_r times these: sum(n_r
 * sum_r)/n_r. A rank without rows has no dx. */
static cs_status share_slopes(const od_node *node) {
    size_t count = 2 * (size_t)input_of(node)->shape.c;
    double *sums = node->norm.sums, own = sums[count];
    if (!node->program->base.comm)
        return CS_OK;
    for (size_t i = 0; i < count; i++)
        sums[i] *= own;
    CS_TRY(share_sums(node));
    for (size_t i = 0; i < count && own > 0; i++)
        sums[i] /= own;
    return CS_OK;
}

/* With xhat = (x - mean)*inverse and M values in a channel: dbeta = sum dz, dgamma = sum dz*xhat,
 * dx = scale*(dz - dbeta/M - xhat*dgamma/M) = scale*dz + p*x + q. */
cs_status od_norm_finish_reduce(od_node *node, int n) {
    const cs_param_row *gamma = od_node_param(node, CS_PARAM_GAMMA);
    float *gamma_gradient = gamma ? od_param_at(node, CS_ARRAY_GRADIENT, gamma) : NULL;
    float *beta_gradient = od_param_at(node, CS_ARRAY_GRADIENT, od_node_param(node, CS_PARAM_BETA));
    const od_norm *norm = &node->norm;
    size_t channels = (size_t)input_of(node)->shape.c;
    sum_partial(node, n);
    for (size_t c = 0; c < channels; c++) {
        beta_gradient[c] = (float)norm->sums[2 * c];
        if (gamma)
            gamma_gradient[c] = (float)(norm->sums[2 * c + 1] * (double)norm->inverse[c]);
    }
    CS_TRY(share_slopes(node));
    double count = norm->sums[2 * channels];
    for (size_t c = 0; c < channels; c++) {
        double mean = (double)norm->mean[c], inverse = (double)norm->inverse[c], scale = (double)norm->scale[c];
        double dbeta = norm->sums[2 * c], dgamma = norm->sums[2 * c + 1] * inverse;
        double p = -scale * dgamma * inverse / count;
        norm->p[c] = (float)p;
        norm->q[c] = (float)(-scale * dbeta / count - p * mean);
    }
    return CS_OK;
}

cs_status od_norm_backward(od_node *node, const od_rows *rows) {
    const od_tensor *in = input_of(node), *dy = &node->program->grads[node->op->output], *dx = &node->input_grads[0];
    if (!dx->wanted)
        return CS_OK;
    const float *x = blocked(node, in, rows, 0), *gradient = blocked(node, dy, rows, 1);
    float *out = blocked(node, dx, rows, 2);
    kernels_of(node)->affine_backward(od_dims_of(node->program, in, rows->active), affine_of(node), node->norm.p,
                                      node->norm.q, x, gradient, out);
    unblock(node, dx, rows, out);
    return CS_OK;
}

const od_op_class od_batch_norm_class = {.bind = bind_norm,
                                         .load = load_norm,
                                         .refresh = refresh_norm,
                                         .forward = od_norm_apply,
                                         .backward = od_norm_backward};
