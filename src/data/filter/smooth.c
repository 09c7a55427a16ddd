/* SPDX-License-Identifier: Apache-2.0 */
/* Smoothing: Gaussian, median, bilateral. */
#include "filters.h"

#include <math.h>
#include <string.h>

/* OpenCV's weights for images of bytes: whole numbers of 1/256 whose sum is 256. What is lost by rounding a weight is
 * added to the next one, from the outermost to the middle, which gets the rest. */
static void gaussian_weights(double sigma, int radius, uint16_t *weights) {
    enum { ONE = 256 };
    double sum = 0, error = 0;
    int left = ONE;
    for (int i = -radius; i <= radius; i++)
        sum += cs_exact_exp(-(double)i * i / (2 * sigma * sigma));
    for (int i = 0; i < radius; i++) {
        double x = i - radius, exact = cs_exact_exp(-x * x / (2 * sigma * sigma)) / sum * ONE + error;
        double rounded = rint(exact);
        error = exact - rounded;
        weights[i] = weights[2 * radius - i] = (uint16_t)rounded;
        left -= 2 * (int)rounded;
    }
    weights[radius] = (uint16_t)left;
}

/* sums += weight * values */
static void add_bytes(uint16_t *restrict sums, const uint8_t *restrict values, uint16_t weight, size_t n) {
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + weight * values[i]);
}

static void add_sums(uint32_t *restrict sums, const uint16_t *restrict values, uint32_t weight, size_t n) {
    for (size_t i = 0; i < n; i++)
        sums[i] += weight * values[i];
}

cs_status cs_gaussian(double sigma, cs_filter_scratch *scratch, cs_image *image) {
    const int radius = ((int)lrint(6 * sigma + 1) | 1) / 2, h = image->h, w = image->w;
    const size_t stride = (size_t)w * 3;
    uint16_t *weights, *rows;
    uint32_t *sums;
    uint8_t *line;
    CS_TRY(cs_scratch_take(scratch, (size_t)radius * 2 + 1, sizeof *weights, &weights));
    CS_TRY(cs_scratch_take(scratch, (size_t)h * stride, sizeof *rows, &rows));
    CS_TRY(cs_scratch_take(scratch, stride, sizeof *sums, &sums));
    CS_TRY(cs_scratch_take(scratch, ((size_t)w + 2 * (size_t)radius) * 3, 1, &line));
    gaussian_weights(sigma, radius, weights);
    memset(rows, 0, (size_t)h * stride * sizeof *rows);
    for (int y = 0; y < h; y++) {
        cs_continue_row(image->pixels + (size_t)y * stride, w, radius, line);
        for (int k = 0; k <= 2 * radius; k++)
            add_bytes(rows + (size_t)y * stride, line + 3 * (size_t)k, weights[k], stride);
    }
    for (int y = 0; y < h; y++) {
        memset(sums, 0, stride * sizeof *sums);
        for (int k = 0; k <= 2 * radius; k++)
            add_sums(sums, rows + (size_t)cs_mirror(y + k - radius, h) * stride, weights[k], stride);
        for (size_t i = 0; i < stride; i++)
            image->pixels[(size_t)y * stride + i] = (uint8_t)((sums[i] + (1U << 15)) >> 16);
    }
    return CS_OK;
}

cs_status cs_gaussian_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    return cs_gaussian((double)value[0], scratch, image);
}

/* The values of a window that slides along a row: how many there are of each, the middle one, and how many are smaller
 * than it. */
typedef struct window {
    int count[256];
    int middle, smaller;
} window;

static void add_value(window *at, uint8_t value, int change) {
    at->count[value] += change;
    if (value < at->middle)
        at->smaller += change;
}

/* Moves `middle` to the value that has `half` others before it in order. */
static uint8_t find_middle(window *at, int half) {
    while (at->smaller > half)
        at->smaller -= at->count[--at->middle];
    while (at->smaller + at->count[at->middle] <= half)
        at->smaller += at->count[at->middle++];
    return (uint8_t)at->middle;
}

