/* SPDX-License-Identifier: Apache-2.0 */
#include "resize_map.h"

#include <math.h>

/* The two values between which a new one lies, and the share of the second. The centres of the first and the last value
 * are the ends: beyond them the nearest value counts. */
typedef struct between {
    int low, high;
    double share;
} between;

static between find_between(int at, int n, int from_n) {
    const double x = (at + 0.5) * from_n / n - 0.5;
    const int low = (int)floor(x);
    if (low < 0)
        return (between){0, 0, 0};
    if (low >= from_n - 1)
        return (between){from_n - 1, from_n - 1, 0};
    return (between){low, low + 1, x - low};
}

void cs_map_resize(const float *from, int from_h, int from_w, size_t step, int h, int w, float *to) {
    for (int i = 0; i < h; i++) {
        const between y = find_between(i, h, from_h);
        const float *above = from + (size_t)y.low * (size_t)from_w * step;
        const float *below = from + (size_t)y.high * (size_t)from_w * step;
        for (int j = 0; j < w; j++) {
            const between x = find_between(j, w, from_w);
            const size_t left = (size_t)x.low * step, right = (size_t)x.high * step;
            const double top = (double)above[left] * (1 - x.share) + (double)above[right] * x.share;
            const double bottom = (double)below[left] * (1 - x.share) + (double)below[right] * x.share;
            *to++ = (float)(top * (1 - y.share) + bottom * y.share);
        }
    }
}

void cs_map_scale(float *map, size_t count, double epsilon) {
    double least = (double)map[0], most = (double)map[0];
    for (size_t i = 1; i < count; i++) {
        least = fmin(least, (double)map[i]);
        most = fmax(most, (double)map[i]);
    }
    for (size_t i = 0; i < count; i++)
        map[i] = (float)(((double)map[i] - least) / (most - least + epsilon));
}
