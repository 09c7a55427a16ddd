/* SPDX-License-Identifier: Apache-2.0 */
/* The noisy linear imputation of ROAD (Rong et al. 2022, arXiv:2202.00449, section 4). The removed pixels x are the
 * solution of a linear system, (sum of weights) x_p - sum_q weight_pq x_q = 0, with the kept pixels as constants. Its
 * matrix is symmetric and positive definite, so conjugate gradients solve it. */
#include "road.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 2000 };
/* Far below the noise; inputs are of the order of 1. */
static const double tolerance = 1e-4, deviation = 0.01;

struct cs_road {
    cs_shape shape;
    double *x, *residual, *direction, *product; /* [H,W] */
};

cs_status cs_road_open(cs_shape shape, cs_road **out) {
    const size_t places = (size_t)shape.h * (size_t)shape.w;
    cs_road *road = NULL;
    CS_TRY(cs_alloc(1, sizeof *road, "ROAD", &road));
    road->shape = shape;
    cs_status status = cs_alloc(4 * places, sizeof *road->x, "ROAD", &road->x);
    if (status != CS_OK) {
        cs_road_close(road);
        return status;
    }
    road->residual = road->x + places;
    road->direction = road->x + 2 * places;
    road->product = road->x + 3 * places;
    *out = road;
    return CS_OK;
}

void cs_road_close(cs_road *road) {
    if (road)
        free(road->x);
    free(road);
}

/* (sum of weights) * values[p] - sum_q weight * values[q] over the neighbours q of pixel (y, x). */
static double apply_at(const cs_road *road, const double *values, int y, int x) {
    const int h = road->shape.h, w = road->shape.w;
    const double own = values[(size_t)y * (size_t)w + (size_t)x];
    double sum = 0;
    for (int i = y > 0 ? y - 1 : 0; i <= y + 1 && i < h; i++)
        for (int j = x > 0 ? x - 1 : 0; j <= x + 1 && j < w; j++) {
            const double weight = i == y || j == x ? 1.0 / 6 : 1.0 / 12;
            sum += weight * (own - values[(size_t)i * (size_t)w + (size_t)j]);
        }
    return sum;
}

/* Computes the product where pixels are removed; elsewhere it is 0. */
static void apply(const cs_road *road, const bool *kept, const double *values, double *out) {
    for (int y = 0; y < road->shape.h; y++)
        for (int x = 0; x < road->shape.w; x++) {
            const size_t p = (size_t)y * (size_t)road->shape.w + (size_t)x;
            out[p] = kept[p] ? 0 : apply_at(road, values, y, x);
        }
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Solves for x, whose kept pixels stay as they are, and whose others are the first guess. */
static void solve(const cs_road *road, const bool *kept, size_t places) {
    apply(road, kept, road->x, road->residual);
    for (size_t p = 0; p < places; p++)
        road->direction[p] = road->residual[p] = -road->residual[p];
    double square = dot(road->residual, road->residual, places);
    const double enough = tolerance * tolerance * (double)places / 100;
    for (int round = 0; round < MOST_ROUNDS && square > enough; round++) {
        apply(road, kept, road->direction, road->product);
        const double step = square / dot(road->direction, road->product, places);
        for (size_t p = 0; p < places; p++) {
            road->x[p] += step * road->direction[p];
            road->residual[p] -= step * road->product[p];
        }
        const double before = square;
        square = dot(road->residual, road->residual, places);
        for (size_t p = 0; p < places; p++)
            road->direction[p] = road->residual[p] + square / before * road->direction[p];
    }
}

void cs_road_remove(cs_road *road, const bool *kept, cs_rng *rng, float *image) {
    const size_t places = (size_t)road->shape.h * (size_t)road->shape.w, channels = (size_t)road->shape.c;
    for (size_t c = 0; c < channels; c++) {
        double mean = 0, count = 0;
        for (size_t p = 0; p < places; p++)
            if (kept[p]) {
                mean += (double)image[p * channels + c];
                count++;
            }
        for (size_t p = 0; p < places; p++)
            road->x[p] = kept[p] ? (double)image[p * channels + c] : mean / count;
        solve(road, kept, places);
        for (size_t p = 0; p < places; p++)
            if (!kept[p])
                image[p * channels + c] = (float)(road->x[p] + deviation * (double)cs_rng_normal(rng));
    }
}
