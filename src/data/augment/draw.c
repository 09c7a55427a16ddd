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

/* The draws come from the stream of the rule's name. */
static void draw(const cs_augment_rule *rule, const cs_augment_value *value, const cs_augment_address *at, int h, int w,
                 double drawn[CS_AUGMENT_DRAWN]) {
    cs_rng rng = cs_rng_at(cs_named_seed(at->seed, rule->name), CS_PURPOSE_AUGMENT, at->epoch, at->sample);
    float draws[CS_AUGMENT_DRAWS];
    for (int i = 0; i < rule->draws; i++)
        draws[i] = cs_rng_float(&rng);
    for (int i = 0; i < CS_AUGMENT_DRAWN; i++)
        drawn[i] = (double)value->number[i];
    if (rule->draw)
        rule->draw(value, draws, h, w, drawn);
}

bool cs_augment_drawn(const cs_augment *augment, const cs_augment_address *at, int h, int w, int rule,
                      double drawn[CS_AUGMENT_DRAWN]) {
    int n;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    if (!cs_rule_is_on(&augment->rules[rule]))
        return false;
    draw(&rules[rule], &augment->rules[rule], at, h, w, drawn);
    return true;
}

/* Of a rule that is off: 1. */
static int variants_of(const cs_augment_rule *rule, const cs_augment_value *value) {
    if (!cs_rule_is_on(value))
        return 1;
    return rule->variants ? rule->variants(value) : 0;
}

int cs_augment_variants(const cs_augment *augment) {
    int n, variants = 1;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    for (int i = 0; i < n; i++)
        variants *= variants_of(&rules[i], &augment->rules[i]);
    return variants;
}

int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at) {
    int n, variant = 0;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    for (int i = 0; i < n; i++) {
        int variants = variants_of(&rules[i], &augment->rules[i]);
        double drawn[CS_AUGMENT_DRAWN];
        if (variants <= 1)
            continue;
        draw(&rules[i], &augment->rules[i], at, 1, 1, drawn); /* an index does not depend on the image's size */
        variant = variant * variants + (int)drawn[0];
    }
    return variant;
}

void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture) {
    int n;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    cs_picture_init(picture, h, w);
    for (int i = 0; i < n; i++) {
        double drawn[CS_AUGMENT_DRAWN];
        if (cs_augment_drawn(augment, at, h, w, i, drawn))
            rules[i].compose(drawn, picture);
    }
}
