/* SPDX-License-Identifier: Apache-2.0 */
/* Antialiased bilinear and nearest resizing with Pillow's geometry (Pillow 9.4, src/libImaging/Resample.c and
 * Geometry.c): output x samples the input around (x + 0.5) * in/out with a triangle of half-width max(1, in/out). Rows
 * are blended first, and only the final result is rounded. Pillow also rounds between its two passes, so the results
 * agree within 1 level. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char *cs_resize_name(cs_resize resize) {
    return resize == CS_RESIZE_NEAREST ? "nearest" : "bilinear";
}

static double support_of(int in, int out) {
    double scale = (double)in / out;
    return scale < 1 ? 1 : scale;
}

/* An upper bound on the inputs of one output. It is even, because cs_resize_columns takes inputs in pairs. */
static int taps_of(int in, int out) {
    return ((int)(2 * support_of(in, out)) + 2) & ~1;
}

static cs_status axis_reserve(cs_axis *axis, int in, int out) {
    size_t outs = (size_t)out;
    CS_TRY(cs_grow(&axis->start, &axis->start_capacity, outs, sizeof *axis->start, "resize"));
    CS_TRY(cs_grow(&axis->count, &axis->count_capacity, outs, sizeof *axis->count, "resize"));
    return cs_grow(&axis->weight, &axis->weight_capacity, outs * (size_t)taps_of(in, out), sizeof *axis->weight,
                   "resize");
}

/* Finds the inputs of output i: those under a triangle around its centre, cut off at the ends of the axis. */
static void axis_inputs(cs_axis *axis, int i, double centre, double support) {
    int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > axis->in ? axis->in : last;
    axis->start[i] = first;
    axis->count[i] = last - first;
}

/* Computes their weights, which have the sum 1. */
static void axis_weights(cs_axis *axis, int i, double centre, double support) {
    float *weight = axis->weight + (size_t)i * (size_t)axis->taps;
    double sum = 0;
    for (int k = 0; k < axis->taps; k++) {
        double distance = (axis->start[i] + k - centre + 0.5) / support;
        double value = k < axis->count[i] ? 1 - (distance < 0 ? -distance : distance) : 0;
        value = value > 0 ? value : 0;
        weight[k] = (float)value;
        sum += value;
    }
    for (int k = 0; k < axis->taps; k++)
        weight[k] = (float)(weight[k] / sum);
}

static cs_status axis_prepare(cs_axis *axis, int in, int out) {
    if (axis->in == in && axis->out == out)
        return CS_OK;
    axis->out = 0; /* marks the axis as not ready in case an allocation fails */
    CS_TRY(axis_reserve(axis, in, out));
    double scale = (double)in / out, support = support_of(in, out);
    int most = 0;
    axis->in = in;
    for (int i = 0; i < out; i++) {
        axis_inputs(axis, i, (i + 0.5) * scale, support);
        most = axis->count[i] > most ? axis->count[i] : most;
    }
    axis->taps = (most + 1) & ~1;
    for (int i = 0; i < out; i++)
        axis_weights(axis, i, (i + 0.5) * scale, support);
    axis->out = out;
    return CS_OK;
}

/* cs_resize_columns reads a fixed number of taps from any start pixel, four values at a time, and so past the last
 * pixel. */
static cs_status rows_reserve(cs_decoder *decoder, int in_w, int out_w) {
    size_t values = ((size_t)in_w + (size_t)taps_of(in_w, out_w)) * 3 + 1;
    CS_TRY(cs_grow(&decoder->sums, &decoder->sums_capacity, (size_t)in_w * 3, sizeof *decoder->sums, "resize"));
    CS_TRY(cs_grow(&decoder->row, &decoder->row_capacity, values, sizeof *decoder->row, "resize"));
    return cs_grow(&decoder->blended, &decoder->blended_capacity, (size_t)out_w * 3 + 1, sizeof *decoder->blended,
                   "resize");
}

cs_status cs_resize_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w) {
    CS_TRY(axis_reserve(&decoder->y, max_h, h));
    CS_TRY(axis_reserve(&decoder->x, max_w, w));
    return rows_reserve(decoder, max_w, w);
}

