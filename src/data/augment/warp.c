/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a warp. The values are those of cs_sample_warp. To be several times faster, this file first finds the
 * places of some pixels and then mixes their values, in loops that compilers vectorise. */
#include "lines.h"

#include <string.h>

/* As in src/data/resize_kernels.c: compiled twice, with results that are the same to the bit. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { CHANNELS = 3, SOME = 64 };

/* Where `n` pixels of a line lie in the source. */
typedef struct places {
    double u[SOME], v[SOME];
    double weight_x[SOME], weight_y[SOME];
    int left[SOME], right[SOME], upper[SOME], lower[SOME];
    bool inside[SOME], all_inside;
} places;

/* The x of the pixel that the map is applied to. */
static int mapped_x(const cs_pass *pass, int x) {
    return pass->warp.mirror_x ? pass->w - 1 - x : x;
}

/* Coordinates of scipy's maps: map * (x, y, 1) at x0, x0 + step, ... */
WIDE static void map_scipy(const double (*map)[3], int n, int x0, int step, int y, double *restrict u,
                           double *restrict v) {
    const double across = map[0][1] * y + map[0][2], down = map[1][1] * y + map[1][2];
    for (int i = 0; i < n; i++) {
        const double x = x0 + i * step;
        u[i] = map[0][0] * x + across;
        v[i] = map[1][0] * x + down;
    }
}

/* Coordinates of Pillow's maps, at the middle of a pixel. */
WIDE static void map_pillow(const double (*map)[3], int n, int x0, int step, int y, double *restrict u,
                            double *restrict v) {
    const bool is_projective = map[2][0] != 0 || map[2][1] != 0;
    const double middle = y + 0.5;
    for (int i = 0; i < n; i++) {
        const double x = x0 + i * step + 0.5;
        u[i] = (map[0][0] * x + map[0][1] * middle) + map[0][2];
        v[i] = (map[1][0] * x + map[1][1] * middle) + map[1][2];
    }
    for (int i = 0; is_projective && i < n; i++) {
        const double x = x0 + i * step + 0.5, q = (map[2][0] * x + map[2][1] * middle) + map[2][2];
        u[i] /= q;
        v[i] /= q;
    }
}

/* The neighbours of each coordinate, which lies in [0, side - 1], and the weight of the farther one, which matters only
 * if they are two. */
WIDE static void find_between(int n, int side, const double *restrict at, int *restrict nearer, int *restrict farther,
                              double *restrict weight) {
    for (int i = 0; i < n; i++) {
        const int first = (int)at[i], second = first + 1 < side ? first + 1 : first;
        nearer[i] = first;
        farther[i] = second;
        weight[i] = at[i] - first;
    }
}

/* The same for coordinates of Pillow's, which lie in [0, side). */
WIDE static void find_between_edges(int n, int side, const double *restrict at, int *restrict nearer,
                                    int *restrict farther, double *restrict weight) {
    for (int i = 0; i < n; i++) {
        const double middle = at[i] - 0.5;
        int first = (int)middle;
        first -= (double)first > middle;
        const int second = first + 1 < side ? first + 1 : side - 1, lower = first < 0 ? 0 : first;
        nearer[i] = lower;
        farther[i] = second;
        weight[i] = middle - first;
    }
}

/* Does every coordinate lie in [0, end]? */
WIDE static bool lie_inside(int n, const double *at, double end) {
    int inside = 0;
    for (int i = 0; i < n; i++)
        inside += (at[i] >= 0) & (at[i] <= end);
    return inside == n;
}

/* Brings the coordinates into the image, as the fill mode says. Those that stay outside show the fill value; any place
 * will do for them. */
static void bring_inside(const cs_sweep *s, int n, places *p) {
    const bool is_scipy = s->passes->warp.sampling == CS_SAMPLING_SCIPY;
    const cs_fill fill = s->passes->warp.fill;
    const int h = s->from_h, w = s->from_w;
    const double end_x = is_scipy ? w - 1 : nextafter(w, 0), end_y = is_scipy ? h - 1 : nextafter(h, 0);
    p->all_inside = lie_inside(n, p->u, end_x) && lie_inside(n, p->v, end_y);
    memset(p->inside, true, sizeof p->inside);
    for (int i = 0; i < n && !p->all_inside; i++) {
        if (is_scipy)
            p->inside[i] = cs_sample_inside(&p->u[i], w, fill) && cs_sample_inside(&p->v[i], h, fill);
        else
            p->inside[i] = p->u[i] >= 0 && p->u[i] <= end_x && p->v[i] >= 0 && p->v[i] <= end_y;
        if (!p->inside[i])
            p->u[i] = p->v[i] = 0;
    }
}

