/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine: plain loops, one layer after the other, NHWC, everything inside in double. It is the oracle
 * that the other engines are compared with, so it is written to be read.
 *
 * To add a layer kind: its forward and backward in one of the files here, and a row in the table of layers.c. */
#ifndef CNNSWEEP_ENGINE_REF_H
#define CNNSWEEP_ENGINE_REF_H

#include "engine_impl.h"

enum { CS_REF_ROLES = CS_PARAM_ROLE_COUNT };

/* One layer at work on the first n rows. Values are [n,H,W,C]. */
typedef struct cs_ref_op {
    const cs_layer *layer;
    int n;
    bool batch_statistics; /* BATCH_NORM in training and not frozen */
    const cs_comm *comm;   /* ... of the ranks that share the batch; else NULL */
    cs_status *status;     /* what the ranks' sum came to: the one thing that can fail */
    const double *in[CS_LAYER_MAX_INPUTS];
    int channels[CS_LAYER_MAX_INPUTS]; /* of each input */
    double *out;
    double *param[CS_REF_ROLES];
    bool gated;          /* MULTIPLY of an image by one value a channel */
    const cs_draw *draw; /* DROPOUT that drops; else NULL */
    float *factors;      /* ... and room for a row's */
    /* What forward leaves for backward. BATCH_NORM: what it normalised with, mean [C] and 1/standard deviation [C], and
     * behind them room for sums [2*C + 1].
     * SEPARABLE_CONV2D: what the depthwise half gave, and room for its gradient. Swish: the value in front of it. */
    double *saved;
    /* Backward: dx += (dout/dx) dout. A NULL gradient is not wanted: nothing below learns, or the layer is frozen.
     * dout is of the value before the layer's activation, and is the layer's own: backward may write on it. */
    double *dout;
    double *din[CS_LAYER_MAX_INPUTS];
    double *dparam[CS_REF_ROLES];
} cs_ref_op;

typedef void cs_ref_function(const cs_ref_op *op);

typedef struct cs_ref_row {
    cs_layer_kind kind;
    cs_ref_function *forward;
    cs_ref_function *backward;
} cs_ref_row;

/* Forward with the layer's activation behind it, and the two backward. */
void cs_ref_layer_forward(const cs_ref_op *op);
void cs_ref_layer_backward(const cs_ref_op *op);

cs_ref_function cs_ref_conv2d_forward, cs_ref_conv2d_backward;
cs_ref_function cs_ref_depthwise_forward, cs_ref_depthwise_backward;
cs_ref_function cs_ref_separable_forward, cs_ref_separable_backward;
cs_ref_function cs_ref_max_pool_forward, cs_ref_max_pool_backward;
cs_ref_function cs_ref_average_pool_forward, cs_ref_average_pool_backward;
cs_ref_function cs_ref_batch_norm_forward, cs_ref_batch_norm_backward;
cs_ref_function cs_ref_multiply_forward, cs_ref_multiply_backward;
cs_ref_function cs_ref_rescaling_forward, cs_ref_rescaling_backward;
cs_ref_function cs_ref_normalization_forward, cs_ref_normalization_backward;
cs_ref_function cs_ref_dropout_forward, cs_ref_dropout_backward;

/* activation.c: y from x in place; and dy into dx, given y and, for swish, x. */
void cs_ref_activate(cs_activation activation, size_t count, double *values);
void cs_ref_activation_slope(cs_activation activation, size_t count, const double *before, const double *after,
                             double *gradient);

/* Softmax cross-entropy of logits [n,classes]; `gradient` (of the mean over rows) and `probabilities` may be NULL. */
void cs_ref_loss(const double *logits, const int32_t *labels, int n, int classes, double *gradient,
                 float *probabilities, cs_loss *out);

/* One parameter's values and its optimizer states, `count` each, moved by the gradient (see optimizer.h). */
void cs_ref_update(const cs_optimizer *optimizer, int64_t step, size_t count, double *value, const double *gradient,
                   double *const *state);

#endif
