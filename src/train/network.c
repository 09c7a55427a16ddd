/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a trial's network, fills in its values, freezes it, and finds where its trainable tail begins. */
#include "network.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/weights.h"

#include <string.h>

static void log_report(const char *path, const cs_weights_report *report) {
    bool whole = report->missing + report->unused + report->wrong_shape + report->head_differs == 0;
    cs_log(CS_LOG_INFO, "%s: %d parameters read, %d missing, %d unused, %d of another shape%s%s", path, report->matched,
           report->missing, report->unused, report->wrong_shape, whole ? "" : "\n", whole ? "" : report->text);
}

static cs_status fill_params(const cs_trial_config *trial, const cs_params *like, cs_params *params) {
    if (like) {
        memcpy(params->data, like->data, params->graph->n_values * sizeof *params->data);
        return CS_OK;
    }
    cs_params_init(params, (uint64_t)trial->train.seed);
    if (!trial->weights[0])
        return CS_OK;
    CS_TRY(cs_trial_check_weights(trial)); /* the file may have been replaced since the sweep began */
    const cs_standardize standardize = cs_augment_standardize(&trial->augment, false);
    const unsigned rules = (trial->allow_missing ? CS_WEIGHTS_ALLOW_MISSING : 0) |
                           (cs_standardize_is_on(&standardize) ? CS_WEIGHTS_ANY_INPUT : 0);
    cs_weights_report report = {0};
    cs_status status = cs_weights_read(trial->weights, rules, params, &report);
    if (status == CS_OK || report.missing || report.wrong_shape)
        log_report(trial->weights, &report);
    if (status == CS_OK && cs_record_is_standardized(report.record))
        cs_log(CS_LOG_INFO, "%s: %s", trial->weights, report.record);
    cs_weights_report_clear(&report);
    return status;
}

/* The first layer that is trained; there is one. The trunk may end before it, at a dropout. */
static const char *first_trained(const cs_graph *graph) {
    int i = cs_graph_trunk_end(graph);
    while (!graph->layers[i].trainable || !cs_layer_has_trainable_params(graph, i))
        i++;
    return graph->layers[i].name;
}

static void log_network(const cs_trial_config *trial, const cs_graph *graph) {
    const cs_standardize standardize = cs_augment_standardize(&trial->augment, false);
    cs_param_counts counts = cs_graph_count_params(graph);
    cs_shape input = graph->layers[0].out;
    cs_log(CS_LOG_INFO,
           "%s (%s) %dx%dx%d, pixels as %s, fine_tune %s: %zu of %zu parameters trainable, from layer %s on; frozen "
           "batch norms use their moving statistics",
           graph->arch, cs_dialect_name(graph->dialect), input.h, input.w, input.c,
           cs_standardize_is_on(&standardize) ? "standardized" : cs_preprocess_name(graph->preprocess),
           trial->fine_tune, counts.trainable, counts.total, first_trained(graph));
}

/* Says what train.lr_mult makes of the layers that train. */
static void log_lr_factors(const cs_trial_config *trial, const cs_graph *graph) {
    const cs_layer *least = NULL, *most = NULL;
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        if (!layer->trainable || !cs_layer_has_trainable_params(graph, i))
            continue;
        if (!least || layer->lr_factor < least->lr_factor)
            least = layer;
        if (!most || layer->lr_factor >= most->lr_factor)
            most = layer;
    }
    if (least && (least->lr_factor != 1 || most->lr_factor != 1))
        cs_log(CS_LOG_INFO, "lr_mult %s: factors of the learning rate from %.3g (%s) to %.3g (%s)",
               trial->train.lr_mult, least->lr_factor, least->name, most->lr_factor, most->name);
}

static cs_status freeze(const cs_trial_config *trial, cs_graph *graph) {
    CS_TRY(cs_graph_freeze(graph, trial->fine_tune));
    if (cs_graph_trunk_end(graph) == graph->n_layers)
        return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: %s leaves no layer with parameters trainable", trial->fine_tune),
                       "the last layer is %s; use a larger number, head, or all",
                       graph->layers[graph->n_layers - 1].name);
    return CS_OK;
}

