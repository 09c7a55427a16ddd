/* SPDX-License-Identifier: Apache-2.0 */
/* A wrapper of oneDNN's C API that is the same for 2.x and 3.x; api.c handles the differences. All data is f32. */
#ifndef CNNSWEEP_ONEDNN_API_H
#define CNNSWEEP_ONEDNN_API_H

#include "cnnsweep/graph.h"

#include <oneapi/dnnl/dnnl.h>

/* The shape and layout of a tensor. With the tag `any` the primitive chooses the layout. */
typedef struct od_desc {
    int rank;
    dnnl_dims_t dims;
    dnnl_format_tag_t tag;
} od_desc;

/* A primitive descriptor is the plan, and a primitive is the compiled code. Both are freed together. NULL-safe. */
typedef struct od_primitive {
    dnnl_primitive_desc_t plan;
    dnnl_primitive_t code;
} od_primitive;
void od_primitive_clear(od_primitive *primitive);

/* The implementation's name, such as "jit:avx512_core". */
const char *od_primitive_implementation(const od_primitive *primitive);
/* Does it sum every row in the same order, whatever the row's position and the number of rows? False for an
 * implementation that calls a gemm. */
bool od_sums_alike(const od_primitive *primitive);

typedef enum od_direction { OD_FORWARD, OD_BACKWARD_DATA, OD_BACKWARD_WEIGHTS } od_direction;

/* The descriptors are those of (source, weights, bias, destination), or of their gradients in the backward
 * directions. */
typedef struct od_conv {
    od_desc source, weights, destination;
    bool has_bias;
    bool inference; /* forward only */
    bool winograd;  /* prefer Winograd; without it, or if the library has none, the direct algorithm is used */
    cs_activation activation;
    const cs_window *window;
} od_conv;
CS_MUST_CHECK cs_status od_conv_create(dnnl_engine_t engine, const od_conv *conv, od_direction direction,
                                       const od_primitive *forward, od_primitive *out);

typedef struct od_inner_product {
    od_desc source, weights, destination;
    bool has_bias;
    cs_activation activation;
} od_inner_product;
CS_MUST_CHECK cs_status od_inner_product_create(dnnl_engine_t engine, const od_inner_product *product,
                                                od_direction direction, const od_primitive *forward, od_primitive *out);

typedef struct od_pool {
    od_desc source, destination;
    bool max; /* else the average over pixels inside the image */
    bool inference;
    const cs_window *window;
} od_pool;
CS_MUST_CHECK cs_status od_pool_create(dnnl_engine_t engine, const od_pool *pool, od_direction direction,
                                       const od_primitive *forward, od_primitive *out);

/* The bytes of one of the primitive's tensors; 0 if it has none. `what`: dnnl_query_weights_md, _diff_weights_md,
 * _workspace_md. */
size_t od_primitive_bytes(const od_primitive *primitive, dnnl_query_t what);
/* These create a memory object over `data`, in the layout that the primitive needs for `what` or in the given
 * layout. */
CS_MUST_CHECK cs_status od_memory_for(dnnl_engine_t engine, const od_primitive *primitive, dnnl_query_t what,
                                      void *data, dnnl_memory_t *out);
CS_MUST_CHECK cs_status od_memory_create(dnnl_engine_t engine, const od_desc *desc, void *data, dnnl_memory_t *out);
/* Do both memory objects have the same layout? */
bool od_same_layout(dnnl_memory_t a, dnnl_memory_t b);
CS_MUST_CHECK cs_status od_reorder_create(dnnl_engine_t engine, dnnl_memory_t from, dnnl_memory_t to,
                                          od_primitive *out);

/* Runs and waits. */
CS_MUST_CHECK cs_status od_execute(dnnl_primitive_t code, dnnl_stream_t stream, int n_args,
                                   const dnnl_exec_arg_t *args);

CS_MUST_CHECK cs_status od_fail(dnnl_status_t status, const char *what);

#endif
