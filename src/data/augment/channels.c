/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of a line. */
#include "lines.h"

#include "cnnsweep/vector.h"

enum { CHANNELS = 3 };

CS_VECTOR static void split(int n, const uint8_t *restrict rgb, int *restrict r, int *restrict g, int *restrict b) {
    for (ptrdiff_t i = 0; i < n; i++) {
        r[i] = rgb[i * CHANNELS];
        g[i] = rgb[i * CHANNELS + 1];
        b[i] = rgb[i * CHANNELS + 2];
    }
}

CS_VECTOR static void join(int n, const int *restrict r, const int *restrict g, const int *restrict b,
                           uint8_t *restrict rgb) {
    for (ptrdiff_t i = 0; i < n; i++) {
        rgb[i * CHANNELS] = (uint8_t)r[i];
        rgb[i * CHANNELS + 1] = (uint8_t)g[i];
        rgb[i * CHANNELS + 2] = (uint8_t)b[i];
    }
}

CS_VECTOR static void reverse(int n, int *channel) {
    for (int i = 0; i < n / 2; i++) {
        const int value = channel[i];
        channel[i] = channel[n - 1 - i];
        channel[n - 1 - i] = value;
    }
}

void cs_line_join(cs_line *line) {
    if (line->is_split)
        join(line->w, line->channel[0], line->channel[1], line->channel[2], line->bytes);
    line->is_split = false;
}

void cs_line_set(cs_line *line, const uint8_t *rgb) {
    split(line->w, rgb, line->channel[0], line->channel[1], line->channel[2]);
    line->is_split = true;
}

void cs_line_set_reversed(cs_line *line, const uint8_t *rgb) {
    cs_line_set(line, rgb - (ptrdiff_t)(line->w - 1) * CHANNELS);
    for (int c = 0; c < CHANNELS; c++)
        reverse(line->w, line->channel[c]);
}

void cs_line_split(cs_line *line) {
    if (!line->is_split)
        cs_line_set(line, line->bytes);
}

CS_VECTOR static int64_t grey_sum(int n, const int *restrict r, const int *restrict g, const int *restrict b) {
    int sum = 0; /* for which n is small enough */
    for (int i = 0; i < n; i++)
        sum += cs_sample_grey(r[i], g[i], b[i]);
    return sum;
}

int64_t cs_line_grey_sum(const cs_line *line) {
    return grey_sum(line->w, line->channel[0], line->channel[1], line->channel[2]);
}
