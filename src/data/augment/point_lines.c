/* SPDX-License-Identifier: Apache-2.0 */
/* Point passes on a line. The values are those of cs_sample_point. */
#include "lines.h"

#include "cnnsweep/vector.h"

enum { CHANNELS = 3 };

CS_VECTOR static void turn_hue(int n, int turn, int *restrict r, int *restrict g, int *restrict b) {
    for (int i = 0; i < n; i++)
        cs_sample_to_hsv(r[i], g[i], b[i], &r[i], &g[i], &b[i]);
    for (int i = 0; i < n; i++)
        cs_sample_from_hsv((r[i] + turn) & 255, g[i], b[i], &r[i], &g[i], &b[i]);
}

CS_VECTOR static void blend_with_grey(int n, float factor, int *restrict r, int *restrict g, int *restrict b) {
    for (int i = 0; i < n; i++) {
        const int grey = cs_sample_grey(r[i], g[i], b[i]);
        r[i] = cs_sample_blend(grey, r[i], factor);
        g[i] = cs_sample_blend(grey, g[i], factor);
        b[i] = cs_sample_blend(grey, b[i], factor);
    }
}

CS_VECTOR static void blend_with(int n, int base, float factor, int *channel) {
    for (int i = 0; i < n; i++)
        channel[i] = cs_sample_blend(base, channel[i], factor);
}

static void blend(const cs_sweep *s, const cs_blend *pass, cs_line *line) {
    int *const *channel = line->channel;
    cs_line_split(line);
    if (pass->base == CS_BLEND_GREY)
        blend_with_grey(line->w, pass->factor, channel[0], channel[1], channel[2]);
    for (int c = 0; c < CHANNELS && pass->base != CS_BLEND_GREY; c++)
        blend_with(line->w, cs_sample_base(pass, &s->facts, 0, 0, 0), pass->factor, channel[c]);
}

static void change_levels(const uint8_t (*level)[256], cs_line *line) {
    uint8_t *rgb = line->bytes;
    cs_line_join(line);
    for (int x = 0; x < line->w; x++, rgb += CHANNELS)
        for (int c = 0; c < CHANNELS; c++)
            rgb[c] = level[c][rgb[c]];
}

/* Applies the pass to the pixels from `begin` to before `end` that the line has. */
static void change_some(const cs_sweep *s, const cs_pass *pass, int begin, int end, cs_line *line) {
    cs_line_join(line);
    for (int x = begin < 0 ? 0 : begin; x < end && x < line->w; x++)
        cs_sample_point(pass, &s->facts, x, line->y, line->bytes + (ptrdiff_t)x * CHANNELS);
}

/* Where boxes overlap, a pixel is filled more than once, with the same values. */
static void fill_patches(const cs_sweep *s, const cs_pass *pass, cs_line *line) {
    for (int i = 0; i < pass->patches.n; i++) {
        const cs_box *box = &pass->patches.boxes[i];
        if (line->y >= box->top && line->y < box->top + box->h)
            change_some(s, pass, box->left, box->left + box->w, line);
    }
}

void cs_point_line(const cs_sweep *s, const cs_pass *pass, cs_line *line) {
    switch (pass->kind) {
    case CS_PASS_LEVELS:
        change_levels(pass->level, line);
        break;
    case CS_PASS_CURVE:
        change_levels(s->facts.level, line);
        break;
    case CS_PASS_BLEND:
        blend(s, &pass->blend, line);
        break;
    case CS_PASS_HUE:
        cs_line_split(line);
        turn_hue(line->w, pass->turn, line->channel[0], line->channel[1], line->channel[2]);
        break;
    case CS_PASS_PATCHES:
        fill_patches(s, pass, line);
        break;
    default:
        change_some(s, pass, 0, line->w, line);
        break;
    }
}