void cs_resize_clear(cs_decoder *decoder) {
    for (int i = 0; i < 2; i++) {
        cs_axis *axis = i ? &decoder->y : &decoder->x;
        free(axis->start);
        free(axis->count);
        free(axis->weight);
    }
    free(decoder->sums);
    free(decoder->row);
    free(decoder->blended);
}

static uint16_t fixed_point(float weight) {
    float value = weight * 65536 + 0.5f;
    return (uint16_t)(value < 65535 ? value : 65535);
}

/* Computes row[0..n) = row * keep + sum over k of weight[k] * (row k of src), for so few rows that 16 bits hold the
 * sum. */
static void blend_some_rows(cs_decoder *decoder, const uint8_t *src, size_t n, const float *weight, int count,
                            float keep) {
    uint16_t *sums = decoder->sums;
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(count / 2); /* compensates the mean loss from truncated products */
    for (int k = 0; k < count; k += 2) {
        bool pair = k + 1 < count;
        const uint8_t *a = src + (size_t)k * n;
        cs_resize_add_rows(a, pair ? a + n : a, fixed_point(weight[k]), pair ? fixed_point(weight[k + 1]) : 0, n, sums);
    }
    cs_resize_add_sums(sums, n, keep, decoder->row);
}

static void blend_rows(cs_decoder *decoder, const uint8_t *src, size_t n, const float *weight, int count) {
    enum { MOST = 64 };
    for (int k = 0; k < count; k += MOST)
        blend_some_rows(decoder, src + (size_t)k * n, n, weight + k, count - k < MOST ? count - k : MOST,
                        k == 0 ? 0.0f : 1.0f);
}

static cs_status resize_bilinear(cs_decoder *decoder, const cs_image *image, int h, int w, uint8_t *out) {
    CS_TRY(axis_prepare(&decoder->y, image->h, h));
    CS_TRY(axis_prepare(&decoder->x, image->w, w));
    CS_TRY(rows_reserve(decoder, image->w, w));
    const cs_axis *x = &decoder->x, *y = &decoder->y;
    size_t stride = (size_t)image->w * 3;
    for (int i = 0; i < h; i++, out += (size_t)w * 3) {
        blend_rows(decoder, image->pixels + (size_t)y->start[i] * stride, stride,
                   y->weight + (size_t)i * (size_t)y->taps, y->count[i]);
        cs_resize_columns(x->out, x->taps, x->start, x->weight, decoder->row, decoder->blended);
        cs_resize_round((size_t)w * 3, decoder->blended, out);
    }
    return CS_OK;
}

/* The position is accumulated step by step as in Pillow: (i + 0.5) * scale sometimes rounds differently. */
static void resize_nearest(const cs_image *image, int h, int w, uint8_t *out) {
    double step_y = (double)image->h / h, step_x = (double)image->w / w;
    double at_y = step_y * 0.5;
    for (int y = 0; y < h; y++, at_y += step_y) {
        int row = (int)at_y < image->h ? (int)at_y : image->h - 1;
        const uint8_t *src = image->pixels + (size_t)row * (size_t)image->w * 3;
        double at_x = step_x * 0.5;
        for (int x = 0; x < w; x++, at_x += step_x, out += 3) {
            int column = (int)at_x < image->w ? (int)at_x : image->w - 1;
            memcpy(out, src + (size_t)column * 3, 3);
        }
    }
}

cs_status cs_resize_image(cs_decoder *decoder, const cs_image *image, cs_resize how, int h, int w, uint8_t *out) {
    CS_TRY(cs_image_check_size(NULL, "resize", (uint64_t)(h > 0 ? h : 0), (uint64_t)(w > 0 ? w : 0)));
    if (image->h == h && image->w == w)
        memcpy(out, image->pixels, (size_t)h * (size_t)w * 3);
    else if (how == CS_RESIZE_NEAREST)
        resize_nearest(image, h, w, out);
    else
        return resize_bilinear(decoder, image, h, w, out);
    return CS_OK;
}