cs_status cs_trial_network(const cs_trial_config *trial, int classes, cs_graph **graph, cs_params **params) {
    return cs_trial_network_like(trial, classes, NULL, graph, params);
}

cs_status cs_trial_network_like(const cs_trial_config *trial, int classes, const cs_params *like, cs_graph **graph,
                                cs_params **params) {
    cs_model_config model = trial->model;
    cs_graph *built = NULL;
    cs_params *filled = NULL;
    cs_status status;
    model.classes = classes;
    if (trial->data.image[0] > 0) {
        model.input_h = trial->data.image[0];
        model.input_w = trial->data.image[1];
    }
    CS_TRY_GOTO(cs_weights_model(trial->weights, &model, &built), failed);
    CS_TRY_GOTO(cs_params_create(built, &filled), failed);
    CS_TRY_GOTO(fill_params(trial, like, filled), failed);
    CS_TRY_GOTO(freeze(trial, built), failed);
    CS_TRY_GOTO(cs_graph_set_lr_factors(built, trial->train.lr_mult), failed);
    log_network(trial, built);
    log_lr_factors(trial, built);
    *graph = built;
    *params = filled;
    return CS_OK;
failed:
    cs_params_free(filled);
    cs_graph_free(built);
    return status;
}

/* May an engine run layer `index` and the `source` it reads as one operation? A cut between them would change the
 * rounding.
 */
static bool is_fused(const cs_graph *graph, int index, int source) {
    const cs_layer *layer = &graph->layers[index];
    if (layer->kind == CS_LAYER_BATCH_NORM)
        return cs_layer_takes_norm(graph, source);
    return layer->kind == CS_LAYER_ACTIVATION ||
           (cs_layer_is_convolution(layer) && graph->layers[source].kind == CS_LAYER_ZERO_PAD);
}

/* The earliest layer before `cut` that may be fused with a layer from `cut` on; `cut` if there is none. */
static int move_before_fusion(const cs_graph *graph, int cut) {
    int moved = cut;
    for (int i = cut; i < graph->n_layers; i++)
        for (int k = 0; k < graph->layers[i].n_inputs; k++) {
            int source = graph->layers[i].inputs[k];
            if (source < moved && is_fused(graph, i, source))
                moved = source;
        }
    return moved;
}

/* Is only one of the values computed before `cut` read after it? If not, a branch bypasses the cut. */
static bool is_bottleneck(const cs_graph *graph, int cut) {
    int crossing = -1;
    for (int i = cut; i < graph->n_layers; i++)
        for (int k = 0; k < graph->layers[i].n_inputs; k++) {
            int source = graph->layers[i].inputs[k];
            if (source < cut && crossing >= 0 && source != crossing)
                return false;
            if (source < cut)
                crossing = source;
        }
    return true;
}

int cs_trial_cut(const cs_graph *graph) {
    int cut = cs_graph_trunk_end(graph), moved;
    for (;;) {
        moved = move_before_fusion(graph, cut);
        if (moved == cut && is_bottleneck(graph, cut))
            break;
        cut = moved < cut ? moved : cut - 1;
    }
    for (int i = 0; i < cut; i++)
        if (cs_layer_has_trainable_params(graph, i))
            return cut;
    return 0;
}

cs_loader_config cs_trial_loader(const cs_trial_config *trial, const cs_graph *graph,
                                 const cs_standardization *standardization, cs_split split) {
    cs_preprocess preprocess = cs_preprocess_of(graph->preprocess);
    if (cs_standardize_is_on(&standardization->settings)) {
        preprocess.bgr = false;
        cs_standardization_affine(standardization, preprocess.multiply, preprocess.add);
    }
    cs_loader_config config = {.split = split,
                               .batch = trial->train.batch,
                               .h = graph->layers[0].out.h,
                               .w = graph->layers[0].out.w,
                               .filter = trial->data.filter,
                               .bgr = preprocess.bgr,
                               .seed = (uint64_t)trial->train.seed};
    if (!cs_standardization_is_affine(standardization))
        config.standardization = standardization;
    memcpy(config.multiply, preprocess.multiply, sizeof config.multiply);
    memcpy(config.add, preprocess.add, sizeof config.add);
    return config;
}
