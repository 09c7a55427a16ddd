/* SPDX-License-Identifier: Apache-2.0 */
/* cuDNN's graph API, as far as convolutions need it: a graph of operations, the engines that heuristics propose for it,
 * plans made of them.
 *
 * A graph here is one convolution, or a convolution with bias and ReLU behind it. Its plans take the pointers a, b and
 * out of conv.h, and a bias. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_GRAPH_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_GRAPH_H

#include "conv.h"

#include <cudnn.h>

/* The GPU that plans are for: the handle's, or, where that is NULL, a described one. */
typedef struct cu_target {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t description;
} cu_target;
/* From cuDNN's JSON. */
CS_MUST_CHECK cs_status cu_target_describe(cu_target *target, const char *json);
void cu_target_close(cu_target *target); /* the description; the handle is its owner's */

typedef struct cu_graph cu_graph;
/* fused: out = relu(conv + bias), bias [O] in the spec's type. */
CS_MUST_CHECK cs_status cu_graph_open(const cu_target *target, const cu_conv_spec *spec, bool fused, cu_graph **out);
void cu_graph_close(cu_graph *graph); /* NULL-safe; its proposals end with it, its plans do not */

/* An engine with its settings, which heuristics propose. */
typedef struct cu_proposal {
    cudnnBackendDescriptor_t config;
    int64_t engine;
    unsigned numerical; /* bits 1 << CUDNN_NUMERICAL_NOTE_... */
    bool compiled;      /* while the program runs, which takes seconds */
} cu_proposal;
enum { CU_PROPOSALS = 48 };
/* Best first; *n is 0 where there is none. Once a graph and mode. */
CS_MUST_CHECK cs_status cu_graph_propose(cu_graph *graph, cudnnBackendHeurMode_t mode, cu_proposal *out, int *n);

typedef struct cu_plan cu_plan;
/* Fails with CS_ERR_UNSUPPORTED where the engine cannot do it after all. */
CS_MUST_CHECK cs_status cu_plan_open(const cu_target *target, const cu_proposal *proposal, cu_plan **out);
/* A plan as text, malloc'ed, and back. */
CS_MUST_CHECK cs_status cu_plan_to_json(const cu_plan *plan, char **out);
CS_MUST_CHECK cs_status cu_plan_from_json(const cu_target *target, const char *json, cu_plan **out);
void cu_plan_close(cu_plan *plan); /* NULL-safe */
size_t cu_plan_workspace(const cu_plan *plan);
/* Enqueues it on the handle's stream. bias: NULL where the graph has none. */
CS_MUST_CHECK cs_status cu_plan_run(const cu_target *target, cu_plan *plan, const void *a, const void *b,
                                    const void *bias, void *out, void *workspace);

/* cs_fail with cuDNN's own words. */
#define cu_dnn_fail(failed, what) cu_dnn_fail_at(__FILE__, __LINE__, (failed), (what))
cs_status cu_dnn_fail_at(const char *file, int line, cudnnStatus_t failed, const char *what);

#endif
