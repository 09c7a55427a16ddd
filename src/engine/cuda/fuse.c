/* SPDX-License-Identifier: Apache-2.0 */
/* Fuses operations for training in addition to lower.h. These operations are limited by memory bandwidth, so that a
 * fused one takes less time. */
#include "fuse.h"

static const cs_op_kind gone = CS_OP_KIND_COUNT;

/* The only operation that reads the value. NULL if there are several readers or none, if the value is an output of the
 * segment, or if its gradient is kept. */
static cs_op *sole_reader(const cs_lowered *lowered, int value) {
    cs_op *reader = NULL;
    for (int i = 0; i < lowered->n_ops; i++)
        for (int k = 0; k < lowered->ops[i].n_inputs; k++)
            if (lowered->ops[i].inputs[k] == value) {
                if (reader)
                    return NULL;
                reader = &lowered->ops[i];
            }
    return lowered->values[value].is_output || lowered->values[value].keeps_grad ? NULL : reader;
}

static void forget(cs_lowered *lowered, int value) {
    lowered->values[value] = (cs_value){.layer = lowered->values[value].layer, .producer = CS_NO_LAYER};
}

static void remove_op(cs_op *op) {
    op->kind = gone;
    op->n_inputs = 0;
}

/* The slope of these activations can be computed from the output alone. */
static bool is_relu(const cs_op *op) {
    return op->kind == CS_OP_ACTIVATION && (op->activation == CS_ACT_RELU || op->activation == CS_ACT_RELU6);
}

static void fuse(cs_lowered *lowered, cs_op *norm, cs_op *add) {
    cs_op fused = *norm;
    fused.n_inputs = 2;
    fused.inputs[1] = add->inputs[add->inputs[0] == norm->output];
    fused.output = add->output;
    forget(lowered, norm->output);
    remove_op(norm);
    *add = fused;
    cs_op *relu = sole_reader(lowered, add->output);
    if (!relu || !is_relu(relu) || lowered->values[relu->output].keeps_grad)
        return;
    forget(lowered, add->output);
    add->activation = relu->activation;
    add->output = relu->output;
    remove_op(relu);
}

static void close_gaps(cs_lowered *lowered) {
    int n = 0;
    for (int i = 0; i < lowered->n_ops; i++) {
        if (lowered->ops[i].kind == gone)
            continue;
        lowered->ops[n] = lowered->ops[i];
        lowered->values[lowered->ops[n].output].producer = n;
        n++;
    }
    lowered->n_ops = n;
}

/* Backward of a fused operation overwrites the gradient of its output, so nothing is fused if that gradient is kept. */
void cu_fuse_residuals(const cs_graph *graph, cs_lowered *lowered) {
    for (int i = 0; i < lowered->n_ops; i++) {
        cs_op *norm = &lowered->ops[i];
        bool takes = norm->kind == CS_OP_BATCH_NORM && norm->n_inputs == 1 && norm->activation == CS_ACT_LINEAR &&
                     graph->layers[norm->layer].trainable;
        cs_op *add = takes ? sole_reader(lowered, norm->output) : NULL;
        if (add && add->kind == CS_OP_ADD && !lowered->values[add->output].keeps_grad &&
            add->inputs[add->inputs[0] == norm->output] != norm->inputs[0])
            fuse(lowered, norm, add);
    }
    close_gaps(lowered);
}
