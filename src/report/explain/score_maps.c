/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that need no gradients: they look at what the network says of changed inputs, a batch of them at a time. */
#include "cnnsweep/memory.h"
#include "makers.h"
#include "resize_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Changes a copy of the image, [H,W,C], in the k-th way. */
typedef void change(void *context, int k, float *image);

/* Computes the class's logit for an image changed in each of `count` ways. */
static cs_status score_changes(cs_explainer *e, const float *image, int32_t class, int count, change *apply,
                               void *context, double *scores) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e)), outputs = (size_t)cs_explainer_outputs(e);
    for (int first = 0; first < count; first += e->spec.batch) {
        const int rows = count - first < e->spec.batch ? count - first : e->spec.batch;
        for (int i = 0; i < rows; i++) {
            memcpy(e->inputs + (size_t)i * pixels, image, pixels * sizeof *image);
            apply(context, first + i, e->inputs + (size_t)i * pixels);
        }
        CS_TRY(cs_explainer_run_scores(e, e->inputs, rows, e->starts));
        for (int i = 0; i < rows; i++)
            scores[first + i] = cs_explainer_logit(e, e->starts + (size_t)i * outputs, class);
    }
    return CS_OK;
}

/* Score-CAM. */

typedef struct masking {
    const float *a; /* [h,w,C], the layer's output */
    cs_shape layer, input;
    float *mask;     /* [H,W] */
    double *weights; /* [C] */
} masking;

static void mask_image(void *context, int k, float *image) {
    const masking *m = context;
    const size_t places = (size_t)m->input.h * (size_t)m->input.w, channels = (size_t)m->input.c;
    cs_map_resize(m->a + k, m->layer.h, m->layer.w, (size_t)m->layer.c, m->input.h, m->input.w, m->mask);
    cs_map_scale(m->mask, places, 1e-8);
    for (size_t p = 0; p < places; p++)
        for (size_t c = 0; c < channels; c++)
            image[p * channels + c] *= m->mask[p];
}

static void softmax(double *values, int n) {
    double most = values[0], sum = 0;
    for (int k = 1; k < n; k++)
        most = fmax(most, values[k]);
    for (int k = 0; k < n; k++) {
        values[k] = exp(values[k] - most);
        sum += values[k];
    }
    for (int k = 0; k < n; k++)
        values[k] /= sum;
}

static cs_status make_score_cam(cs_explainer *e, masking *m, const float *images, const int32_t *classes, int n,
                                float *maps) {
    const size_t places = (size_t)m->layer.h * (size_t)m->layer.w, channels = (size_t)m->layer.c;
    const size_t pixels = cs_shape_count(m->input);
    CS_TRY(cs_alloc((size_t)m->input.h * (size_t)m->input.w, sizeof *m->mask, "score_cam", &m->mask));
    CS_TRY(cs_alloc(channels, sizeof *m->weights, "score_cam", &m->weights));
    CS_TRY(cs_explainer_run_layer(e, images, NULL, n));
    for (int i = 0; i < n; i++) {
        m->a = e->activations + (size_t)i * places * channels;
        CS_TRY(score_changes(e, images + (size_t)i * pixels, classes[i], m->layer.c, mask_image, m, m->weights));
        softmax(m->weights, m->layer.c);
        for (size_t p = 0; p < places; p++) {
            double sum = 0;
            for (size_t k = 0; k < channels; k++)
                sum += m->weights[k] * (double)m->a[p * channels + k];
            maps[(size_t)i * places + p] = (float)sum;
        }
    }
    return CS_OK;
}

cs_status cs_make_score_cam(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    masking m = {.layer = e->layers[e->layer].out, .input = cs_explainer_input(e)};
    cs_status status = make_score_cam(e, &m, images, classes, n, maps);
    free(m.mask);
    free(m.weights);
    return status;
}

/* Occlusion. */

typedef struct covering {
    cs_shape input;
    int patch, stride, rows, columns; /* squares: rows x columns of them */
    double *scores;                   /* [1 + rows*columns], that of the whole image first */
    double *sums, *counts;            /* [H,W] */
} covering;

static int count_squares(int side, const covering *c) {
    return side > c->patch ? (side - c->patch + c->stride - 1) / c->stride + 1 : 1;
}

/* Clips a square to the image: [top, bottom) and [left, right). */
typedef struct square {
    int top, bottom, left, right;
} square;

static square square_of(const covering *c, int k) {
    const int top = k / c->columns * c->stride, left = k % c->columns * c->stride;
    const int bottom = top + c->patch, right = left + c->patch;
    return (square){top, bottom < c->input.h ? bottom : c->input.h, left, right < c->input.w ? right : c->input.w};
}

/* Way 0 is no change. */
static void cover_image(void *context, int k, float *image) {
    const covering *c = context;
    const size_t channels = (size_t)c->input.c;
    if (k == 0)
        return;
    const square s = square_of(c, k - 1);
    for (int y = s.top; y < s.bottom; y++)
        memset(image + ((size_t)y * (size_t)c->input.w + (size_t)s.left) * channels, 0,
               (size_t)(s.right - s.left) * channels * sizeof *image);
}

static void add_square(const covering *c, int k) {
    const square s = square_of(c, k);
    for (int y = s.top; y < s.bottom; y++)
        for (int x = s.left; x < s.right; x++) {
            const size_t at = (size_t)y * (size_t)c->input.w + (size_t)x;
            c->sums[at] += c->scores[0] - c->scores[k + 1];
            c->counts[at]++;
        }
}

static cs_status make_occlusion(cs_explainer *e, covering *c, const float *images, const int32_t *classes, int n,
                                float *maps) {
    const size_t places = (size_t)c->input.h * (size_t)c->input.w;
    const int squares = c->rows * c->columns;
    CS_TRY(cs_alloc((size_t)squares + 1, sizeof *c->scores, "occlusion", &c->scores));
    CS_TRY(cs_alloc(places, sizeof *c->sums, "occlusion", &c->sums));
    CS_TRY(cs_alloc(places, sizeof *c->counts, "occlusion", &c->counts));
    for (int i = 0; i < n; i++) {
        CS_TRY(score_changes(e, images + (size_t)i * cs_shape_count(c->input), classes[i], squares + 1, cover_image, c,
                             c->scores));
        memset(c->sums, 0, places * sizeof *c->sums);
        memset(c->counts, 0, places * sizeof *c->counts);
        for (int k = 0; k < squares; k++)
            add_square(c, k);
        for (size_t p = 0; p < places; p++)
            maps[(size_t)i * places + p] = c->counts[p] > 0 ? (float)(c->sums[p] / c->counts[p]) : 0;
    }
    return CS_OK;
}

cs_status cs_make_occlusion(cs_explainer *e, const float *images, const int32_t *classes, int n, float *maps) {
    covering c = {.input = cs_explainer_input(e), .patch = e->spec.settings.patch, .stride = e->spec.settings.stride};
    c.rows = count_squares(c.input.h, &c);
    c.columns = count_squares(c.input.w, &c);
    cs_status status = make_occlusion(e, &c, images, classes, n, maps);
    free(c.scores);
    free(c.sums);
    free(c.counts);
    return status;
}
