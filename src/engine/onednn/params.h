/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a program: their memory, and copies from and to the host. */
#ifndef CNNSWEEP_ONEDNN_PARAMS_H
#define CNNSWEEP_ONEDNN_PARAMS_H

#include "program.h"

/* Fills the table; to be called before the primitives are created. */
CS_MUST_CHECK cs_status od_params_collect(od_program *program);
/* Allocates the arrays; to be called after the primitives are created, because these decide layouts. */
CS_MUST_CHECK cs_status od_params_allocate(od_program *program);
void od_params_free(od_program *program);
CS_MUST_CHECK cs_status od_params_load(od_program *program, cs_param_array array, const cs_params *params);
CS_MUST_CHECK cs_status od_params_read(od_program *program, cs_param_array array, cs_params *params);
/* In training: the penalty of the trainable kernels, and its gradient, which is added for layers [begin, end). */
double od_params_penalty(const od_program *program);
void od_params_add_penalty_gradient(od_program *program, int begin, int end);
size_t od_params_move_bucket(od_program *program, const cs_bucket *bucket, float *out, const float *in);
CS_MUST_CHECK cs_status od_params_update(od_program *program, const cs_optimizer *optimizer, int64_t step);
cs_param_row *od_node_param(const od_node *node, cs_param_role role); /* NULL if the operation has none */
cs_param_row *od_node_kernel(const od_node *node);
float *od_param_at(const od_node *node, cs_param_array array, const cs_param_row *param);
/* Gives the kernel in the arrays the layout that the operation's primitives need: that of backward_weights if the
 * kernel is trained, so that the gradient need not be copied, else that of forward. */
void od_kernel_follows_primitive(od_node *node);
/* Creates a oneDNN memory object for the operation's kernel in its layout. */
CS_MUST_CHECK cs_status od_kernel_memory(const od_node *node, float *data, dnnl_memory_t *out);
/* Copies memory from one layout to another. */
CS_MUST_CHECK cs_status od_copy_layout(od_program *program, dnnl_memory_t from, dnnl_memory_t to);

#endif
