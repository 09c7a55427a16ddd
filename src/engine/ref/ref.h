/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine: plain loops over NHWC tensors, one layer after the other, computed in double. The tests compare
 * the other engines with it, so it is written to be easy to read.
 *
 * To add a layer kind, write its forward and backward in one of the files of this folder and add a row to the table in
 * layers.c. */
#ifndef CNNSWEEP_ENGINE_REF_H
#define CNNSWEEP_ENGINE_REF_H

#include "common/update.h"
#include "engine_impl.h"

enum { CS_REF_ROLES = CS_PARAM_ROLE_COUNT };

/* The arguments of one layer's computation on the first n rows. Values are [n,H,W,C]. */
typedef struct cs_ref_op {
    const cs_layer *layer;
    int n;
    bool batch_statistics; /* BATCH_NORM that is trainable, in training */
    const cs_comm *comm;   /* BATCH_NORM: the ranks that share the batch; else NULL */
    cs_status *status;     /* the status of the sum over ranks, the only thing that can fail */
    const double *in[CS_LAYER_MAX_INPUTS];
    int channels[CS_LAYER_MAX_INPUTS]; /* of each input */
    double *out;
    double *param[CS_REF_ROLES];
    bool guided;         /* of the gradient of a ReLU's output, backward uses only what is positive */
    bool gated;          /* MULTIPLY of an image by one value for each channel */
    const cs_draw *draw; /* DROPOUT that drops values; else NULL */
    float *factors;      /* DROPOUT: memory for the factors of one row */
    /* Values that forward saves for backward. BATCH_NORM: the mean [C] and 1/standard deviation [C] that it used,
     * followed by memory for sums [2*C + 1]. SEPARABLE_CONV2D: the output of the depthwise convolution, and memory for
     * its gradient. Swish: the value before the activation. */
    double *saved;
    /* Backward adds (dout/dx) dout to dx. A gradient is NULL if it is not needed, because no layer before this one is
     * trainable or because this layer is frozen. dout is the gradient with respect to the value before the layer's
     * activation. It belongs to the layer, so backward may overwrite it. */
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

/* Forward computes the layer and then its activation; backward does both in reverse. */
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

/* activation.c: activates values in place, and computes dx from dy, given y and, for swish, x. */
void cs_ref_activate(cs_activation activation, size_t count, double *values);
void cs_ref_activation_slope(cs_activation activation, size_t count, const double *before, const double *after,
                             double *gradient);

/* Softmax cross-entropy of logits [n,classes]. `gradient` (of the mean over rows) and `probabilities` may be NULL. */
void cs_ref_loss(const double *logits, const cs_targets *targets, int n, int classes, double *gradient,
                 float *probabilities, cs_loss *out);
/* The same for a binary head: logits [n] and their gradient [n], but probabilities [n,2]. */
void cs_ref_binary_loss(const double *logits, const cs_targets *targets, int n, double *gradient, float *probabilities,
                        cs_loss *out);

typedef struct cs_ref_program {
    cs_program head;
    /* Indexed by the layer in the graph, except for `asked`. NULL for layers that are not in the segment or its inputs,
     * and for arrays that are not needed. */
    double **outputs; /* [batch, out]; inputs that come from the upstream program point to its outputs */
    /* Gradient of the loss with respect to an output, if this layer or one before it is trainable. */
    double **gradients;
    double **saved; /* the memory for cs_ref_op.saved */
    /* [batch, out], copies of the gradients that the spec asks for, in its order, because backward changes the
     * gradients. */
    double **asked;
    float *factors; /* dropout factors of one row of the largest dropout */
    size_t n_factors;
    /* The segment's parameters: each array has n_values values, which begin at first_value in cs_params. NULL: the
     * program does not have that array. */
    double *arrays[CS_ARRAY_COUNT];
    size_t first_value, n_values;
    cs_update_plan update;
    size_t bytes;
} cs_ref_program;

/* update.c: plans the updates and makes them. cs_ref_step makes the change of `count` values of a span (update.h). */
CS_MUST_CHECK cs_status cs_ref_plan_update(cs_ref_program *program);
CS_MUST_CHECK cs_status cs_ref_update(cs_program *base, const cs_optimizer *optimizer, int64_t step);
void cs_ref_step(cs_optimizer_rule rule, const double rates[CS_OPTIMIZER_RATES], size_t count, double *value,
                 double *gradient, double *const *state);

#endif
