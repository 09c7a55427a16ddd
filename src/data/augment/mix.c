/* SPDX-License-Identifier: Apache-2.0 */
/* Draws how the images of a batch are mixed, and mixes them. The CUDA engine mixes images in kernels/convert.cu. */
#include "cnnsweep/mix.h"

#include "cnnsweep/random.h"

#include <math.h>
#include <string.h>

#define CS_SAMPLE              static inline
#define CS_FLOAT_PRODUCT(a, b) ((a) * (b))
#define CS_FLOAT_SUM(a, b)     ((a) + (b))
#include "cnnsweep/mix_sample.h"

enum { CHANNELS = 3 };

static cs_rng stream_of(const cs_mix_address *at, const char *name) {
    return cs_rng_at(cs_named_seed(at->seed, name), CS_PURPOSE_MIX, at->epoch, at->batch);
}

static void pair_by_permutation(const cs_mix_address *at, int n, int32_t *partners) {
    cs_rng rng = stream_of(at, "mix.partner");
    cs_rng_permutation(&rng, partners, (size_t)n);
}

static void pair_with_the_one_before(const cs_mix_address *at, int n, int32_t *partners) {
    (void)at;
    for (int i = 0; i < n; i++)
        partners[i] = i > 0 ? i - 1 : n - 1;
}

static void pair_in_reverse(const cs_mix_address *at, int n, int32_t *partners) {
    (void)at;
    for (int i = 0; i < n; i++)
        partners[i] = n - 1 - i;
}

/* A side of Keras' box: a fraction of the line, lying anywhere inside it. The pixels are those whose index is in
 * [start, end). */
static float cut_side(cs_rng *rng, float fraction, int size, int *first, int *end) {
    const float side = fraction * (float)size, start = cs_rng_float(rng) * ((float)size - side), last = start + side;
    *first = (int)ceilf(start);
    *end = last < (float)size ? (int)ceilf(last) : size;
    return last - start;
}

static cs_mixed cut_inside(cs_rng *rng, float weight, int h, int w) {
    cs_mixed mixed = {0};
    const float fraction = sqrtf(1 - weight);
    const float width = cut_side(rng, fraction, w, &mixed.x0, &mixed.x1);
    const float height = cut_side(rng, fraction, h, &mixed.y0, &mixed.y1);
    mixed.label = 1 - width * height / (float)(w * h);
    return mixed;
}

/* A side of a box that begins `before` pixels before a centre and ends `after` pixels after it, as far as it lies
 * inside the line. */
static void cut_around(cs_rng *rng, int before, int after, int size, int *first, int *end) {
    const int centre = (int)cs_rng_below(rng, (uint32_t)size);
    *first = centre > before ? centre - before : 0;
    *end = centre + after < size ? centre + after : size;
}

static float label_by_area(const cs_mixed *mixed, int h, int w) {
    const double area = (double)(mixed->x1 - mixed->x0) * (mixed->y1 - mixed->y0);
    return (float)(1 - area / ((double)w * h));
}

/* torchvision rounds half a side down. */
static cs_mixed cut_by_halves(cs_rng *rng, float weight, int h, int w) {
    cs_mixed mixed = {0};
    const double half = 0.5 * sqrt(1 - (double)weight);
    cut_around(rng, (int)(half * w), (int)(half * w), w, &mixed.x0, &mixed.x1);
    cut_around(rng, (int)(half * h), (int)(half * h), h, &mixed.y0, &mixed.y1);
    mixed.label = label_by_area(&mixed, h, w);
    return mixed;
}

/* timm rounds a side down; if it is odd, the longer half is after the centre. */
static cs_mixed cut_by_sides(cs_rng *rng, float weight, int h, int w) {
    cs_mixed mixed = {0};
    const double side = sqrt(1 - (double)weight);
    const int width = (int)(side * w), height = (int)(side * h);
    cut_around(rng, width / 2, (width + 1) / 2, w, &mixed.x0, &mixed.x1);
    cut_around(rng, height / 2, (height + 1) / 2, h, &mixed.y0, &mixed.y1);
    mixed.label = label_by_area(&mixed, h, w);
    return mixed;
}

