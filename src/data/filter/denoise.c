/* SPDX-License-Identifier: Apache-2.0 */
/* Denoising by non-local means, with the whole numbers of OpenCV's fastNlMeansDenoising for images of three channels: a
 * pixel becomes the mean of the pixels in its search window, weighted by how much their patches are like its own. */
#include "filters.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct means {
    int h, w;        /* of the image */
    int patch;       /* pixels on each side of the middle of a patch */
    int search;      /* the same of a search window */
    int border;      /* how far the image is continued */
    size_t row;      /* pixels of a row of the continued image */
    uint8_t *red;    /* [h+2*border,row] the channels of the continued image, one after another */
    size_t channel;  /* pixels of a channel */
    int shift;       /* a difference is divided by 2^shift, which is about the number of pixels of a patch */
    int n_weights;   /* of differences; larger differences have the weight 0 */
    int *weights;    /* [n_weights] */
    int *rows;       /* [2*patch+1,w+2*patch] differences of the last rows */
    int *columns;    /* [w+2*patch] their sums over the rows of a patch */
    int *row_weight; /* [w] the weights of a row of pixels */
    int *sums;       /* [h,4,w] of a row: the sums of the weighted red, green and blue, and of the weights */
} means;

/* The weight of a difference is exp(-difference / (3 h^2)), a whole number of units that are so large that sums over a
 * search window do not overflow. Weights below a thousandth are 0. */
static cs_status make_weights(float h, cs_filter_scratch *scratch, means *m) {
    enum { LARGEST = 3 * 255 * 255 };
    const int pixels = (2 * m->patch + 1) * (2 * m->patch + 1), window = (2 * m->search + 1) * (2 * m->search + 1);
    const int unit = INT_MAX / (window * UINT8_MAX);
    const double smallest = 0.001, width = (double)h * (double)h * 3;
    for (m->shift = 0; 1 << m->shift < pixels; m->shift++)
        ;
    const double actual = (double)(1 << m->shift) / pixels; /* the difference for each unit of the table */
    const int most = (int)(LARGEST / actual + 1);
    CS_TRY(cs_scratch_take(scratch, (size_t)most, sizeof *m->weights, &m->weights));
    for (m->n_weights = 0; m->n_weights < most; m->n_weights++) {
        double weight = rint(unit * cs_exact_exp(-m->n_weights * actual / width));
        if (weight < smallest * unit)
            break;
        m->weights[m->n_weights] = (int)weight;
    }
    return CS_OK;
}

static const uint8_t *pixel_at(const means *m, int y, int x) {
    return m->red + (size_t)(y + m->border) * m->row + (size_t)(x + m->border);
}

/* Adds to `out` [n] the squared differences of a channel. */
static void add_squares(const uint8_t *restrict a, const uint8_t *restrict b, int n, int *restrict out) {
    for (int x = 0; x < n; x++) {
        const int16_t off = (int16_t)(a[x] - b[x]);
        out[x] += off * off;
    }
}

/* Moves the columns down: adds the squared differences between row y of the image and the row that is dy below and dx
 * to its right, and subtracts those of the row that is no longer in the patches. */
static void add_row(const means *m, int y, int dy, int dx) {
    const int n = m->w + 2 * m->patch, kept = 2 * m->patch + 1;
    int *restrict row = m->rows + (size_t)((y + m->patch) % kept) * (size_t)n, *restrict columns = m->columns;
    for (int x = 0; x < n; x++) {
        columns[x] -= row[x];
        row[x] = 0;
    }
    for (size_t c = 0; c < 3; c++)
        add_squares(pixel_at(m, y, -m->patch) + c * m->channel, pixel_at(m, y + dy, dx - m->patch) + c * m->channel, n,
                    row);
    for (int x = 0; x < n; x++)
        columns[x] += row[x];
}

