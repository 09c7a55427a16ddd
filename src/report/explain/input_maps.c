/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of the gradient with respect to the input. */
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "makers.h"
#include "resize_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_make_guided_backprop(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    return cs_explainer_run_slopes(e, images, classes, n, true, maps);
}

static cs_status multiply_by_map(const cs_explainer *e, const float *grad_cam, int n, float *maps) {
    const cs_shape layer = e->layers[e->layer].out, input = cs_explainer_input(e);
    const size_t places = (size_t)input.h * (size_t)input.w, channels = (size_t)input.c;
    float *positive = NULL;
    CS_TRY(cs_alloc(places, sizeof *positive, "guided_grad_cam", &positive));
    for (int i = 0; i < n; i++) {
        cs_map_resize(grad_cam + (size_t)i * (size_t)layer.h * (size_t)layer.w, layer.h, layer.w, 1, input.h, input.w,
                      positive);
        for (size_t p = 0; p < places * channels; p++)
            maps[(size_t)i * places * channels + p] *= positive[p / channels];
    }
    free(positive);
    return CS_OK;
}

cs_status cs_make_guided_grad_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    const cs_shape layer = e->layers[e->layer].out;
    const size_t count = (size_t)n * (size_t)layer.h * (size_t)layer.w;
    float *grad_cam = NULL;
    CS_TRY(cs_alloc(count, sizeof *grad_cam, "guided_grad_cam", &grad_cam));
    cs_status status = cs_make_grad_cam(e, images, classes, n, grad_cam);
    for (size_t p = 0; p < count; p++)
        grad_cam[p] = grad_cam[p] > 0 ? grad_cam[p] : 0;
    if (status == CS_OK)
        status = cs_make_guided_backprop(e, images, classes, n, maps);
    if (status == CS_OK)
        status = multiply_by_map(e, grad_cam, n, maps);
    free(grad_cam);
    return status;
}

/* map = max over channels of |slopes * factor| */
static void take_largest(const double *slopes, size_t places, size_t channels, double factor, float *map) {
    for (size_t p = 0; p < places; p++) {
        double most = 0;
        for (size_t c = 0; c < channels; c++)
            most = fmax(most, fabs(slopes[p * channels + c] * factor));
        map[p] = (float)most;
    }
}

/* Sets one of the inputs at which the gradient is taken. */
typedef void place(const cs_explainer *e, const float *image, int row, int number, float *input);

/* Adds up the gradients at `count` inputs, in sums [n,H,W,C]. */
static cs_status sum_slopes(cs_explainer *e, const float *images, const int32_t *classes, int n, int count, place *at,
                            double *sums) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e));
    float *slopes = NULL;
    CS_TRY(cs_alloc((size_t)n * pixels, sizeof *slopes, "gradients", &slopes));
    cs_status status = CS_OK;
    for (int k = 0; k < count && status == CS_OK; k++) {
        for (int i = 0; i < n; i++)
            at(e, images + (size_t)i * pixels, i, k, e->inputs + (size_t)i * pixels);
        status = cs_explainer_run_slopes(e, e->inputs, classes, n, false, slopes);
        for (size_t p = 0; p < (size_t)n * pixels; p++)
            sums[p] += (double)slopes[p];
    }
    free(slopes);
    return status;
}

static void stay(const cs_explainer *e, const float *image, int row, int number, float *input) {
    (void)row;
    (void)number;
    memcpy(input, image, cs_shape_count(cs_explainer_input(e)) * sizeof *image);
}

/* The noise is relative to the range of the image's values. */
static void add_noise(const cs_explainer *e, const float *image, int row, int number, float *input) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e));
    cs_rng rng = cs_rng_at(e->spec.settings.seed, CS_PURPOSE_EXPLAIN, (uint32_t)number, (uint32_t)(e->first + row));
    float least = image[0], most = image[0];
    for (size_t p = 1; p < pixels; p++) {
        least = fminf(least, image[p]);
        most = fmaxf(most, image[p]);
    }
    const float deviation = (float)e->spec.settings.noise * (most - least);
    for (size_t p = 0; p < pixels; p++)
        input[p] = image[p] + deviation * cs_rng_normal(&rng);
}

static cs_status make_largest(cs_explainer *e, const float *images, const int32_t *classes, int n, int count, place *at,
                              float *maps) {
    const cs_shape input = cs_explainer_input(e);
    const size_t places = (size_t)input.h * (size_t)input.w, channels = (size_t)input.c;
    double *sums = NULL;
    CS_TRY(cs_alloc((size_t)n * places * channels, sizeof *sums, "gradients", &sums));
    cs_status status = sum_slopes(e, images, classes, n, count, at, sums);
    for (int i = 0; i < n && status == CS_OK; i++)
        take_largest(sums + (size_t)i * places * channels, places, channels, 1.0 / count, maps + (size_t)i * places);
    free(sums);
    return status;
}

cs_status cs_make_saliency(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    return make_largest(e, images, classes, n, 1, stay, maps);
}

cs_status cs_make_smooth_grad(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    return make_largest(e, images, classes, n, e->spec.settings.samples, add_noise, maps);
}

static void go_along(const cs_explainer *e, const float *image, int row, int number, float *input) {
    const float share = (float)((number + 0.5) / e->spec.settings.steps);
    (void)row;
    for (size_t p = 0; p < cs_shape_count(cs_explainer_input(e)); p++)
        input[p] = share * image[p];
}

cs_status cs_make_integrated_gradients(cs_explainer *e, const float *images, const int32_t *classes, int n,
                                       float *maps) {
    const cs_shape input = cs_explainer_input(e);
    const size_t places = (size_t)n * (size_t)input.h * (size_t)input.w, channels = (size_t)input.c;
    const int steps = e->spec.settings.steps;
    double *sums = NULL;
    CS_TRY(cs_alloc(places * channels, sizeof *sums, "gradients", &sums));
    cs_status status = sum_slopes(e, images, classes, n, steps, go_along, sums);
    for (size_t p = 0; p < places && status == CS_OK; p++) {
        double sum = 0;
        for (size_t k = p * channels; k < (p + 1) * channels; k++)
            sum += sums[k] * (double)images[k];
        maps[p] = (float)(sum / steps);
    }
    free(sums);
    return status;
}
