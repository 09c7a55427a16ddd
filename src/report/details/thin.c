/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves out points of a curve (Ramer 1972; Douglas and Peucker 1973): a part of the curve is first its chord, and the
 * part from which a point is farthest is divided there, until all points are near or there are as many as are allowed.
 */
#include "details_impl.h"

#include <math.h>
#include <stdlib.h>

/* In a chart of 400 pixels this is a fifth of one. */
static const double near_enough = 5e-4;

typedef struct part {
    int64_t from, to, farthest;
    double distance; /* of the farthest point to the chord */
} part;

/* The distance of p to the segment from a to b. */
static double distance_to(const cs_curve_point *p, const cs_curve_point *a, const cs_curve_point *b) {
    double dx = b->x - a->x, dy = b->y - a->y, length = dx * dx + dy * dy;
    double along = length > 0 ? ((p->x - a->x) * dx + (p->y - a->y) * dy) / length : 0;
    along = fmin(fmax(along, 0), 1);
    return hypot(p->x - a->x - along * dx, p->y - a->y - along * dy);
}

static part make_part(const cs_curve_point *points, int64_t from, int64_t to) {
    part p = {from, to, from, 0};
    for (int64_t i = from + 1; i < to; i++) {
        double distance = distance_to(&points[i], &points[from], &points[to]);
        if (distance > p.distance) {
            p.distance = distance;
            p.farthest = i;
        }
    }
    return p;
}

static int by_place(const void *a, const void *b) {
    int64_t p = ((const part *)a)->from, q = ((const part *)b)->from;
    return (p > q) - (p < q);
}

int64_t cs_curve_thin(cs_curve_point *points, int64_t n) {
    part parts[CS_DETAILS_POINTS - 1];
    int n_parts = 0;
    if (n < 2)
        return n;
    parts[n_parts++] = make_part(points, 0, n - 1);
    while (n_parts < CS_DETAILS_POINTS - 1) {
        part *worst = &parts[0];
        for (int i = 1; i < n_parts; i++)
            if (parts[i].distance > worst->distance)
                worst = &parts[i];
        if (worst->distance <= near_enough)
            break;
        int64_t to = worst->to, at = worst->farthest;
        *worst = make_part(points, worst->from, at);
        parts[n_parts++] = make_part(points, at, to);
    }
    qsort(parts, (size_t)n_parts, sizeof *parts, by_place);
    cs_curve_point last = points[n - 1];
    for (int i = 0; i < n_parts; i++)
        points[i] = points[parts[i].from];
    points[n_parts] = last;
    return n_parts + 1;
}
