/* SPDX-License-Identifier: Apache-2.0 */
/* Eigen-CAM: the first right singular vector of a layer's output, found by power iteration. */
#include "cnnsweep/memory.h"
#include "makers.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 5000 };

/* x [places,channels] is the layer's output without the means of its channels; `direction` is a vector of length 1. */
typedef struct component {
    size_t places, channels;
    double *x, *map, *direction, *next;
} component;

/* map = x direction */
static void project(component *c) {
    for (size_t p = 0; p < c->places; p++) {
        double sum = 0;
        for (size_t k = 0; k < c->channels; k++)
            sum += c->x[p * c->channels + k] * c->direction[k];
        c->map[p] = sum;
    }
}

static double normalize(double *vector, size_t n) {
    double square = 0;
    for (size_t k = 0; k < n; k++)
        square += vector[k] * vector[k];
    const double norm = sqrt(square);
    for (size_t k = 0; k < n && norm > 0; k++)
        vector[k] /= norm;
    return norm;
}

/* next = x' map, of length 1. Returns by how much it differs from the direction. */
static double advance(component *c) {
    double change = 0;
    for (size_t k = 0; k < c->channels; k++)
        c->next[k] = 0;
    for (size_t p = 0; p < c->places; p++)
        for (size_t k = 0; k < c->channels; k++)
            c->next[k] += c->x[p * c->channels + k] * c->map[p];
    if (!(normalize(c->next, c->channels) > 0))
        return 0;
    for (size_t k = 0; k < c->channels; k++) {
        change += (c->next[k] - c->direction[k]) * (c->next[k] - c->direction[k]);
        c->direction[k] = c->next[k];
    }
    return change;
}

/* Sets x, and the direction to the place that differs most from the mean: the first singular vector is rarely
 * orthogonal to it. */
static void begin(component *c, const float *a) {
    double most = -1;
    size_t best = 0;
    for (size_t k = 0; k < c->channels; k++) {
        double mean = 0;
        for (size_t p = 0; p < c->places; p++)
            mean += (double)a[p * c->channels + k] / (double)c->places;
        for (size_t p = 0; p < c->places; p++)
            c->x[p * c->channels + k] = (double)a[p * c->channels + k] - mean;
    }
    for (size_t p = 0; p < c->places; p++) {
        double square = 0;
        for (size_t k = 0; k < c->channels; k++)
            square += c->x[p * c->channels + k] * c->x[p * c->channels + k];
        if (square > most) {
            most = square;
            best = p;
        }
    }
    for (size_t k = 0; k < c->channels; k++)
        c->direction[k] = c->x[best * c->channels + k];
    normalize(c->direction, c->channels);
}

/* Chooses the sign whose map is larger where the sum over channels is. */
static double sign_of(const component *c, const float *a) {
    double product = 0;
    for (size_t p = 0; p < c->places; p++)
        for (size_t k = 0; k < c->channels; k++)
            product += c->map[p] * (double)a[p * c->channels + k];
    return product < 0 ? -1 : 1;
}

static void make_map(component *c, const float *a, float *map) {
    begin(c, a);
    project(c);
    for (int round = 0; round < MOST_ROUNDS && advance(c) > 1e-20; round++)
        project(c);
    project(c);
    const double sign = sign_of(c, a);
    for (size_t p = 0; p < c->places; p++)
        map[p] = (float)(sign * c->map[p]);
}

static cs_status open_component(component *c) {
    CS_TRY(cs_alloc(c->places * c->channels, sizeof *c->x, "eigen_cam", &c->x));
    CS_TRY(cs_alloc(c->places, sizeof *c->map, "eigen_cam", &c->map));
    CS_TRY(cs_alloc(c->channels, sizeof *c->direction, "eigen_cam", &c->direction));
    return cs_alloc(c->channels, sizeof *c->next, "eigen_cam", &c->next);
}

cs_status cs_make_eigen_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    const cs_shape shape = e->layers[e->layer].out;
    component c = {.places = (size_t)shape.h * (size_t)shape.w, .channels = (size_t)shape.c};
    (void)classes;
    CS_TRY(cs_explainer_run_layer(e, images, NULL, n));
    cs_status status = open_component(&c);
    for (int i = 0; i < n && status == CS_OK; i++)
        make_map(&c, e->activations + (size_t)i * c.places * c.channels, maps + (size_t)i * c.places);
    free(c.x);
    free(c.map);
    free(c.direction);
    free(c.next);
    return status;
}
