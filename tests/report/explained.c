/* SPDX-License-Identifier: Apache-2.0 */
#include "explained.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The values that a kernel adds up for one output. */
static size_t fan_in(const cs_param *param) {
    const bool one_output = param->rank == 4 && param->dims[3] == 1; /* a depthwise kernel [H,W,C,1] */
    return one_output ? (size_t)param->dims[0] * (size_t)param->dims[1]
                      : param->count / (size_t)param->dims[param->rank - 1];
}

/* Kernels with which values neither grow nor vanish from layer to layer (He et al. 2015, arXiv:1502.01852); what begins
 * as 0 or 1 is random, because it would hide errors. */
static void fill_params(explained *e) {
    cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 1, cs_hash_name(e->graph->arch));
    assert_ok(cs_params_create(e->graph, &e->params));
    for (int p = 0; p < e->graph->n_params; p++) {
        const cs_param *param = &e->graph->params[p];
        float *values = cs_params_at(e->params, param);
        const bool kernel = param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_POINTWISE_KERNEL;
        const bool positive = param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE;
        const float deviation = kernel ? (float)sqrt(2 / (double)fan_in(param)) : 0;
        for (size_t i = 0; i < param->count; i++)
            values[i] = kernel     ? deviation * cs_rng_normal(&rng)
                        : positive ? cs_rng_range(&rng, 0.6f, 1.4f)
                                   : cs_rng_range(&rng, -0.3f, 0.3f);
    }
}

void explained_reopen(explained *e, const char *layer, const cs_explain_settings *settings) {
    cs_explain_spec spec = {
        .engine = e->engine, .graph = e->graph, .params = e->params, .layer = layer, .batch = EXPLAINED_BATCH};
    if (settings)
        spec.settings = *settings;
    cs_explainer_close(e->explainer);
    e->explainer = NULL;
    assert_ok(cs_explainer_open(&spec, &e->explainer));
}

void explained_open(explained *e, const explained_network *network, const char *device) {
    const cs_engine_options options = test_engine_options(device, 1);
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", network->arch);
    snprintf(config.head, sizeof config.head, "%s", network->head);
    config.dialect = network->dialect;
    config.alpha = network->alpha;
    config.input_h = config.input_w = network->size;
    config.classes = network->classes;
    *e = (explained){0};
    if (network->build) {
        assert_ok(cs_graph_create(network->arch, &e->graph));
        network->build(e->graph);
    } else {
        assert_ok(cs_model_build(&config, &e->graph));
    }
    fill_params(e);
    assert_ok(cs_engine_open(device, &options, &e->engine));
    explained_reopen(e, network->layer, NULL);
    const size_t pixels = EXPLAINED_IMAGES * cs_shape_count(cs_explainer_input(e->explainer));
    cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 2, cs_hash_name(network->name));
    assert_ok(cs_alloc(pixels, sizeof *e->images, "images", &e->images));
    for (size_t i = 0; i < pixels; i++)
        e->images[i] = cs_rng_normal(&rng);
    for (int i = 0; i < EXPLAINED_IMAGES; i++)
        e->classes[i] = (int32_t)cs_rng_below(&rng, (uint32_t)network->classes);
}

void explained_close(explained *e) {
    cs_explainer_close(e->explainer);
    cs_engine_close(e->engine);
    cs_params_free(e->params);
    cs_graph_free(e->graph);
    free(e->images);
}

float *explained_maps(const explained *e, const char *method, size_t *count) {
    const cs_explain_method *row;
    float *maps;
    assert_ok(cs_explain_method_find(method, &row));
    *count = EXPLAINED_IMAGES * cs_shape_count(cs_explainer_shape(e->explainer, row));
    assert_ok(cs_alloc(*count, sizeof *maps, "maps", &maps));
    assert_ok(cs_explain(e->explainer, row, e->images, e->classes, EXPLAINED_IMAGES, maps));
    return maps;
}

double explained_largest(const float *values, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

void assert_maps_near(const float *got, const float *want, size_t count, double tolerance, const char *what) {
    const double scale = explained_largest(want, count);
    assert_true(scale > 0);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * scale))
            fail_msg("%s[%zu] is %.9g, not %.9g; the largest is %.3g", what, i, (double)got[i], (double)want[i], scale);
}