static int clamp(int i, int n) {
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* Adds or removes the column x of the window around row y. */
static void add_column(window *at, const uint8_t *from, const cs_image *image, int y, int x, int radius, int change) {
    const uint8_t *column = from + 3 * (size_t)clamp(x, image->w);
    for (int k = y - radius; k <= y + radius; k++)
        add_value(at, column[(size_t)clamp(k, image->h) * (size_t)image->w * 3], change);
}

/* The pixels at the edge are repeated outside of the image, as in OpenCV's medianBlur. */
cs_status cs_median_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const int size = (int)value[0], radius = size / 2, half = size * size / 2;
    uint8_t *from;
    CS_TRY(cs_copy_of(scratch, image, &from));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image->h; y++) {
            window at = {.middle = 0};
            for (int x = -radius - 1; x < radius; x++)
                add_column(&at, from + c, image, y, x, radius, 1);
            for (int x = 0; x < image->w; x++) {
                add_column(&at, from + c, image, y, x - radius - 1, radius, -1);
                add_column(&at, from + c, image, y, x + radius, radius, 1);
                image->pixels[((size_t)y * (size_t)image->w + (size_t)x) * 3 + (size_t)c] = find_middle(&at, half);
            }
        }
    return CS_OK;
}

enum { COLOURS = 3 * 255 + 1 /* differences of colours, the sum over the channels */ };

/* The neighbours of a pixel, in a circle. */
typedef struct neighbours {
    int n;
    ptrdiff_t *at; /* [n] offset of the neighbour's bytes */
    double *weight;
    double colour[COLOURS];
} neighbours;

static cs_status find_neighbours(const float *value, cs_filter_scratch *scratch, size_t stride, neighbours *out) {
    const int radius = (int)value[0] / 2, side = 2 * radius + 1;
    const double colour = (double)value[1], space = (double)value[2];
    out->n = 0;
    CS_TRY(cs_scratch_take(scratch, (size_t)side * (size_t)side, sizeof *out->at, &out->at));
    CS_TRY(cs_scratch_take(scratch, (size_t)side * (size_t)side, sizeof *out->weight, &out->weight));
    for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++)
            if (x * x + y * y <= radius * radius) {
                out->at[out->n] = y * (ptrdiff_t)stride + x * (ptrdiff_t)3;
                out->weight[out->n++] = cs_exact_exp(-(double)(x * x + y * y) / (2 * space * space));
            }
    for (int i = 0; i < COLOURS; i++)
        out->colour[i] = cs_exact_exp(-(double)i * i / (2 * colour * colour));
    return CS_OK;
}

static void average_neighbours(const neighbours *near, const uint8_t *pixel, uint8_t *out) {
    double sum[3] = {0}, weights = 0;
    for (int i = 0; i < near->n; i++) {
        const uint8_t *other = pixel + near->at[i];
        int difference = 0;
        for (int c = 0; c < 3; c++)
            difference += other[c] > pixel[c] ? other[c] - pixel[c] : pixel[c] - other[c];
        double weight = near->weight[i] * near->colour[difference];
        weights += weight;
        for (int c = 0; c < 3; c++)
            sum[c] += weight * other[c];
    }
    for (int c = 0; c < 3; c++)
        out[c] = cs_to_byte(sum[c] / weights);
}

cs_status cs_bilateral_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const int radius = (int)value[0] / 2, h = image->h, w = image->w;
    const size_t stride = ((size_t)w + 2 * (size_t)radius) * 3;
    neighbours near;
    uint8_t *from;
    CS_TRY(find_neighbours(value, scratch, stride, &near));
    CS_TRY(cs_continued(scratch, image, radius, &from));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            average_neighbours(&near, from + (size_t)(y + radius) * stride + (size_t)(x + radius) * 3,
                               image->pixels + ((size_t)y * (size_t)w + (size_t)x) * 3);
    return CS_OK;
}