static void find_row_weights(const means *m) {
    int difference = 0;
    for (int x = 0; x < 2 * m->patch; x++)
        difference += m->columns[x];
    for (int x = 0; x < m->w; x++) {
        difference += m->columns[x + 2 * m->patch];
        const int index = difference >> m->shift;
        m->row_weight[x] = index < m->n_weights ? m->weights[index] : 0;
        difference -= m->columns[x];
    }
}

static void add_weighted(const int *restrict weight, const uint8_t *restrict value, int n, int *restrict sum) {
    for (int x = 0; x < n; x++)
        sum[x] += weight[x] * value[x];
}

/* Adds the pixels that are (dy, dx) from those of row y, with the weights of their patches. */
static void add_pixels(const means *m, int y, int dy, int dx) {
    const size_t w = (size_t)m->w;
    int *sums = m->sums + 4 * (size_t)y * w;
    find_row_weights(m);
    for (size_t c = 0; c < 3; c++)
        add_weighted(m->row_weight, pixel_at(m, y + dy, dx) + c * m->channel, m->w, sums + c * w);
    for (size_t x = 0; x < w; x++)
        sums[3 * w + x] += m->row_weight[x];
}

static void add_offset(const means *m, int dy, int dx) {
    const size_t n = (size_t)m->w + 2 * (size_t)m->patch;
    memset(m->columns, 0, n * sizeof *m->columns);
    memset(m->rows, 0, (2 * (size_t)m->patch + 1) * n * sizeof *m->rows);
    for (int y = -m->patch; y < m->patch; y++)
        add_row(m, y, dy, dx);
    for (int y = 0; y < m->h; y++) {
        add_row(m, y + m->patch, dy, dx);
        add_pixels(m, y, dy, dx);
    }
}

static cs_status prepare(const float *value, cs_filter_scratch *scratch, const cs_image *image, means *m) {
    const size_t n = (size_t)m->w + 2 * (size_t)m->patch, sums = 4 * (size_t)m->h * (size_t)m->w;
    uint8_t *continued;
    m->channel = ((size_t)m->h + 2 * (size_t)m->border) * m->row;
    CS_TRY(make_weights(value[0], scratch, m));
    CS_TRY(cs_continued(scratch, image, m->border, &continued));
    CS_TRY(cs_scratch_take(scratch, m->channel, 3, &m->red));
    CS_TRY(cs_scratch_take(scratch, (2 * (size_t)m->patch + 1) * n, sizeof *m->rows, &m->rows));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *m->columns, &m->columns));
    CS_TRY(cs_scratch_take(scratch, (size_t)m->w, sizeof *m->row_weight, &m->row_weight));
    CS_TRY(cs_scratch_take(scratch, sums, sizeof *m->sums, &m->sums));
    memset(m->sums, 0, sums * sizeof *m->sums);
    for (size_t i = 0; i < m->channel; i++)
        for (size_t c = 0; c < 3; c++)
            m->red[c * m->channel + i] = continued[3 * i + c];
    return CS_OK;
}

static void write_means(const means *m, cs_image *image) {
    const size_t w = (size_t)m->w;
    uint8_t *out = image->pixels;
    for (int y = 0; y < m->h; y++) {
        const int *sums = m->sums + 4 * (size_t)y * w;
        for (size_t x = 0; x < w; x++)
            for (size_t c = 0; c < 3; c++) {
                const uint32_t sum = (uint32_t)sums[c * w + x], weight = (uint32_t)sums[3 * w + x];
                *out++ = (uint8_t)((sum + weight / 2) / weight);
            }
    }
}

cs_status cs_nl_means_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    means m = {.h = image->h, .w = image->w, .patch = (int)value[1] / 2, .search = (int)value[2] / 2};
    m.border = m.patch + m.search;
    m.row = (size_t)m.w + 2 * (size_t)m.border;
    CS_TRY(prepare(value, scratch, image, &m));
    for (int dy = -m.search; dy <= m.search; dy++)
        for (int dx = -m.search; dx <= m.search; dx++)
            add_offset(&m, dy, dx);
    write_means(&m, image);
    return CS_OK;
}
