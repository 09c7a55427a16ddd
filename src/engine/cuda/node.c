/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

enum { LINE = 256 }; /* alignment of device memory in bytes */

size_t cu_aligned(size_t bytes) {
    return (bytes + LINE - 1) / LINE * LINE;
}

cu_dims cu_dims_of(const cu_node *node) {
    cs_shape in = cu_input(node, 0)->shape, out = cu_output(node)->shape;
    cu_dims dims = {.batch = node->program->base.spec.batch,
                    .in_h = in.h,
                    .in_w = in.w,
                    .in_c = in.c,
                    .out_h = out.h,
                    .out_w = out.w,
                    .out_c = out.c,
                    .window = node->op->window};
    if (node->op->kind == CS_OP_DENSE)
        dims.window = (cs_window){.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1};
    return dims;
}

int cu_pixels_a_row(const cu_tensor *tensor) {
    return tensor->shape.h * tensor->shape.w;
}

size_t cu_pixels(const cu_node *node, const cu_tensor *tensor) {
    return (size_t)node->program->base.spec.batch * (size_t)cu_pixels_a_row(tensor);
}

size_t cu_count(const cu_node *node, const cu_tensor *tensor) {
    return (size_t)node->program->base.spec.batch * tensor->row;
}

void *cu_take(cu_cursor *cursor, size_t bytes) {
    void *at = cursor->base ? cursor->base + cursor->used : NULL;
    cursor->used += cu_aligned(bytes);
    return at;
}

void cu_want(size_t *most, size_t bytes) {
    if (bytes > *most)
        *most = bytes;
}
