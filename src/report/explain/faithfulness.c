/* SPDX-License-Identifier: Apache-2.0 */
/* How far a network's confidence follows a map. */
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "explainer.h"
#include "road.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHARES = 10 }; /* pixels are removed in steps of a tenth */

typedef struct ranked {
    float heat;
    uint32_t tie; /* pixels with the same heat are in random order: none of them is preferred */
    size_t place;
} ranked;

typedef struct measurement {
    cs_explainer *explainer;
    const float *images, *heats;
    const int32_t *classes;
    int first, n; /* the images of a batch */
    size_t places, channels;
    cs_road *road;                /* NULL: it is not measured */
    ranked *order;                /* [batch,H,W] the pixels of each image, the least relevant first */
    bool *kept;                   /* [H,W] */
    float *outputs;               /* [batch,outputs] */
    double *before, *confidences; /* [batch] of the images, and of the changed images */
} measurement;

/* Changes a copy of the i-th image; what `how` means is up to the function. */
typedef void change(const measurement *m, int i, int how, float *image);

static int by_heat(const void *first, const void *second) {
    const ranked *a = first, *b = second;
    if (a->heat != b->heat)
        return a->heat < b->heat ? -1 : 1;
    return a->tie < b->tie ? -1 : a->tie > b->tie;
}

static void rank_pixels(const measurement *m, int i) {
    ranked *order = m->order + (size_t)i * m->places;
    cs_rng rng = cs_rng_at(m->explainer->spec.settings.seed, CS_PURPOSE_EXPLAIN, UINT32_MAX, (uint32_t)(m->first + i));
    for (size_t p = 0; p < m->places; p++)
        order[p] = (ranked){m->heats[(size_t)i * m->places + p], cs_rng_u32(&rng), p};
    qsort(order, m->places, sizeof *order, by_heat);
}

/* The probability of a class, from a row of outputs. */
static double confidence(const cs_explainer *e, const float *outputs, int32_t class) {
    const int count = cs_explainer_outputs(e);
    const double logit = cs_explainer_logit(e, outputs, class);
    double sum = 0;
    if (count == 1)
        return 1 / (1 + exp(-logit));
    for (int k = 0; k < count; k++)
        sum += exp((double)outputs[k] - logit);
    return 1 / sum;
}

/* Returns the mean confidence for the changed images of the batch (NULL: for the images as they are), and sets that of
 * each. */
static cs_status measure(const measurement *m, change *apply, int how, double *mean) {
    cs_explainer *e = m->explainer;
    const size_t pixels = m->places * m->channels, outputs = (size_t)cs_explainer_outputs(e);
    *mean = 0;
    memcpy(e->inputs, m->images, (size_t)m->n * pixels * sizeof *e->inputs);
    for (int i = 0; apply && i < m->n; i++)
        apply(m, i, how, e->inputs + (size_t)i * pixels);
    CS_TRY(cs_explainer_run_scores(e, e->inputs, m->n, m->outputs));
    for (int i = 0; i < m->n; i++) {
        m->confidences[i] = confidence(e, m->outputs + (size_t)i * outputs, m->classes[i]);
        *mean += m->confidences[i] / m->n;
    }
    return CS_OK;
}

/* how > 0: keeps that many tenths of the pixels, the least relevant; how < 0: the most relevant. */
static void remove_pixels(const measurement *m, int i, int how, float *image) {
    const ranked *order = m->order + (size_t)i * m->places;
    const size_t tenths = (size_t)abs(how), some = m->places * tenths / SHARES, count = some > 0 ? some : 1;
    cs_rng rng = cs_rng_at(m->explainer->spec.settings.seed, CS_PURPOSE_EXPLAIN, UINT32_MAX - (uint32_t)(SHARES + how),
                           (uint32_t)(m->first + i));
    for (size_t p = 0; p < m->places; p++)
        m->kept[order[p].place] = how > 0 ? p < count : p >= m->places - count;
    cs_road_remove(m->road, m->kept, &rng, image);
}

static void multiply(const measurement *m, int i, int how, float *image) {
    (void)how;
    for (size_t p = 0; p < m->places * m->channels; p++)
        image[p] *= m->heats[(size_t)i * m->places + p / m->channels];
}

static cs_status measure_road(const measurement *m, double *road) {
    *road = 0;
    for (int share = 1; share < SHARES; share++) {
        double most_removed, least_removed;
        CS_TRY(measure(m, remove_pixels, share, &most_removed));
        CS_TRY(measure(m, remove_pixels, -share, &least_removed));
        *road += (least_removed - most_removed) / 2 / (SHARES - 1);
    }
    return CS_OK;
}

static cs_status measure_multiplied(const measurement *m, cs_faithfulness *out) {
    double mean;
    CS_TRY(measure(m, multiply, 0, &mean));
    for (int i = 0; i < m->n; i++) {
        const double drop = m->before[i] - m->confidences[i];
        out->drop += fmax(drop, 0) / m->n;
        out->increase += (drop < 0) / (double)m->n;
    }
    return CS_OK;
}

static cs_status allocate(measurement *m, int batch) {
    CS_TRY(cs_alloc((size_t)batch * m->places, sizeof *m->order, "pixels", &m->order));
    CS_TRY(cs_alloc(m->places, sizeof *m->kept, "pixels", &m->kept));
    CS_TRY(cs_alloc((size_t)batch * (size_t)cs_explainer_outputs(m->explainer), sizeof *m->outputs, "logits",
                    &m->outputs));
    CS_TRY(cs_alloc((size_t)batch, sizeof *m->before, "confidences", &m->before));
    return cs_alloc((size_t)batch, sizeof *m->confidences, "confidences", &m->confidences);
}

/* Adds what m->n images of a batch, of `all`, contribute to the means. */
static cs_status measure_batch(const measurement *m, int all, cs_faithfulness *out) {
    const double weight = (double)m->n / all;
    cs_faithfulness part = {0};
    double mean;
    for (int i = 0; m->road && i < m->n; i++)
        rank_pixels(m, i);
    CS_TRY(measure(m, NULL, 0, &mean));
    memcpy(m->before, m->confidences, (size_t)m->n * sizeof *m->before);
    CS_TRY(measure_multiplied(m, &part));
    if (m->road)
        CS_TRY(measure_road(m, &part.road));
    out->road += weight * part.road;
    out->drop += weight * part.drop;
    out->increase += weight * part.increase;
    return CS_OK;
}

cs_status cs_explain_faithfulness(cs_explainer *e, const float *images, const int32_t *classes, const float *heats,
                                  int n, bool road, cs_faithfulness *out) {
    const cs_shape input = cs_explainer_input(e);
    const int batch = e->spec.batch;
    measurement m = {.explainer = e, .places = (size_t)input.h * (size_t)input.w, .channels = (size_t)input.c};
    *out = (cs_faithfulness){.road = road ? 0 : (double)NAN};
    cs_status status = allocate(&m, batch);
    if (status == CS_OK && road)
        status = cs_road_open(input, &m.road);
    for (int first = 0; first < n && status == CS_OK; first += batch) {
        m.first = first;
        m.n = n - first < batch ? n - first : batch;
        m.images = images + (size_t)first * m.places * m.channels;
        m.heats = heats + (size_t)first * m.places;
        m.classes = classes + first;
        status = measure_batch(&m, n, out);
    }
    cs_road_close(m.road);
    free(m.order);
    free(m.kept);
    free(m.outputs);
    free(m.before);
    free(m.confidences);
    return status;
}
