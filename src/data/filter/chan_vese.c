/* SPDX-License-Identifier: Apache-2.0 */
/* Segmentation without edges: T. Chan and L. Vese, Active Contours Without Edges, 2001, with the discretisation, the
 * first contour and the end of scikit-image's chan_vese (lambda1 = lambda2 = 1, dt = 0.5, tol = 0.001). */
#include "filters.h"

#include <math.h>
#include <string.h>

typedef struct contour {
    int h, w;
    double *gray;  /* [h,w] from 0 to 1 */
    double *level; /* [h,w] the contour is where it is 0 */
    double *next;  /* [h,w] after a step */
    double mu;     /* the weight of the contour's length */
} contour;

/* sin(pi / 5 * i) */
static double wave(int i) {
    static const double sines[] = {0, 0.58778525229247313, 0.95105651629515353, 0.95105651629515364,
                                   0.58778525229247325};
    return i / 5 % 2 ? -sines[i % 5] : sines[i % 5];
}

/* Fills in the means of factor x factor pixels, stretched to 0 to 1, and the first contour, a chess board. false: all
 * means are the same. */
static bool begin(const uint8_t *gray, int h, int w, int factor, contour *c) {
    double least = UINT8_MAX, most = 0;
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            int sum = 0, n = 0;
            for (int k = y * factor; k < (y + 1) * factor && k < h; k++)
                for (int l = x * factor; l < (x + 1) * factor && l < w; l++, n++)
                    sum += gray[(size_t)k * (size_t)w + (size_t)l];
            const double mean = (double)sum / n;
            c->gray[y * c->w + x] = mean;
            c->level[y * c->w + x] = wave(y) * wave(x);
            least = mean < least ? mean : least;
            most = mean > most ? mean : most;
        }
    for (int i = 0; i < c->h * c->w; i++)
        c->gray[i] = most > least ? (c->gray[i] - least) / (most - least) : 0;
    return most > least;
}

/* The means of the gray values inside of the contour and outside. */
static void find_means(const contour *c, double means[2]) {
    double sums[2] = {0};
    int n[2] = {0};
    for (int i = 0; i < c->h * c->w; i++) {
        const int side = !(c->level[i] > 0);
        sums[side] += c->gray[i];
        n[side]++;
    }
    for (int side = 0; side < 2; side++)
        means[side] = n[side] > 0 ? sums[side] / n[side] : 0;
}

static double step_at(const contour *c, int y, int x, const double means[2]) {
    const double eta = 1e-16, dt = 0.5;
    const double *row = c->level + (size_t)y * (size_t)c->w, here = row[x];
    const double left = row[x > 0 ? x - 1 : 0], right = row[x + 1 < c->w ? x + 1 : x];
    const double above = y > 0 ? row[x - c->w] : here, below = y + 1 < c->h ? row[x + c->w] : here;
    const double across = (right - left) / 2, down = (below - above) / 2;
    const double c1 = 1 / sqrt(eta + (right - here) * (right - here) + down * down);
    const double c2 = 1 / sqrt(eta + (here - left) * (here - left) + down * down);
    const double c3 = 1 / sqrt(eta + across * across + (below - here) * (below - here));
    const double c4 = 1 / sqrt(eta + across * across + (here - above) * (here - above));
    const double gray = c->gray[y * c->w + x], delta = 1 / (1 + here * here);
    const double length = right * c1 + left * c2 + below * c3 + above * c4;
    const double fit = (gray - means[1]) * (gray - means[1]) - (gray - means[0]) * (gray - means[0]);
    return (here + dt * delta * (c->mu * length + fit)) / (1 + c->mu * dt * delta * (c1 + c2 + c3 + c4));
}

/* Moves the contour, and returns by how much the level changed: the root of its mean square. */
static double step(contour *c) {
    double means[2], change = 0;
    find_means(c, means);
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            const int at = y * c->w + x;
            c->next[at] = step_at(c, y, x, means);
            change += (c->next[at] - c->level[at]) * (c->next[at] - c->level[at]);
        }
    double *level = c->level;
    c->level = c->next;
    c->next = level;
    return sqrt(change / ((double)c->h * c->w));
}

/* The region is sought in a smaller image of at most `size` pixels a side, as a contour moves by about a pixel a step.
 */
cs_status cs_chan_vese_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const double tolerance = 1e-3;
    const int longest = image->h > image->w ? image->h : image->w, size = (int)value[CS_CHAN_VESE_SIZE];
    const int factor = (longest + size - 1) / size, iterations = (int)value[CS_CHAN_VESE_ITERATIONS];
    contour c = {.h = (image->h + factor - 1) / factor,
                 .w = (image->w + factor - 1) / factor,
                 .mu = (double)value[CS_CHAN_VESE_MU]};
    const size_t n = (size_t)c.h * (size_t)c.w;
    uint8_t *gray;
    double means[2];
    CS_TRY(cs_gray_of(scratch, image, &gray));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *c.gray, &c.gray));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *c.level, &c.level));
    CS_TRY(cs_scratch_take(scratch, n, sizeof *c.next, &c.next));
    if (!begin(gray, image->h, image->w, factor, &c)) {
        cs_scratch_count_not_found(scratch);
        return CS_OK;
    }
    double change = 1;
    for (int i = 0; i < iterations && change > tolerance; i++)
        change = step(&c);
    find_means(&c, means);
    const bool inside_is_bright = means[0] > means[1];
    const bool wants_inside = ((int)value[CS_REGION_SIDE] == CS_SIDE_BRIGHT) == inside_is_bright;
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++)
            gray[(size_t)y * (size_t)image->w + (size_t)x] =
                (c.level[y / factor * c.w + x / factor] > 0) == wants_inside;
    return cs_keep_region(value, scratch, gray, image);
}
