/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that mix batches: how a job file gives them. What they do is in mix.c. */
#include "rules.h"

enum { ALPHA, CONVENTION }; /* the numbers of both rules */

static const char *const conventions[] = {
    [CS_MIX_KERAS] = "keras", [CS_MIX_TORCH] = "torch", [CS_MIX_TIMM] = "timm", NULL};

const cs_augment_rule cs_batch_rules[] = {
    [CS_MIX_MIXUP] = {.name = "mixup",
                      .doc = "blends each image with another one of its batch, and their labels alike",
                      .family = CS_FAMILY_BATCH,
                      .parameters = {{"alpha", CS_AUGMENT_NUMBER, .min = 0.001f, .max = 1000, .fallback = {0.2f}},
                                     {"convention", CS_AUGMENT_CHOICE, .choices = conventions}},
                      .drawn = {"partner", "label_weight", "weight"}},
    [CS_MIX_CUTMIX] =
        {.name = "cutmix",
         .doc = "replaces a box of each image by that of another one of its batch, and mixes their labels by "
                "the areas",
         .family = CS_FAMILY_BATCH,
         .parameters = {{"alpha", CS_AUGMENT_NUMBER, .min = 0.001f, .max = 1000, .fallback = {1}},
                        {"convention", CS_AUGMENT_CHOICE, .choices = conventions}},
         .drawn = {"partner", "label_weight", "left", "top", "right", "bottom"}},
    {0},
};

cs_mix cs_augment_mix(const cs_augment *augment) {
    cs_mix mix = {0};
    float sum = 0;
    for (int i = 0; i < augment->n; i++)
        for (int kind = 0; kind < CS_MIX_KINDS; kind++) {
            const cs_augment_step *step = &augment->steps[i];
            if (step->rule != &cs_batch_rules[kind])
                continue;
            mix.rules[kind] = (cs_mix_rule){(cs_mix_convention)step->number[CONVENTION], step->number[ALPHA], step->p};
            sum += step->p;
        }
    for (int kind = 0; kind < CS_MIX_KINDS && sum > 1; kind++)
        mix.rules[kind].p /= sum;
    return mix;
}

void cs_augment_observe_mix(const cs_augment *augment, int kind, int32_t partner, const cs_mixed *mixed,
                            cs_augment_observer *observer, void *context) {
    double drawn[CS_AUGMENT_DRAWN] = {partner, (double)mixed->label};
    if (kind == CS_MIX_MIXUP) {
        drawn[2] = (double)mixed->image;
    } else {
        const int box[4] = {mixed->x0, mixed->y0, mixed->x1, mixed->y1};
        for (int i = 0; i < 4; i++)
            drawn[2 + i] = box[i];
    }
    for (int i = 0; i < augment->n; i++)
        if (augment->steps[i].rule == &cs_batch_rules[kind])
            observer(context, &augment->steps[i], drawn);
}

void cs_augment_remove_mix(cs_augment *augment) {
    int kept = 0;
    for (int i = 0; i < augment->n; i++)
        if (augment->steps[i].rule->family != CS_FAMILY_BATCH)
            augment->steps[kept++] = augment->steps[i];
    augment->n = kept;
}
