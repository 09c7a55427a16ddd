/* SPDX-License-Identifier: Apache-2.0 */
/* Fuses residual sums into the batch norm before them. */
#ifndef CNNSWEEP_CUDA_FUSE_H
#define CNNSWEEP_CUDA_FUSE_H

#include "program.h"

/* TRAIN: if a sum adds the output of a batch norm with batch statistics to another value, then the batch norm, the sum
 * and a ReLU after it become one BATCH_NORM with two inputs, y = act(x*scale + shift + inputs[1]). It takes the place
 * of the sum. */
void cu_fuse_residuals(const cs_graph *graph, cs_lowered *lowered);
static inline bool cu_has_residual(const cs_op *op) {
    return op->kind == CS_OP_BATCH_NORM && op->n_inputs == 2;
}
/* Backward of this operation needs its output to compute the slope of the activation. */
static inline bool cu_asks_output(const cs_op *op) {
    return cu_has_residual(op) && op->activation != CS_ACT_LINEAR;
}

#endif
