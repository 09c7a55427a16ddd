/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a warp or a grid with OpenCV's sampling. The values are those of cs_opencv_sample; where the four
 * neighbours of a pixel lie in the image they are mixed here, in loops that compilers vectorise. */
#include "warp.h"

#include "cnnsweep/vector.h"

enum { CHANNELS = 3 };

/* Where some pixels lie in the source. */
typedef struct places {
    float u[CS_SOME], v[CS_SOME], right[CS_SOME], lower[CS_SOME];
    int left[CS_SOME], top[CS_SOME], inside[CS_SOME];
} places;

CS_VECTOR static void map_warp(const double row[3], int n, int x, int step, int y, float *restrict at) {
    for (int i = 0; i < n; i++)
        at[i] = cs_opencv_row(row, x + i * step, y);
}

static void map_grid(const cs_sweep *s, int n, int x, int y, places *p) {
    const cs_grid *grid = &s->passes->grid;
    const float v = cs_opencv_grid_place(&grid->down, y, s->h);
    for (int i = 0; i < n; i++) {
        p->u[i] = cs_opencv_grid_place(&grid->across, x + i, s->w);
        p->v[i] = v;
    }
}

static void map_some(const cs_sweep *s, int n, int x, int y, places *p) {
    const cs_warp *warp = &s->passes->warp;
    if (s->passes->kind == CS_PASS_GRID) {
        map_grid(s, n, x, y, p);
        return;
    }
    const int first = warp->mirror_x ? s->w - 1 - x : x, step = warp->mirror_x ? -1 : 1;
    const int line = warp->mirror_y ? s->h - 1 - y : y;
    map_warp(warp->map[0], n, first, step, line, p->u);
    map_warp(warp->map[1], n, first, step, line, p->v);
}

/* The pixel before each coordinate, and the weight of the next one. Clears `inside` where that is not from 0 to last.
 */
CS_VECTOR static void find_first(int n, int last, const float *restrict at, int *restrict first, float *restrict weight,
                                 int *restrict inside) {
    for (int i = 0; i < n; i++) {
        const int whole = (int)at[i] - ((float)(int)at[i] > at[i]);
        first[i] = whole;
        weight[i] = at[i] - (float)whole;
        inside[i] &= (whole >= 0) & (whole <= last);
    }
}

/* Any place will do for the pixels that are not inside. */
CS_VECTOR static int move_inside(int n, const int *restrict inside, int *restrict left, int *restrict top) {
    int count = 0;
    for (int i = 0; i < n; i++) {
        left[i] = inside[i] ? left[i] : 0;
        top[i] = inside[i] ? top[i] : 0;
        count += inside[i];
    }
    return count;
}

CS_VECTOR static void mix_channel(int n, const cs_neighbours *restrict from, const places *restrict p, int c,
                                  int *restrict out) {
    for (int i = 0; i < n; i++) {
        const int a = cs_channel_of(from->upper_left[i], c), b = cs_channel_of(from->upper_right[i], c);
        const int d = cs_channel_of(from->lower_left[i], c), e = cs_channel_of(from->lower_right[i], c);
        const float above = cs_opencv_fused(p->right[i], (float)(b - a), (float)a);
        const float below = cs_opencv_fused(p->right[i], (float)(e - d), (float)d);
        out[i] = cs_sample_rounded(cs_opencv_fused(p->lower[i], below - above, above));
    }
}

static void make_some(const cs_sweep *s, int n, int x, int y, int *const out[CHANNELS]) {
    places p;
    cs_neighbours from;
    uint8_t rgb[CHANNELS];
    map_some(s, n, x, y, &p);
    for (int i = 0; i < n; i++)
        p.inside[i] = 1;
    find_first(n, s->from_w - 2, p.u, p.left, p.right, p.inside);
    find_first(n, s->from_h - 3, p.v, p.top, p.lower, p.inside);
    const int count = move_inside(n, p.inside, p.left, p.top);
    if (count > 0) {
        cs_load_pairs(s, n, p.left, p.top, &from);
        for (int c = 0; c < CHANNELS; c++)
            mix_channel(n, &from, &p, c, out[c]);
    }
    for (int i = 0; i < n && count < n; i++) {
        if (p.inside[i])
            continue;
        cs_sample_first(s->passes, &s->facts, s->from, s->from_h, s->from_w, x + i, y, rgb);
        for (int c = 0; c < CHANNELS; c++)
            out[c][i] = rgb[c];
    }
}

void cs_opencv_line(const cs_sweep *s, cs_line *line) {
    const cs_pass *pass = s->passes;
    if (pass->kind == CS_PASS_GRID ? pass->grid.warp.nearest : pass->warp.nearest) {
        cs_gather_line(s, line);
        return;
    }
    for (int x = 0, n; x < s->w; x += n) {
        int *const out[CHANNELS] = {line->channel[0] + x, line->channel[1] + x, line->channel[2] + x};
        n = s->w - x < CS_SOME ? s->w - x : CS_SOME;
        make_some(s, n, x, line->y, out);
    }
    line->is_split = true;
}
