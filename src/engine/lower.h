/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering: translates the layers of a segment into the operations that an engine runs, and fuses them.
 *
 * A separable convolution becomes a depthwise convolution and a 1x1 convolution. A dropout that drops nothing becomes
 * an alias of its input.
 * INFER: a batch norm is folded into the convolution before it (cs_layer_takes_norm), and an activation into the
 * operation that produces its input.
 * TRAIN: an activation is fused into the batch norm before it.
 * Both: a zero-padding is fused into the convolution after it.
 * A layer is not fused away if the spec asks for its gradient.
 * With guided backpropagation, a CS_OP_GUIDE follows each ReLU and ReLU6. */
#ifndef CNNSWEEP_ENGINE_LOWER_H
#define CNNSWEEP_ENGINE_LOWER_H

#include "cnnsweep/engine.h"

typedef enum cs_op_kind {
    CS_OP_CONV,
    CS_OP_DEPTHWISE,
    CS_OP_BATCH_NORM, /* INFER: uses the moving statistics */
    CS_OP_ACTIVATION,
    CS_OP_MAX_POOL,
    CS_OP_AVERAGE_POOL,
    CS_OP_GLOBAL_AVERAGE,
    CS_OP_ZERO_PAD,
    CS_OP_ADD,
    CS_OP_MULTIPLY,
    CS_OP_CONCATENATE,
    CS_OP_RESHAPE, /* from any shape to any shape, in NHWC order */
    CS_OP_SCALE,   /* a factor and a summand for each channel: RESCALING, NORMALIZATION */
    CS_OP_DROPOUT,
    CS_OP_DENSE,
    CS_OP_GUIDE, /* copies its input; backward passes on only what is positive of a gradient */
    CS_OP_KIND_COUNT
} cs_op_kind;

enum { CS_NO_LAYER = -1 };

typedef struct cs_op {
    cs_op_kind kind;
    int layer; /* the layer whose parameters it uses: all, except for SEPARABLE_CONV2D, see cs_op_uses */
    cs_param_role kernel;
    int batch_norm; /* CONV, DEPTHWISE: the batch norm that is folded in, or CS_NO_LAYER */
    cs_activation activation;
    cs_window window; /* includes the padding of a fused zero-padding */
    int n_inputs;
    int inputs[CS_LAYER_MAX_INPUTS]; /* indexes of values */
    int output;                      /* index of a value */
    bool trainable;                  /* has parameters that training changes */
} cs_op;

/* A tensor between operations: the output of `layer`, which is the last of the fused layers. */
typedef struct cs_value {
    int layer;
    cs_shape shape;
    int producer;   /* operation, or CS_NO_LAYER for a segment input */
    bool is_output; /* is an output of the segment */
    /* TRAIN: backward computes its gradient, because the loss depends on it and a gradient is needed of it or of a
     * value before it. */
    bool needs_grad;
    bool keeps_grad; /* its gradient must remain after backward, because the program's spec asks for it */
    bool in_loss;    /* the last output, or a value that it depends on */
} cs_value;

typedef struct cs_lowered {
    cs_op *ops;
    int n_ops;
    cs_value *values;
    int n_values;
    int *inputs; /* values of the segment's inputs, in its order (of the INPUT layer if it begins the graph) */
    int n_inputs;
    int *outputs; /* values of the segment's outputs */
    int n_outputs;
    int *gradients; /* values of the layers whose gradients the spec asks for, in the spec's order */
} cs_lowered;

/* Lowers the spec's segment for its mode. Every layer whose gradient the spec asks for has a value of its own. */
CS_MUST_CHECK cs_status cs_lower(const cs_program_spec *spec, cs_lowered **out);
/* Does the operation itself use the parameter of this role of its layer? */
bool cs_op_uses(const cs_op *op, const cs_layer *layer, cs_param_role role);
void cs_lowered_free(cs_lowered *lowered); /* NULL-safe */

#endif
