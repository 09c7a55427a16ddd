/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the image that a picture describes, sweep by sweep and line by line: the first pass of a sweep makes a line,
 * and its other passes change it while it is in the processor's cache. The CUDA engine does the same in
 * kernels/picture.cu. */
#include "cnnsweep/augment.h"
#include "sample.h"

#include <string.h>

enum { CHANNELS = 3 };

/* A sweep: its passes, and the images [h,w,3] that it reads and makes. They are the same one if no pass gathers. */
typedef struct sweep {
    const cs_pass *passes;
    int n, h, w;
    const uint8_t *from;
    uint8_t *to;
    cs_pass_facts facts;
} sweep;

static void find_range(sweep *s) {
    s->facts.range[0] = INFINITY;
    s->facts.range[1] = -INFINITY;
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            double values[CHANNELS];
            cs_sample_warp(&s->passes->warp, s->from, s->h, s->w, x, y, values);
            for (int c = 0; c < CHANNELS; c++) {
                s->facts.range[0] = fminf(s->facts.range[0], (float)values[c]);
                s->facts.range[1] = fmaxf(s->facts.range[1], (float)values[c]);
            }
        }
}

static void find_curve(sweep *s) {
    const int64_t pixels = (int64_t)s->h * s->w;
    cs_histogram histogram = {0};
    for (const uint8_t *rgb = s->from, *end = rgb + pixels * CHANNELS; rgb < end; rgb += CHANNELS) {
        for (int c = 0; c < CHANNELS; c++)
            histogram.count[c][rgb[c]]++;
        histogram.count[CHANNELS][cs_sample_grey(rgb)]++;
    }
    for (int c = 0; c < CHANNELS; c++)
        cs_sample_curve(&s->passes->curve, &histogram, pixels, c, s->facts.level[c]);
}

/* Does line y of a warp show the whole pixels of a line of the source, in the same order or (-1) in reverse? 0:
 * neither.
 */
static int direction_of_line(const sweep *s, int y, int *line) {
    const cs_warp *warp = &s->passes->warp;
    const double(*map)[3] = warp->map;
    const double at = map[1][1] * (warp->mirror_y ? s->h - 1 - y : y) + map[1][2], last = s->w - 1;
    *line = (int)at;
    if (warp->sampling != CS_SAMPLING_SCIPY || cs_pass_needs_range(s->passes) || map[0][1] != 0 || map[1][0] != 0 ||
        !(at >= 0 && at < s->h) || at != (double)*line)
        return 0;
    const int turn = warp->mirror_x ? -1 : 1;
    if (map[0][0] == 1 && map[0][2] == 0)
        return turn;
    return map[0][0] == -1 && map[0][2] == last ? -turn : 0;
}

static void mirror_line(const uint8_t *line, int w, uint8_t *to) {
    const uint8_t *from = line + (size_t)w * CHANNELS;
    for (int x = 0; x < w; x++, to += CHANNELS) {
        from -= CHANNELS;
        memcpy(to, from, CHANNELS);
    }
}

static void warp_line(const sweep *s, int y, uint8_t *to) {
    const size_t stride = (size_t)s->w * CHANNELS;
    int line, direction = direction_of_line(s, y, &line);
    if (direction > 0)
        memcpy(to, s->from + (size_t)line * stride, stride);
    else if (direction < 0)
        mirror_line(s->from + (size_t)line * stride, s->w, to);
    else
        for (int x = 0; x < s->w; x++)
            cs_sample_first(s->passes, &s->facts, s->from, s->h, s->w, x, y, to + (ptrdiff_t)x * CHANNELS);
}

/* Applies a point pass to a line. */
static void change_line(const sweep *s, const cs_pass *pass, uint8_t *line) {
    for (int x = 0; x < s->w; x++)
        cs_sample_point(pass, &s->facts, line + (ptrdiff_t)x * CHANNELS);
}

static void run(sweep *s) {
    const size_t stride = (size_t)s->w * CHANNELS;
    const bool gathers = cs_pass_gathers(s->passes);
    if (cs_pass_needs_range(s->passes))
        find_range(s);
    if (cs_pass_needs_histogram(s->passes))
        find_curve(s);
    for (int y = 0; y < s->h; y++) {
        uint8_t *line = s->to + (size_t)y * stride;
        if (gathers)
            warp_line(s, y, line);
        else if (s->from != s->to)
            memcpy(line, s->from + (size_t)y * stride, stride);
        for (int i = gathers; i < s->n; i++)
            change_line(s, &s->passes[i], line);
    }
}

static int count_gathers(const cs_picture *picture) {
    int gathers = 0;
    for (int i = 0; i < picture->n; i++)
        gathers += cs_pass_gathers(&picture->passes[i]);
    return gathers;
}

/* A sweep that gathers needs another image than the one it reads: the images alternate so that the last one is `to`. */
void cs_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to, uint8_t *scratch) {
    int gathers = count_gathers(picture);
    const uint8_t *current = from;
    for (int i = 0, end; i < picture->n; i = end) {
        end = cs_picture_sweep(picture, i);
        gathers -= cs_pass_gathers(&picture->passes[i]);
        sweep s = {.passes = &picture->passes[i], .n = end - i, .h = picture->h, .w = picture->w, .from = current};
        s.to = gathers % 2 == 0 ? to : scratch;
        run(&s);
        current = s.to;
    }
    if (current == from)
        memcpy(to, from, (size_t)picture->h * (size_t)picture->w * CHANNELS);
}