static const struct convention {
    bool each_image;  /* has a weight and a box of its own */
    bool draws_alpha; /* of cutmix */
    void (*pair)(const cs_mix_address *at, int n, int32_t *partners);
    cs_mixed (*cut)(cs_rng *rng, float weight, int h, int w);
} conventions[CS_MIX_CONVENTIONS] = {
    [CS_MIX_KERAS] = {true, true, pair_by_permutation, cut_inside},
    [CS_MIX_TORCH] = {false, false, pair_with_the_one_before, cut_by_halves},
    [CS_MIX_TIMM] = {false, false, pair_in_reverse, cut_by_sides},
};

bool cs_mix_is_on(const cs_mix *mix) {
    bool on = false;
    for (int kind = 0; kind < CS_MIX_KINDS; kind++)
        on |= mix->rules[kind].alpha > 0;
    return on;
}

int cs_mix_kind_of(const cs_mix *mix, const cs_mix_address *at) {
    cs_rng rng = stream_of(at, "mix.rule");
    const double drawn = (double)cs_rng_float(&rng);
    double sum = 0;
    for (int kind = 0; kind < CS_MIX_KINDS; kind++) {
        if (mix->rules[kind].alpha > 0)
            sum += (double)mix->rules[kind].p;
        if (drawn < sum)
            return kind;
    }
    return CS_MIX_KINDS;
}

static float draw_alpha(const cs_mix_rule *rule, cs_mix_kind kind, const cs_mix_address *at) {
    cs_rng rng = stream_of(at, "mix.alpha");
    const bool drawn = kind == CS_MIX_CUTMIX && conventions[rule->convention].draws_alpha;
    return drawn ? cs_rng_range(&rng, 0, rule->alpha) + 1e-6f : rule->alpha;
}

void cs_mix_draw(const cs_mix *mix, const cs_mix_address *at, int n, int h, int w, int32_t *partners, cs_mixed *mixed) {
    const int kind = cs_mix_kind_of(mix, at);
    if (kind == CS_MIX_KINDS) {
        for (int i = 0; i < n; i++) {
            partners[i] = i;
            mixed[i] = (cs_mixed){.image = 1, .label = 1};
        }
        return;
    }
    const cs_mix_rule *rule = &mix->rules[kind];
    const struct convention *convention = &conventions[rule->convention];
    const double alpha = (double)draw_alpha(rule, (cs_mix_kind)kind, at);
    cs_rng weights = stream_of(at, "mix.weight"), boxes = stream_of(at, "mix.box");
    convention->pair(at, n, partners);
    for (int i = 0; i < n; i++) {
        if (i > 0 && !convention->each_image) {
            mixed[i] = mixed[0];
            continue;
        }
        const float weight = (float)cs_rng_beta(&weights, alpha, alpha);
        mixed[i] = kind == CS_MIX_CUTMIX ? convention->cut(&boxes, weight, h, w)
                                         : (cs_mixed){0, 0, w, h, .image = weight, .label = weight};
    }
}

void cs_mix_images(const cs_mixed *mixed, int h, int w, const float *image, const float *partner, float *out) {
    const size_t stride = (size_t)w * CHANNELS, first = (size_t)mixed->x0 * CHANNELS;
    const size_t end = (size_t)mixed->x1 * CHANNELS;
    for (int y = 0; y < h; y++, image += stride, partner += stride, out += stride) {
        memcpy(out, image, stride * sizeof *out);
        if (!cs_mix_reaches(mixed, mixed->x0, y))
            continue;
        for (size_t i = first; i < end; i++)
            out[i] = cs_mix_value(mixed->image, image[i], partner[i]);
    }
}

int32_t cs_mix_labels(const cs_mixed *mixed, int32_t label, int32_t partner, int classes, float *targets) {
    int32_t largest = 0;
    for (int32_t k = 0; k < classes; k++) {
        targets[k] = cs_mix_value(mixed->label, (float)(k == label), (float)(k == partner));
        if (targets[k] > targets[largest])
            largest = k;
    }
    return largest;
}
