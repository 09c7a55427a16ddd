/* SPDX-License-Identifier: Apache-2.0 */
#include "backward.h"

/* Does the operation write the gradient of the value, as its input `first` or a later input? */
static bool writes_gradient(const cs_lowered *lowered, const cs_op *op, int value, int first) {
    bool reads = false;
    for (int k = first; k < op->n_inputs; k++)
        reads |= op->inputs[k] == value;
    return reads && lowered->values[op->output].needs_grad;
}

bool cs_backward_accumulates(const cs_lowered *lowered, int op, int k) {
    int value = lowered->ops[op].inputs[k];
    bool begun = writes_gradient(lowered, &lowered->ops[op], value, k + 1);
    for (int later = op + 1; later < lowered->n_ops && !begun; later++)
        begun = writes_gradient(lowered, &lowered->ops[later], value, 0);
    return begun && lowered->values[value].needs_grad;
}

/* A fused layer may run before layers that precede it in the graph, so all operations that remain are searched. */
int cs_backward_complete(const cs_lowered *lowered, int begin, int op) {
    int complete = begin;
    for (int i = 0; i < op; i++)
        if (lowered->ops[i].trainable && lowered->ops[i].layer >= complete)
            complete = lowered->ops[i].layer + 1;
    return complete;
}
