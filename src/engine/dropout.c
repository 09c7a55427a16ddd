/* SPDX-License-Identifier: Apache-2.0 */
/* Computes which values a dropout keeps. The random numbers depend only on (seed, epoch, sample, layer), so every
 * engine drops the same values. */
#include "engine_impl.h"

#include "cnnsweep/random.h"

#include <math.h>

static cs_rng stream_of(const cs_layer *layer, const cs_draw *draw, int row) {
    uint64_t seed = cs_named_seed(draw->seed, layer->name);
    return cs_rng_at(seed, CS_PURPOSE_DROPOUT, draw->epoch, (uint32_t)draw->samples[row]);
}

/* The result fits into 32 bits because a rate is a float below 1. */
cs_dropout_rule cs_dropout_rule_of(const cs_layer *layer) {
    return (cs_dropout_rule){.least = (uint32_t)ceil(ldexp((double)layer->rate, 32)),
                             .factor = (float)(1 / (1 - (double)layer->rate))};
}

void cs_dropout_factors(const cs_layer *layer, const cs_draw *draw, int row, float *factors) {
    cs_rng rng = stream_of(layer, draw, row);
    const cs_dropout_rule rule = cs_dropout_rule_of(layer);
    size_t count = cs_shape_count(layer->out);
    if (layer->per_row)
        factors[0] = cs_dropout_row_factor(layer, draw, row);
    for (size_t i = 0; i < count; i++)
        factors[i] = layer->per_row ? factors[0] : cs_rng_u32(&rng) >= rule.least ? rule.factor : 0;
}

float cs_dropout_row_factor(const cs_layer *layer, const cs_draw *draw, int row) {
    cs_rng rng = stream_of(layer, draw, row);
    const cs_dropout_rule rule = cs_dropout_rule_of(layer);
    return cs_rng_u32(&rng) >= rule.least ? rule.factor : 0;
}
