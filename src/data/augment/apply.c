/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the image that a picture describes, line by line: first the warp and the adjustment, then the table of levels
 * while the line is in the processor's cache. The CUDA engine does the same in kernels/convert.cu. */
#include "cnnsweep/augment.h"

#include <stddef.h>
#include <string.h>

#define CS_SAMPLE        static inline
#define CS_PRODUCT(a, b) ((double)(a) * (double)(b))
#define CS_SUM(a, b)     ((double)(a) + (double)(b))
#include "cnnsweep/picture_sample.h"

enum { CHANNELS = 3 };

static void mirror_line(const uint8_t *line, int w, uint8_t *to) {
    const uint8_t *from = line + (size_t)w * CHANNELS;
    for (int x = 0; x < w; x++, to += CHANNELS) {
        from -= CHANNELS;
        memcpy(to, from, CHANNELS);
    }
}

/* The three values that pixel (x, y) has after the warp. */
static inline void sample(const cs_picture *picture, const uint8_t *from, int x, int y, float values[CHANNELS]) {
    cs_sample_axis column, line;
    bool inside = cs_sample_place(&picture->warp, picture->h, picture->w, x, y, &column, &line);
    for (int c = 0; c < CHANNELS; c++)
        values[c] = inside ? cs_sample_value(from, picture->w, column, line, c) : picture->warp.fill_value;
}

static void warp_line(const cs_picture *picture, const uint8_t *from, int y, const float range[2], uint8_t *to) {
    for (int x = 0; x < picture->w; x++, to += CHANNELS) {
        float values[CHANNELS];
        sample(picture, from, x, y, values);
        for (int c = 0; c < CHANNELS; c++)
            to[c] = cs_sample_adjust(&picture->adjustment, values[c], range);
    }
}

static void find_range(const cs_picture *picture, const uint8_t *from, float range[2]) {
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (int y = 0; y < picture->h; y++)
        for (int x = 0; x < picture->w; x++) {
            float values[CHANNELS];
            sample(picture, from, x, y, values);
            for (int c = 0; c < CHANNELS; c++) {
                range[0] = fminf(range[0], values[c]);
                range[1] = fmaxf(range[1], values[c]);
            }
        }
}

/* Does every pixel show a whole pixel of line `line`, in the same order or (-1) in reverse? 0: neither. */
static int direction_of_line(const cs_picture *picture, int y, int *line) {
    const double(*map)[3] = picture->warp.map;
    const double at = map[1][1] * y + map[1][2], last = picture->w - 1;
    *line = (int)at;
    if (cs_adjustment_needs_range(&picture->adjustment) || map[0][1] != 0 || map[1][0] != 0 ||
        !(at >= 0 && at < picture->h) || at != (double)*line)
        return 0;
    if (map[0][0] == 1 && map[0][2] == 0)
        return 1;
    return map[0][0] == -1 && map[0][2] == last ? -1 : 0;
}

/* Returns line y of the warped image: a line of the source if it is the same, else one made in `to`. */
static const uint8_t *line_of(const cs_picture *picture, const uint8_t *from, int y, const float range[2],
                              uint8_t *to) {
    int line, direction = direction_of_line(picture, y, &line);
    const uint8_t *source = direction == 0 ? NULL : from + (size_t)line * (size_t)picture->w * CHANNELS;
    if (direction > 0)
        return source;
    if (direction < 0)
        mirror_line(source, picture->w, to);
    else
        warp_line(picture, from, y, range, to);
    return to;
}

/* `line` and `to` may be the same memory. */
static void recolour_line(const cs_picture *picture, const uint8_t *line, uint8_t *to) {
    const uint8_t(*level)[256] = picture->level;
    for (int x = 0; x < picture->w; x++, line += CHANNELS, to += CHANNELS)
        for (int c = 0; c < CHANNELS; c++)
            to[c] = level[c][line[c]];
}

void cs_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to) {
    const size_t stride = (size_t)picture->w * CHANNELS;
    float range[2] = {0, 0};
    if (cs_adjustment_needs_range(&picture->adjustment))
        find_range(picture, from, range);
    for (int y = 0; y < picture->h; y++, to += stride) {
        const uint8_t *line = line_of(picture, from, y, range, to);
        if (picture->recolours)
            recolour_line(picture, line, to);
        else if (line != to)
            memcpy(to, line, stride);
    }
}
