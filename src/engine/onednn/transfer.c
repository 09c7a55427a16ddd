/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"
#include "layout.h"

#include <string.h>

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
