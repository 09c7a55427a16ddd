/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions with cuDNN. These properties of its engines (9.19, compute capability 9.0) decided the design:
 *  - every kind supports different padding at the start and the end, in every type, and any number of channels, so no
 *    tensor is padded;
 *  - only engines that are compiled at run time, which takes seconds each, fuse a float bias, unless images are float,
 *    too, and the activation is ReLU. In all other cases a kernel of ours adds bias and activation in place. */
#include "cudnn_nvrtc.h"
#include "cudnn_tune.h"
#include "kernels.h"
#include "plan_cache.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>

enum { GPU_NAME = 128, KEY = 512, CANDIDATES = 8 };

struct cu_dnn {
    cu_device *device; /* NULL: plans are made, but cannot run */
    cu_target target;
    cu_plan_cache cache;
    char folder[CS_PATH_MAX]; /* folder of the plan cache */
    char gpu[GPU_NAME];       /* describes the properties of the GPU on which its plans depend */
    bool tf32, deterministic, autotune;
};

/* The choice for a convolution. */
typedef struct conv_choice {
    cu_plan *plan;
    long long engine;
    bool fused;    /* the plan includes bias and ReLU */
    bool compiled; /* cuDNN compiled the engine when the plan was made */
} conv_choice;

struct cu_conv {
    cu_dnn *dnn;
    cu_conv_spec spec;
    conv_choice choice;
    char name[CS_NAME_MAX];
};

static cs_status open_handle(cu_dnn *dnn) {
    struct cudaDeviceProp gpu;
    cudaError_t error = cudaGetDeviceProperties(&gpu, cu_device_index(dnn->device));
    if (error != cudaSuccess)
        return cs_fail(CS_ERR_UNSUPPORTED, "what GPU this is: %s", cudaGetErrorString(error));
    snprintf(dnn->gpu, sizeof dnn->gpu, "%.80s with %d SM", gpu.name, gpu.multiProcessorCount);
    cudnnStatus_t failed = cudnnCreate(&dnn->target.handle);
    if (failed == CUDNN_STATUS_SUCCESS)
        failed = cudnnSetStream(dnn->target.handle, cu_device_stream(dnn->device));
    return failed == CUDNN_STATUS_SUCCESS ? CS_OK : cu_dnn_fail(failed, "cannot be opened");
}

cs_status cu_dnn_open(cu_device *device, const char *description, const cs_engine_options *options, cu_dnn **out) {
    cs_status status = CS_OK;
    cu_dnn *dnn = NULL;
    cu_load_nvrtc_builtins();
    CS_TRY(cs_alloc(1, sizeof *dnn, "convolutions", &dnn));
    dnn->device = device;
    dnn->tf32 = options->precision == CS_PRECISION_TF32;
    dnn->deterministic = options->deterministic;
    /* Timing gives different results in each run. */
    dnn->autotune = options->autotune && !options->deterministic && device;
    if (options->plan_cache) {
        CS_TRY_GOTO(cs_path(dnn->folder, sizeof dnn->folder, "%s", options->plan_cache), done);
        dnn->cache.folder = dnn->folder;
    }
    if (device) {
        CS_TRY_GOTO(open_handle(dnn), done);
    } else {
        CS_TRY_GOTO(cu_target_describe(&dnn->target, description), done);
        snprintf(dnn->gpu, sizeof dnn->gpu, "description %016llx",
                 (unsigned long long)cs_checksum(description, strlen(description)));
    }
done:
    if (status != CS_OK) {
        cu_dnn_close(dnn);
        dnn = NULL;
    }
    *out = dnn;
    return status;
}

void cu_dnn_close(cu_dnn *dnn) {
    if (!dnn)
        return;
    cu_target_close(&dnn->target);
    if (dnn->target.handle)
        cudnnDestroy(dnn->target.handle);
    free(dnn);
}

static const char *const kinds[] = {[CU_CONV_FORWARD] = "forward",
                                    [CU_CONV_BACKWARD_DATA] = "backward data",
                                    [CU_CONV_BACKWARD_KERNEL] = "backward kernel"};
static const char *const types[] = {[CU_F32] = "float", [CU_BF16] = "bf16", [CU_F16] = "fp16"};

static bool wants_more(const cu_conv_spec *spec) {
    return spec->has_bias || spec->activation != CS_ACT_LINEAR;
}

