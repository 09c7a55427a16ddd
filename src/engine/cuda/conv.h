/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and matrix products of the CUDA engine, each planned once for its shape.
 *
 * cudnn_conv.c runs them by cuDNN's graph API; tests/engine/cuda_host/conv.c with plain loops. Images are [N,H,W,C],
 * kernels [O,H,W,I], both in the engine's type; sums are fp32. A dense layer is a convolution of one pixel. */
#ifndef CNNSWEEP_ENGINE_CUDA_CONV_H
#define CNNSWEEP_ENGINE_CUDA_CONV_H

#include "device.h"

typedef enum cu_type { CU_F32, CU_BF16, CU_F16 } cu_type;
static inline size_t cu_type_size(cu_type type) {
    return type == CU_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* One window over images, of a convolution or a pool. */
typedef struct cu_dims {
    int batch;
    int in_h, in_w, in_c, out_h, out_w, out_c;
    cs_window window;
} cu_dims;

typedef enum cu_conv_kind {
    CU_CONV_FORWARD,        /* a = x, b = kernel, out = y */
    CU_CONV_BACKWARD_DATA,  /* a = dy, b = kernel, out = dx */
    CU_CONV_BACKWARD_KERNEL /* a = x, b = dy, out = dkernel, in the engine's type */
} cu_conv_kind;

typedef struct cu_conv_spec {
    cu_conv_kind kind;
    cu_dims dims;
    cu_type type;
    bool has_bias;            /* FORWARD: fp32, [O], is added */
    cs_activation activation; /* FORWARD: behind it */
} cu_conv_spec;

/* The library, opened for a device. Its plans are chosen by heuristics or, with options->autotune, by the clock;
 * options->deterministic leaves out those whose sums have no fixed order, and the clock; fp32 those that round to tf32.
 * Plans are kept in options->plan_cache, a folder, so that the next start finds them. `device` NULL: plans are made for
 * the GPU that `description` (cuDNN's JSON) tells of, and cannot run. */
typedef struct cu_dnn cu_dnn;
CS_MUST_CHECK cs_status cu_dnn_open(cu_device *device, const char *description, const cs_engine_options *options,
                                    cu_dnn **out);
void cu_dnn_close(cu_dnn *dnn); /* NULL-safe */

typedef struct cu_conv cu_conv;
/* CS_ERR_UNSUPPORTED names the shape where the library has no plan. */
CS_MUST_CHECK cs_status cu_conv_open(cu_dnn *dnn, const cu_conv_spec *spec, cu_conv **out);
void cu_conv_close(cu_conv *conv);             /* NULL-safe */
size_t cu_conv_workspace(const cu_conv *conv); /* bytes; one workspace serves all that run in one stream */
const char *cu_conv_name(const cu_conv *conv); /* what runs it: "cudnn:engine 12" */
/* Enqueues it; all pointers are aligned to 16 bytes. `bias` is for what has one, else NULL. Allocates nothing while the
 * pointers are those of the last call. May be captured in a CUDA graph once it has run: the first run loads what it
 * needs. */
CS_MUST_CHECK cs_status cu_conv_run(cu_conv *conv, const void *a, const void *b, const float *bias, void *out,
                                    void *workspace);

#endif