/* The pixel of each coordinate that scipy takes as the nearest one; Pillow takes the one in which it lies. */
WIDE static void find_nearest(int n, bool is_scipy, const double *restrict at, int *restrict nearest) {
    const double half = is_scipy ? 0.5 : 0;
    for (int i = 0; i < n; i++)
        nearest[i] = (int)(at[i] + half);
}

/* Places of Pillow's map in units of 2^-16. */
static void find_fixed(const cs_sweep *s, int x0, int step, int y, int n, places *p) {
    const double(*map)[3] = s->passes->warp.map;
    const int64_t across = cs_sample_fixed(map[0][0]), down = cs_sample_fixed(map[1][0]);
    const int64_t corner_x = cs_sample_fixed(map[0][2] + map[0][0] * 0.5 + map[0][1] * 0.5);
    const int64_t corner_y = cs_sample_fixed(map[1][2] + map[1][0] * 0.5 + map[1][1] * 0.5);
    const int64_t left = corner_x + y * cs_sample_fixed(map[0][1]), top = corner_y + y * cs_sample_fixed(map[1][1]);
    for (int i = 0; i < n; i++) {
        const int x = x0 + i * step;
        const int64_t u = (left + x * across) >> 16, v = (top + x * down) >> 16;
        p->inside[i] = u >= 0 && u < s->from_w && v >= 0 && v < s->from_h;
        p->left[i] = p->inside[i] ? (int)u : 0;
        p->upper[i] = p->inside[i] ? (int)v : 0;
    }
}

/* Finds the places of n pixels from x on. Of those that take the nearest pixel, only left and upper are set. */
static void find_places(const cs_sweep *s, int x, int y, int n, places *p) {
    const cs_pass *pass = s->passes;
    const int step = pass->warp.mirror_x ? -1 : 1, line = pass->warp.mirror_y ? pass->h - 1 - y : y;
    const bool is_scipy = pass->warp.sampling == CS_SAMPLING_SCIPY;
    if (pass->warp.sampling == CS_SAMPLING_PILLOW_FIXED) {
        find_fixed(s, mapped_x(pass, x), step, line, n, p);
        return;
    }
    (is_scipy ? map_scipy : map_pillow)(pass->warp.map, n, mapped_x(pass, x), step, line, p->u, p->v);
    bring_inside(s, n, p);
    if (pass->warp.nearest) {
        find_nearest(n, is_scipy, p->u, p->left);
        find_nearest(n, is_scipy, p->v, p->upper);
        return;
    }
    (is_scipy ? find_between : find_between_edges)(n, s->from_w, p->u, p->left, p->right, p->weight_x);
    (is_scipy ? find_between : find_between_edges)(n, s->from_h, p->v, p->upper, p->lower, p->weight_y);
}

/* The four neighbours of some pixels: of each, the bytes of its channels and of one more. */
typedef struct neighbours {
    uint32_t upper_left[SOME], upper_right[SOME], lower_left[SOME], lower_right[SOME];
} neighbours;

/* Reads a pixel and one byte more. */
static inline uint32_t load_pixel(const uint8_t *rgb) {
    uint32_t bytes;
    memcpy(&bytes, rgb, sizeof bytes);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    bytes = __builtin_bswap32(bytes);
#endif
    return bytes;
}

/* Reads the last pixel of an image, behind which no byte may be read. */
static inline uint32_t load_last(const uint8_t *rgb) {
    return (uint32_t)(rgb[0] | rgb[1] << 8 | rgb[2] << 16);
}

static void load_neighbours(const cs_sweep *s, int n, const places *p, neighbours *out) {
    const ptrdiff_t stride = (ptrdiff_t)s->from_w * CHANNELS, last = stride * s->from_h - CHANNELS;
    for (int i = 0; i < n; i++) {
        const ptrdiff_t upper = p->upper[i] * stride, lower = p->lower[i] * stride;
        const ptrdiff_t left = (ptrdiff_t)p->left[i] * CHANNELS, right = (ptrdiff_t)p->right[i] * CHANNELS;
        out->lower_right[i] = lower + right < last ? load_pixel(s->from + lower + right) : load_last(s->from + last);
        out->lower_left[i] = lower + left < last ? load_pixel(s->from + lower + left) : out->lower_right[i];
        out->upper_right[i] = upper + right < last ? load_pixel(s->from + upper + right) : out->lower_right[i];
        out->upper_left[i] = upper + left < last ? load_pixel(s->from + upper + left) : out->lower_right[i];
    }
}

