/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that convolutions and dense layers share. Both have a kernel, possibly a bias, and three oneDNN calls. */
#ifndef CNNSWEEP_ONEDNN_WEIGHTS_H
#define CNNSWEEP_ONEDNN_WEIGHTS_H

#include "program.h"

CS_MUST_CHECK cs_status od_weights_bind(od_node *node, const od_primitive *primitive, od_weights *weights);
CS_MUST_CHECK cs_status od_weights_refresh(od_node *node, od_weights *weights);
void od_weights_close(od_weights *weights);
bool od_has_bias(const od_node *node); /* its own bias, or that of the folded batch norm */
/* Binds the three calls of an operation with a kernel and possibly a bias. */
CS_MUST_CHECK cs_status od_weighted_bind(od_node *node);
cs_status od_weighted_refresh(od_node *node);
cs_status od_weighted_load(od_node *node, const cs_params *params);
cs_status od_weighted_forward(od_node *node, const od_rows *rows);
cs_status od_weighted_backward(od_node *node, const od_rows *rows);
/* The address for a parameter's gradient of chunk `index`. od_gradient_add adds those of later chunks. */
float *od_gradient_target(const od_node *node, const cs_param_row *param, int index);
void od_gradient_add(const od_node *node, const cs_param_row *param, int index);

#endif
