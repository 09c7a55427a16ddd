/* SPDX-License-Identifier: Apache-2.0 */
/* How the pixels of a pass are computed, written once for the host and for GPUs: this file is included with
 *
 *     CS_SAMPLE        what stands in front of a function ("static inline", and __device__ on a GPU)
 *     CS_PRODUCT(a, b) and CS_SUM(a, b), in double, each rounded by itself
 *     CS_PHILOX(counter, key, out), as cs_philox4x32 of random.h
 *
 * so that both give the same bits. A warp follows scipy.ndimage.affine_transform with order 0 or 1, which Keras'
 * ImageDataGenerator calls, or Pillow's Image.transform; colours follow Pillow. What follows the layers of Keras 3 is
 * in picture_sample_keras.h, what follows OpenCV in picture_sample_opencv.h. */
#include "cnnsweep/picture.h"

#include <math.h>
#include <stddef.h>

#include "cnnsweep/picture_local.h"
#include "cnnsweep/picture_sample_keras.h"
#include "cnnsweep/picture_sample_opencv.h"

/* Brings a coordinate of a line of n pixels into [0, n-1]; false: it shows the fill value. */
CS_SAMPLE bool cs_sample_inside(double *at, int n, cs_fill fill) {
    const double last = n - 1, x = *at, period = fill == CS_FILL_REFLECT ? 2.0 * n : last;
    if (x >= 0 && x <= last)
        return true;
    if (fill == CS_FILL_CONSTANT)
        return false;
    double inside = x;
    if (fill != CS_FILL_NEAREST && last > 0) {
        const double turns = x < 0 ? -CS_SUM(floor(-x / period), 1) : floor(x / period);
        inside = CS_SUM(x, -CS_PRODUCT(period, turns));
        if (fill == CS_FILL_REFLECT && inside >= n)
            inside = CS_SUM(CS_SUM(period, -1), -inside);
    }
    *at = inside < 0 ? 0 : inside > last ? last : inside;
    return true;
}

/* Between which pixels of a line a coordinate lies. */
typedef struct cs_sample_axis {
    int lower, upper;
    double weight; /* of the upper one */
} cs_sample_axis;

CS_SAMPLE cs_sample_axis cs_sample_between(double at, int n, bool nearest) {
    cs_sample_axis axis;
    axis.lower = (int)(nearest ? CS_SUM(at, 0.5) : at); /* which is not negative */
    axis.upper = nearest || axis.lower + 1 >= n ? axis.lower : axis.lower + 1;
    axis.weight = axis.upper == axis.lower ? 0 : CS_SUM(at, -(double)axis.lower);
    return axis;
}

CS_SAMPLE double cs_sample_mix(double a, double b, double weight) {
    return CS_SUM(a, CS_PRODUCT(weight, CS_SUM(b, -a)));
}

CS_SAMPLE bool cs_sample_place_scipy(const cs_warp *warp, int h, int w, int x, int y, cs_sample_axis *column,
                                     cs_sample_axis *line) {
    const double(*map)[3] = warp->map;
    double u = CS_SUM(CS_PRODUCT(map[0][0], x), CS_SUM(CS_PRODUCT(map[0][1], y), map[0][2]));
    double v = CS_SUM(CS_PRODUCT(map[1][0], x), CS_SUM(CS_PRODUCT(map[1][1], y), map[1][2]));
    if (!cs_sample_inside(&u, w, warp->fill) || !cs_sample_inside(&v, h, warp->fill))
        return false;
    *column = cs_sample_between(u, w, warp->nearest);
    *line = cs_sample_between(v, h, warp->nearest);
    return true;
}

/* A coordinate of Pillow's: beyond half a pixel from the edge the pixels of the edge continue. */
CS_SAMPLE cs_sample_axis cs_sample_between_edges(double at, int n, bool nearest) {
    const double middle = nearest ? at : CS_SUM(at, -0.5);
    const int lower = (int)floor(middle), upper = lower + 1 < n ? lower + 1 : n - 1;
    cs_sample_axis axis;
    axis.lower = lower < 0 ? 0 : lower;
    axis.upper = nearest ? axis.lower : upper;
    axis.weight = axis.upper == axis.lower ? 0 : CS_SUM(middle, -(double)lower);
    return axis;
}

