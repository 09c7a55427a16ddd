/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

size_t od_lanes(const od_program *program, int channels) {
    size_t block = (size_t)program->engine->kernels->block;
    return ((size_t)channels + block - 1) / block * block;
}

od_dims od_dims_of(const od_program *program, const od_tensor *tensor, int rows) {
    int block = program->engine->kernels->block;
    return (od_dims){.rows = rows,
                     .blocks = (tensor->shape.c + block - 1) / block,
                     .h = tensor->shape.h,
                     .w = tensor->shape.w,
                     .c = tensor->shape.c};
}

od_desc od_desc_of(const od_program *program, const od_tensor *tensor, int rows) {
    if (tensor->layout == OD_FLAT)
        return (od_desc){.rank = 2, .dims = {rows, tensor->shape.c}, .tag = dnnl_nc};
    dnnl_format_tag_t blocked = program->engine->kernels->block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    return (od_desc){.rank = 4,
                     .dims = {rows, tensor->shape.c, tensor->shape.h, tensor->shape.w},
                     .tag = tensor->layout == OD_BLOCKED ? blocked : dnnl_nchw};
}

float *od_at(const od_tensor *tensor, const od_rows *rows) {
    return tensor->scratch ? tensor->data : tensor->data + (size_t)rows->first * tensor->row;
}
