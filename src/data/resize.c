/* Antialiased bilinear and nearest resizing with Pillow's geometry (Pillow 9.4, src/libImaging/Resample.c and
 * Geometry.c): output x samples the input around (x + 0.5) * in/out with a triangle of half-width max(1, in/out).
 * Rows are blended first and kept as floats, so only the result is rounded; Pillow rounds between its two passes too,
 * hence "within 1 level". */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

static double support_of(int in, int out) {
    double scale = (double)in / out;
    return scale < 1 ? 1 : scale;
}

static int taps_of(int in, int out) {
    return 2 * (int)(support_of(in, out) + 1) + 1;
}

static cs_status axis_reserve(cs_axis *axis, int in, int out) {
    size_t outs = (size_t)out;
    CS_TRY(cs_grow(&axis->start, &axis->start_capacity, outs, sizeof *axis->start, "resize"));
    CS_TRY(cs_grow(&axis->count, &axis->count_capacity, outs, sizeof *axis->count, "resize"));
    return cs_grow(&axis->weight, &axis->weight_capacity, outs * (size_t)taps_of(in, out), sizeof *axis->weight,
                   "resize");
}

static cs_status axis_prepare(cs_axis *axis, int in, int out) {
    if (axis->in == in && axis->out == out)
        return CS_OK;
    axis->in = axis->out = 0;
    CS_TRY(axis_reserve(axis, in, out));
    axis->taps = taps_of(in, out);
    double scale = (double)in / out, support = support_of(in, out);
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > in ? in : last;
        float *weight = axis->weight + (size_t)i * (size_t)axis->taps;
        double sum = 0;
        for (int k = first; k < last; k++) {
            double distance = (k - centre + 0.5) / support;
            double value = 1 - (distance < 0 ? -distance : distance);
            weight[k - first] = (float)(value > 0 ? value : 0);
            sum += value > 0 ? value : 0;
        }
        for (int k = first; k < last; k++)
            weight[k - first] = (float)(weight[k - first] / sum);
        axis->start[i] = first;
        axis->count[i] = last - first;
    }
    axis->in = in;
    axis->out = out;
    return CS_OK;
}

/* One float more than the row: the horizontal pass reads four at a time. */
static cs_status row_reserve(cs_decoder *decoder, int w) {
    return cs_grow(&decoder->row, &decoder->row_capacity, (size_t)w * 3 + 1, sizeof *decoder->row, "resize");
}

cs_status cs_resize_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w) {
    CS_TRY(axis_reserve(&decoder->y, max_h, h));
    CS_TRY(axis_reserve(&decoder->x, max_w, w));
    return row_reserve(decoder, max_w);
}

void cs_resize_clear(cs_decoder *decoder) {
    for (int i = 0; i < 2; i++) {
        cs_axis *axis = i ? &decoder->y : &decoder->x;
        free(axis->start);
        free(axis->count);
        free(axis->weight);
    }
    free(decoder->row);
}

/* row[0..n) = sum over k of weight[k] * (row k of src) */
static void blend_rows(const uint8_t *restrict src, size_t n, const float *weight, int count, float *restrict row) {
    for (size_t i = 0; i < n; i++)
        row[i] = weight[0] * (float)src[i];
    int k = 1;
    for (; k + 1 < count; k += 2) {
        const uint8_t *a = src + (size_t)k * n, *b = a + n;
        for (size_t i = 0; i < n; i++)
            row[i] += weight[k] * (float)a[i] + weight[k + 1] * (float)b[i];
    }
    if (k < count) {
        const uint8_t *a = src + (size_t)k * n;
        for (size_t i = 0; i < n; i++)
            row[i] += weight[k] * (float)a[i];
    }
}

/* Four lanes a pixel, of which three are kept: a loop compilers turn into vector instructions. */
static void blend_columns(const cs_axis *x, const float *row, uint8_t *out) {
    for (int i = 0; i < x->out; i++, out += 3) {
        const float *weight = x->weight + (size_t)i * (size_t)x->taps;
        const float *pixel = row + (size_t)x->start[i] * 3;
        float sum[4] = {0.5f, 0.5f, 0.5f, 0.5f};
        for (int k = 0; k < x->count[i]; k++, pixel += 3)
            for (int c = 0; c < 4; c++)
                sum[c] += weight[k] * pixel[c];
        for (int c = 0; c < 3; c++)
            out[c] = sum[c] < 255 ? (uint8_t)sum[c] : 255;
    }
}

static cs_status resize_bilinear(cs_decoder *decoder, const cs_image *image, int h, int w, uint8_t *out) {
    CS_TRY(axis_prepare(&decoder->y, image->h, h));
    CS_TRY(axis_prepare(&decoder->x, image->w, w));
    CS_TRY(row_reserve(decoder, image->w));
    const cs_axis *y = &decoder->y;
    size_t stride = (size_t)image->w * 3;
    for (int i = 0; i < h; i++, out += (size_t)w * 3) {
        blend_rows(image->pixels + (size_t)y->start[i] * stride, stride, y->weight + (size_t)i * (size_t)y->taps,
                   y->count[i], decoder->row);
        blend_columns(&decoder->x, decoder->row, out);
    }
    return CS_OK;
}

/* The position is summed up step by step as Pillow does: (i + 0.5) * scale rounds elsewhere now and then. */
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
    CS_TRY(cs_image_check_size("resize", (uint64_t)(h > 0 ? h : 0), (uint64_t)(w > 0 ? w : 0)));
    if (image->h == h && image->w == w)
        memcpy(out, image->pixels, (size_t)h * (size_t)w * 3);
    else if (how == CS_RESIZE_NEAREST)
        resize_nearest(image, h, w, out);
    else
        return resize_bilinear(decoder, image, h, w, out);
    return CS_OK;
}