/* May the plan include bias and activation? */
static bool may_fuse(const cu_conv_spec *spec) {
    return spec->has_bias && spec->type == CU_F32 && spec->activation == CS_ACT_RELU;
}

/* Describes the convolution in text for messages and keys. */
static void describe(const cu_conv_spec *spec, char *text, size_t size) {
    const cu_dims *d = &spec->dims;
    const cs_window *w = &d->window;
    snprintf(text, size, "%s %s %dx%dx%dx%d to %dx%dx%d, window %dx%d by %dx%d, padding %d,%d,%d,%d%s",
             types[spec->type], kinds[spec->kind], d->batch, d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c,
             w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->pad_top, w->pad_bottom, w->pad_left, w->pad_right,
             may_fuse(spec) ? ", bias and relu" : "");
}

static void make_key(const cu_dnn *dnn, const cu_conv_spec *spec, char key[KEY]) {
    char text[KEY / 2];
    describe(spec, text, sizeof text);
    snprintf(key, KEY, "%s; cuDNN %zu%s%s%s; %s", dnn->gpu, cudnnGetVersion(), dnn->tf32 ? " tf32" : "",
             dnn->deterministic ? " deterministic" : "", dnn->autotune ? " autotune" : "", text);
}

/* An entry of the cache: engine, fused and compiled as numbers, and on the next lines cuDNN's text. */
static bool find_plan(cu_conv *conv, const char *key) {
    enum { TEN = 10 };
    conv_choice *choice = &conv->choice;
    char *entry = cu_plan_cache_find(&conv->dnn->cache, key), *rest = entry;
    if (!entry)
        return false;
    choice->engine = strtoll(rest, &rest, TEN);
    choice->fused = strtol(rest, &rest, TEN) != 0;
    choice->compiled = strtol(rest, &rest, TEN) != 0;
    bool found = cu_plan_from_json(&conv->dnn->target, rest, &choice->plan) == CS_OK;
    free(entry);
    return found;
}

static void keep_plan(cu_conv *conv, const char *key) {
    const conv_choice *choice = &conv->choice;
    char *json = NULL, *entry = NULL;
    size_t size = 0;
    if (!conv->dnn->cache.folder || cu_plan_to_json(choice->plan, &json) != CS_OK)
        return;
    FILE *text = open_memstream(&entry, &size);
    if (text) {
        fprintf(text, "%lld %d %d\n%s", choice->engine, choice->fused, choice->compiled, json);
        fclose(text);
    }
    if (entry)
        cu_plan_cache_keep(&conv->dnn->cache, key, entry);
    free(entry);
    free(json);
}

/* The numerical notes that an engine must not have: sums must be fp32, and products fp32, too, unless tf32 was
 * requested. */
static unsigned refused_notes(const cu_conv *conv) {
    unsigned refused = 1U << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
    if (conv->dnn->deterministic)
        refused |= 1U << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    if (conv->spec.type == CU_F32)
        refused |= 1U << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
    if (conv->spec.type == CU_F32 && !conv->dnn->tf32)
        refused |= 1U << CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    return refused;
}

/* The engines that heuristics propose for a graph. */
typedef struct conv_proposals {
    cu_proposal list[CU_PROPOSALS];
    int n;
} conv_proposals;

/* The best plans, at most CANDIDATES of them, the best first. */
typedef struct conv_candidates {
    conv_choice list[CANDIDATES];
    int n;
} conv_candidates;

/* Adds plans, in the order of the heuristics, until there are `wanted`. */
static void add_candidates(const cu_conv *conv, const conv_proposals *proposals, bool compiled, int wanted,
                           conv_candidates *to) {
    unsigned refused = refused_notes(conv);
    for (int i = 0; i < proposals->n && to->n < wanted; i++) {
        const cu_proposal *proposal = &proposals->list[i];
        conv_choice *candidate = &to->list[to->n];
        if (proposal->compiled != compiled || proposal->numerical & refused)
            continue;
        *candidate = (conv_choice){.engine = (long long)proposal->engine, .compiled = compiled};
        if (cu_plan_open(&conv->dnn->target, proposal, &candidate->plan) == CS_OK)
            to->n++;
    }
}

/* Engines that must be compiled are used only if there are no others, and not at all if bias and activation can be
 * computed without them. */
