/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/graph.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>

cs_status cs_params_create(const cs_graph *graph, cs_params **out) {
    cs_params *params;
    CS_TRY(cs_alloc(1, sizeof *params, "parameters", &params));
    params->graph = graph;
    cs_status status = cs_alloc_aligned(graph->n_values, sizeof(float), "parameters", &params->data);
    if (status != CS_OK) {
        cs_params_free(params);
        return status;
    }
    *out = params;
    return CS_OK;
}

void cs_params_free(cs_params *params) {
    if (!params)
        return;
    free(params->data);
    free(params);
}

float *cs_params_at(cs_params *params, const cs_param *param) {
    return params->data + param->offset;
}

/* The fans of a kernel. Keras' compute_fans takes them from the shape alone: all dimensions but the last two are the
 * receptive field, for a depthwise kernel too. torch takes a depthwise kernel [kh,kw,C,1] to have fan_in kh*kw and,
 * because of its groups, fan_out kh*kw. */
typedef struct fans {
    double in, out;
} fans;

static fans fans_of(const cs_graph *graph, const cs_param *kernel) {
    double receptive = 1;
    for (int i = 0; i < kernel->rank - 2; i++)
        receptive *= kernel->dims[i];
    if (graph->dialect == CS_DIALECT_TORCH && graph->layers[kernel->layer].kind == CS_LAYER_DEPTHWISE_CONV2D)
        return (fans){receptive, receptive * kernel->dims[kernel->rank - 2]};
    return (fans){receptive * kernel->dims[kernel->rank - 2], receptive * kernel->dims[kernel->rank - 1]};
}

static void fill_uniform(cs_rng *rng, float *values, size_t count, double limit) {
    for (size_t i = 0; i < count; i++)
        values[i] = cs_rng_range(rng, (float)-limit, (float)limit);
}

static void fill_normal(cs_rng *rng, float *values, size_t count, double deviation) {
    for (size_t i = 0; i < count; i++)
        values[i] = (float)deviation * cs_rng_normal(rng);
}

/* A normal distribution truncated at two standard deviations. Truncation leaves 0.8796... of the deviation, which is
 * divided out. */
static void fill_truncated(cs_rng *rng, float *values, size_t count, double deviation) {
    const double left = 0.87962566103423978;
    for (size_t i = 0; i < count; i++) {
        float value;
        do
            value = cs_rng_normal(rng);
        while (fabsf(value) > 2);
        values[i] = (float)(deviation / left) * value;
    }
}

/* Sources of the formulas: Glorot & Bengio, AISTATS 2010; He et al., arXiv:1502.01852; torch.nn.Conv2d and Linear. */
static void init_kernel(cs_rng *rng, cs_initializer initializer, fans f, float *values, size_t count) {
    switch (initializer) {
    case CS_INIT_GLOROT_UNIFORM:
        fill_uniform(rng, values, count, sqrt(6 / (f.in + f.out)));
        break;
    case CS_INIT_TORCH_DEFAULT:
    case CS_INIT_TORCH_ZERO_BIAS:
        fill_uniform(rng, values, count, 1 / sqrt(f.in));
        break;
    case CS_INIT_KAIMING_FAN_OUT:
        fill_normal(rng, values, count, sqrt(2 / f.out));
        break;
    case CS_INIT_KAIMING_FAN_IN:
        fill_normal(rng, values, count, sqrt(2 / f.in));
        break;
    case CS_INIT_NORMAL_001:
        fill_normal(rng, values, count, 0.01);
        break;
    case CS_INIT_TRUNCATED_FAN_OUT:
        fill_truncated(rng, values, count, sqrt(2 / f.out));
        break;
    case CS_INIT_UNIFORM_THIRD:
        fill_uniform(rng, values, count, sqrt(1 / f.out));
        break;
    }
}

static void init_param(cs_params *params, const cs_param *param, uint64_t seed) {
    const cs_graph *graph = params->graph;
    const cs_layer *layer = &graph->layers[param->layer];
    float *values = cs_params_at(params, param);
    cs_rng rng = cs_rng_at(seed, CS_PURPOSE_INIT, (uint32_t)param->role, cs_hash_name(layer->name));
    bool one =
        param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE || param->role == CS_PARAM_VARIANCE;
    if (param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_POINTWISE_KERNEL)
        init_kernel(&rng, layer->initializer, fans_of(graph, param), values, param->count);
    else if (param->role == CS_PARAM_BIAS && layer->initializer == CS_INIT_TORCH_DEFAULT)
        fill_uniform(&rng, values, param->count, 1 / sqrt(fans_of(graph, &graph->params[layer->first_param]).in));
    else
        for (size_t i = 0; i < param->count; i++)
            values[i] = one ? 1.0f : 0.0f;
}

void cs_params_init(cs_params *params, uint64_t seed) {
    for (int i = 0; i < params->graph->n_params; i++)
        init_param(params, &params->graph->params[i], seed);
}
