/* SPDX-License-Identifier: Apache-2.0 */
/* How one value of a picture is computed, written once for the host and for GPUs: this file is included with
 *
 *     CS_SAMPLE        what stands in front of a function ("static inline", and __device__ on a GPU)
 *     CS_PRODUCT(a, b) and CS_SUM(a, b), in double, each rounded by itself
 *
 * so that both give the same bits. Coordinates and interpolation follow scipy.ndimage.affine_transform with order 0 or
 * 1, which Keras' ImageDataGenerator calls. */
#include "cnnsweep/picture.h"

#include <math.h>

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

/* Where the warp sends pixel (x, y); false: to the fill value. */
CS_SAMPLE bool cs_sample_place(const cs_warp *warp, int h, int w, int x, int y, cs_sample_axis *column,
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

/* The value of channel c there, in the source [h,w,3]. */
CS_SAMPLE float cs_sample_value(const uint8_t *source, int w, cs_sample_axis column, cs_sample_axis line, int c) {
    const size_t stride = (size_t)w * 3, left = (size_t)column.lower * 3, right = (size_t)column.upper * 3;
    const uint8_t *upper = source + (size_t)line.lower * stride + c, *lower = source + (size_t)line.upper * stride + c;
    const double top = cs_sample_mix(upper[left], upper[right], column.weight);
    const double bottom = cs_sample_mix(lower[left], lower[right], column.weight);
    return (float)cs_sample_mix(top, bottom, line.weight);
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
        value = fminf(fmaxf((float)CS_SUM(value, shift), lowest), highest);
        if (adjustment->stretches) {
            const float below = fminf(fmaxf((float)CS_SUM(lowest, shift), lowest), highest);
            highest = fminf(fmaxf((float)CS_SUM(highest, shift), lowest), highest);
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
