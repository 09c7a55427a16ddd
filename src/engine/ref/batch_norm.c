/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm: y = (x - mean)/sqrt(variance + epsilon) * gamma + beta in each channel (Ioffe and Szegedy 2015). In
 * training a trainable layer uses the batch's mean and biased variance, over rows and pixels, and updates the moving
 * statistics: moving = moving*momentum + batch*(1-momentum). The moving variance takes the biased variance too (Keras 3
 * BatchNormalization.call), or, if the layer is `unbiased`, m/(m-1) times that for m values in a channel (torch).
 *
 * If ranks share the batch, rank r has m_r values in a channel with mean_r and variance_r. With M the sum of m_r,
 * mean = sum(m_r mean_r)/M, variance = sum(m_r (variance_r + mean_r^2))/M - mean^2. */
#include "ref.h"

#include <math.h>

static size_t pixels(const cs_ref_op *op) {
    return (size_t)op->n * (size_t)op->layer->in.h * (size_t)op->layer->in.w;
}

static double scale(const cs_ref_op *op, size_t c) {
    return op->param[CS_PARAM_GAMMA] ? op->param[CS_PARAM_GAMMA][c] : 1;
}

/* Two passes compute first the mean and then the squared distances from it. */
static void batch_moments(const cs_ref_op *op, double *mean, double *variance) {
    size_t channels = (size_t)op->layer->in.c, m = pixels(op);
    for (size_t c = 0; c < channels; c++)
        mean[c] = variance[c] = 0;
    for (size_t p = 0; p < m; p++)
        for (size_t c = 0; c < channels; c++)
            mean[c] += op->in[0][p * channels + c] / (double)m;
    for (size_t p = 0; p < m; p++)
        for (size_t c = 0; c < channels; c++) {
            double distance = op->in[0][p * channels + c] - mean[c];
            variance[c] += distance * distance / (double)m;
        }
}

/* Replaces the moments of this rank's rows by those of the whole batch, and *m by the values in a channel on all
 * ranks. */
static void share_moments(const cs_ref_op *op, double *mean, double *variance, double *m) {
    size_t channels = (size_t)op->layer->in.c;
    double *sums = op->saved + 2 * channels;
    for (size_t c = 0; c < channels; c++) {
        sums[c] = *m * mean[c];
        sums[channels + c] = *m * (variance[c] + mean[c] * mean[c]);
    }
    sums[2 * channels] = *m;
    *op->status = op->comm->sum_double(op->comm->context, sums, 2 * channels + 1);
    *m = sums[2 * channels];
    for (size_t c = 0; c < channels; c++) {
        mean[c] = sums[c] / *m;
        variance[c] = fmax(0, sums[channels + c] / *m - mean[c] * mean[c]);
    }
}

static void move(double *moving, const double *batch, size_t channels, double momentum, double factor) {
    for (size_t c = 0; c < channels; c++)
        moving[c] = moving[c] * momentum + batch[c] * factor * (1 - momentum);
}

void cs_ref_batch_norm_forward(const cs_ref_op *op) {
    size_t channels = (size_t)op->layer->in.c;
    double *mean = op->saved, *inverse = op->saved + channels;
    double *moving_mean = op->param[CS_PARAM_MOVING_MEAN], *moving_variance = op->param[CS_PARAM_MOVING_VARIANCE];
    if (op->batch_statistics) {
        double m = (double)pixels(op);
        batch_moments(op, mean, inverse);
        if (op->comm)
            share_moments(op, mean, inverse, &m);
        double factor = cs_variance_factor(op->layer, m);
        move(moving_mean, mean, channels, (double)op->layer->momentum, 1);
        move(moving_variance, inverse, channels, (double)op->layer->momentum, factor);
    }
    for (size_t c = 0; c < channels; c++) {
        double variance = op->batch_statistics ? inverse[c] : moving_variance[c];
        mean[c] = op->batch_statistics ? mean[c] : moving_mean[c];
        inverse[c] = 1 / sqrt(variance + (double)op->layer->epsilon);
    }
    for (size_t p = 0; p < pixels(op); p++)
        for (size_t c = 0; c < channels; c++) {
            double normal = (op->in[0][p * channels + c] - mean[c]) * inverse[c];
            op->out[p * channels + c] = normal * scale(op, c) + op->param[CS_PARAM_BETA][c];
        }
}

/* Computes sums[c] = sum(dy) and sums[C + c] = sum(dy*normal), the gradients of beta and gamma. */
static void sum_slopes(const cs_ref_op *op, double *sums) {
    size_t channels = (size_t)op->layer->in.c, m = pixels(op);
    for (size_t c = 0; c < channels; c++) {
        double mean = op->saved[c], inverse = op->saved[channels + c], sum = 0, product = 0;
        for (size_t i = c; i < m * channels; i += channels) {
            sum += op->dout[i];
            product += op->dout[i] * (op->in[0][i] - mean) * inverse;
        }
        sums[c] = sum;
        sums[channels + c] = product;
        if (op->dparam[CS_PARAM_BETA])
            op->dparam[CS_PARAM_BETA][c] += sum;
        if (op->dparam[CS_PARAM_GAMMA])
            op->dparam[CS_PARAM_GAMMA][c] += product;
    }
}

/* dy is the gradient of the mean over this rank's n_r rows. The gradient of the mean over all N rows is n_r/N times dy,
 * so its sums over the ranks are sum(n_r/N sum_r). dx is again the gradient of the mean over n_r rows, for which the
 * sums have to be N/n_r times these: sum(n_r sum_r)/n_r. A rank without rows has no dx. */
static void share_slopes(const cs_ref_op *op, double *sums, double *m) {
    size_t count = 2 * (size_t)op->layer->in.c, own = pixels(op);
    for (size_t i = 0; i < count; i++)
        sums[i] *= *m;
    sums[count] = *m;
    *op->status = op->comm->sum_double(op->comm->context, sums, count + 1);
    *m = sums[count];
    for (size_t i = 0; i < count && own > 0; i++)
        sums[i] /= (double)own;
}

/* With batch statistics the mean and the variance depend on x, too:
 * dx = gamma/std * (dy - mean(dy) - normal*mean(dy*normal)). With moving statistics dx = gamma/std * dy. */
void cs_ref_batch_norm_backward(const cs_ref_op *op) {
    size_t channels = (size_t)op->layer->in.c, count = pixels(op) * channels;
    double *sums = op->saved + 2 * channels, m = (double)pixels(op);
    sum_slopes(op, sums);
    if (op->batch_statistics && op->comm)
        share_slopes(op, sums, &m);
    for (size_t i = 0; op->din[0] && i < count; i++) {
        size_t c = i % channels;
        double inverse = op->saved[channels + c], normal = (op->in[0][i] - op->saved[c]) * inverse;
        double pull = op->batch_statistics ? sums[c] + normal * sums[channels + c] : 0;
        op->din[0][i] += scale(op, c) * inverse * (op->dout[i] - pull / m);
    }
}