CS_SAMPLE double cs_sample_row(const double row[3], double x, double y) {
    return CS_SUM(CS_SUM(CS_PRODUCT(row[0], x), CS_PRODUCT(row[1], y)), row[2]);
}

CS_SAMPLE bool cs_sample_place_pillow(const cs_warp *warp, int h, int w, int x, int y, cs_sample_axis *column,
                                      cs_sample_axis *line) {
    const double(*map)[3] = warp->map, across = x + 0.5, down = y + 0.5;
    double u = cs_sample_row(map[0], across, down), v = cs_sample_row(map[1], across, down);
    if (map[2][0] != 0 || map[2][1] != 0) {
        const double q = cs_sample_row(map[2], across, down);
        u /= q;
        v /= q;
    }
    if (!(u >= 0 && u < w && v >= 0 && v < h))
        return false;
    *column = cs_sample_between_edges(u, w, warp->nearest);
    *line = cs_sample_between_edges(v, h, warp->nearest);
    return true;
}

/* A number of the map in units of 2^-16. */
CS_SAMPLE int64_t cs_sample_fixed(double number) {
    return (int64_t)floor(CS_SUM(CS_PRODUCT(number, 65536), 0.5));
}

/* The pixel of a line of the map, in Pillow's arithmetic for affine maps and the nearest pixel. */
CS_SAMPLE int64_t cs_sample_fixed_row(const double row[3], int x, int y) {
    const double corner = CS_SUM(CS_SUM(row[2], CS_PRODUCT(row[0], 0.5)), CS_PRODUCT(row[1], 0.5));
    return (cs_sample_fixed(corner) + x * cs_sample_fixed(row[0]) + y * cs_sample_fixed(row[1])) >> 16;
}

CS_SAMPLE bool cs_sample_place_fixed(const cs_warp *warp, int h, int w, int x, int y, cs_sample_axis *column,
                                     cs_sample_axis *line) {
    const int64_t u = cs_sample_fixed_row(warp->map[0], x, y), v = cs_sample_fixed_row(warp->map[1], x, y);
    if (u < 0 || u >= w || v < 0 || v >= h)
        return false;
    column->lower = column->upper = (int)u;
    line->lower = line->upper = (int)v;
    column->weight = line->weight = 0;
    return true;
}

/* Where a warp sends pixel (x, y), in the source [h,w,3]; false: to the fill value. */
CS_SAMPLE bool cs_sample_place(const cs_pass *pass, int h, int w, int x, int y, cs_sample_axis *column,
                               cs_sample_axis *line) {
    const cs_warp *warp = &pass->warp;
    x = warp->mirror_x ? pass->w - 1 - x : x;
    y = warp->mirror_y ? pass->h - 1 - y : y;
    switch (warp->sampling) {
    case CS_SAMPLING_PILLOW:
        return cs_sample_place_pillow(warp, h, w, x, y, column, line);
    case CS_SAMPLING_PILLOW_FIXED:
        return cs_sample_place_fixed(warp, h, w, x, y, column, line);
    default:
        return cs_sample_place_scipy(warp, h, w, x, y, column, line);
    }
}

/* The value of channel c there, in the source [h,w,3]. */
CS_SAMPLE double cs_sample_value(const uint8_t *source, int w, cs_sample_axis column, cs_sample_axis line, int c) {
    const size_t stride = (size_t)w * 3, left = (size_t)column.lower * 3, right = (size_t)column.upper * 3;
    const uint8_t *upper = source + (size_t)line.lower * stride + c, *lower = source + (size_t)line.upper * stride + c;
    const double top = cs_sample_mix(upper[left], upper[right], column.weight);
    const double bottom = cs_sample_mix(lower[left], lower[right], column.weight);
    return cs_sample_mix(top, bottom, line.weight);
}

