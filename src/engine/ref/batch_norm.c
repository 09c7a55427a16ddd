/* SPDX-License-Identifier: Apache-2.0 */
/* y = (x - mean)/sqrt(variance + epsilon) * gamma + beta, a channel (Ioffe and Szegedy 2015). In training a trainable
 * layer uses the batch's mean and biased variance, over rows and pixels, and moves the moving ones towards them:
 * moving = moving*momentum + batch*(1-momentum). The moving variance takes the biased one too (Keras 3
 * BatchNormalization.call), or, where the layer is `unbiased`, that times m/(m-1), m values a channel (torch).
 *
 * Where ranks share the batch, rank r has m_r values a channel with mean_r and variance_r, and with M the sum of m_r
 * mean = sum(m_r mean_r)/M, variance = sum(m_r (variance_r + mean_r^2))/M - mean^2. */
#include "ref.h"

#include <math.h>

static size_t pixels(const cs_ref_op *op) {
    return (size_t)op->n * (size_t)op->layer->in.h * (size_t)op->layer->in.w;
}

static double scale(const cs_ref_op *op, size_t c) {
    return op->param[CS_PARAM_GAMMA] ? op->param[CS_PARAM_GAMMA][c] : 1;
}

/* Two passes: the mean first, then the squared distances from it. */
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

/* The moments of the whole batch from those of this rank's part; *m becomes the values a channel of all ranks. */
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

/* sums[c] = sum(dy) and sums[C + c] = sum(dy*normal): the gradients of beta and gamma. */
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

/* dy is of the mean over this rank's n_r rows, so of the mean over all N rows it is n_r/N times that. With dy of the
 * latter the sums over ranks are sum(n_r/N sum_r), and for a dx that is again of the mean over n_r rows they are N/n_r
 * times that: sum(n_r sum_r)/n_r. Without rows there is no dx. */
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

/* With batch statistics x also acts through the mean and the variance:
 * dx = gamma/std * (dy - mean(dy) - normal*mean(dy*normal)); with moving ones dx = gamma/std * dy. */
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
