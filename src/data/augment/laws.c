/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of rules share: the usual laws of their draws, and the usual probability and number of variants.
 */
#include "rules.h"

float cs_rule_p(const cs_augment_rule *rule) {
    return rule->p > 0 ? rule->p : 1;
}

int cs_one_variant(const float *number) {
    (void)number;
    return 1;
}

double cs_uniform(cs_rng *rng, double low, double high) {
    return low + (high - low) * (double)cs_rng_float(rng);
}

void cs_range_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_uniform(rng, (double)number[0], (double)number[1]);
}
