/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a warp. The values are those of cs_sample_warp. To be several times faster, this file mixes the values of
 * some pixels together, in loops that compilers vectorise. */
#include "warp.h"

#include "cnnsweep/vector.h"

#include <string.h>

enum { CHANNELS = 3 };

static inline uint32_t in_order(uint32_t bytes) {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    bytes = __builtin_bswap32(bytes);
#endif
    return bytes;
}

/* Reads a pixel and one byte more. */
static inline uint32_t load_pixel(const uint8_t *rgb) {
    uint32_t bytes;
    memcpy(&bytes, rgb, sizeof bytes);
    return in_order(bytes);
}

/* Reads the last pixel of an image, behind which no byte may be read. */
static inline uint32_t load_last(const uint8_t *rgb) {
    return (uint32_t)(rgb[0] | rgb[1] << 8 | rgb[2] << 16);
}

void cs_load_pairs(const cs_sweep *s, int n, const int *left, const int *upper, cs_neighbours *restrict out) {
    const ptrdiff_t stride = (ptrdiff_t)s->from_w * CHANNELS;
    for (int i = 0; i < n; i++) {
        const uint8_t *above = s->from + upper[i] * stride + (ptrdiff_t)left[i] * CHANNELS, *below = above + stride;
        out->upper_left[i] = load_pixel(above);
        out->upper_right[i] = load_pixel(above + CHANNELS);
        out->lower_left[i] = load_pixel(below);
        out->lower_right[i] = load_pixel(below + CHANNELS);
    }
}

static void load_neighbours(const cs_sweep *s, int n, const cs_places *p, cs_neighbours *restrict out) {
    const ptrdiff_t stride = (ptrdiff_t)s->from_w * CHANNELS, last = stride * s->from_h - CHANNELS;
    if (p->four_neighbours) {
        cs_load_pairs(s, n, p->left, p->upper, out);
        return;
    }
    for (int i = 0; i < n; i++) {
        const ptrdiff_t upper = p->upper[i] * stride, lower = p->lower[i] * stride;
        const ptrdiff_t left = (ptrdiff_t)p->left[i] * CHANNELS, right = (ptrdiff_t)p->right[i] * CHANNELS;
        out->lower_right[i] = lower + right < last ? load_pixel(s->from + lower + right) : load_last(s->from + last);
        out->lower_left[i] = lower + left < last ? load_pixel(s->from + lower + left) : out->lower_right[i];
        out->upper_right[i] = upper + right < last ? load_pixel(s->from + upper + right) : out->lower_right[i];
        out->upper_left[i] = upper + left < last ? load_pixel(s->from + upper + left) : out->lower_right[i];
    }
}

/* The values of channel c of n pixels. */
CS_VECTOR static void mix_channel(int n, const cs_neighbours *restrict from, const cs_places *restrict p, int c,
                                  double *restrict out) {
    for (int i = 0; i < n; i++) {
        const double a = cs_channel_of(from->upper_left[i], c), b = cs_channel_of(from->upper_right[i], c);
        const double d = cs_channel_of(from->lower_left[i], c), e = cs_channel_of(from->lower_right[i], c);
        const double x = p->weight_x[i], top = a + x * (b - a), bottom = d + x * (e - d);
        out[i] = top + p->weight_y[i] * (bottom - top);
    }
}

/* Computes the same values in floats, adds `half`, and truncates them to whole numbers. The floats differ from the
 * doubles by less than MARGIN / UNIT. Returns 0 if all whole numbers are therefore right: no value lies that close to a
 * whole number, except where four equal neighbours give exactly one. */
enum { UNIT_BITS = 15, UNIT = 1 << UNIT_BITS, MARGIN = 8 };
CS_VECTOR static int estimate_channel(int n, const cs_neighbours *restrict from, const float *restrict weight_x,
                                      const float *restrict weight_y, int c, float half, int *restrict out) {
    int doubts = 0;
    for (int i = 0; i < n; i++) {
        const int upper_left = cs_channel_of(from->upper_left[i], c),
                  upper_right = cs_channel_of(from->upper_right[i], c);
        const int lower_left = cs_channel_of(from->lower_left[i], c),
                  lower_right = cs_channel_of(from->lower_right[i], c);
        const float top = (float)upper_left + weight_x[i] * (float)(upper_right - upper_left);
        const float bottom = (float)lower_left + weight_x[i] * (float)(lower_right - lower_left);
        const int units = (int)((top + weight_y[i] * (bottom - top) + half) * UNIT);
        const int near = (((units + MARGIN) & (UNIT - 1)) - 2 * MARGIN) >> 31; /* all bits, or none */
        doubts |= near & ((upper_left ^ upper_right) | (upper_left ^ lower_left) | (upper_left ^ lower_right));
        out[i] = units >> UNIT_BITS;
    }
    return doubts;
}

