/* SPDX-License-Identifier: Apache-2.0 */
/* Inpainting by the fast marching method: A. Telea, An Image Inpainting Technique Based on the Fast Marching Method,
 * 2004, with the weights, the order of equal distances and the treatment of edges of inpaint in OpenCV 5. Unknown
 * pixels are filled in the order of their distance from the known ones. Each becomes a mean of the known pixels around
 * it, of which those count most that are near, at a similar distance from the edge, and in the direction of the
 * distance.
 *
 * The arrays have a border of one pixel around the image. */
#include "filters.h"

#include <math.h>
#include <string.h>

static const float far_away = 1e6F;

/* A pixel that waits to be visited. */
typedef struct front_pixel {
    float distance;
    int order; /* of two equally far pixels the one that came first is visited first */
    int at;
} front_pixel;

typedef struct march {
    int h, w;        /* with the border */
    uint8_t *open;   /* [h,w] the pixels that are not reached yet */
    float *distance; /* [h,w] */
    front_pixel *heap;
    int n, pushed;
} march;

static bool is_before(const front_pixel *a, const front_pixel *b) {
    return a->distance != b->distance ? a->distance < b->distance : a->order < b->order;
}

static void push(march *m, int at, float distance) {
    const front_pixel pixel = {distance, m->pushed++, at};
    int i = m->n++;
    for (; i > 0 && is_before(&pixel, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = pixel;
}

static int pop(march *m) {
    const int first = m->heap[0].at;
    const front_pixel last = m->heap[--m->n];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child + 1 < m->n && is_before(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (child >= m->n || !is_before(&m->heap[child], &last))
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = last;
    return first;
}

/* The distance of a pixel that lies between the neighbours a and b, from the eikonal equation. */
static float solve(const march *m, int a, int b) {
    const double at_a = (double)m->distance[a], at_b = (double)m->distance[b], off = at_a - at_b;
    const double nearest = at_a < at_b ? at_a : at_b;
    if (!m->open[a] && !m->open[b])
        return (float)(fabs(off) >= 1 ? 1 + nearest : (at_a + at_b + sqrt(2 - off * off)) * 0.5);
    return (float)(1 + (!m->open[a] ? at_a : !m->open[b] ? at_b : nearest));
}

static float distance_of(const march *m, int at) {
    float least = far_away * 2;
    for (int up = 0; up < 2; up++)
        for (int left = 0; left < 2; left++) {
            float found = solve(m, up ? at - m->w : at + m->w, left ? at - 1 : at + 1);
            least = found < least ? found : least;
        }
    return least;
}

/* Puts the known pixels beside the unknown ones into the front, in the order of rows. */
static void push_edge(march *m, const uint8_t *unknown) {
    m->n = m->pushed = 0;
    for (int y = 1; y < m->h - 1; y++)
        for (int x = 1; x < m->w - 1; x++) {
            const int at = y * m->w + x;
            if (!unknown[at] && (unknown[at - m->w] || unknown[at + m->w] || unknown[at - 1] || unknown[at + 1])) {
                m->distance[at] = 0;
                push(m, at, 0);
            }
        }
}

/* Opens the known pixels that lie at most `radius` from an unknown one, but not those beside it. */
static void open_surroundings(march *m, const uint8_t *unknown, int radius) {
    for (int y = 1; y < m->h - 1; y++)
        for (int x = 1; x < m->w - 1; x++)
            if (unknown[y * m->w + x])
                for (int k = y > radius ? y - radius : 1; k <= y + radius && k < m->h - 1; k++)
                    for (int l = x > radius ? x - radius : 1; l <= x + radius && l < m->w - 1; l++)
                        m->open[k * m->w + l] = !unknown[k * m->w + l] && m->distance[k * m->w + l] != 0;
}

/* Finds the distances of the known pixels in the surroundings of the unknown ones, which are negative. */
static void march_outwards(march *m, const uint8_t *unknown, int radius) {
    push_edge(m, unknown);
    open_surroundings(m, unknown, radius);
    while (m->n > 0) {
        const int at = pop(m), beside[] = {at - m->w, at - 1, at + m->w, at + 1};
        for (int i = 0; i < 4; i++)
            if (m->open[beside[i]]) {
                m->distance[beside[i]] = distance_of(m, beside[i]);
                m->open[beside[i]] = false;
                push(m, beside[i], m->distance[beside[i]]);
            }
    }
    for (int i = 0; i < m->h * m->w; i++)
        if (m->distance[i] < far_away)
            m->distance[i] = -m->distance[i];
}

/* The difference of the distances of the neighbours `before` and `after` of a pixel, as far as they are known. */
static float slope(const march *m, int at, int step) {
    const int after = at + step, before = at - step;
    const float *t = m->distance;
    if (!m->open[after])
        return !m->open[before] ? (t[after] - t[before]) * 0.5F : t[after] - t[at];
    return !m->open[before] ? t[at] - t[before] : 0;
}

/* The rows (or columns) of the image whose differences stand for those at row `i` of n, border included. At the edges
 * OpenCV takes the next ones inside. */
typedef struct reading {
    int lower, upper;
} reading;

static reading read_at(int i, int n) {
    return (reading){i - 1 + (i == 1), i - 1 - (i == n - 2)};
}

typedef struct filler {
    march march;
    const cs_image *image;
    int radius;
} filler;

static int value_at(const filler *f, int row, int column, int channel) {
    row = row < 0 ? 0 : row < f->image->h ? row : f->image->h - 1; /* in an image of one row or column */
    column = column < 0 ? 0 : column < f->image->w ? column : f->image->w - 1;
    return f->image->pixels[((size_t)row * (size_t)f->image->w + (size_t)column) * 3 + (size_t)channel];
}

/* The difference of the image along the columns, or the rows, at a known pixel, as far as its neighbours are known. */
static float difference(const filler *f, bool along_row, int at, reading row, reading column, int channel) {
    const int step = along_row ? 1 : f->march.w;
    const bool after = !f->march.open[at + step], before = !f->march.open[at - step];
    const int down = !along_row, right = along_row;
    if (!after && !before)
        return 0;
    const reading place = along_row ? column : row;
    const int upper = after ? place.upper + 1 : place.upper, lower = before ? place.lower - 1 : place.lower;
    const int top = value_at(f, down ? upper : row.lower, right ? upper : column.lower, channel);
    const int bottom = value_at(f, down ? lower : row.lower, right ? lower : column.lower, channel);
    return (float)(top - bottom) * (after && before ? 2.0F : 1.0F);
}

/* Adds up what the known pixels around (y, x) say about a channel. */
typedef struct sums {
    float value, across, down, weight;
} sums;

static void add_neighbour(const filler *f, int y, int x, int k, int l, const float gradient[2], int channel,
                          sums *out) {
    const march *m = &f->march;
    const int at = k * m->w + l;
    const reading row = read_at(k, m->h), column = read_at(l, m->w);
    const float down = (float)(y - k), across = (float)(x - l), length = across * across + down * down;
    const float near = (float)(1 / ((double)length * sqrt((double)length)));
    const float level = (float)(1 / (1 + fabs((double)(m->distance[at] - m->distance[y * m->w + x]))));
    float direction = across * gradient[0] + down * gradient[1];
    if (fabs((double)direction) <= 0.01)
        direction = 0.000001F;
    const float weight = fabsf(near * level * direction);
    out->value += weight * (float)value_at(f, k - 1, l - 1, channel);
    out->across -= weight * (difference(f, true, at, row, column, channel) * across);
    out->down -= weight * (difference(f, false, at, row, column, channel) * down);
    out->weight += weight;
}

static uint8_t fill_channel(const filler *f, int y, int x, const float gradient[2], int channel) {
    const march *m = &f->march;
    const int r = f->radius;
    sums s = {.weight = 1e-20F};
    for (int k = y - r; k <= y + r; k++)
        for (int l = x - r; l <= x + r; l++)
            if (k > 0 && l > 0 && k < m->h - 1 && l < m->w - 1 && !m->open[k * m->w + l] &&
                (l - x) * (l - x) + (k - y) * (k - y) <= r * r)
                add_neighbour(f, y, x, k, l, gradient, channel, &s);
    const float length = sqrtf(s.across * s.across + s.down * s.down) + 1e-20F;
    return cs_to_byte((double)(s.value / s.weight + (s.across + s.down) / length + 0.5F));
}

static void fill_pixel(filler *f, int at) {
    march *m = &f->march;
    const int y = at / m->w, x = at % m->w;
    m->distance[at] = distance_of(m, at);
    const float gradient[] = {slope(m, at, 1), slope(m, at, m->w)};
    for (int c = 0; c < 3; c++)
        f->image->pixels[((size_t)(y - 1) * (size_t)f->image->w + (size_t)(x - 1)) * 3 + (size_t)c] =
            fill_channel(f, y, x, gradient, c);
    m->open[at] = false;
    push(m, at, m->distance[at]);
}

static void march_inwards(filler *f, const uint8_t *unknown) {
    march *m = &f->march;
    push_edge(m, unknown);
    memcpy(m->open, unknown, (size_t)m->h * (size_t)m->w);
    while (m->n > 0) {
        const int at = pop(m), beside[] = {at - m->w, at - 1, at + m->w, at + 1};
        for (int i = 0; i < 4; i++)
            if (m->open[beside[i]])
                fill_pixel(f, beside[i]);
    }
}

cs_status cs_inpaint(cs_filter_scratch *scratch, const uint8_t *mask, int radius, cs_image *image) {
    filler f = {.march = {.h = image->h + 2, .w = image->w + 2}, .image = image, .radius = radius};
    march *m = &f.march;
    const size_t n = (size_t)m->h * (size_t)m->w;
    uint8_t *unknown;
    CS_TRY(cs_scratch_take(scratch, n, 1, &unknown));
    CS_TRY(cs_scratch_take(scratch, n, 1, &m->open));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *m->distance, &m->distance));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *m->heap, &m->heap));
    memset(unknown, 0, n);
    memset(m->open, 0, n);
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++)
            unknown[(y + 1) * m->w + x + 1] = mask[(size_t)y * (size_t)image->w + (size_t)x] != 0;
    for (size_t i = 0; i < n; i++)
        m->distance[i] = far_away;
    march_outwards(m, unknown, radius);
    march_inwards(&f, unknown);
    return CS_OK;
}
