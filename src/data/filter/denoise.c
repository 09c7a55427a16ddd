/* SPDX-License-Identifier: Apache-2.0 */
/* Denoising by non-local means, with the whole numbers of OpenCV's fastNlMeansDenoising for images of three channels: a
 * pixel becomes the mean of the pixels in its search window, weighted by how much their patches are like its own. */
#include "filters.h"

#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct means {
    int h, w;         /* of the image */
    int patch;        /* pixels on each side of the middle of a patch */
    int search;       /* the same of a search window */
    int border;       /* how far the image is continued */
    size_t row;       /* pixels of a row of the continued image */
    uint8_t *from;    /* [h+2*border,row,3] the continued image */
    int shift;        /* a difference is divided by 2^shift, which is about the number of pixels of a patch */
    int n_weights;    /* of differences; larger differences have the weight 0 */
    int *weights;     /* [n_weights] */
    int *columns;     /* [w+2*patch] differences, summed over the rows of a patch */
    int *total;       /* [h,w] sum of the weights */
    int (*values)[3]; /* [h,w] sum of the weighted pixels */
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
    return m->from + (((size_t)(y + m->border)) * m->row + (size_t)(x + m->border)) * 3;
}

/* Adds to the columns the squared differences between the row y of the image and the row that is dy below and dx to its
 * right; `sign` -1 subtracts them. */
static void add_row(const means *m, int y, int dy, int dx, int sign) {
    const uint8_t *a = pixel_at(m, y, -m->patch), *b = pixel_at(m, y + dy, dx - m->patch);
    for (int x = 0; x < m->w + 2 * m->patch; x++, a += 3, b += 3) {
        const int red = a[0] - b[0], green = a[1] - b[1], blue = a[2] - b[2];
        m->columns[x] += sign * (red * red + green * green + blue * blue);
    }
}

/* Adds the pixels that are (dy, dx) from those of row y, with the weights of their patches. */
static void add_pixels(const means *m, int y, int dy, int dx) {
    const uint8_t *other = pixel_at(m, y + dy, dx);
    int *total = m->total + (size_t)y * (size_t)m->w, (*values)[3] = m->values + (size_t)y * (size_t)m->w;
    int difference = 0;
    for (int x = 0; x < 2 * m->patch; x++)
        difference += m->columns[x];
    for (int x = 0; x < m->w; x++, other += 3) {
        difference += m->columns[x + 2 * m->patch];
        const int index = difference >> m->shift, weight = index < m->n_weights ? m->weights[index] : 0;
        total[x] += weight;
        for (int c = 0; c < 3; c++)
            values[x][c] += weight * other[c];
        difference -= m->columns[x];
    }
}

static void add_offset(const means *m, int dy, int dx) {
    memset(m->columns, 0, ((size_t)m->w + 2 * (size_t)m->patch) * sizeof *m->columns);
    for (int y = -m->patch; y < m->patch; y++)
        add_row(m, y, dy, dx, 1);
    for (int y = 0; y < m->h; y++) {
        add_row(m, y + m->patch, dy, dx, 1);
        add_pixels(m, y, dy, dx);
        add_row(m, y - m->patch, dy, dx, -1);
    }
}

static cs_status prepare(const float *value, cs_filter_scratch *scratch, const cs_image *image, means *m) {
    const size_t n = (size_t)m->h * (size_t)m->w;
    CS_TRY(make_weights(value[0], scratch, m));
    CS_TRY(cs_continued(scratch, image, m->border, &m->from));
    CS_TRY(cs_scratch_take(scratch, (size_t)m->w + 2 * (size_t)m->patch, sizeof *m->columns, &m->columns));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *m->total, &m->total));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *m->values, &m->values));
    memset(m->total, 0, n * sizeof *m->total);
    memset(m->values, 0, n * sizeof *m->values);
    return CS_OK;
}

cs_status cs_nl_means_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    means m = {.h = image->h, .w = image->w, .patch = (int)value[1] / 2, .search = (int)value[2] / 2};
    m.border = m.patch + m.search;
    m.row = (size_t)m.w + 2 * (size_t)m.border;
    CS_TRY(prepare(value, scratch, image, &m));
    for (int dy = -m.search; dy <= m.search; dy++)
        for (int dx = -m.search; dx <= m.search; dx++)
            add_offset(&m, dy, dx);
    for (size_t i = 0; i < (size_t)m.h * (size_t)m.w; i++)
        for (int c = 0; c < 3; c++)
            image->pixels[3 * i + (size_t)c] = (uint8_t)((m.values[i][c] + m.total[i] / 2) / m.total[i]);
    return CS_OK;
}
