/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the image that a picture describes: first a warp, then a change of colours. Each line gets both while it is in
 * the processor's cache. The CUDA engine does the same in kernels/convert.cu. */
#include "cnnsweep/augment.h"

#include <string.h>

enum { CHANNELS = 3 };

/* The index of the nearest pixel, from 0 to `last`. */
static int nearest(float at, int last) {
    const float edge = (float)last;
    at = at < 0 ? 0 : at > edge ? edge : at;
    return (int)(at + 0.5f);
}

static void mirror_line(const uint8_t *line, int w, uint8_t *to) {
    const uint8_t *from = line + (size_t)w * CHANNELS;
    for (int x = 0; x < w; x++, to += CHANNELS) {
        from -= CHANNELS;
        memcpy(to, from, CHANNELS);
    }
}

/* Collects the pixels of line y from anywhere in the source. */
static void gather_line(const cs_picture *picture, const uint8_t *from, int y, uint8_t *to) {
    const float(*map)[3] = picture->map;
    const int h = picture->h, w = picture->w;
    const float x_of_line = map[0][1] * (float)y + map[0][2], y_of_line = map[1][1] * (float)y + map[1][2];
    for (int x = 0; x < w; x++, to += CHANNELS) {
        int column = nearest(map[0][0] * (float)x + x_of_line, w - 1);
        int line = nearest(map[1][0] * (float)x + y_of_line, h - 1);
        memcpy(to, from + ((size_t)line * (size_t)w + (size_t)column) * CHANNELS, CHANNELS);
    }
}

/* Returns line y of the warped image: a line of the source if it is the same, else one made in `to`. */
static const uint8_t *warp_line(const cs_picture *picture, const uint8_t *from, int y, uint8_t *to) {
    const float(*map)[3] = picture->map;
    const float last = (float)(picture->w - 1);
    const bool upright = map[0][1] == 0 && map[1][0] == 0;
    const int line = nearest(map[1][1] * (float)y + map[1][2], picture->h - 1);
    const uint8_t *source = from + (size_t)line * (size_t)picture->w * CHANNELS;
    if (upright && map[0][0] == 1 && map[0][2] == 0)
        return source;
    if (upright && map[0][0] == -1 && map[0][2] == last)
        mirror_line(source, picture->w, to);
    else
        gather_line(picture, from, y, to);
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
    for (int y = 0; y < picture->h; y++, to += stride) {
        const uint8_t *line = warp_line(picture, from, y, to);
        if (picture->recolours)
            recolour_line(picture, line, to);
        else if (line != to)
            memcpy(to, line, stride);
    }
}
