/* SPDX-License-Identifier: Apache-2.0 */
#include "cudnn_graph.h"

#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef cudnnBackendDescriptor_t descriptor;

/* Identifiers of the tensors of a graph, by which pointers are passed. */
enum { UID_A = 1, UID_B, UID_OUT, UID_BIAS, UID_CONV, UID_SUM };
enum { DESCRIPTORS = 16 + 2 * CU_PROPOSALS, OPERATIONS = 3 };

struct cu_graph {
    const cu_target *target;
    descriptor made[DESCRIPTORS]; /* all descriptors, in the order in which they were created */
    int n_made;
    descriptor operations[OPERATIONS];
    int n_operations;
    descriptor graph;
};

enum { POINTERS = 5 };

struct cu_plan {
    descriptor plan;
    int64_t workspace;
    descriptor pack;                /* the pointers of the last run, which hardly ever change */
    const void *pointers[POINTERS]; /* a, b, out, bias, workspace */
};

cs_status cu_dnn_fail_at(const char *file, int line, cudnnStatus_t failed, const char *what) {
    enum { THOUSAND = 1000, BAD_PARAMETER = 2 }; /* 2xxx: CUDNN_STATUS_BAD_PARAM... */
    cs_status code = failed / THOUSAND == BAD_PARAMETER ? CS_ERR_ARG : CS_ERR_UNSUPPORTED;
    char why[512] = "";
    cudnnGetLastErrorString(why, sizeof why);
    return cs_fail_at(file, line, code, "cuDNN: %s: %s%s%s", what, cudnnGetErrorString(failed), *why ? ": " : "", why);
}

#define DNN_TRY(call, what)                                                                                            \
    do {                                                                                                               \
        cudnnStatus_t failed_ = (call);                                                                                \
        if (failed_ != CUDNN_STATUS_SUCCESS)                                                                           \
            return cu_dnn_fail(failed_, what);                                                                         \
    } while (0)

static cs_status set(descriptor d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                     const void *values) {
    cudnnStatus_t failed = cudnnBackendSetAttribute(d, name, type, n, values);
    if (failed == CUDNN_STATUS_SUCCESS)
        return CS_OK;
    char what[32];
    snprintf(what, sizeof what, "attribute %d", (int)name);
    return cu_dnn_fail(failed, what);
}

static cs_status set_descriptor(descriptor d, cudnnBackendAttributeName_t name, descriptor value) {
    return set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static cs_status set_integer(descriptor d, cudnnBackendAttributeName_t name, int64_t value) {
    return set(d, name, CUDNN_TYPE_INT64, 1, &value);
}

static cs_status set_pair(descriptor d, cudnnBackendAttributeName_t name, int first, int second) {
    return set(d, name, CUDNN_TYPE_INT64, 2, (int64_t[]){first, second});
}

static cs_status finalize(descriptor d, const char *what) {
    DNN_TRY(cudnnBackendFinalize(d), what);
    return CS_OK;
}

cs_status cu_target_describe(cu_target *target, const char *json) {
    *target = (cu_target){0};
    DNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &target->description), "a description");
    cs_status status = set(target->description, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                           (int64_t)strlen(json) + 1, json);
    if (status == CS_OK)
        status = finalize(target->description, "the description of a GPU");
    if (status != CS_OK)
        cu_target_close(target);
    return status;
}

void cu_target_close(cu_target *target) {
    if (target->description)
        cudnnBackendDestroyDescriptor(target->description);
    target->description = NULL;
}

static cs_status make(cu_graph *graph, cudnnBackendDescriptorType_t type, descriptor *out) {
    if (graph->n_made == DESCRIPTORS)
        return cs_fail(CS_ERR_UNSUPPORTED, "cuDNN: more than %d descriptors", DESCRIPTORS);
    DNN_TRY(cudnnBackendCreateDescriptor(type, out), "a descriptor");
    graph->made[graph->n_made++] = *out;
    return CS_OK;
}

