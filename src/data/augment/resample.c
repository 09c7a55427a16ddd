/* SPDX-License-Identifier: Apache-2.0 */
/* Pillow's resize of a part of an image. As Pillow does, all lines are made narrower or wider first, and kept as bytes;
 * then each line of the result is a sum of them. */
#include "lines.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/vector.h"

enum { CHANNELS = 3 };

/* The weights of `taps`, and how many there are at most for one output. */
static void find_weights(const cs_sample_taps *taps, int *weights) {
    for (int t = 0; t < taps->count; t++)
        weights[t] = cs_sample_weight(taps, t);
}

static size_t most_taps(int in, int out) {
    return 2 * (size_t)(in > out ? (in + out - 1) / out : 1) + 1;
}

static void resample_row(const cs_sweep *s, const cs_augment_scratch *scratch, const uint8_t *from, uint8_t *to) {
    const cs_box *box = &s->passes->box;
    const size_t most = most_taps(box->w, s->w);
    for (int x = 0; x < s->w; x++, to += CHANNELS) {
        const int *weights = scratch->weights + (size_t)x * (most + 2), first = weights[0], count = weights[1];
        const uint8_t *rgb = from + (ptrdiff_t)first * CHANNELS;
        int sums[CHANNELS] = {0, 0, 0};
        for (int t = 0; t < count; t++, rgb += CHANNELS)
            for (int c = 0; c < CHANNELS; c++)
                sums[c] += weights[2 + t] * rgb[c];
        for (int c = 0; c < CHANNELS; c++)
            to[c] = cs_sample_of_sum(sums[c]);
    }
}

cs_status cs_resample_prepare(const cs_sweep *s, cs_augment_scratch *scratch) {
    const cs_box *box = &s->passes->box;
    const size_t most =
        most_taps(box->w, s->w) > most_taps(box->h, s->h) ? most_taps(box->w, s->w) : most_taps(box->h, s->h);
    const size_t columns = (size_t)s->w * (most_taps(box->w, s->w) + 2), stride = (size_t)s->w * CHANNELS;
    CS_TRY(cs_grow(&scratch->weights, &scratch->weights_capacity, columns + most, sizeof *scratch->weights, "resize"));
    CS_TRY(cs_grow(&scratch->rows, &scratch->rows_capacity, (size_t)box->h * stride, 1, "resize"));
    for (int x = 0; x < s->w; x++) {
        const cs_sample_taps taps = cs_sample_taps_of(box->w, s->w, x);
        int *weights = scratch->weights + (size_t)x * (most_taps(box->w, s->w) + 2);
        weights[0] = taps.first;
        weights[1] = taps.count;
        find_weights(&taps, weights + 2);
    }
    for (int y = 0; y < box->h; y++)
        resample_row(s, scratch, s->from + ((size_t)(box->top + y) * (size_t)s->from_w + (size_t)box->left) * CHANNELS,
                     scratch->rows + (size_t)y * stride);
    return CS_OK;
}

/* So many values of a line are made together, so that their sums stay in the processor's cache. */
enum { BLOCK = 256 };

CS_VECTOR static void add_row(size_t n, int weight, const uint8_t *restrict row, int *restrict sums) {
    for (size_t i = 0; i < n; i++)
        sums[i] += weight * row[i];
}

CS_VECTOR static void round_sums(size_t n, const int *restrict sums, uint8_t *restrict to) {
    for (size_t i = 0; i < n; i++)
        to[i] = cs_sample_of_sum(sums[i]);
}

void cs_resample_line(const cs_sweep *s, const cs_augment_scratch *scratch, cs_line *line) {
    const cs_box *box = &s->passes->box;
    const cs_sample_taps taps = cs_sample_taps_of(box->h, s->h, line->y);
    const size_t stride = (size_t)s->w * CHANNELS;
    const uint8_t *rows = scratch->rows + (size_t)taps.first * stride;
    int *weights = scratch->weights + (size_t)s->w * (most_taps(box->w, s->w) + 2);
    find_weights(&taps, weights);
    for (size_t at = 0, n; at < stride; at += n) {
        int sums[BLOCK] = {0};
        n = stride - at < BLOCK ? stride - at : BLOCK;
        for (int t = 0; t < taps.count; t++)
            add_row(n, weights[t], rows + (size_t)t * stride + at, sums);
        round_sums(n, sums, line->bytes + at);
    }
}