CS_VECTOR static void to_floats(int n, const double *restrict from, float *restrict to) {
    for (int i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static void take_nearest(const cs_sweep *s, int n, const cs_places *p, int *const out[CHANNELS]) {
    for (int i = 0; i < n; i++) {
        const uint8_t *rgb = s->from + ((size_t)p->upper[i] * (size_t)s->from_w + (size_t)p->left[i]) * CHANNELS;
        for (int c = 0; c < CHANNELS; c++)
            out[c][i] = rgb[c];
    }
}

static bool takes_nearest(const cs_warp *warp) {
    return warp->nearest || warp->sampling == CS_SAMPLING_PILLOW_FIXED;
}

CS_VECTOR static void fill_outside(int n, const int *restrict inside, int value, int *restrict out) {
    for (int i = 0; i < n; i++)
        out[i] = inside[i] ? out[i] : value;
}

/* Sets the bytes of n pixels. Those that lie outside the source get the fill value. */
static void make_bytes(const cs_sweep *s, int n, const cs_places *p, int *const out[CHANNELS]) {
    const cs_warp *warp = &s->passes->warp;
    const bool is_scipy = warp->sampling == CS_SAMPLING_SCIPY; /* which rounds to floats first */
    const float half = warp->adjustment.truncates || !is_scipy ? 0 : 0.5f;
    if (takes_nearest(warp)) {
        take_nearest(s, n, p, out);
    } else {
        cs_neighbours from;
        float weight_x[CS_SOME], weight_y[CS_SOME];
        double mixed[CS_SOME];
        load_neighbours(s, n, p, &from);
        to_floats(n, p->weight_x, weight_x);
        to_floats(n, p->weight_y, weight_y);
        for (int c = 0; c < CHANNELS; c++) {
            if (estimate_channel(n, &from, weight_x, weight_y, c, half, out[c]) == 0)
                continue;
            mix_channel(n, &from, p, c, mixed);
            for (int i = 0; i < n; i++)
                out[c][i] = is_scipy ? (int)((float)mixed[i] + half) : (int)mixed[i];
        }
    }
    for (int c = 0; c < CHANNELS && !p->all_inside; c++)
        fill_outside(n, p->inside, (int)(warp->fill_value[c] + half), out[c]);
}

/* Sets the values of n pixels before their adjustment, channel by channel. */
static void make_values(const cs_sweep *s, int n, const cs_places *p, float value[CHANNELS][CS_SOME]) {
    const cs_warp *warp = &s->passes->warp;
    const bool is_nearest = takes_nearest(warp);
    int nearest[CHANNELS][CS_SOME], *const out[CHANNELS] = {nearest[0], nearest[1], nearest[2]};
    cs_neighbours from;
    double mixed[CS_SOME];
    if (is_nearest)
        take_nearest(s, n, p, out);
    else
        load_neighbours(s, n, p, &from);
    for (int c = 0; c < CHANNELS; c++) {
        if (!is_nearest)
            mix_channel(n, &from, p, c, mixed);
        for (int i = 0; i < n; i++) {
            const float inside = is_nearest ? (float)nearest[c][i] : (float)mixed[i];
            value[c][i] = p->all_inside || p->inside[i] ? inside : warp->fill_value[c];
        }
    }
}

CS_VECTOR static void adjust(int n, const cs_adjustment *adjustment, const float range[2], const float *restrict value,
                             int *restrict out) {
    const cs_adjustment same = *adjustment;
    for (int i = 0; i < n; i++)
        out[i] = cs_sample_adjust(&same, value[i], range);
}

static void make_adjusted(const cs_sweep *s, int n, const cs_places *p, int *const out[CHANNELS]) {
    float value[CHANNELS][CS_SOME];
    make_values(s, n, p, value);
    for (int c = 0; c < CHANNELS; c++)
        adjust(n, &s->passes->warp.adjustment, s->facts.range, value[c], out[c]);
}

static int some_of_line(const cs_sweep *s, int x) {
    return s->w - x < CS_SOME ? s->w - x : CS_SOME;
}

void cs_warp_line(const cs_sweep *s, cs_line *line) {
    const bool adjusts = cs_pass_needs(s->passes) == CS_FACTS_RANGE;
    cs_places places;
    for (int x = 0, n; x < s->w; x += n) {
        int *const channel[CHANNELS] = {line->channel[0] + x, line->channel[1] + x, line->channel[2] + x};
        n = some_of_line(s, x);
        cs_find_places(s, x, line->y, n, &places);
        (adjusts ? make_adjusted : make_bytes)(s, n, &places, channel);
    }
    line->is_split = true;
}

CS_VECTOR static void widen(int n, const float *restrict value, float *restrict lowest, float *restrict highest) {
    for (int i = 0; i < n; i++) {
        lowest[i] = value[i] < lowest[i] ? value[i] : lowest[i];
        highest[i] = value[i] > highest[i] ? value[i] : highest[i];
    }
}

void cs_warp_range(cs_sweep *s) {
    float value[CHANNELS][CS_SOME], lowest[CS_SOME], highest[CS_SOME]; /* of the pixels at each place of a block */
    cs_places places;
    for (int i = 0; i < CS_SOME; i++) {
        lowest[i] = INFINITY;
        highest[i] = -INFINITY;
    }
    for (int y = 0; y < s->h; y++)
        for (int x = 0, n; x < s->w; x += n) {
            n = some_of_line(s, x);
            cs_find_places(s, x, y, n, &places);
            make_values(s, n, &places, value);
            for (int c = 0; c < CHANNELS; c++)
                widen(n, value[c], lowest, highest);
        }
    float *range = s->facts.range;
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (int i = 0; i < CS_SOME; i++) {
        range[0] = lowest[i] < range[0] ? lowest[i] : range[0];
        range[1] = highest[i] > range[1] ? highest[i] : range[1];
    }
}