/* Describes a tensor [N,H,W,C] in memory; cuDNN names the dimensions N, C, H, W. */
static cs_status make_tensor(cu_graph *graph, int64_t uid, cudnnDataType_t type, const int size[4], descriptor *out) {
    int64_t h = size[1], w = size[2], c = size[3];
    bool is_virtual = uid == UID_CONV || uid == UID_SUM;
    CS_TRY(make(graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR, out));
    CS_TRY(set(*out, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    CS_TRY(set(*out, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, (int64_t[]){size[0], c, h, w}));
    CS_TRY(set(*out, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, (int64_t[]){h * w * c, 1, w * c, c}));
    CS_TRY(set_integer(*out, CUDNN_ATTR_TENSOR_UNIQUE_ID, uid));
    CS_TRY(set_integer(*out, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16));
    CS_TRY(set(*out, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual));
    return finalize(*out, "tensor");
}

static cs_status make_window(cu_graph *graph, const cs_window *w, descriptor *out) {
    cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    CS_TRY(make(graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
    CS_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums));
    CS_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    CS_TRY(set_integer(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2));
    CS_TRY(set_pair(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, 1));
    CS_TRY(set_pair(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, w->stride_h, w->stride_w));
    CS_TRY(set_pair(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, w->pad_top, w->pad_left));
    CS_TRY(set_pair(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, w->pad_bottom, w->pad_right));
    return finalize(*out, "window");
}

/* The names of an operation and its attributes. */
typedef struct operation_names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t window, a, b, out, alpha, beta;
} operation_names;

static const operation_names names[] = {
    [CU_CONV_FORWARD] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    [CU_CONV_BACKWARD_DATA] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                               CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    [CU_CONV_BACKWARD_KERNEL] = {
        CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};

static cs_status make_conv(cu_graph *graph, cu_conv_kind kind, descriptor window, descriptor a, descriptor b,
                           descriptor out) {
    const operation_names *name = &names[kind];
    float one = 1, zero = 0;
    descriptor operation = NULL;
    CS_TRY(make(graph, name->operation, &operation));
    CS_TRY(set_descriptor(operation, name->window, window));
    CS_TRY(set_descriptor(operation, name->a, a));
    CS_TRY(set_descriptor(operation, name->b, b));
    CS_TRY(set_descriptor(operation, name->out, out));
    CS_TRY(set(operation, name->alpha, CUDNN_TYPE_FLOAT, 1, &one));
    CS_TRY(set(operation, name->beta, CUDNN_TYPE_FLOAT, 1, &zero));
    graph->operations[graph->n_operations++] = operation;
    return finalize(operation, "convolution");
}

/* Appends y = mode(x), or mode(x, b). */
static cs_status make_pointwise(cu_graph *graph, cudnnPointwiseMode_t mode, descriptor x, descriptor b, descriptor y) {
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    descriptor how = NULL, operation = NULL;
    CS_TRY(make(graph, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &how));
    CS_TRY(set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    CS_TRY(set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type));
    CS_TRY(finalize(how, "pointwise"));
    CS_TRY(make(graph, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, &operation));
    CS_TRY(set_descriptor(operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how));
    CS_TRY(set_descriptor(operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x));
    if (b)
        CS_TRY(set_descriptor(operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b));
    CS_TRY(set_descriptor(operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y));
    graph->operations[graph->n_operations++] = operation;
    return finalize(operation, "pointwise operation");
}

static cs_status make_operations(cu_graph *graph, const cu_conv_spec *spec, bool fused) {
    static const cudnnDataType_t types[] = {
        [CU_F32] = CUDNN_DATA_FLOAT, [CU_BF16] = CUDNN_DATA_BFLOAT16, [CU_F16] = CUDNN_DATA_HALF};
    const cu_dims *d = &spec->dims;
    cudnnDataType_t type = types[spec->type];
    const int x[] = {d->batch, d->in_h, d->in_w, d->in_c}, y[] = {d->batch, d->out_h, d->out_w, d->out_c};
    const int kernel[] = {d->out_c, d->window.kernel_h, d->window.kernel_w, d->in_c}, channels[] = {1, 1, 1, d->out_c};
    const int *sizes[][3] = {[CU_CONV_FORWARD] = {x, kernel, y},
                             [CU_CONV_BACKWARD_DATA] = {y, kernel, x},
                             [CU_CONV_BACKWARD_KERNEL] = {x, y, kernel}};
    descriptor window = NULL, a = NULL, b = NULL, out = NULL, bias = NULL, conv = NULL, sum = NULL;
    CS_TRY(make_window(graph, &d->window, &window));
    CS_TRY(make_tensor(graph, UID_A, type, sizes[spec->kind][0], &a));
    CS_TRY(make_tensor(graph, UID_B, type, sizes[spec->kind][1], &b));
    CS_TRY(make_tensor(graph, UID_OUT, type, sizes[spec->kind][2], &out));
    if (!fused)
        return make_conv(graph, spec->kind, window, a, b, out);
    CS_TRY(make_tensor(graph, UID_BIAS, type, channels, &bias));
    CS_TRY(make_tensor(graph, UID_CONV, CUDNN_DATA_FLOAT, y, &conv));
    CS_TRY(make_tensor(graph, UID_SUM, CUDNN_DATA_FLOAT, y, &sum));
    CS_TRY(make_conv(graph, spec->kind, window, a, b, conv));
    CS_TRY(make_pointwise(graph, CUDNN_POINTWISE_ADD, conv, bias, sum));
    return make_pointwise(graph, CUDNN_POINTWISE_RELU_FWD, sum, NULL, out);
}

static cs_status make_graph(cu_graph *graph) {
    CS_TRY(make(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, &graph->graph));
    CS_TRY(set(graph->graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph->n_operations,
               graph->operations));
    if (graph->target->handle)
        CS_TRY(set(graph->graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &graph->target->handle));
    return finalize(graph->graph, "operation graph");
}

cs_status cu_graph_open(const cu_target *target, const cu_conv_spec *spec, bool fused, cu_graph **out) {
    cs_status status = CS_OK;
    cu_graph *graph = NULL;
    CS_TRY(cs_alloc(1, sizeof *graph, "a graph of cuDNN", &graph));
    graph->target = target;
    CS_TRY_GOTO(make_operations(graph, spec, fused), done);
    CS_TRY_GOTO(make_graph(graph), done);
done:
    if (status != CS_OK) {
        cu_graph_close(graph);
        graph = NULL;
    }
    *out = graph;
    return status;
}

void cu_graph_close(cu_graph *graph) {
    while (graph && graph->n_made > 0)
        cudnnBackendDestroyDescriptor(graph->made[--graph->n_made]);
    free(graph);
}

/* Reads which engine a configuration uses, and the properties of that engine. */
static cs_status read_engine(descriptor engine, cu_proposal *proposal) {
    cudnnBackendNumericalNote_t numerical[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    cudnnBackendBehaviorNote_t behavior[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
    int64_t n = 0;
    DNN_TRY(cudnnBackendGetAttribute(proposal->config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                     &n, &engine),
            "an engine");
    DNN_TRY(
        cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n, &proposal->engine),
        "an engine's number");
    DNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                     CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n, numerical),
            "an engine's numerical notes");
    for (int64_t i = 0; i < n; i++)
        proposal->numerical |= 1U << numerical[i];
    DNN_TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                     CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &n, behavior),
            "an engine's behaviour notes");
    for (int64_t i = 0; i < n; i++)
        proposal->compiled |= behavior[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    return CS_OK;
}

