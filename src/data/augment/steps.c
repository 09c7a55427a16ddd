/* SPDX-License-Identifier: Apache-2.0 */
/* An augmentation as a list of steps: how it is put together. */
#include "rules.h"

#include <string.h>

float *cs_augment_numbers(cs_augment_step *step, int k) {
    float *numbers = step->number;
    for (int i = 0; i < k; i++)
        numbers += cs_augment_width(step->rule->parameters[i].type);
    return numbers;
}

static void set_fallbacks(cs_augment_step *step) {
    const cs_augment_parameter *parameters = step->rule->parameters;
    for (int k = 0; k < CS_AUGMENT_PARAMETERS && parameters[k].type != CS_AUGMENT_END; k++) {
        const int width = cs_augment_width(parameters[k].type);
        for (int i = 0; i < width && i < 2; i++)
            cs_augment_numbers(step, k)[i] = parameters[k].fallback[i];
    }
}

/* How many passes the steps may add to a picture. Of a group that applies one of its steps, the most of any counts. */
static int most_passes(const cs_augment_step *steps, int n, bool only_one) {
    int sum = 0, most = 0;
    for (int i = 0; i < n; i += 1 + steps[i].inside) {
        const cs_augment_rule *rule = steps[i].rule;
        const int own = rule->choose ? most_passes(steps + i + 1, steps[i].inside, rule->is_certain)
                                     : (rule->passes > 0 ? rule->passes : 1);
        sum += own;
        most = own > most ? own : most;
    }
    return only_one ? most : sum;
}

cs_status cs_augment_check(const cs_augment *augment) {
    const int passes = most_passes(augment->steps, augment->n, false);
    if (passes > CS_PICTURE_PASSES)
        return cs_fail(CS_ERR_ARG, "the steps may change an image %d times, more than %d", passes, CS_PICTURE_PASSES);
    return CS_OK;
}

cs_status cs_augment_add(cs_augment *augment, const cs_augment_rule *rule, cs_augment_step **out) {
    if (augment->n == CS_AUGMENT_STEPS)
        return cs_fail(CS_ERR_ARG, "more than %d steps", CS_AUGMENT_STEPS);
    cs_augment_step *step = &augment->steps[augment->n++];
    *step = (cs_augment_step){.rule = rule, .p = cs_rule_p(rule)};
    for (int i = 0; i < augment->n - 1; i++)
        step->occurrence += augment->steps[i].rule == rule;
    set_fallbacks(step);
    *out = step;
    return CS_OK;
}

bool cs_augment_step_is_off(const cs_augment_step *step) {
    for (int i = 0; i < CS_AUGMENT_NUMBERS; i++)
        if (step->number[i] != 0)
            return false;
    return true;
}

void cs_augment_sort(cs_augment *augment) {
    const cs_augment unsorted = *augment;
    augment->n = 0;
    for (const cs_augment_rule *rule = cs_generator_rules; rule->name; rule++)
        for (int i = 0; i < unsorted.n; i++)
            if (unsorted.steps[i].rule == rule && !cs_augment_step_is_off(&unsorted.steps[i]))
                augment->steps[augment->n++] = unsorted.steps[i];
}

bool cs_augment_is_off(const cs_augment *augment) {
    return augment->n == 0;
}
