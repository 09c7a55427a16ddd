/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <string.h>

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

/* [n,H,W,C] <-> [n,C,H,W] */
static void planar_from_host(const od_tensor *tensor, int n, const float *in) {
    size_t pixels = (size_t)tensor->shape.h * (size_t)tensor->shape.w, channels = (size_t)tensor->shape.c;
    for (size_t r = 0; r < (size_t)n; r++)
        for (size_t c = 0; c < channels; c++) {
            float *plane = tensor->data + (r * channels + c) * pixels;
            const float *from = in + r * pixels * channels + c;
            for (size_t p = 0; p < pixels; p++)
                plane[p] = from[p * channels];
        }
}

static void planar_to_host(const od_tensor *tensor, int n, float *out) {
    size_t pixels = (size_t)tensor->shape.h * (size_t)tensor->shape.w, channels = (size_t)tensor->shape.c;
    for (size_t r = 0; r < (size_t)n; r++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                out[(r * pixels + p) * channels + c] = tensor->data[(r * channels + c) * pixels + p];
}

void od_from_host(const od_program *program, const od_tensor *tensor, int n, const float *in) {
    if (tensor->layout == OD_FLAT)
        memcpy(tensor->data, in, (size_t)n * tensor->row * sizeof *in);
    else if (tensor->layout == OD_PLANAR)
        planar_from_host(tensor, n, in);
    else
        program->engine->kernels->from_nhwc(od_dims_of(program, tensor, n), in, tensor->data);
}

void od_to_host(const od_program *program, const od_tensor *tensor, int n, float *out) {
    if (tensor->layout == OD_FLAT)
        memcpy(out, tensor->data, (size_t)n * tensor->row * sizeof *out);
    else if (tensor->layout == OD_PLANAR)
        planar_to_host(tensor, n, out);
    else
        program->engine->kernels->to_nhwc(od_dims_of(program, tensor, n), tensor->data, out);
}