cs_status cu_graph_propose(cu_graph *graph, cudnnBackendHeurMode_t mode, cu_proposal *out, int *n) {
    descriptor heuristic = NULL, configs[CU_PROPOSALS], engine = NULL;
    int64_t found = 0;
    *n = 0;
    CS_TRY(make(graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristic));
    CS_TRY(set_descriptor(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph->graph));
    CS_TRY(set(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    if (!graph->target->handle)
        CS_TRY(set_descriptor(heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, graph->target->description));
    if (cudnnBackendFinalize(heuristic) != CUDNN_STATUS_SUCCESS)
        return CS_OK; /* the heuristics know no engine for such a graph */
    for (int i = 0; i < CU_PROPOSALS; i++)
        CS_TRY(make(graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[i]));
    DNN_TRY(cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                     CU_PROPOSALS, &found, configs),
            "heuristics");
    cs_status status = CS_OK;
    /* By the manual `found` is the number of engines that exist, which may exceed the number returned. */
    found = found < CU_PROPOSALS ? found : CU_PROPOSALS;
    for (int i = 0; i < found && status == CS_OK; i++) {
        out[i] = (cu_proposal){.config = configs[i]};
        DNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine), "an engine");
        status = read_engine(engine, &out[i]);
        cudnnBackendDestroyDescriptor(engine);
    }
    *n = status == CS_OK ? (int)found : 0;
    return status;
}

