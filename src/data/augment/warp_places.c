/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pixels of a warp lie in the source. The places are those of cs_sample_place. */
#include "warp.h"

#include "cnnsweep/vector.h"

#include <string.h>

/* The x of the pixel that the map is applied to. */
static int mapped_x(const cs_pass *pass, int x) {
    return pass->warp.mirror_x ? pass->w - 1 - x : x;
}

/* Coordinates of scipy's maps: map * (x, y, 1) at x0, x0 + step, ... */
CS_VECTOR static void map_scipy(const double (*map)[3], int n, int x0, int step, int y, double *restrict u,
                                double *restrict v) {
    const double across = map[0][1] * y + map[0][2], down = map[1][1] * y + map[1][2];
    for (int i = 0; i < n; i++) {
        const double x = x0 + i * step;
        u[i] = map[0][0] * x + across;
        v[i] = map[1][0] * x + down;
    }
}

/* Coordinates of Pillow's maps, at the middle of a pixel. */
CS_VECTOR static void map_pillow(const double (*map)[3], int n, int x0, int step, int y, double *restrict u,
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
CS_VECTOR static void find_between(int n, int side, const double *restrict at, int *restrict nearer,
                                   int *restrict farther, double *restrict weight) {
    for (int i = 0; i < n; i++) {
        const int first = (int)at[i], second = first + 1 < side ? first + 1 : first;
        nearer[i] = first;
        farther[i] = second;
        weight[i] = at[i] - first;
    }
}

/* The same for coordinates of Pillow's, which lie in [0, side). */
CS_VECTOR static void find_between_edges(int n, int side, const double *restrict at, int *restrict nearer,
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

/* The same for both where there are two neighbours, of which the farther one is the next. */
CS_VECTOR static void find_first(int n, bool is_scipy, const double *restrict at, int *restrict nearer,
                                 double *restrict weight) {
    const double edge = is_scipy ? 0 : 0.5;
    for (int i = 0; i < n; i++) {
        const double middle = at[i] - edge;
        const int first = (int)middle;
        nearer[i] = first;
        weight[i] = middle - first;
    }
}

/* Does every coordinate lie between the two numbers? If they only rise or only fall along the line, as those of an
 * affine map do, the first and the last one tell. */
CS_VECTOR static bool lie_between(int n, const double *at, double low, double high, bool is_monotonic) {
    if (is_monotonic)
        return at[0] >= low && at[0] <= high && at[n - 1] >= low && at[n - 1] <= high;
    int between = 0;
    for (int i = 0; i < n; i++)
        between += (at[i] >= low) & (at[i] <= high);
    return between == n;
}

/* Which of the points lie in the image? The others are moved to its first pixel. */
CS_VECTOR static void mark_inside(int n, double end_x, double end_y, double *restrict u, double *restrict v,
                                  int *restrict inside) {
    for (int i = 0; i < n; i++)
        inside[i] = (u[i] >= 0) & (u[i] <= end_x) & (v[i] >= 0) & (v[i] <= end_y);
    for (int i = 0; i < n; i++) {
        u[i] = inside[i] ? u[i] : 0;
        v[i] = inside[i] ? v[i] : 0;
    }
}

CS_VECTOR static void move_to_edges(int n, double end, double *at) {
    for (int i = 0; i < n; i++) {
        const double low = at[i] < 0 ? 0 : at[i];
        at[i] = low > end ? end : low;
    }
}

/* Brings the coordinates into the image, as the fill mode says, and returns true if all were there. Those that stay
 * outside show the fill value; any place will do for them. */
static bool bring_inside(const cs_sweep *s, int n, bool is_monotonic, cs_places *p) {
    const bool is_scipy = s->passes->warp.sampling == CS_SAMPLING_SCIPY;
    const cs_fill fill = is_scipy ? s->passes->warp.fill : CS_FILL_CONSTANT;
    const int h = s->from_h, w = s->from_w;
    const double end_x = is_scipy ? w - 1 : nextafter(w, 0), end_y = is_scipy ? h - 1 : nextafter(h, 0);
    p->all_inside = true;
    if (lie_between(n, p->u, 0, end_x, is_monotonic) && lie_between(n, p->v, 0, end_y, is_monotonic))
        return true;
    if (fill == CS_FILL_CONSTANT) {
        p->all_inside = false;
        mark_inside(n, end_x, end_y, p->u, p->v, p->inside);
    } else if (fill == CS_FILL_NEAREST) {
        move_to_edges(n, end_x, p->u);
        move_to_edges(n, end_y, p->v);
    } else {
        for (int i = 0; i < n; i++) {
            (void)cs_sample_inside(&p->u[i], w, fill);
            (void)cs_sample_inside(&p->v[i], h, fill);
        }
    }
    return false;
}

/* The pixel of each coordinate that scipy takes as the nearest one; Pillow takes the one in which it lies. */
CS_VECTOR static void find_nearest(int n, bool is_scipy, const double *restrict at, int *restrict nearest) {
    const double half = is_scipy ? 0.5 : 0;
    for (int i = 0; i < n; i++)
        nearest[i] = (int)(at[i] + half);
}

/* Places of Pillow's map in units of 2^-16. */
static void find_fixed(const cs_sweep *s, int x0, int step, int y, int n, cs_places *p) {
    const double(*map)[3] = s->passes->warp.map;
    const int64_t across = cs_sample_fixed(map[0][0]), down = cs_sample_fixed(map[1][0]);
    const int64_t corner_x = cs_sample_fixed(map[0][2] + map[0][0] * 0.5 + map[0][1] * 0.5);
    const int64_t corner_y = cs_sample_fixed(map[1][2] + map[1][0] * 0.5 + map[1][1] * 0.5);
    const int64_t left = corner_x + y * cs_sample_fixed(map[0][1]), top = corner_y + y * cs_sample_fixed(map[1][1]);
    int inside = 0;
    for (int i = 0; i < n; i++) {
        const int x = x0 + i * step;
        const int64_t u = (left + x * across) >> 16, v = (top + x * down) >> 16;
        p->inside[i] = u >= 0 && u < s->from_w && v >= 0 && v < s->from_h;
        p->left[i] = p->inside[i] ? (int)u : 0;
        p->upper[i] = p->inside[i] ? (int)v : 0;
        inside += p->inside[i];
    }
    p->all_inside = inside == n;
}

/* Do all pixels lie between different columns and lines, and is there a line more below them? Then a neighbour may be
 * read together with the bytes behind it. */
static bool have_four_neighbours(const cs_sweep *s, int n, bool is_monotonic, const cs_places *p) {
    const double middle = s->passes->warp.sampling == CS_SAMPLING_SCIPY ? 0 : 0.5;
    return lie_between(n, p->u, middle, s->from_w - 2 + middle, is_monotonic) &&
           lie_between(n, p->v, middle, s->from_h - 3 + middle, is_monotonic);
}

void cs_find_places(const cs_sweep *s, int x, int y, int n, cs_places *p) {
    const cs_pass *pass = s->passes;
    const double(*map)[3] = pass->warp.map;
    const int step = pass->warp.mirror_x ? -1 : 1, line = pass->warp.mirror_y ? pass->h - 1 - y : y;
    const bool is_scipy = pass->warp.sampling == CS_SAMPLING_SCIPY;
    const bool is_affine = is_scipy || (map[2][0] == 0 && map[2][1] == 0);
    if (pass->warp.sampling == CS_SAMPLING_PILLOW_FIXED) {
        find_fixed(s, mapped_x(pass, x), step, line, n, p);
        return;
    }
    (is_scipy ? map_scipy : map_pillow)(map, n, mapped_x(pass, x), step, line, p->u, p->v);
    const bool is_unmoved = bring_inside(s, n, is_affine, p);
    if (pass->warp.nearest) {
        find_nearest(n, is_scipy, p->u, p->left);
        find_nearest(n, is_scipy, p->v, p->upper);
        return;
    }
    p->four_neighbours = have_four_neighbours(s, n, is_affine && is_unmoved, p);
    if (p->four_neighbours) {
        find_first(n, is_scipy, p->u, p->left, p->weight_x);
        find_first(n, is_scipy, p->v, p->upper, p->weight_y);
        return;
    }
    (is_scipy ? find_between : find_between_edges)(n, s->from_w, p->u, p->left, p->right, p->weight_x);
    (is_scipy ? find_between : find_between_edges)(n, s->from_h, p->v, p->upper, p->lower, p->weight_y);
}
