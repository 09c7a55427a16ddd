/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and matrix products of the CUDA engine. Each is planned once for its shape.
 *
 * cudnn_conv.c runs them with cuDNN's graph API, and tests/engine/cuda_host/conv.c with plain loops. Images are
 * [N,H,W,C] and kernels [O,H,W,I], both in the engine's type; sums are fp32. A dense layer is a convolution of one
 * pixel. */
#ifndef CNNSWEEP_ENGINE_CUDA_CONV_H
#define CNNSWEEP_ENGINE_CUDA_CONV_H

#include "device.h"

typedef enum cu_type { CU_F32, CU_BF16, CU_F16 } cu_type;
static inline size_t cu_type_size(cu_type type) {
    return type == CU_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* A window that slides over images, of a convolution or a pool. */
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
    bool has_bias;            /* FORWARD: a bias [O] in fp32 is added */
    cs_activation activation; /* FORWARD: is applied after the bias */
} cu_conv_spec;

/* The library, opened for a device. It chooses plans by heuristics or, with options->autotune, by timing.
 * options->deterministic excludes timing, and plans whose summation order varies. In fp32, plans that round to tf32 are
 * excluded. Plans are stored in the folder options->plan_cache for later runs. With `device` NULL, plans are made for
 * the GPU that `description` (cuDNN's JSON) describes, and cannot run. */
typedef struct cu_dnn cu_dnn;
CS_MUST_CHECK cs_status cu_dnn_open(cu_device *device, const char *description, const cs_engine_options *options,
                                    cu_dnn **out);
void cu_dnn_close(cu_dnn *dnn); /* NULL-safe */

typedef struct cu_conv cu_conv;
/* Returns CS_ERR_UNSUPPORTED, with the shape in the message, if the library has no plan. */
CS_MUST_CHECK cs_status cu_conv_open(cu_dnn *dnn, const cu_conv_spec *spec, cu_conv **out);
void cu_conv_close(cu_conv *conv);             /* NULL-safe */
size_t cu_conv_workspace(const cu_conv *conv); /* bytes; all convolutions of a stream may share one workspace */
const char *cu_conv_name(const cu_conv *conv); /* the implementation, such as "cudnn:engine 12" */
/* Enqueues the convolution. All pointers must be aligned to 16 bytes. `bias` is NULL if the convolution has none.
 * Allocates nothing if the pointers are those of the last call. May be captured in a CUDA graph, but not the first run,
 * because the library loads its kernels then. */
CS_MUST_CHECK cs_status cu_conv_run(cu_conv *conv, const void *a, const void *b, const float *bias, void *out,
                                    void *workspace);

#endif
