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

/* Glorot & Bengio, AISTATS 2010: uniform in +-sqrt(6 / (fan_in + fan_out)). The fans as Keras' compute_fans takes them
 * from the shape alone: all but the last two dimensions are the receptive field, also for a depthwise kernel. */
static float glorot_limit(const cs_param *kernel) {
    double receptive = 1;
    for (int i = 0; i < kernel->rank - 2; i++)
        receptive *= kernel->dims[i];
    double fans = receptive * kernel->dims[kernel->rank - 2] + receptive * kernel->dims[kernel->rank - 1];
    return (float)sqrt(6.0 / fans);
}

static void init_param(cs_params *params, const cs_param *param, uint64_t seed) {
    float *values = cs_params_at(params, param);
    if (param->role == CS_PARAM_KERNEL) {
        const char *layer = params->graph->layers[param->layer].name;
        cs_rng rng = cs_rng_at(seed, CS_PURPOSE_INIT, (uint32_t)param->role, cs_hash_name(layer));
        float limit = glorot_limit(param);
        for (size_t i = 0; i < param->count; i++)
            values[i] = cs_rng_range(&rng, -limit, limit);
    } else {
        bool one = param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE;
        for (size_t i = 0; i < param->count; i++)
            values[i] = one ? 1.0f : 0.0f;
    }
}

void cs_params_init(cs_params *params, uint64_t seed) {
    for (int i = 0; i < params->graph->n_params; i++)
        init_param(params, &params->graph->params[i], seed);
}
