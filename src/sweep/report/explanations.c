/* SPDX-License-Identifier: Apache-2.0 */
#include "explanations.h"
#include "cnnsweep/explain.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/trained.h"
#include "cnnsweep/trial_input.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 8 };
static const double share_of_picture = 0.5;

typedef struct explanation {
    cs_trained trained;
    cs_trial_input *input;
    cs_explainer *explainer;
    const cs_explain_method *method;
    const cs_detail_image *images[CS_PAGE_EXPLAINED]; /* [n] */
    int n;
    uint8_t *pixels;                    /* [n,H,W,3] */
    float *values, *maps, *heats;       /* [n,H,W,3], [n] raw maps, [n,H,W] */
    int32_t classes[CS_PAGE_EXPLAINED]; /* [n] the predicted ones */
} explanation;

static void add_images(explanation *e, const cs_detail_images *images) {
    for (int i = 0; i < images->n && e->n < CS_PAGE_EXPLAINED; i++) {
        e->classes[e->n] = images->images[i].predicted;
        e->images[e->n++] = &images->images[i];
    }
}

static cs_status open_explainer(explanation *e, cs_engine *engine) {
    CS_TRY(cs_trial_input_open(&e->trained.config, e->trained.dataset, e->trained.graph, &e->input));
    CS_TRY(cs_explain_method_find("grad_cam", &e->method));
    const cs_explain_spec spec = {
        .engine = engine, .graph = e->trained.graph, .params = e->trained.params, .batch = BATCH};
    return cs_explainer_open(&spec, &e->explainer);
}

static cs_status make_maps(explanation *e, cs_split split) {
    const cs_shape input = cs_explainer_input(e->explainer), map = cs_explainer_shape(e->explainer, e->method);
    const size_t n = (size_t)e->n, area = (size_t)input.h * (size_t)input.w, size = (size_t)map.h * (size_t)map.w;
    CS_TRY(cs_alloc(n * area * 3, 1, "images", &e->pixels));
    CS_TRY(cs_alloc(n * area * 3, sizeof *e->values, "images", &e->values));
    CS_TRY(cs_alloc(n * size, sizeof *e->maps, "maps", &e->maps));
    CS_TRY(cs_alloc(n * area, sizeof *e->heats, "maps", &e->heats));
    for (size_t i = 0; i < n; i++)
        CS_TRY(cs_trial_input_sample(e->input, split, e->images[i]->sample, e->pixels + i * area * 3,
                                     e->values + i * area * 3));
    CS_TRY(cs_explain(e->explainer, e->method, e->values, e->classes, e->n, e->maps));
    for (size_t i = 0; i < n; i++)
        CS_TRY(cs_explain_heat(e->maps + i * size, map, input.h, input.w, e->heats + i * area));
    return CS_OK;
}

static cs_status draw(explanation *e, cs_page_explanation *out) {
    const cs_shape input = cs_explainer_input(e->explainer);
    const size_t area = (size_t)input.h * (size_t)input.w;
    const double per_cent = 100;
    cs_faithfulness faithfulness;
    CS_TRY(cs_explain_faithfulness(e->explainer, e->values, e->classes, e->heats, e->n, false, &faithfulness));
    snprintf(
        out->text, sizeof out->text,
        "Beside each image: Grad-CAM of layer %s for the predicted class. Multiplied by the map, these images lose "
        "%.3f of the confidence on average, and %.0f %% gain some.",
        cs_explainer_layer(e->explainer), faithfulness.drop, per_cent * faithfulness.increase);
    for (int i = 0; i < e->n; i++) {
        CS_TRY(cs_image_reserve(&out->images[i], input.h, input.w));
        cs_heat_overlay(e->heats + (size_t)i * area, CS_COLORMAP_JET, e->pixels + (size_t)i * area * 3,
                        share_of_picture, &out->images[i]);
        out->n = i + 1;
    }
    return CS_OK;
}

static cs_status make(explanation *e, cs_engine *engine, const cs_trial_details *details, cs_page_explanation *out) {
    add_images(e, &details->confident_right);
    add_images(e, &details->confident_wrong);
    add_images(e, &details->least_sure);
    if (e->n == 0)
        return CS_OK;
    CS_TRY(open_explainer(e, engine));
    CS_TRY(make_maps(e, details->split));
    return draw(e, out);
}

static void close_explanation(explanation *e) {
    cs_explainer_close(e->explainer);
    cs_trial_input_close(e->input);
    cs_trained_close(&e->trained);
    free(e->pixels);
    free(e->values);
    free(e->maps);
    free(e->heats);
}

cs_status cs_explanations_make(void *context, int trial, const cs_trial_details *details, cs_page_explanation *out) {
    cs_explanations *all = context;
    const cs_collected_trial *from = &all->collection->trials[trial];
    const char *folder = all->collection->folders[from->from].path;
    explanation e = {0};
    char name[32];
    cs_trial_name(from->number, name, sizeof name);
    if ((all->is_one && !all->all) || !cs_trained_kept_weights(folder, name))
        return CS_OK;
    all->is_one = true;
    cs_status status = cs_trained_open(folder, name, NULL, &e.trained);
    if (status == CS_OK)
        status = make(&e, all->engine, details, out);
    close_explanation(&e);
    return status;
}
