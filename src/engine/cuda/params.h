/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a program: their memory, and copies from and to the host. */
#ifndef CNNSWEEP_CUDA_PARAMS_H
#define CNNSWEEP_CUDA_PARAMS_H

#include "program.h"

CS_MUST_CHECK cs_status cu_params_collect(cu_program *program); /* fills the table and sets its offsets */
CS_MUST_CHECK cs_status cu_params_allocate(cu_program *program);
void cu_params_free(cu_program *program);
CS_MUST_CHECK cs_status cu_params_load(cu_program *program, cs_param_array array, const cs_params *params);
CS_MUST_CHECK cs_status cu_params_read(cu_program *program, cs_param_array array, cs_params *params);
CS_MUST_CHECK cs_status cu_params_update(cu_program *program, const cs_optimizer *optimizer, int64_t step);
size_t cu_params_move_bucket(cu_program *program, const cs_bucket *bucket, float *out, const float *in);
CS_MUST_CHECK cs_status cu_params_allreduce(cu_program *program, const cs_bucket *bucket, float weight);
/* Makes the work stream wait for sums over ranks. To be called before parameters or gradients are used. */
CS_MUST_CHECK cs_status cu_params_wait_sums(cu_program *program);
cs_param_row *cu_node_param(const cu_node *node, cs_param_role role); /* NULL if the operation has none */
cs_param_row *cu_node_kernel(const cu_node *node);
float *cu_param_value(const cu_node *node, cs_param_role role);    /* NULL if the operation has none */
float *cu_param_gradient(const cu_node *node, cs_param_role role); /* NULL if the operation has none that is trained */
/* Is the parameter the kernel of a convolution or a dense layer? On the device its output channel, the last dimension
 * in a graph, is the first dimension. */
bool cu_is_matrix(const cu_node *node, const cs_param_row *row);
/* Transposes the host's [rows, columns] to [columns, rows]. */
void cu_transpose(size_t rows, size_t columns, const float *from, float *to);

#endif
