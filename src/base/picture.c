/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/picture.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void cs_picture_init(cs_picture *picture, int h, int w) {
    picture->h = h;
    picture->w = w;
    picture->n = 0;
    picture->settings = (cs_warp){.map = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    picture->is_of_keras_2_8 = false;
}

void cs_picture_size(const cs_picture *picture, int *h, int *w) {
    const cs_pass *last = picture->n > 0 ? &picture->passes[picture->n - 1] : NULL;
    *h = last ? last->h : picture->h;
    *w = last ? last->w : picture->w;
}

cs_pass *cs_picture_add(cs_picture *picture, cs_pass_kind kind) {
    int h, w;
    assert(picture->n < CS_PICTURE_PASSES);
    cs_picture_size(picture, &h, &w);
    cs_pass *pass = &picture->passes[picture->n++];
    memset(pass, 0, sizeof *pass);
    pass->kind = kind;
    pass->h = h;
    pass->w = w;
    return pass;
}

static cs_pass *last_pass(cs_picture *picture, cs_pass_kind kind) {
    cs_pass *last = picture->n > 0 ? &picture->passes[picture->n - 1] : NULL;
    return last && last->kind == kind ? last : NULL;
}

cs_warp *cs_picture_warp(cs_picture *picture) {
    cs_pass *last = last_pass(picture, CS_PASS_WARP);
    if (!last) {
        last = cs_picture_add(picture, CS_PASS_WARP);
        last->warp = picture->settings;
    }
    return &last->warp;
}

void cs_picture_move(cs_picture *picture, const double by[2][3]) {
    cs_warp *warp = cs_picture_warp(picture);
    for (int row = 0; row < 2; row++) {
        double *map = warp->map[row];
        const double x = map[0], y = map[1], offset = map[2];
        for (int column = 0; column < 3; column++)
            map[column] = x * by[0][column] + y * by[1][column];
        map[2] += offset;
    }
}

void cs_picture_mirror(cs_picture *picture, bool x, bool y) {
    cs_warp *warp = cs_picture_warp(picture);
    warp->mirror_x ^= x;
    warp->mirror_y ^= y;
}

void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]) {
    cs_pass *last = last_pass(picture, CS_PASS_LEVELS);
    const bool has_levels = last != NULL;
    if (!has_levels)
        last = cs_picture_add(picture, CS_PASS_LEVELS);
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            last->level[c][v] = table[has_levels ? last->level[c][v] : v];
}

/* The probability that the noise is k or -k. More than 255 changes any byte as much as 255 does. */
static double probability(double deviation, int k) {
    const double root = deviation * 1.4142135623730951;
    return k == 255 ? erfc(k / root) : erfc(k / root) - erfc((k + 1) / root);
}

void cs_noise_normal(double deviation, uint32_t table[256]) {
    enum { COLUMNS = 256, WHOLE = 1 << 23 };
    double left[COLUMNS];
    int small[COLUMNS], large[COLUMNS], smalls = 0, larges = 0;
    for (int k = 0; k < COLUMNS; k++) {
        left[k] = (deviation > 0 ? probability(deviation, k) : k == 0) * COLUMNS;
        if (left[k] < 1)
            small[smalls++] = k;
        else
            large[larges++] = k;
    }
    while (smalls > 0 && larges > 0) {
        const int less = small[--smalls], more = large[larges - 1];
        table[less] = (uint32_t)(left[less] * WHOLE + 0.5) << 8 | (uint32_t)more;
        left[more] -= 1 - left[less];
        if (left[more] < 1) {
            larges--;
            small[smalls++] = more;
        }
    }
    while (larges > 0) { /* but for rounding these are 1 */
        larges--;
        table[large[larges]] = (uint32_t)large[larges];
    }
    while (smalls > 0) {
        smalls--;
        table[small[smalls]] = (uint32_t)small[smalls];
    }
}

cs_facts_kind cs_pass_needs(const cs_pass *pass) {
    switch (pass->kind) {
    case CS_PASS_WARP:
        return pass->warp.adjustment.shifts || pass->warp.adjustment.stretches ? CS_FACTS_RANGE : CS_FACTS_NONE;
    case CS_PASS_CURVE:
        return CS_FACTS_HISTOGRAM;
    case CS_PASS_BLEND:
        return pass->blend.base == CS_BLEND_MEAN ? CS_FACTS_HISTOGRAM : CS_FACTS_NONE;
    case CS_PASS_JITTER:
        return pass->jitter.contrast != 1 ? CS_FACTS_HISTOGRAM : CS_FACTS_NONE;
    default:
        return CS_FACTS_NONE;
    }
}

bool cs_pass_gathers(const cs_pass *pass) {
    switch (pass->kind) {
    case CS_PASS_WARP:
    case CS_PASS_RESAMPLE:
    case CS_PASS_SHARPNESS:
    case CS_PASS_BLUR:
    case CS_PASS_KERNEL:
    case CS_PASS_JPEG:
    case CS_PASS_CLAHE:
    case CS_PASS_GRID:
    case CS_PASS_SHARPNESS_KERAS:
        return true;
    default:
        return false;
    }
}

int cs_picture_sweep(const cs_picture *picture, int begin) {
    int end = begin + 1;
    while (end < picture->n && !cs_pass_gathers(&picture->passes[end]) &&
           cs_pass_needs(&picture->passes[end]) == CS_FACTS_NONE)
        end++;
    return end;
}
