/* SPDX-License-Identifier: Apache-2.0 */
/* Residual sums that become part of the batch norm in front of them. */
#ifndef CNNSWEEP_CUDA_FUSE_H
#define CNNSWEEP_CUDA_FUSE_H

#include "program.h"

/* TRAIN: a sum of a batch norm, with the batch's statistics, and something else, and the ReLU behind it, become
 * one BATCH_NORM with two inputs, y = act(x*scale + shift + inputs[1]), which stands where the sum stood. */
void cu_fuse_residuals(const cs_graph *graph, cs_lowered *lowered);
static inline bool cu_has_residual(const cs_op *op) {
    return op->kind == CS_OP_BATCH_NORM && op->n_inputs == 2;
}
/* Its backward takes the slope from the output. */
static inline bool cu_asks_output(const cs_op *op) {
    return cu_has_residual(op) && op->activation != CS_ACT_LINEAR;
}

#endif