static inline double channel_of(uint32_t pixel, int c) {
    return (int)(pixel >> (8 * c) & 255);
}

/* The values of channel c of n pixels: for Pillow's warps whole numbers. */
WIDE static void mix_channel(int n, const neighbours *restrict from, const places *restrict p, int c, bool truncates,
                             float *restrict out) {
    double mixed[SOME];
    for (int i = 0; i < n; i++) {
        const double a = channel_of(from->upper_left[i], c), b = channel_of(from->upper_right[i], c);
        const double d = channel_of(from->lower_left[i], c), e = channel_of(from->lower_right[i], c);
        const double x = p->weight_x[i], top = a + x * (b - a), bottom = d + x * (e - d);
        mixed[i] = top + p->weight_y[i] * (bottom - top);
    }
    if (truncates)
        for (int i = 0; i < n; i++)
            out[i] = (float)(int)mixed[i];
    else
        for (int i = 0; i < n; i++)
            out[i] = (float)mixed[i];
}

/* The values of n pixels, channel by channel: [3,SOME]. */
static void mix_some(const cs_sweep *s, int n, const places *p, float *out) {
    const cs_warp *warp = &s->passes->warp;
    neighbours from;
    load_neighbours(s, n, p, &from);
    for (int c = 0; c < CHANNELS; c++, out += SOME) {
        mix_channel(n, &from, p, c, warp->sampling != CS_SAMPLING_SCIPY, out);
        for (int i = 0; i < n && !p->all_inside; i++)
            out[i] = p->inside[i] ? out[i] : warp->fill_value[c];
    }
}

static void take_some(const cs_sweep *s, int n, const places *p, float *out) {
    for (int i = 0; i < n; i++) {
        const size_t pixel = (size_t)p->upper[i] * (size_t)s->from_w + (size_t)p->left[i];
        const uint8_t *rgb = s->from + pixel * CHANNELS;
        for (int c = 0; c < CHANNELS; c++)
            out[c * SOME + i] = p->inside[i] ? (float)rgb[c] : s->passes->warp.fill_value[c];
    }
}

/* Sets the values [3,SOME] of the next pixels of line y, from x on, and returns how many they are. */
static int next_values(const cs_sweep *s, int x, int y, float *values) {
    const int n = s->w - x < SOME ? s->w - x : SOME;
    places p;
    find_places(s, x, y, n, &p);
    const bool is_fixed = s->passes->warp.sampling == CS_SAMPLING_PILLOW_FIXED;
    (is_fixed || s->passes->warp.nearest ? take_some : mix_some)(s, n, &p, values);
    return n;
}

WIDE static void round_values(int n, const float *restrict values, float half, uint8_t *restrict to) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < CHANNELS; c++)
            to[i * CHANNELS + c] = (uint8_t)(int)(values[c * SOME + i] + half);
}

static void adjust_values(const cs_sweep *s, int n, const float *values, uint8_t *to) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < CHANNELS; c++)
            *to++ = cs_sample_adjust(&s->passes->warp.adjustment, values[c * SOME + i], s->facts.range);
}

void cs_warp_line(const cs_sweep *s, int y, uint8_t *to) {
    const cs_warp *warp = &s->passes->warp;
    const bool truncates = warp->adjustment.truncates || warp->sampling != CS_SAMPLING_SCIPY;
    float values[CHANNELS * SOME];
    for (int x = 0, n; x < s->w; x += n, to += (ptrdiff_t)n * CHANNELS) {
        n = next_values(s, x, y, values);
        if (cs_pass_needs(s->passes) == CS_FACTS_RANGE)
            adjust_values(s, n, values, to);
        else
            round_values(n, values, truncates ? 0 : 0.5f, to);
    }
}

void cs_warp_range(cs_sweep *s) {
    float values[CHANNELS * SOME], lowest = INFINITY, highest = -INFINITY;
    for (int y = 0; y < s->h; y++)
        for (int x = 0, n; x < s->w; x += n) {
            n = next_values(s, x, y, values);
            for (int c = 0; c < CHANNELS; c++)
                for (int i = 0; i < n; i++) {
                    lowest = fminf(lowest, values[c * SOME + i]);
                    highest = fmaxf(highest, values[c * SOME + i]);
                }
        }
    s->facts.range[0] = lowest;
    s->facts.range[1] = highest;
}