/* The three values that pixel (x, y) has after a warp of the source [h,w,3], before the adjustment. */
CS_SAMPLE void cs_sample_warp(const cs_pass *pass, const uint8_t *source, int h, int w, int x, int y,
                              double values[3]) {
    cs_sample_axis column = {0, 0, 0}, line = {0, 0, 0};
    if (pass->warp.sampling == CS_SAMPLING_TENSORFLOW) {
        cs_keras_warp(pass, source, h, w, x, y, values);
        return;
    }
    if (pass->warp.sampling == CS_SAMPLING_OPENCV) {
        cs_opencv_warp(pass, source, h, w, x, y, values);
        return;
    }
    const bool inside = cs_sample_place(pass, h, w, x, y, &column, &line);
    for (int c = 0; c < 3; c++)
        values[c] = inside ? cs_sample_value(source, w, column, line, c) : (double)pass->warp.fill_value[c];
}

/* fminf and fmaxf are calls of the mathematics library. */
CS_SAMPLE float cs_sample_clip(float value, float lowest, float highest) {
    return value < lowest ? lowest : value > highest ? highest : value;
}

/* The byte that the adjustment makes of a value, where `range` has the smallest and the largest of the picture. Each
 * step is rounded to float, as in numpy. */
CS_SAMPLE uint8_t cs_sample_adjust(const cs_adjustment *adjustment, float value, const float *range) {
    float lowest = 0, highest = 0;
    if (adjustment->shifts || adjustment->stretches) {
        lowest = range[0];
        highest = range[1];
    }
    if (adjustment->shifts) {
        const float shift = adjustment->shift;
        value = cs_sample_clip((float)CS_SUM(value, shift), lowest, highest);
        if (adjustment->stretches) {
            const float below = cs_sample_clip((float)CS_SUM(lowest, shift), lowest, highest);
            highest = cs_sample_clip((float)CS_SUM(highest, shift), lowest, highest);
            lowest = below;
        }
    }
    if (adjustment->stretches) {
        const float width = (float)CS_SUM(highest, -(double)lowest);
        value = (float)CS_SUM(value, -(double)lowest);
        if (width != 0)
            value = (float)CS_PRODUCT((float)((double)value / (double)width), 255);
    }
    return (uint8_t)(adjustment->truncates ? value : (float)CS_SUM(value, 0.5));
}

