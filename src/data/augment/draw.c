/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the picture of a sample: composes one step after another, each with its own random numbers. */
#include "rules.h"

#include <stdio.h>

/* The stream of a step. */
static cs_rng rng_of(const cs_augment_step *step, const cs_augment_address *at) {
    char name[64];
    if (step->occurrence == 0)
        snprintf(name, sizeof name, "%s", step->rule->name);
    else
        snprintf(name, sizeof name, "%s#%d", step->rule->name, step->occurrence + 1);
    return cs_rng_at(cs_named_seed(at->seed, name), CS_PURPOSE_AUGMENT, at->epoch, at->sample);
}

/* Takes the first number of the stream, if the step's probability is below 1. */
static bool is_applied(const cs_augment_step *step, cs_rng *rng) {
    return step->p >= 1 || cs_rng_float(rng) < step->p;
}

/* How many pictures a step makes of one image, the unchanged one included; 0: too many to count. */
static int variants_of(const cs_augment_step *step) {
    const int applied = step->rule->variants ? step->rule->variants(step->number) : 0;
    return applied == 0 ? 0 : step->p < 1 ? applied + 1 : applied;
}

int cs_augment_variants(const cs_augment *augment) {
    enum { MOST = 4096 }; /* nobody caches more of one image */
    int variants = 1;
    for (int i = 0; i < augment->n; i++) {
        variants *= variants_of(&augment->steps[i]);
        if (variants == 0 || variants > MOST)
            return 0;
    }
    return variants;
}

/* An index does not depend on the image's size. */
static int variant_of(const cs_augment_step *step, const cs_augment_address *at) {
    double drawn[CS_AUGMENT_DRAWN] = {0};
    cs_rng rng = rng_of(step, at);
    if (!is_applied(step, &rng))
        return 0;
    if (step->rule->draw && step->rule->variants(step->number) > 1)
        step->rule->draw(step->number, &rng, 1, 1, drawn);
    else
        drawn[0] = 0;
    return (int)drawn[0] + (step->p < 1);
}

int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at) {
    int variant = 0;
    for (int i = 0; i < augment->n; i++) {
        const int variants = variants_of(&augment->steps[i]);
        if (variants > 1)
            variant = variant * variants + variant_of(&augment->steps[i], at);
    }
    return variant;
}

typedef struct drawing {
    const cs_augment_address *at;
    cs_picture *picture;
    cs_augment_observer *observer;
    void *context;
} drawing;

static void draw_step(const drawing *to, const cs_augment_step *step, bool is_certain);

/* Draws those of the steps inside a group that it chooses. */
static void draw_group(const drawing *to, const cs_augment_step *group, cs_rng *rng) {
    const cs_augment_step *steps = group + 1;
    float p[CS_AUGMENT_STEPS];
    bool chosen[CS_AUGMENT_STEPS] = {false};
    int n = 0;
    for (int i = 0; i < group->inside; i += 1 + steps[i].inside)
        p[n++] = steps[i].p;
    group->rule->choose(group->number, rng, p, n, chosen);
    n = 0;
    for (int i = 0; i < group->inside; i += 1 + steps[i].inside)
        if (chosen[n++])
            draw_step(to, &steps[i], group->rule->is_certain);
}

static void draw_step(const drawing *to, const cs_augment_step *step, bool is_certain) {
    double drawn[CS_AUGMENT_DRAWN] = {0};
    cs_rng rng = rng_of(step, to->at);
    if (!is_applied(step, &rng) && !is_certain)
        return;
    if (step->rule->choose) {
        draw_group(to, step, &rng);
        return;
    }
    if (!step->rule->compose)
        return;
    int h, w;
    cs_picture_size(to->picture, &h, &w);
    if (step->rule->draw)
        step->rule->draw(step->number, &rng, h, w, drawn);
    step->rule->compose(step->number, drawn, to->picture);
    if (to->observer)
        to->observer(to->context, step, drawn);
}

void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture,
                     cs_augment_observer *observer, void *context) {
    const drawing to = {at, picture, observer, context};
    cs_picture_init(picture, h, w);
    for (int i = 0; i < augment->n; i += 1 + augment->steps[i].inside)
        draw_step(&to, &augment->steps[i], false);
}

bool cs_augment_keeps_images(const cs_augment *augment) {
    const cs_augment_address any = {0};
    cs_picture picture;
    if (cs_augment_variants(augment) != 1 || cs_augment_resizes(augment))
        return false;
    cs_augment_draw(augment, &any, 1, 1, &picture, NULL, NULL);
    return picture.n == 0;
}
