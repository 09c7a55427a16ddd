/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the picture of a sample: composes the rules that are on one after another, each with its own random numbers. */
#include "rules.h"

#include "cnnsweep/random.h"

bool cs_augment_is_off(const cs_augment *augment) {
    for (int i = 0; i < CS_AUGMENT_MAX; i++)
        if (cs_rule_is_on(&augment->rules[i]))
            return false;
    return true;
}

static void draw_for(const cs_augment_rule *rule, const cs_augment_address *at, float draws[CS_AUGMENT_DRAWS]) {
    cs_rng rng = cs_rng_at(cs_named_seed(at->seed, rule->name), CS_PURPOSE_AUGMENT, at->epoch, at->sample);
    for (int i = 0; i < rule->draws; i++)
        draws[i] = cs_rng_float(&rng);
}

static int variants_of(const cs_augment_rule *rule, const cs_augment_value *value) {
    return rule->variants ? rule->variants(value) : 0;
}

int cs_augment_variants(const cs_augment *augment) {
    int n, variants = 1;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    for (int i = 0; i < n; i++)
        if (cs_rule_is_on(&augment->rules[i]))
            variants *= variants_of(&rules[i], &augment->rules[i]);
    return variants;
}

int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at) {
    int n, variant = 0;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    for (int i = 0; i < n; i++) {
        const cs_augment_value *value = &augment->rules[i];
        float draws[CS_AUGMENT_DRAWS];
        if (!rules[i].choose || !cs_rule_is_on(value))
            continue;
        draw_for(&rules[i], at, draws);
        variant = variant * variants_of(&rules[i], value) + rules[i].choose(value, draws);
    }
    return variant;
}

void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture) {
    int n;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    cs_picture_init(picture, h, w);
    for (int i = 0; i < n; i++) {
        const cs_augment_value *value = &augment->rules[i];
        float draws[CS_AUGMENT_DRAWS];
        if (!cs_rule_is_on(value))
            continue;
        draw_for(&rules[i], at, draws);
        rules[i].compose(value, draws, picture);
    }
}