/* Pillow's grey value ("L") of a pixel. */
CS_SAMPLE int cs_sample_grey(int r, int g, int b) {
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

/* Comparisons and choices of small whole numbers without branches, so that compilers vectorise loops over pixels. */
CS_SAMPLE int cs_sample_equal(int a, int b) { /* all bits if a is b, else none */
    return ((a ^ b) - 1) >> 31;
}

CS_SAMPLE int cs_sample_choose(int bits, int a, int b) { /* a with all bits, b with none */
    return b ^ ((a ^ b) & bits);
}

/* A pixel in Pillow's HSV, all values bytes. With m = (largest - middle) / (largest - smallest) the hue is, in sixths
 * of the circle, 1 - m, m + 1, 3 - m, m + 3, 5 - m, m - 1 from red over green and blue back to red. Pillow computes
 * this in doubles; for all bytes the results are the same. No product is added to anything, so that nothing can be
 * contracted. */
CS_SAMPLE void cs_sample_to_hsv(int r, int g, int b, int *h, int *s, int *v) {
    int largest = r > g ? r : g, smallest = r < g ? r : g;
    largest = largest > b ? largest : b;
    smallest = smallest < b ? smallest : b;
    const int width = largest - smallest, divisor = width > 1 ? width : 1, is_red = r == largest,
              is_green = g == largest;
    const float middle = (float)(largest - (r + g + b - largest - smallest)) / (float)divisor;
    const int of_red = b <= g, of_green = b > r, of_blue = r > g; /* is m subtracted? */
    const int falls = is_red ? of_red : is_green ? of_green : of_blue;
    const int base = is_red ? 2 * of_red - 1 : is_green ? 1 + 2 * of_green : 3 + 2 * of_blue;
    const float sixths = (float)base + (float)(1 - 2 * falls) * middle, turns = sixths / 6.0f;
    const float hue = turns < 0 ? turns + 1.0f : turns;
    *h = (int)(hue * 255.0f) & -(width > 0);
    *s = (int)((float)width / (float)(largest > 1 ? largest : 1) * 255.0f);
    *v = largest;
}

/* Back from HSV. The largest channel is v, the smallest v (1 - s), and the third v (1 - s rest) or v (1 - s (1 -
 * rest)), where rest is how far the hue is in its sixth of the circle. Pillow rounds these numbers to bytes; none lies
 * in the middle between two. */
CS_SAMPLE void cs_sample_from_hsv(int h, int s, int v, int *r, int *g, int *b) {
    const int sixths = 6 * h, sector = (sixths + 1 + (sixths >> 8)) >> 8, rest = sixths - 255 * sector; /* of 255 */
    const int fall = cs_sample_choose(-(sector & 1), rest, 255 - rest);
    const int third = (2 * v * (255 * 255 - s * fall) + 255 * 255) / (2 * 255 * 255);
    const int smallest = (2 * v * (255 - s) + 255) / (2 * 255);
    const int at = sector - (6 & cs_sample_equal(sector, 6));
    *r = cs_sample_choose(cs_sample_equal(at, 1) | cs_sample_equal(at, 4), third, smallest);
    *r = cs_sample_choose(cs_sample_equal(at, 0) | cs_sample_equal(at, 5), v, *r);
    *g = cs_sample_choose(cs_sample_equal(at, 0) | cs_sample_equal(at, 3), third, smallest);
    *g = cs_sample_choose(cs_sample_equal(at, 1) | cs_sample_equal(at, 2), v, *g);
    *b = cs_sample_choose(cs_sample_equal(at, 2) | cs_sample_equal(at, 5), third, smallest);
    *b = cs_sample_choose(cs_sample_equal(at, 3) | cs_sample_equal(at, 4), v, *b);
}

CS_SAMPLE void cs_sample_turn(int turn, int *r, int *g, int *b) {
    int h, s, v;
    cs_sample_to_hsv(*r, *g, *b, &h, &s, &v);
    cs_sample_from_hsv((h + turn) & 255, s, v, r, g, b);
}

/* What a pixel is blended with. */
CS_SAMPLE int cs_sample_base(const cs_blend *blend, const cs_pass_facts *facts, int r, int g, int b) {
    return blend->base == CS_BLEND_BLACK ? 0 : blend->base == CS_BLEND_MEAN ? facts->grey : cs_sample_grey(r, g, b);
}

/* Applies a point pass to pixel (x, y). */
CS_SAMPLE void cs_sample_point(const cs_pass *pass, const cs_pass_facts *facts, int x, int y, uint8_t rgb[3]) {
    const uint8_t(*level)[256] = pass->kind == CS_PASS_CURVE ? facts->level : pass->level;
    int base, r = rgb[0], g = rgb[1], b = rgb[2];
    switch (pass->kind) {
    case CS_PASS_LEVELS:
    case CS_PASS_CURVE:
        for (int c = 0; c < 3; c++)
            rgb[c] = level[c][rgb[c]];
        break;
    case CS_PASS_BLEND:
        base = cs_sample_base(&pass->blend, facts, r, g, b);
        for (int c = 0; c < 3; c++)
            rgb[c] = cs_sample_blend(base, rgb[c], pass->blend.factor);
        break;
    case CS_PASS_HUE:
        cs_sample_turn(pass->turn, &r, &g, &b);
        rgb[0] = (uint8_t)r;
        rgb[1] = (uint8_t)g;
        rgb[2] = (uint8_t)b;
        break;
    case CS_PASS_HSV:
        cs_opencv_hsv(pass->level, rgb);
        break;
    case CS_PASS_PATCHES:
        cs_sample_patches(&pass->patches, x, y, rgb);
        break;
    case CS_PASS_NOISE:
        cs_sample_noise(&pass->noise, x, y, rgb);
        break;
    case CS_PASS_JITTER:
        cs_keras_jitter(&pass->jitter, facts->mean, rgb);
        break;
    case CS_PASS_DEGENERATION:
        cs_keras_degenerate(pass->factor, rgb);
        break;
    default:
        break;
    }
}

/* The pixels of a line of `in` pixels of which pixel i of `out` is made by Pillow's antialiased bilinear filter. */
typedef struct cs_sample_taps {
    int first, count;
    double centre, scale, sum; /* of their weights */
} cs_sample_taps;

CS_SAMPLE double cs_sample_triangle(const cs_sample_taps *taps, int t) {
    const double distance = CS_PRODUCT(CS_SUM(CS_SUM(taps->first + t, -taps->centre), 0.5), taps->scale);
    const double absolute = distance < 0 ? -distance : distance;
    return absolute < 1 ? CS_SUM(1, -absolute) : 0;
}

CS_SAMPLE cs_sample_taps cs_sample_taps_of(int in, int out, int i) {
    const double step = (double)in / out, support = step < 1 ? 1 : step;
    cs_sample_taps taps;
    taps.centre = CS_PRODUCT(i + 0.5, step);
    taps.scale = 1 / support;
    taps.sum = 0;
    const int first = (int)CS_SUM(CS_SUM(taps.centre, -support), 0.5);
    const int end = (int)CS_SUM(CS_SUM(taps.centre, support), 0.5);
    taps.first = first < 0 ? 0 : first;
    taps.count = (end > in ? in : end) - taps.first;
    for (int t = 0; t < taps.count; t++)
        taps.sum = CS_SUM(taps.sum, cs_sample_triangle(&taps, t));
    return taps;
}

enum { CS_SAMPLE_BITS = 22 }; /* of the fraction of a weight */

CS_SAMPLE int cs_sample_weight(const cs_sample_taps *taps, int t) {
    const double weight = cs_sample_triangle(taps, t) / taps->sum;
    return (int)CS_SUM(CS_PRODUCT(weight, 1 << CS_SAMPLE_BITS), 0.5);
}

/* The byte of a sum of bytes times weights. */
CS_SAMPLE uint8_t cs_sample_of_sum(int sum) {
    const int byte = (sum + (1 << (CS_SAMPLE_BITS - 1))) >> CS_SAMPLE_BITS;
    return (uint8_t)(byte < 0 ? 0 : byte > 255 ? 255 : byte);
}

/* Pillow resamples lines first, and rounds them to bytes. */
CS_SAMPLE void cs_sample_resample(const cs_pass *pass, const uint8_t *source, int w, int x, int y, uint8_t rgb[3]) {
    const cs_box *box = &pass->box;
    const cs_sample_taps columns = cs_sample_taps_of(box->w, pass->w, x), lines = cs_sample_taps_of(box->h, pass->h, y);
    int sums[3] = {0, 0, 0};
    for (int j = 0; j < lines.count; j++) {
        const size_t line = (size_t)box->top + (size_t)lines.first + (size_t)j;
        const uint8_t *from = source + (line * (size_t)w + (size_t)box->left + (size_t)columns.first) * 3;
        const int weight = cs_sample_weight(&lines, j);
        int across[3] = {0, 0, 0};
        for (int i = 0; i < columns.count; i++)
            for (int c = 0; c < 3; c++)
                across[c] += cs_sample_weight(&columns, i) * from[i * 3 + c];
        for (int c = 0; c < 3; c++)
            sums[c] += weight * cs_sample_of_sum(across[c]);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = cs_sample_of_sum(sums[c]);
}

/* Makes pixel (x, y) by the first pass of a sweep, from the source [h,w,3]. */
CS_SAMPLE void cs_sample_first(const cs_pass *pass, const cs_pass_facts *facts, const uint8_t *source, int h, int w,
                               int x, int y, uint8_t rgb[3]) {
    double values[3];
    if (pass->kind == CS_PASS_WARP) {
        const bool truncates =
            pass->warp.sampling == CS_SAMPLING_PILLOW || pass->warp.sampling == CS_SAMPLING_PILLOW_FIXED;
        cs_sample_warp(pass, source, h, w, x, y, values);
        for (int c = 0; c < 3; c++)
            rgb[c] = truncates ? (uint8_t)values[c]
                               : cs_sample_adjust(&pass->warp.adjustment, (float)values[c], facts->range);
        return;
    }
    if (pass->kind == CS_PASS_RESAMPLE) {
        cs_sample_resample(pass, source, w, x, y, rgb);
        return;
    }
    if (pass->kind == CS_PASS_SHARPNESS_KERAS) {
        cs_keras_sharpen(pass->factor, source, h, w, x, y, rgb);
        return;
    }
    if (pass->kind == CS_PASS_GRID) {
        cs_opencv_grid(&pass->grid, source, h, w, x, y, rgb);
        return;
    }
    if (pass->kind == CS_PASS_BLUR) {
        cs_sample_blur(&pass->blur, source, h, w, x, y, rgb);
        return;
    }
    if (pass->kind == CS_PASS_KERNEL) {
        cs_sample_kernel(&pass->kernel, source, h, w, x, y, rgb);
        return;
    }
    const uint8_t *at = source + ((size_t)y * (size_t)w + (size_t)x) * 3;
    const bool is_sharper = pass->kind == CS_PASS_SHARPNESS && x > 0 && y > 0 && x < w - 1 && y < h - 1;
    for (int c = 0; c < 3; c++)
        rgb[c] = is_sharper ? cs_sample_sharp(at + c, (size_t)w * 3, pass->factor) : at[c];
    cs_sample_point(pass, facts, x, y, rgb);
}

/* Fills the table of channel c of a curve, for an image of so many pixels. */
CS_SAMPLE void cs_sample_curve(const cs_curve *curve, const cs_histogram *histogram, int64_t pixels, int c,
                               uint8_t level[256]) {
    const uint32_t *count = histogram->count[c];
    if (curve->kind == CS_CURVE_AUTOCONTRAST_KERAS) {
        cs_keras_autocontrast(count, level);
        return;
    }
    if (curve->kind == CS_CURVE_EQUALIZE_KERAS) {
        cs_keras_equalize(count, pixels, curve->bins, level);
        return;
    }
    int lowest = 255, highest = 0;
    for (int v = 0; v < 256; v++) {
        lowest = count[v] > 0 && v < lowest ? v : lowest;
        highest = count[v] > 0 ? v : highest;
    }
    const double scale = highest > lowest ? 255.0 / (highest - lowest) : 1;
    const double offset = highest > lowest ? CS_PRODUCT(-lowest, scale) : 0;
    const int64_t step = highest > lowest ? (pixels - count[highest]) / 255 : 0;
    int64_t below = step / 2;
    for (int v = 0; v < 256; below += count[v++]) {
        int made = v;
        if (curve->kind == CS_CURVE_AUTOCONTRAST)
            made = (int)CS_SUM(CS_PRODUCT(v, scale), offset);
        else if (step > 0)
            made = (int)(below / step);
        level[v] = (uint8_t)(made < 0 ? 0 : made > 255 ? 255 : made);
    }
}

/* The mean of the grey values of an image, rounded. */
CS_SAMPLE int cs_sample_mean(int64_t grey_sum, int64_t pixels) {
    return (int)CS_SUM((double)grey_sum / (double)pixels, 0.5);
}

/* Sets what a pass has to know of channel c, from the histogram of an image of so many pixels. */
CS_SAMPLE void cs_sample_facts(const cs_pass *pass, const cs_histogram *histogram, int64_t pixels, int c,
                               cs_pass_facts *facts) {
    int64_t grey_sum = 0;
    switch (pass->kind) {
    case CS_PASS_CURVE:
        cs_sample_curve(&pass->curve, histogram, pixels, c, facts->level[c]);
        break;
    case CS_PASS_BLEND:
        for (int v = 0; v < 256; v++)
            grey_sum += (int64_t)v * histogram->count[3][v];
        facts->grey = cs_sample_mean(grey_sum, pixels);
        break;
    default:
        facts->mean[c] = cs_keras_mean(&pass->jitter, histogram->count[c], pixels);
        break;
    }
}
