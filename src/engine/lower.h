/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering: a segment's layers become the operations an engine runs, with what fuses already fused.
 *
 * A separable convolution becomes a depthwise one and a 1x1. A dropout that does not drop is its input.
 * INFER: batch norm folds into the convolution in front of it (cs_layer_takes_norm), and an activation into what makes
 * its input.
 * TRAIN: an activation fuses into the batch norm in front of it. Both: a zero-pad into the convolution behind it.
 * A layer whose gradient is asked for is not fused away. */
#ifndef CNNSWEEP_ENGINE_LOWER_H
#define CNNSWEEP_ENGINE_LOWER_H

#include "cnnsweep/engine.h"

typedef enum cs_op_kind {
    CS_OP_CONV,
    CS_OP_DEPTHWISE,
    CS_OP_BATCH_NORM, /* INFER: with the moving statistics */
    CS_OP_ACTIVATION,
    CS_OP_MAX_POOL,
    CS_OP_AVERAGE_POOL,
    CS_OP_GLOBAL_AVERAGE,
    CS_OP_ZERO_PAD,
    CS_OP_ADD,
    CS_OP_MULTIPLY,
    CS_OP_CONCATENATE,
    CS_OP_RESHAPE, /* from any layout to any, in NHWC order */
    CS_OP_SCALE,   /* a factor and a term a channel: RESCALING, NORMALIZATION */
    CS_OP_DROPOUT,
    CS_OP_DENSE,
    CS_OP_KIND_COUNT
} cs_op_kind;

enum { CS_NO_LAYER = -1 };

typedef struct cs_op {
    cs_op_kind kind;
    int layer; /* whose parameters it uses; all of them, but for SEPARABLE_CONV2D: cs_op_uses */
    cs_param_role kernel;
    int batch_norm; /* CONV, DEPTHWISE: the layer folded in, or CS_NO_LAYER */
    cs_activation activation;
    cs_window window; /* padding of a fused zero-pad included */
    int n_inputs;
    int inputs[CS_LAYER_MAX_INPUTS]; /* values */
    int output;                      /* value */
    bool trainable;                  /* has parameters that the loss's gradients change */
} cs_op;

/* What flows between operations: the output of `layer` (the last one fused). */
typedef struct cs_value {
    int layer;
    cs_shape shape;
    int producer;    /* operation, or CS_NO_LAYER for a segment input */
    bool is_output;  /* leaves the segment */
    bool needs_grad; /* TRAIN: a gradient is needed of it or of something before it, and the loss lies behind it */
    bool keeps_grad; /* ... and is still there after backward: the program's spec asks for it */
    bool in_loss;    /* the last output, or something on the way to it */
} cs_value;

typedef struct cs_lowered {
    cs_op *ops;
    int n_ops;
    cs_value *values;
    int n_values;
    int *inputs; /* values of the segment's inputs, in its order (the INPUT layer's when it begins the graph) */
    int n_inputs;
    int *outputs; /* values of the segment's outputs */
    int n_outputs;
    int *gradients; /* values of the layers whose gradients the spec asks for, in its order */
} cs_lowered;

/* Of the spec's segment, for its mode, with what it asks for gradients of kept as values of their own. */
CS_MUST_CHECK cs_status cs_lower(const cs_program_spec *spec, cs_lowered **out);
/* Is this parameter of the operation's layer one that the operation itself uses? */
bool cs_op_uses(const cs_op *op, const cs_layer *layer, cs_param_role role);
void cs_lowered_free(cs_lowered *lowered); /* NULL-safe */

#endif
