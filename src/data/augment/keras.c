/* SPDX-License-Identifier: Apache-2.0 */
#include "keras.h"

const char *const cs_keras_meanings[] = {"documented", "literal", NULL};

double cs_keras_uniform(cs_rng *rng, double low, double high) {
    return (double)(float)cs_uniform(rng, low, high);
}

void cs_keras_range(const float *bounds, float least, double range[2]) {
    const bool is_one = bounds[0] < 2;
    range[0] = (double)(is_one ? least * bounds[1] : bounds[1]);
    range[1] = (double)(is_one ? bounds[1] : bounds[2]);
}

double cs_keras_draw(cs_rng *rng, const float *bounds, float least) {
    double range[2];
    cs_keras_range(bounds, least, range);
    return cs_keras_uniform(rng, range[0], range[1]);
}

bool cs_keras_is_applied(cs_rng *rng, const float *factor, bool is_literal) {
    const double p = cs_keras_draw(rng, factor, is_literal ? 0 : 1);
    return (double)cs_rng_float(rng) < p;
}