static cs_status find_candidates(const cu_conv *conv, cu_graph *graph, bool fused, conv_candidates *out) {
    conv_proposals advised, fallback;
    int wanted = conv->dnn->autotune ? CANDIDATES : 1;
    CS_TRY(cu_graph_propose(graph, CUDNN_HEUR_MODE_A, advised.list, &advised.n));
    add_candidates(conv, &advised, false, wanted, out);
    if (out->n > 0)
        return CS_OK;
    CS_TRY(cu_graph_propose(graph, CUDNN_HEUR_MODE_FALLBACK, fallback.list, &fallback.n));
    add_candidates(conv, &fallback, false, wanted, out);
    if (out->n == 0 && !fused)
        add_candidates(conv, &advised, true, 1, out);
    return CS_OK;
}

/* Finds the best plan of a graph. choice->plan stays NULL if there is none. */
static cs_status search(cu_conv *conv, bool fused) {
    const cu_dnn *dnn = conv->dnn;
    cs_status status = CS_OK;
    conv_candidates candidates = {0};
    cu_graph *graph = NULL;
    int best = 0;
    CS_TRY(cu_graph_open(&dnn->target, &conv->spec, fused, &graph));
    CS_TRY_GOTO(find_candidates(conv, graph, fused, &candidates), done);
    if (candidates.n > 1) {
        cu_plan *plans[CANDIDATES];
        for (int i = 0; i < candidates.n; i++)
            plans[i] = candidates.list[i].plan;
        CS_TRY_GOTO(cu_tune(dnn->device, &dnn->target, &conv->spec, fused, plans, candidates.n, &best), done);
    }
    if (candidates.n > 0) {
        conv->choice = candidates.list[best];
        conv->choice.fused = fused;
        candidates.list[best].plan = NULL;
    }
done:
    for (int i = 0; i < candidates.n; i++)
        cu_plan_close(candidates.list[i].plan);
    cu_graph_close(graph);
    return status;
}

static cs_status choose(cu_conv *conv) {
    char key[KEY];
    make_key(conv->dnn, &conv->spec, key);
    if (find_plan(conv, key))
        return CS_OK;
    if (may_fuse(&conv->spec))
        CS_TRY(search(conv, true));
    if (!conv->choice.plan)
        CS_TRY(search(conv, false));
    if (!conv->choice.plan)
        return cs_fail(CS_ERR_UNSUPPORTED, "cuDNN has no plan for this convolution");
    keep_plan(conv, key);
    return CS_OK;
}

cs_status cu_conv_open(cu_dnn *dnn, const cu_conv_spec *spec, cu_conv **out) {
    cu_conv *conv = NULL;
    *out = NULL;
    CS_TRY(cs_alloc(1, sizeof *conv, "a convolution", &conv));
    conv->dnn = dnn;
    conv->spec = *spec;
    cs_status status = choose(conv);
    if (status != CS_OK) {
        char text[KEY / 2];
        describe(spec, text, sizeof text);
        cu_conv_close(conv);
        return cs_context(status, "%s", text);
    }
    snprintf(conv->name, sizeof conv->name, "cudnn:engine %lld%s%s", conv->choice.engine,
             conv->choice.compiled ? " (compiled)" : "",
             conv->choice.fused ? " with bias and relu"
             : wants_more(spec) ? ", then bias and activation"
                                : "");
    *out = conv;
    return CS_OK;
}

void cu_conv_close(cu_conv *conv) {
    if (conv)
        cu_plan_close(conv->choice.plan);
    free(conv);
}

size_t cu_conv_workspace(const cu_conv *conv) {
    return cu_plan_workspace(conv->choice.plan);
}

const char *cu_conv_name(const cu_conv *conv) {
    return conv->name;
}

cs_status cu_conv_run(cu_conv *conv, const void *a, const void *b, const float *bias, void *out, void *workspace) {
    const cu_conv_spec *spec = &conv->spec;
    const cu_dims *d = &spec->dims;
    bool fused = conv->choice.fused;
    CS_TRY(cu_plan_run(&conv->dnn->target, conv->choice.plan, a, b, fused ? bias : NULL, out, workspace));
    if (wants_more(spec) && !fused)
        cu_k_bias_activation(cu_device_stream(conv->dnn->device), spec->type,
                             (size_t)d->batch * (size_t)d->out_h * (size_t)d->out_w, d->out_c, bias, spec->activation,
                             out);
    return CS_OK;
}