/* Sets the source of the plan, finalises the plan, and queries its workspace. */
static cs_status finish_plan(const cu_target *target, cu_plan *plan, cudnnBackendAttributeName_t source,
                             cudnnBackendAttributeType_t type, int64_t n, const void *value) {
    int64_t found = 0;
    DNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan->plan), "a plan");
    if (target->handle)
        CS_TRY(set(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &target->handle));
    /* A configuration contains its GPU, a text does not. */
    else if (source == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)
        CS_TRY(set_descriptor(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target->description));
    CS_TRY(set(plan->plan, source, type, n, value));
    CS_TRY(finalize(plan->plan, "execution plan"));
    DNN_TRY(cudnnBackendGetAttribute(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &found,
                                     &plan->workspace),
            "a plan's workspace");
    return CS_OK;
}

static cs_status open_plan(const cu_target *target, cudnnBackendAttributeName_t source,
                           cudnnBackendAttributeType_t type, int64_t n, const void *value, cu_plan **out) {
    cu_plan *plan = NULL;
    *out = NULL;
    CS_TRY(cs_alloc(1, sizeof *plan, "a plan of cuDNN", &plan));
    cs_status status = finish_plan(target, plan, source, type, n, value);
    if (status == CS_OK)
        *out = plan;
    else
        cu_plan_close(plan);
    return status;
}

cs_status cu_plan_open(const cu_target *target, const cu_proposal *proposal, cu_plan **out) {
    return open_plan(target, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                     &proposal->config, out);
}

cs_status cu_plan_from_json(const cu_target *target, const char *json, cu_plan **out) {
    return open_plan(target, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)strlen(json) + 1,
                     json, out);
}

cs_status cu_plan_to_json(const cu_plan *plan, char **out) {
    int64_t size = 0;
    DNN_TRY(cudnnBackendGetAttribute(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0,
                                     &size, NULL),
            "the length of a plan");
    char *text = NULL;
    *out = NULL;
    CS_TRY(cs_alloc((size_t)size + 1, 1, "a plan as text", &text));
    cudnnStatus_t failed = cudnnBackendGetAttribute(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                                    CUDNN_TYPE_CHAR, size, &size, text);
    if (failed == CUDNN_STATUS_SUCCESS) {
        *out = text;
        return CS_OK;
    }
    free(text);
    return cu_dnn_fail(failed, "a plan as text");
}

void cu_plan_close(cu_plan *plan) {
    if (plan && plan->pack)
        cudnnBackendDestroyDescriptor(plan->pack);
    if (plan && plan->plan)
        cudnnBackendDestroyDescriptor(plan->plan);
    free(plan);
}

size_t cu_plan_workspace(const cu_plan *plan) {
    return (size_t)plan->workspace;
}

static cs_status make_pack(cu_plan *plan, const void *const pointers[POINTERS]) {
    static const int64_t uids[] = {UID_A, UID_B, UID_OUT, UID_BIAS};
    const void *bias = pointers[3];
    if (plan->pack)
        cudnnBackendDestroyDescriptor(plan->pack);
    plan->pack = NULL;
    memset(plan->pointers, 0, sizeof plan->pointers);
    DNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &plan->pack), "pointers");
    int64_t n = bias ? 4 : 3;
    CS_TRY(set(plan->pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, uids));
    CS_TRY(set(plan->pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointers));
    CS_TRY(set(plan->pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &pointers[4]));
    CS_TRY(finalize(plan->pack, "pointers"));
    memcpy(plan->pointers, pointers, sizeof plan->pointers);
    return CS_OK;
}

cs_status cu_plan_run(const cu_target *target, cu_plan *plan, const void *a, const void *b, const void *bias, void *out,
                      void *workspace) {
    const void *const pointers[POINTERS] = {a, b, out, bias, workspace};
    if (memcmp(plan->pointers, pointers, sizeof pointers) != 0)
        CS_TRY(make_pack(plan, pointers));
    DNN_TRY(cudnnBackendExecute(target->handle, plan->plan, plan->pack), "a convolution");
    return CS_OK;
}
