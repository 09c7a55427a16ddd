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
        for (int i = 0; i < width && i < CS_AUGMENT_FALLBACK; i++)
            cs_augment_numbers(step, k)[i] = parameters[k].fallback[i];
    }
}

/* How many passes the steps may add to a picture. Of a group that applies one of its steps, the most of any counts. */
static int most_passes(const cs_augment_step *steps, int n, bool only_one) {
    int sum = 0, most = 0;
    for (int i = 0; i < n; i += 1 + steps[i].inside) {
        const cs_augment_rule *rule = steps[i].rule;
        int own = rule->passes > 0 ? rule->passes : 1;
        if (!rule->compose)
            own = rule->choose ? most_passes(steps + i + 1, steps[i].inside, rule->is_certain) : 0;
        sum += own;
        most = own > most ? own : most;
    }
    return only_one ? most : sum;
}

/* The size of images must not depend on chance, nor how they are standardized. */
static cs_status check_certain(const cs_augment_step *steps, int n, bool inside) {
    for (int i = 0; i < n; i++) {
        const cs_augment_rule *rule = steps[i].rule;
        if ((rule->resize || rule->standardize) && (inside || steps[i].p < 1))
            return cs_fail(CS_ERR_ARG, "%s cannot %s, because all images %s", rule->name,
                           inside ? "stand in a group" : "have a p below 1",
                           rule->resize ? "must get the same size" : "are standardized alike");
        if (rule->choose)
            CS_TRY(check_certain(steps + i + 1, steps[i].inside, true));
    }
    return CS_OK;
}

/* A step that standardizes makes numbers of bytes, and the other steps change bytes. Mixing comes after both. */
static cs_status check_standardizing(const cs_augment *augment) {
    const cs_augment_rule *last = NULL;
    for (int i = 0; i < augment->n; i++) {
        const cs_augment_rule *rule = augment->steps[i].rule;
        if (last && rule->family != CS_FAMILY_BATCH)
            return cs_hint(
                cs_fail(CS_ERR_ARG, "%s stands after %s, which must be the last step", rule->name, last->name),
                "steps change bytes; where torchvision erases with 0 after Normalize, a random_erasing "
                "before it has 255 times the mean as its value");
        if (rule->standardize)
            last = rule;
    }
    return CS_OK;
}

/* A step that mixes batches stands once and outside groups, since groups choose for each image. */
static cs_status check_mixing(const cs_augment *augment) {
    const cs_augment_step *steps = augment->steps;
    for (int i = 0, group = 0, end = 0; i < augment->n; i++) {
        const cs_augment_rule *rule = steps[i].rule;
        if (rule->family == CS_FAMILY_BATCH && i < end)
            return cs_hint(
                cs_fail(CS_ERR_ARG, "%s mixes batches and cannot be a step of %s", rule->name, steps[group].rule->name),
                "make it a step of the whole list");
        if (rule->family == CS_FAMILY_BATCH && steps[i].occurrence > 0)
            return cs_fail(CS_ERR_ARG, "%s stands twice", rule->name);
        if (rule->choose && i >= end) {
            group = i;
            end = i + 1 + steps[i].inside;
        }
    }
    const cs_mix mix = cs_augment_mix(augment);
    const cs_mix_rule *cutmix = &mix.rules[CS_MIX_CUTMIX];
    if (cutmix->convention == CS_MIX_KERAS && cutmix->alpha > 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "cutmix: alpha is %g; Keras takes up to 1", (double)cutmix->alpha),
                       "with convention: torch or timm it may be larger");
    return CS_OK;
}

cs_status cs_augment_check(const cs_augment *augment) {
    CS_TRY(check_certain(augment->steps, augment->n, false));
    CS_TRY(check_standardizing(augment));
    CS_TRY(check_mixing(augment));
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

bool cs_augment_needs_host(const cs_augment *augment) {
    for (int i = 0; i < augment->n; i++)
        if (augment->steps[i].rule->host_only)
            return true;
    return false;
}

bool cs_augment_resizes(const cs_augment *augment) {
    for (int i = 0; i < augment->n; i++)
        if (augment->steps[i].rule->resize)
            return true;
    return false;
}

static cs_status check_square(const cs_augment_rule *rule, int h, int w) {
    if (!rule->needs_square || h == w)
        return CS_OK;
    return cs_hint(
        cs_fail(CS_ERR_ARG, "%s takes square images only, and this one is %dx%d (height x width)", rule->name, h, w),
        "set data.image to two equal sides, or put {center_crop: %d} in front", h < w ? h : w);
}

cs_status cs_augment_size(const cs_augment *augment, int *h, int *w) {
    for (int i = 0; i < augment->n; i++) {
        const cs_augment_step *step = &augment->steps[i];
        CS_TRY(check_square(step->rule, *h, *w));
        if (step->rule->resize)
            CS_TRY(step->rule->resize(step->number, h, w));
    }
    return CS_OK;
}

bool cs_augment_keeps_size(const cs_augment *augment, int h, int w) {
    int made_h = h, made_w = w;
    for (int i = 0; i < augment->n; i++) {
        const cs_augment_step *step = &augment->steps[i];
        if (step->rule->resize &&
            (step->rule->resize(step->number, &made_h, &made_w) != CS_OK || made_h != h || made_w != w))
            return false;
    }
    return true;
}

cs_status cs_augment_check_size(const cs_augment *augment, int h, int w, int input_h, int input_w) {
    CS_TRY(cs_augment_size(augment, &h, &w));
    if (h == input_h && w == input_w)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_SHAPE, "augmentation makes an image of %dx%d, but the network takes %dx%d", h, w,
                           input_h, input_w),
                   "set data.image: [%d, %d]", h, w);
}

bool cs_augment_is_off(const cs_augment *augment) {
    return augment->n == 0;
}
