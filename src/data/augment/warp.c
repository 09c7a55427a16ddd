/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a warp. The values are those of cs_sample_warp. To be several times faster, this file first finds the
 * places of some pixels, in loops that compilers vectorise, and then mixes the channels of a pixel in the lanes of one
 * vector. */
#include "lines.h"

#include <string.h>

/* As in src/data/resize_kernels.c: compiled twice, with results that are the same to the bit. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { CHANNELS = 3, SOME = 64, LANES = 4 };

/* Where `n` pixels of a line lie in the source. */
typedef struct places {
    double u[SOME], v[SOME];
    double weight_x[SOME], weight_y[SOME];
    int left[SOME], right[SOME], upper[SOME], lower[SOME];
    bool inside[SOME];
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

/* The neighbours of each coordinate, which lies in [0, side - 1], and the weight of the farther one. */
WIDE static void find_between(int n, int side, const double *restrict at, int *restrict nearer, int *restrict farther,
                              double *restrict weight) {
    for (int i = 0; i < n; i++) {
        const int first = (int)at[i], second = first + 1 < side ? first + 1 : first;
        nearer[i] = first;
        farther[i] = second;
        weight[i] = second == first ? 0 : at[i] - first;
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
        weight[i] = second == lower ? 0 : middle - first;
    }
}

/* Brings the coordinates into the image; those that stay outside show the fill value, and any place will do. */
static void bring_inside(const cs_sweep *s, int n, places *p) {
    const cs_fill fill = s->passes->warp.fill;
    const int h = s->from_h, w = s->from_w;
    for (int i = 0; i < n; i++) {
        p->inside[i] = cs_sample_inside(&p->u[i], w, fill) && cs_sample_inside(&p->v[i], h, fill);
        if (!p->inside[i])
            p->u[i] = p->v[i] = 0;
    }
}

static void find_inside(const cs_sweep *s, int n, places *p) {
    const int h = s->from_h, w = s->from_w;
    for (int i = 0; i < n; i++) {
        p->inside[i] = p->u[i] >= 0 && p->u[i] < w && p->v[i] >= 0 && p->v[i] < h;
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
    (is_scipy ? bring_inside : find_inside)(s, n, p);
    if (pass->warp.nearest) {
        find_nearest(n, is_scipy, p->u, p->left);
        find_nearest(n, is_scipy, p->v, p->upper);
        return;
    }
    (is_scipy ? find_between : find_between_edges)(n, s->from_w, p->u, p->left, p->right, p->weight_x);
    (is_scipy ? find_between : find_between_edges)(n, s->from_h, p->v, p->upper, p->lower, p->weight_y);
}

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int32_t whole_lanes __attribute__((vector_size(LANES * sizeof(int32_t))));

/* The three channels of a pixel and one byte more. */
#define LOAD_PIXEL(rgb) __builtin_convertvector((whole_lanes){(rgb)[0], (rgb)[1], (rgb)[2], (rgb)[3]}, lanes)

/* The values of n pixels as floats; of Pillow's as whole numbers. `last` is the last pixel of the source, behind which
 * no byte may be read. */
WIDE static void sample_some(const cs_sweep *s, int n, const places *p, float *restrict out) {
    const cs_warp *warp = &s->passes->warp;
    const size_t stride = (size_t)s->from_w * CHANNELS;
    const bool is_scipy = warp->sampling == CS_SAMPLING_SCIPY;
    const uint8_t *last = s->from + (size_t)s->from_h * stride - CHANNELS;
    for (int i = 0; i < n; i++, out += CHANNELS) {
        const uint8_t *upper = s->from + (size_t)p->upper[i] * stride, *lower = s->from + (size_t)p->lower[i] * stride;
        const uint8_t *farthest = lower + (size_t)p->right[i] * CHANNELS;
        double values[LANES];
        if (!p->inside[i]) {
            memcpy(out, warp->fill_value, CHANNELS * sizeof *out);
            continue;
        }
        if (farthest >= last) {
            const cs_sample_axis column = {p->left[i], p->right[i], p->weight_x[i]};
            const cs_sample_axis line = {p->upper[i], p->lower[i], p->weight_y[i]};
            for (int c = 0; c < CHANNELS; c++)
                values[c] = cs_sample_value(s->from, s->from_w, column, line, c);
        } else {
            const double x = p->weight_x[i], y = p->weight_y[i];
            const size_t left = (size_t)p->left[i] * CHANNELS, right = (size_t)p->right[i] * CHANNELS;
            const lanes a = LOAD_PIXEL(upper + left), b = LOAD_PIXEL(upper + right);
            const lanes c = LOAD_PIXEL(lower + left), d = LOAD_PIXEL(farthest);
            const lanes top = a + x * (b - a), bottom = c + x * (d - c), mixed = top + y * (bottom - top);
            memcpy(values, &mixed, sizeof values);
        }
        for (int c = 0; c < CHANNELS; c++)
            out[c] = is_scipy ? (float)values[c] : (float)(int)values[c];
    }
}

static void take_some(const cs_sweep *s, int n, const places *p, float *out) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < CHANNELS; c++) {
            const size_t pixel = (size_t)p->upper[i] * (size_t)s->from_w + (size_t)p->left[i];
            out[i * CHANNELS + c] =
                p->inside[i] ? (float)s->from[pixel * CHANNELS + (size_t)c] : s->passes->warp.fill_value[c];
        }
}

/* Sets the values of the next pixels of line y, from x on, and returns how many they are. */
static int next_values(const cs_sweep *s, int x, int y, float *values) {
    const int n = s->w - x < SOME ? s->w - x : SOME;
    places p;
    find_places(s, x, y, n, &p);
    (s->passes->warp.nearest ? take_some : sample_some)(s, n, &p, values);
    return n;
}

WIDE static void round_values(int n, const float *restrict values, float half, uint8_t *restrict to) {
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)(int)(values[i] + half);
}

void cs_warp_line(const cs_sweep *s, int y, uint8_t *to) {
    const cs_warp *warp = &s->passes->warp;
    const bool truncates = warp->adjustment.truncates || warp->sampling != CS_SAMPLING_SCIPY;
    float values[SOME * CHANNELS];
    for (int x = 0, n; x < s->w; x += n, to += (ptrdiff_t)n * CHANNELS) {
        n = next_values(s, x, y, values);
        if (!cs_pass_needs_range(s->passes))
            round_values(n * CHANNELS, values, truncates ? 0 : 0.5f, to);
        for (int i = 0; i < n * CHANNELS && cs_pass_needs_range(s->passes); i++)
            to[i] = cs_sample_adjust(&warp->adjustment, values[i], s->facts.range);
    }
}

void cs_warp_range(cs_sweep *s) {
    float values[SOME * CHANNELS], lowest = INFINITY, highest = -INFINITY;
    for (int y = 0; y < s->h; y++)
        for (int x = 0, n; x < s->w; x += n) {
            n = next_values(s, x, y, values);
            for (int i = 0; i < n * CHANNELS; i++) {
                lowest = values[i] < lowest ? values[i] : lowest;
                highest = values[i] > highest ? values[i] : highest;
            }
        }
    s->facts.range[0] = lowest;
    s->facts.range[1] = highest;
}
