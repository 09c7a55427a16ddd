/* y = (x - mean)/sqrt(variance + epsilon) * gamma + beta, a channel (Ioffe and Szegedy 2015). In training a trainable
 * layer uses the batch's mean and biased variance, over rows and pixels, and moves the moving ones towards them:
 * moving = moving*momentum + batch*(1-momentum). The moving variance takes the biased one too (Keras 3
 * BatchNormalization.call), or, where the layer is `unbiased`, that times m/(m-1), m values a channel (torch). */
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

static void move(double *moving, const double *batch, size_t channels, double momentum, double factor) {
    for (size_t c = 0; c < channels; c++)
        moving[c] = moving[c] * momentum + batch[c] * factor * (1 - momentum);
}

void cs_ref_batch_norm_forward(const cs_ref_op *op) {
    size_t channels = (size_t)op->layer->in.c;
    double *mean = op->saved, *inverse = op->saved + channels;
    double *moving_mean = op->param[CS_PARAM_MOVING_MEAN], *moving_variance = op->param[CS_PARAM_MOVING_VARIANCE];
    if (op->batch_statistics) {
        batch_moments(op, mean, inverse);
        double factor = cs_variance_factor(op->layer, (double)pixels(op));
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

/* One channel. With batch statistics x also acts through the mean and the variance:
 * dx = gamma/std * (dy - mean(dy) - normal*mean(dy*normal)); with moving ones dx = gamma/std * dy. */
static void channel_backward(const cs_ref_op *op, size_t c) {
    size_t channels = (size_t)op->layer->in.c, m = pixels(op);
    double mean = op->saved[c], inverse = op->saved[channels + c], sum = 0, product = 0;
    for (size_t i = c; i < m * channels; i += channels) {
        sum += op->dout[i];
        product += op->dout[i] * (op->in[0][i] - mean) * inverse;
    }
    if (op->dparam[CS_PARAM_BETA])
        op->dparam[CS_PARAM_BETA][c] += sum;
    if (op->dparam[CS_PARAM_GAMMA])
        op->dparam[CS_PARAM_GAMMA][c] += product;
    if (!op->batch_statistics)
        sum = product = 0;
    for (size_t i = c; op->din[0] && i < m * channels; i += channels) {
        double normal = (op->in[0][i] - mean) * inverse;
        op->din[0][i] += scale(op, c) * inverse * (op->dout[i] - (sum + normal * product) / (double)m);
    }
}

void cs_ref_batch_norm_backward(const cs_ref_op *op) {
    for (size_t c = 0; c < (size_t)op->layer->in.c; c++)
        channel_backward(op, c);
}
