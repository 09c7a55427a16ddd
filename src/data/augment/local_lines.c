/* SPDX-License-Identifier: Apache-2.0 */
/* Passes that look at neighbours of a pixel, line by line. Each value has the arithmetic of picture_local.h, but the
 * loops are ordered so that the compiler vectorises them and sums that pixels share are made once. */
#include "lines.h"

#include "cnnsweep/vector.h"

#include <string.h>

enum { CHANNELS = 3 };

CS_VECTOR static void sharpen(size_t n, const uint8_t *restrict from, size_t stride, float factor,
                              uint8_t *restrict to) {
    for (size_t i = 0; i < n; i++)
        to[i] = cs_sample_sharp(from + i, stride, factor);
}

void cs_sharpness_line(const cs_sweep *s, cs_line *line) {
    const size_t stride = (size_t)s->w * CHANNELS, edges = (size_t)2 * CHANNELS;
    const uint8_t *from = s->from + (size_t)line->y * stride;
    memcpy(line->bytes, from, stride);
    if (line->y > 0 && line->y < s->h - 1 && stride > edges)
        sharpen(stride - edges, from + CHANNELS, stride, s->passes->factor, line->bytes + CHANNELS);
}

/* Adds weighted bytes, or floats, to sums. */
CS_VECTOR static void add_bytes(size_t n, float weight, const uint8_t *restrict values, float *restrict sums) {
    for (size_t i = 0; i < n; i++)
        sums[i] = cs_sample_add(sums[i], weight, (float)values[i]);
}

CS_VECTOR static void add_floats(size_t n, float weight, const float *restrict values, float *restrict sums) {
    for (size_t i = 0; i < n; i++)
        sums[i] = cs_sample_add(sums[i], weight, values[i]);
}

CS_VECTOR static void round_sums(size_t n, const float *restrict sums, uint8_t *restrict to) {
    for (size_t i = 0; i < n; i++)
        to[i] = cs_sample_rounded(sums[i]);
}

/* So many pixels of a line are made together, so that their sums stay in the processor's cache. */
enum { BLOCK = 128 };

static void copy_column(float *sums, int to, int from) {
    memcpy(sums + (ptrdiff_t)to * CHANNELS, sums + (ptrdiff_t)from * CHANNELS, CHANNELS * sizeof *sums);
}

/* Adds up columns first..last-1 around line y, where columns beyond the edges are mirrored, or 0 if they are black. */
static void sum_columns(const cs_sweep *s, int y, int first, int last, float *sums) {
    const cs_blur *blur = &s->passes->blur;
    const int w = s->w;
    const int begin = first > 0 ? first : 0, end = last < w ? last : w;
    const size_t stride = (size_t)w * CHANNELS, values = (size_t)(end - begin) * CHANNELS;
    float *inside = sums + (ptrdiff_t)(begin - first) * CHANNELS;
    memset(sums, 0, (size_t)(last - first) * CHANNELS * sizeof *sums);
    for (int j = -blur->down; j <= blur->down; j++) {
        if (blur->black_edges && (y + j < 0 || y + j >= s->h))
            continue;
        const uint8_t *line = s->from + (size_t)cs_sample_mirrored(y + j, s->h) * stride + (ptrdiff_t)begin * CHANNELS;
        add_bytes(values, blur->weight_down[j + blur->down], line, inside);
    }
    for (int x = first; x < begin && !blur->black_edges; x++)
        copy_column(sums, x - first, cs_sample_mirrored(x, w) - first);
    for (int x = end; x < last && !blur->black_edges; x++)
        copy_column(sums, x - first, cs_sample_mirrored(x, w) - first);
}

void cs_blur_line(const cs_sweep *s, cs_line *line) {
    const cs_blur *blur = &s->passes->blur;
    float columns[(BLOCK + 2 * CS_BLUR_RADIUS) * CHANNELS], sums[BLOCK * CHANNELS];
    for (int first = 0, last; first < s->w; first = last) {
        last = first + BLOCK < s->w ? first + BLOCK : s->w;
        const size_t values = (size_t)(last - first) * CHANNELS;
        sum_columns(s, line->y, first - blur->across, last + blur->across, columns);
        memset(sums, 0, sizeof sums);
        for (int k = 0; k <= 2 * blur->across; k++)
            add_floats(values, blur->weight_across[k], columns + (ptrdiff_t)k * CHANNELS, sums);
        round_sums(values, sums, line->bytes + (ptrdiff_t)first * CHANNELS);
    }
}

/* Adds a point's values to the sums of the pixels first..last-1 of line y. */
static void add_point(const cs_sweep *s, const cs_kernel_point *point, int y, int first, int last, float *sums) {
    const int left = -point->x, right = s->w - point->x; /* pixels from `left` to before `right` look into the image */
    const uint8_t *line = s->from + (size_t)cs_sample_mirrored(y + point->y, s->h) * (size_t)s->w * CHANNELS;
    const int begin = left < first ? first : left > last ? last : left;
    const int end = right > last ? last : right < begin ? begin : right;
    const uint8_t *from = line + (ptrdiff_t)(begin + point->x) * CHANNELS;
    float *inside = sums + (ptrdiff_t)(begin - first) * CHANNELS;
    add_bytes((size_t)(end - begin) * CHANNELS, point->weight, from, inside);
    for (int x = first; x < last; x++)
        for (int c = 0; c < CHANNELS && (x < begin || x >= end); c++) {
            float *sum = &sums[(x - first) * CHANNELS + c];
            *sum =
                cs_sample_add(*sum, point->weight, (float)line[cs_sample_mirrored(x + point->x, s->w) * CHANNELS + c]);
        }
}

void cs_kernel_line(const cs_sweep *s, cs_line *line) {
    const cs_kernel *kernel = &s->passes->kernel;
    float sums[BLOCK * CHANNELS];
    for (int first = 0, last; first < s->w; first = last) {
        last = first + BLOCK < s->w ? first + BLOCK : s->w;
        memset(sums, 0, sizeof sums);
        for (int i = 0; i < kernel->n; i++)
            add_point(s, &kernel->points[i], line->y, first, last, sums);
        round_sums((size_t)(last - first) * CHANNELS, sums, line->bytes + (ptrdiff_t)first * CHANNELS);
    }
}
