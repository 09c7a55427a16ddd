/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of a layer's channels, each a weighted sum (the formulas are in explain.h). */
#include "cnnsweep/memory.h"
#include "makers.h"

#include <math.h>
#include <stdlib.h>

/* One image: a and g are [places, channels]. */
typedef struct image_values {
    const float *a, *g;
    size_t places, channels;
} image_values;

static image_values values_of(const cs_explainer *e, int i) {
    const cs_shape shape = e->layers[e->layer].out;
    const size_t places = (size_t)shape.h * (size_t)shape.w, channels = (size_t)shape.c;
    const size_t at = (size_t)i * places * channels;
    return (image_values){e->activations + at, e->gradients + at, places, channels};
}

typedef void weigh(const image_values *v, double *weights);

/* Makes maps whose channels have the same weight at all places. */
static cs_status make_weighted(cs_explainer *e, weigh *of, int n, float *maps) {
    double *weights = NULL;
    CS_TRY(cs_alloc((size_t)e->layers[e->layer].out.c, sizeof *weights, "weights of channels", &weights));
    for (int i = 0; i < n; i++) {
        const image_values v = values_of(e, i);
        of(&v, weights);
        for (size_t p = 0; p < v.places; p++) {
            double sum = 0;
            for (size_t k = 0; k < v.channels; k++)
                sum += weights[k] * (double)v.a[p * v.channels + k];
            maps[(size_t)i * v.places + p] = (float)sum;
        }
    }
    free(weights);
    return CS_OK;
}

/* Sums a channel. */
static double sum_channel(const float *values, size_t places, size_t channels, size_t k) {
    double sum = 0;
    for (size_t p = 0; p < places; p++)
        sum += (double)values[p * channels + k];
    return sum;
}

static void weigh_by_gradient(const image_values *v, double *weights) {
    for (size_t k = 0; k < v->channels; k++)
        weights[k] = sum_channel(v->g, v->places, v->channels, k) / (double)v->places;
}

cs_status cs_make_grad_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    CS_TRY(cs_explainer_run_layer(e, images, classes, n));
    return make_weighted(e, weigh_by_gradient, n, maps);
}

static void weigh_plus_plus(const image_values *v, double *weights) {
    for (size_t k = 0; k < v->channels; k++) {
        const double active = sum_channel(v->a, v->places, v->channels, k);
        weights[k] = 0;
        for (size_t p = 0; p < v->places; p++) {
            const double g = (double)v->g[p * v->channels + k];
            if (g > 0)
                weights[k] += g * g * g / (2 * g * g + active * g * g * g + 1e-6);
        }
    }
}

cs_status cs_make_grad_cam_pp(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    CS_TRY(cs_explainer_run_layer(e, images, classes, n));
    return make_weighted(e, weigh_plus_plus, n, maps);
}

static void weigh_by_active(const image_values *v, double *weights) {
    for (size_t k = 0; k < v->channels; k++) {
        const double active = sum_channel(v->a, v->places, v->channels, k) + 1e-7;
        weights[k] = 0;
        for (size_t p = k; p < v->places * v->channels; p += v->channels)
            weights[k] += (double)v->g[p] * (double)v->a[p] / active;
    }
}

cs_status cs_make_xgrad_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    CS_TRY(cs_explainer_run_layer(e, images, classes, n));
    return make_weighted(e, weigh_by_active, n, maps);
}

/* Makes maps whose weights are the gradient at each place, or what is positive of it. */
static cs_status make_by_place(cs_explainer *e, const float *images, const int32_t *classes, int n, bool positive,
                               float *maps) {
    CS_TRY(cs_explainer_run_layer(e, images, classes, n));
    for (int i = 0; i < n; i++) {
        const image_values v = values_of(e, i);
        for (size_t p = 0; p < v.places; p++) {
            double sum = 0;
            for (size_t k = p * v.channels; k < (p + 1) * v.channels; k++)
                sum += positive && v.g[k] < 0 ? 0 : (double)v.g[k] * (double)v.a[k];
            maps[(size_t)i * v.places + p] = (float)sum;
        }
    }
    return CS_OK;
}

cs_status cs_make_hires_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    return make_by_place(e, images, classes, n, false, maps);
}

cs_status cs_make_layer_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    return make_by_place(e, images, classes, n, true, maps);
}

/* The kernel of the dense layer on the global average of the layer; NULL: there is none. Dropouts and reshapes between
 * them change nothing. */
static const cs_param *find_dense(const cs_explainer *e) {
    const int last = e->graph.n_layers - 1;
    bool averaged = false;
    int l = last;
    if (e->layers[l].kind == CS_LAYER_ACTIVATION && cs_activation_is_last(e->layers[l].activation))
        l = e->layers[l].inputs[0];
    const cs_layer *dense = &e->layers[l];
    for (l = dense->kind == CS_LAYER_DENSE ? dense->inputs[0] : 0; l > e->layer; l = e->layers[l].inputs[0]) {
        const cs_layer_kind kind = e->layers[l].kind;
        if (kind == CS_LAYER_GLOBAL_AVERAGE_POOL)
            averaged = true;
        else if (kind != CS_LAYER_DROPOUT && kind != CS_LAYER_RESHAPE && (kind != CS_LAYER_FLATTEN || !averaged))
            break;
    }
    for (int p = dense->first_param; l == e->layer && averaged && p < dense->first_param + dense->n_params; p++)
        if (e->graph.params[p].role == CS_PARAM_KERNEL)
            return &e->graph.params[p];
    return NULL;
}

cs_status cs_make_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    const cs_param *param = find_dense(e);
    if (!param)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED,
                               "cam: layer %s of %s is not followed by a global average pool and one dense layer",
                               e->layers[e->layer].name, e->graph.arch),
                       "grad_cam works for every network, and gives the same map where cam does");
    CS_TRY(cs_explainer_run_layer(e, images, NULL, n));
    const float *kernel = e->spec.params->data + param->offset; /* [C,outputs] */
    const size_t outputs = (size_t)cs_explainer_outputs(e);
    for (int i = 0; i < n; i++) {
        const image_values v = values_of(e, i);
        for (size_t p = 0; p < v.places; p++) {
            double sum = 0;
            for (size_t k = 0; k < v.channels; k++)
                sum += (double)v.a[p * v.channels + k] * cs_explainer_logit(e, kernel + k * outputs, classes[i]);
            maps[(size_t)i * v.places + p] = (float)sum;
        }
    }
    return CS_OK;
}
