/* SPDX-License-Identifier: Apache-2.0 */
/* Mixing of training images: each image of a batch is mixed with another one of it, its partner, and the labels are
 * mixed in the same proportion (soft targets, engine.h).
 *
 * Mixup (Zhang et al., ICLR 2018) adds weight*image + (1-weight)*partner. CutMix (Yun et al., ICCV 2019) replaces a box
 * of the image by the partner's, and weighs the labels by the areas. Libraries choose partners, weights and boxes
 * differently; a convention is one of their ways.
 *
 * A batch as a whole is drawn from (seed, epoch, batch), so that ranks that each make a part of it agree. To add a
 * convention, add a value and a row of the table in src/data/augment/mix.c, and its name in batch.c. */
#ifndef CNNSWEEP_MIX_H
#define CNNSWEEP_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cs_mix_kind { CS_MIX_MIXUP, CS_MIX_CUTMIX, CS_MIX_KINDS } cs_mix_kind;

/* A weight is drawn from Beta(alpha, alpha).
 *
 * - KERAS: the layers MixUp and CutMix of Keras 3. The partners are a random permutation of the batch. Each image has a
 *   weight and a box of its own. The alpha of a batch's CutMix is drawn between 0 and the parameter, like the layer's
 *   factor.
 * - TORCH: MixUp and CutMix of torchvision.transforms.v2. The partner is the image before, and of the first one the
 *   last; one weight and one box for all.
 * - TIMM: Mixup of timm (from 1.0.29 on) in its mode `batch`. As TORCH, but the partners are the batch in reverse. */
typedef enum cs_mix_convention { CS_MIX_KERAS, CS_MIX_TORCH, CS_MIX_TIMM, CS_MIX_CONVENTIONS } cs_mix_convention;

typedef struct cs_mix_rule {
    cs_mix_convention convention;
    float alpha; /* 0: the rule is off */
    float p;     /* the share of the batches that are mixed by this rule */
} cs_mix_rule;

/* What is done to the batches of a training run: each is mixed by at most one of the rules, so that the sum of p is at
 * most 1. {0}: nothing. timm's prob q and switch_prob s are p = q*(1-s) for mixup and p = q*s for cutmix. */
typedef struct cs_mix {
    cs_mix_rule rules[CS_MIX_KINDS];
} cs_mix;

bool cs_mix_is_on(const cs_mix *mix);

/* A batch of an epoch. Each quantity is drawn from a stream (random.h) of its own, (cs_named_seed(seed, name),
 * CS_PURPOSE_MIX, epoch, batch), once or, where each image has its own, image by image.
 *
 * - "mix.rule": a number u in [0, 1). It is mixup where u < its p, cutmix where u < the sum of both, else none.
 * - "mix.partner": with KERAS, the permutation.
 * - "mix.alpha": with KERAS and cutmix, a number in [0, 1), which is multiplied by alpha; 1e-6 is added.
 * - "mix.weight": the weight.
 * - "mix.box": the place of the box in x, then in y: with KERAS a number in [0, 1), else the index of its centre. */
typedef struct cs_mix_address {
    uint64_t seed;
    uint32_t epoch;
    uint32_t batch; /* index in the epoch */
} cs_mix_address;

/* How an image is mixed with its partner: in the columns [x0, x1) of the lines [y0, y1). */
typedef struct cs_mixed {
    int x0, y0, x1, y1;
    float image; /* weight of its own pixels there; the partner's have 1 - image */
    float label; /* weight of its own label */
} cs_mixed;

/* The kind of mixing that the batch gets; CS_MIX_KINDS: none. */
int cs_mix_kind_of(const cs_mix *mix, const cs_mix_address *at);

/* Draws a whole batch of n images of h x w: the index in the batch of each image's partner, and how they are mixed.
 * Every image is the partner of one, which may be itself. */
void cs_mix_draw(const cs_mix *mix, const cs_mix_address *at, int n, int h, int w, int32_t *partners, cs_mixed *mixed);

/* Mixes two images [h,w,3] into a third. */
void cs_mix_images(const cs_mixed *mixed, int h, int w, const float *image, const float *partner, float *out);

/* Sets the target of each class, and returns the class with the largest; of equal ones the first. */
int32_t cs_mix_labels(const cs_mixed *mixed, int32_t label, int32_t partner, int classes, float *targets);

#endif
