/* SPDX-License-Identifier: Apache-2.0 */
/* The part of cuDNN's graph API that convolutions need: a graph of operations, the engines that heuristics propose for
 * it, and the plans made from them.
 *
 * A graph is one convolution, or a convolution followed by bias and ReLU. Its plans take the pointers a, b and out of
 * conv.h, and a bias. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_GRAPH_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_GRAPH_H

#include "conv.h"

#include <cudnn.h>

/* The GPU for which plans are made: the GPU of the handle or, if the handle is NULL, a described GPU. */
typedef struct cu_target {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t description;
} cu_target;
/* Makes a target from cuDNN's JSON. */
CS_MUST_CHECK cs_status cu_target_describe(cu_target *target, const char *json);
void cu_target_close(cu_target *target); /* frees the description; the caller owns the handle */

typedef struct cu_graph cu_graph;
/* fused: out = relu(conv + bias), where bias [O] has the spec's type. */
CS_MUST_CHECK cs_status cu_graph_open(const cu_target *target, const cu_conv_spec *spec, bool fused, cu_graph **out);
void cu_graph_close(cu_graph *graph); /* NULL-safe; frees its proposals, but not its plans */

/* An engine of cuDNN and its settings, as heuristics propose them. */
typedef struct cu_proposal {
    cudnnBackendDescriptor_t config;
    int64_t engine;
    unsigned numerical; /* bits 1 << CUDNN_NUMERICAL_NOTE_... */
    bool compiled;      /* cuDNN compiles the engine at run time, which takes seconds */
} cu_proposal;
enum { CU_PROPOSALS = 48 };
/* Returns the proposals, the best first; *n is 0 if there are none. To be called once for each graph and mode. */
CS_MUST_CHECK cs_status cu_graph_propose(cu_graph *graph, cudnnBackendHeurMode_t mode, cu_proposal *out, int *n);

typedef struct cu_plan cu_plan;
/* Fails with CS_ERR_UNSUPPORTED if the engine cannot run the graph although it was proposed. */
CS_MUST_CHECK cs_status cu_plan_open(const cu_target *target, const cu_proposal *proposal, cu_plan **out);
/* These two convert a plan to text, which is malloc'ed, and back. */
CS_MUST_CHECK cs_status cu_plan_to_json(const cu_plan *plan, char **out);
CS_MUST_CHECK cs_status cu_plan_from_json(const cu_target *target, const char *json, cu_plan **out);
void cu_plan_close(cu_plan *plan); /* NULL-safe */
size_t cu_plan_workspace(const cu_plan *plan);
/* Enqueues the plan on the handle's stream. bias: NULL if the graph has none. */
CS_MUST_CHECK cs_status cu_plan_run(const cu_target *target, cu_plan *plan, const void *a, const void *b,
                                    const void *bias, void *out, void *workspace);

/* Calls cs_fail with cuDNN's error message. */
#define cu_dnn_fail(failed, what) cu_dnn_fail_at(__FILE__, __LINE__, (failed), (what))
cs_status cu_dnn_fail_at(const char *file, int line, cudnnStatus_t failed, const char *what);

#endif
