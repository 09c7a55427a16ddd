/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing with Pillow's geometry (Pillow 9.4, src/libImaging/Resample.c and Geometry.c): output x samples the input
 * around (x + 0.5) * in/out with weights whose width grows with in/out. Bilinear, the default, has an arithmetic of its
 * own, which is faster than Pillow's (resample.c): rows are blended first, and only the final result is rounded. Pillow
 * also rounds between its two passes, so the results agree within 1 level. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The weight of an input at a distance, in inputs of the resized image's scale, and where it becomes 0. */
static double triangle(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double sinc(double x) {
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

static double hamming(double x) {
    const double pi = 3.14159265358979323846;
    x = fabs(x);
    return x < 1 ? sinc(x) * (0.54 + 0.46 * cos(pi * x)) : 0;
}

/* Keys' cubic with a = -0.5 */
static double cubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double lanczos(double x) {
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct {
    const char *name;
    double (*weight)(double x);
    double support;
} interpolations[CS_INTERPOLATION_COUNT] = {[CS_BILINEAR] = {"bilinear", triangle, 1},
                                            [CS_NEAREST] = {"nearest", NULL, 0},
                                            [CS_BICUBIC] = {"bicubic", cubic, 2},
                                            [CS_LANCZOS] = {"lanczos", lanczos, 3},
                                            [CS_BOX] = {"box", box, 0.5},
                                            [CS_HAMMING] = {"hamming", hamming, 1}};

const char *cs_interpolation_name(cs_interpolation interpolation) {
    return interpolations[interpolation].name;
}

const char *cs_resize_text(cs_resize resize, char text[CS_RESIZE_TEXT]) {
    const bool stretch = resize.aspect == CS_ASPECT_STRETCH;
    snprintf(text, CS_RESIZE_TEXT, "%s%s%s", interpolations[resize.interpolation].name, stretch ? "" : " ",
             stretch ? "" : cs_aspect_name(resize.aspect));
    return text;
}

bool cs_resize_parse(const char *text, cs_resize *resize) {
    char of[CS_RESIZE_TEXT];
    for (int i = 0; i < CS_INTERPOLATION_COUNT * CS_ASPECT_COUNT; i++) {
        *resize = (cs_resize){(cs_interpolation)(i / CS_ASPECT_COUNT), (cs_aspect)(i % CS_ASPECT_COUNT)};
        if (strcmp(text, cs_resize_text(*resize, of)) == 0)
            return true;
    }
    return false;
}

/* Inputs for one output. Where the image becomes smaller, the weights extend over more inputs. */
static double stretch_of(double in, int out) {
    double scale = in / out;
    return scale < 1 ? 1 : scale;
}

/* An upper bound on the inputs of one output. It is even, because cs_resize_columns takes inputs in pairs. */
static int taps_of(cs_interpolation interpolation, double in, int out) {
    return ((int)(2 * interpolations[interpolation].support * stretch_of(in, out)) + 2) & ~1;
}

static cs_status axis_reserve(cs_axis *axis, cs_interpolation interpolation, double in, int out) {
    size_t outs = (size_t)out, weights = outs * (size_t)taps_of(interpolation, in, out);
    CS_TRY(cs_grow(&axis->start, &axis->start_capacity, outs, sizeof *axis->start, "resize"));
    CS_TRY(cs_grow(&axis->count, &axis->count_capacity, outs, sizeof *axis->count, "resize"));
    if (interpolation == CS_BILINEAR)
        CS_TRY(
            cs_grow(&axis->lanes, &axis->lanes_capacity, weights / 2 * CS_RESIZE_LANES, sizeof *axis->lanes, "resize"));
    else
        CS_TRY(cs_grow(&axis->fixed, &axis->fixed_capacity, weights, sizeof *axis->fixed, "resize"));
    return cs_grow(&axis->weight, &axis->weight_capacity, weights, sizeof *axis->weight, "resize");
}

/* Finds the inputs of output i: those that have weights around its centre, cut off at the ends of the axis. */
static void axis_inputs(cs_axis *axis, int i, double centre, double support) {
    int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > axis->in ? axis->in : last;
    axis->start[i] = first;
    axis->count[i] = last - first;
}

/* Computes their weights, which have the sum 1. */
static void axis_weights(cs_axis *axis, int i, double centre, double stretch) {
    float *weight = axis->weight + (size_t)i * (size_t)axis->taps;
    double sum = 0;
    for (int k = 0; k < axis->taps; k++) {
        double distance = (axis->start[i] + k - centre + 0.5) / stretch;
        double value = k < axis->count[i] ? interpolations[axis->interpolation].weight(distance) : 0;
        weight[k] = (float)value;
        sum += value;
    }
    for (int k = 0; k < axis->taps; k++)
        weight[k] = (float)(weight[k] / sum);
}

/* Fills the lanes of output i. */
static void axis_lanes(cs_axis *axis, int i) {
    const float *weight = axis->weight + (size_t)i * (size_t)axis->taps;
    float *lanes = axis->lanes + (size_t)i * (size_t)axis->taps / 2 * CS_RESIZE_LANES;
    for (int k = 0; k < axis->taps; k += 2)
        for (int c = 0; c < CS_RESIZE_LANES; c++)
            *lanes++ = c < 3 ? weight[k] : c < 6 ? weight[k + 1] : 0;
}

/* Prepares to resize [from, to) of the inputs. */
static cs_status axis_prepare(cs_axis *axis, cs_interpolation interpolation, int in, float from, float to, int out) {
    if (axis->interpolation == interpolation && axis->in == in && axis->from == from && axis->to == to &&
        axis->out == out)
        return CS_OK;
    const double size = (double)to - (double)from, scale = size / out, stretch = stretch_of(size, out);
    const double support = interpolations[interpolation].support * stretch;
    axis->out = 0; /* marks the axis as not ready in case an allocation fails */
    CS_TRY(axis_reserve(axis, interpolation, size, out));
    int most = 0;
    axis->interpolation = interpolation;
    axis->in = in;
    axis->from = from;
    axis->to = to;
    for (int i = 0; i < out; i++) {
        axis_inputs(axis, i, (double)from + (i + 0.5) * scale, support);
        most = axis->count[i] > most ? axis->count[i] : most;
    }
    axis->taps = (most + 1) & ~1;
    for (int i = 0; i < out; i++)
        axis_weights(axis, i, (double)from + (i + 0.5) * scale, stretch);
    if (interpolation == CS_BILINEAR)
        for (int i = 0; i < out; i++)
            axis_lanes(axis, i);
    else
        for (size_t i = 0; i < (size_t)out * (size_t)axis->taps; i++)
            axis->fixed[i] = (int32_t)lround((double)axis->weight[i] * (1 << CS_RESAMPLE_BITS));
    axis->out = out;
    return CS_OK;
}

/* cs_resize_columns reads a fixed number of taps from any start pixel, eight values at a time, and so past the last
 * pixel. */
static cs_status rows_reserve(cs_decoder *decoder, int in_w, int out_w) {
    size_t values = ((size_t)in_w + (size_t)taps_of(CS_BILINEAR, in_w, out_w)) * 3 + CS_RESIZE_LANES;
    CS_TRY(cs_grow(&decoder->sums, &decoder->sums_capacity, (size_t)in_w * 3, sizeof *decoder->sums, "resize"));
    CS_TRY(cs_grow(&decoder->row, &decoder->row_capacity, values, sizeof *decoder->row, "resize"));
    return cs_grow(&decoder->blended, &decoder->blended_capacity, (size_t)out_w * 3, sizeof *decoder->blended,
                   "resize");
}

cs_status cs_resize_reserve(cs_decoder *decoder, cs_resize how, int max_h, int max_w, int h, int w) {
    if (how.interpolation == CS_NEAREST)
        return CS_OK;
    CS_TRY(axis_reserve(&decoder->y, how.interpolation, max_h, h));
    CS_TRY(axis_reserve(&decoder->x, how.interpolation, max_w, w));
    return how.interpolation == CS_BILINEAR ? rows_reserve(decoder, max_w, w) : cs_resample_reserve(decoder, max_h, w);
}

void cs_resize_clear(cs_decoder *decoder) {
    for (int i = 0; i < 2; i++) {
        cs_axis *axis = i ? &decoder->y : &decoder->x;
        free(axis->start);
        free(axis->count);
        free(axis->weight);
        free(axis->lanes);
        free(axis->fixed);
    }
    free(decoder->sums);
    free(decoder->row);
    free(decoder->blended);
    free(decoder->between);
    free(decoder->totals);
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

static cs_status resize_bilinear(cs_decoder *decoder, const cs_image *image, uint8_t *out, size_t stride) {
    const cs_axis *x = &decoder->x, *y = &decoder->y;
    const size_t in_stride = (size_t)image->w * 3;
    CS_TRY(rows_reserve(decoder, image->w, x->out));
    for (int i = 0; i < y->out; i++, out += stride) {
        blend_rows(decoder, image->pixels + (size_t)y->start[i] * in_stride, in_stride,
                   y->weight + (size_t)i * (size_t)y->taps, y->count[i]);
        cs_resize_columns(x->out, x->taps, x->start, x->lanes, decoder->row, decoder->blended);
        cs_resize_round((size_t)x->out * 3, decoder->blended, out);
    }
    return CS_OK;
}

/* The position is accumulated step by step as in Pillow: (i + 0.5) * scale sometimes rounds differently. */
static void resize_nearest(const cs_image *image, const cs_placement *place, uint8_t *out, size_t stride) {
    const double step_y = ((double)place->bottom - (double)place->top) / place->h;
    const double step_x = ((double)place->right - (double)place->left) / place->w;
    double at_y = (double)place->top + step_y * 0.5;
    for (int y = 0; y < place->h; y++, at_y += step_y, out += stride) {
        int row = (int)at_y < image->h ? (int)at_y : image->h - 1;
        const uint8_t *src = image->pixels + (size_t)row * (size_t)image->w * 3;
        double at_x = (double)place->left + step_x * 0.5;
        for (int x = 0; x < place->w; x++, at_x += step_x) {
            int column = (int)at_x < image->w ? (int)at_x : image->w - 1;
            memcpy(out + (size_t)x * 3, src + (size_t)column * 3, 3);
        }
    }
}

/* Resizes a part of the image into a part of `out`, whose rows are `stride` bytes apart. */
static cs_status resize_part(cs_decoder *decoder, const cs_image *image, cs_interpolation interpolation,
                             const cs_placement *place, uint8_t *out, size_t stride) {
    out += (size_t)place->y * stride + (size_t)place->x * 3;
    if (interpolation == CS_NEAREST) {
        resize_nearest(image, place, out, stride);
        return CS_OK;
    }
    CS_TRY(axis_prepare(&decoder->y, interpolation, image->h, place->top, place->bottom, place->h));
    CS_TRY(axis_prepare(&decoder->x, interpolation, image->w, place->left, place->right, place->w));
    return interpolation == CS_BILINEAR ? resize_bilinear(decoder, image, out, stride)
                                        : cs_resample(decoder, image, out, stride);
}

cs_status cs_resize_image(cs_decoder *decoder, const cs_image *image, cs_resize how, int h, int w, uint8_t *out) {
    CS_TRY(cs_image_check_size(NULL, "resize", (uint64_t)(h > 0 ? h : 0), (uint64_t)(w > 0 ? w : 0)));
    const size_t stride = (size_t)w * 3;
    if (image->h == h && image->w == w) {
        memcpy(out, image->pixels, (size_t)h * stride);
        return CS_OK;
    }
    const cs_placement place = cs_aspect_place(how.aspect, image->h, image->w, h, w);
    if (place.h != h || place.w != w)
        memset(out, 0, (size_t)h * stride);
    return resize_part(decoder, image, how.interpolation, &place, out, stride);
}

static int shown_side(int side, int longest, int most) {
    const int shown = (int)(((int64_t)side * most + longest / 2) / longest);
    return shown > 0 ? shown : 1;
}

cs_status cs_image_thumbnail(cs_decoder *decoder, const cs_image *image, int most, cs_image *small, cs_image *shown) {
    const int longest = image->h > image->w ? image->h : image->w;
    *shown = *image;
    if (longest <= most)
        return CS_OK;
    CS_TRY(cs_image_reserve(small, shown_side(image->h, longest, most), shown_side(image->w, longest, most)));
    CS_TRY(cs_resize_image(decoder, image, (cs_resize){0}, small->h, small->w, small->pixels));
    *shown = *small;
    return CS_OK;
}
