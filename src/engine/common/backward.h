/* SPDX-License-Identifier: Apache-2.0 */
/* The order of backward, which runs the operations of a training program from the last to the first. */
#ifndef CNNSWEEP_ENGINE_COMMON_BACKWARD_H
#define CNNSWEEP_ENGINE_COMMON_BACKWARD_H

#include "lower.h"

/* Does backward of the operation add to the gradient of its k-th input, because a later operation has already written
 * to it? An operation also writes the gradients of its inputs from the last to the first. */
bool cs_backward_accumulates(const cs_lowered *lowered, int op, int k);
/* After the operations from `op` on have run backward, the gradients of all parameters from the returned layer on are
 * complete. `begin` is the segment's first layer. */
int cs_backward_complete(const cs_lowered *lowered, int begin, int op);

#endif
