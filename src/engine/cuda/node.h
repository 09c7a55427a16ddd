/* SPDX-License-Identifier: Apache-2.0 */
/* Helper functions for a node and its tensors. */
#ifndef CNNSWEEP_CUDA_NODE_H
#define CNNSWEEP_CUDA_NODE_H

#include "program.h"

static inline cu_stream cu_stream_of(const cu_node *node) {
    return cu_device_stream(node->program->engine->device);
}
static inline cu_type cu_type_of(const cu_node *node) {
    return node->program->engine->type;
}
static inline const cu_tensor *cu_input(const cu_node *node, int i) {
    return &node->program->values[node->op->inputs[i]];
}
static inline const cu_tensor *cu_output(const cu_node *node) {
    return &node->program->values[node->op->output];
}
/* dx of input i; NULL if it is not needed. */
static inline void *cu_input_grad(const cu_node *node, int i) {
    return node->program->grads[node->op->inputs[i]].data;
}
static inline const void *cu_output_grad(const cu_node *node) {
    return node->program->grads[node->op->output].data;
}
cu_dims cu_dims_of(const cu_node *node);
int cu_pixels_a_row(const cu_tensor *tensor);
size_t cu_pixels(const cu_node *node, const cu_tensor *tensor); /* pixels in the whole batch */
size_t cu_count(const cu_node *node, const cu_tensor *tensor);  /* values in the whole batch */
void cu_want(size_t *most, size_t bytes);

/* Rounds up to the alignment of device memory. */
size_t cu_aligned(size_t bytes);
void *cu_take(cu_cursor *cursor, size_t bytes);

#endif
