/* SPDX-License-Identifier: Apache-2.0 */
#include "explainer.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

static const cs_layer *last_layer(const cs_explainer *e) {
    return &e->layers[e->graph.n_layers - 1];
}

static const cs_layer *layer_of(const cs_explainer *e) {
    return &e->layers[e->layer];
}

/* The border of zeros of a padding would look like a part of the map. */
static bool has_places(const cs_layer *layer) {
    return !layer->out.flat && layer->out.h * layer->out.w > 1 && layer->kind != CS_LAYER_ZERO_PAD;
}

/* The engines read from the graph which layers are trained and which drop. */
static cs_status copy_graph(cs_explainer *e) {
    const cs_graph *graph = e->spec.graph;
    e->graph = *graph;
    CS_TRY(cs_alloc((size_t)graph->n_layers, sizeof *e->layers, "layers", &e->layers));
    memcpy(e->layers, graph->layers, (size_t)graph->n_layers * sizeof *e->layers);
    e->graph.layers = e->layers;
    e->input = -1;
    for (int l = 0; l < graph->n_layers; l++) {
        e->layers[l].trainable = false;
        e->layers[l].rate = 0;
        if (e->layers[l].kind == CS_LAYER_INPUT)
            e->input = l;
    }
    return CS_OK;
}

static cs_status choose_layer(cs_explainer *e) {
    if (e->spec.layer) {
        CS_TRY(cs_graph_find(&e->graph, e->spec.layer, &e->layer));
    } else {
        e->layer = e->graph.n_layers - 1;
        while (e->layer > 0 && !has_places(layer_of(e)))
            e->layer--;
    }
    const cs_layer *layer = layer_of(e);
    if (e->layer == e->input || e->layer == e->graph.n_layers - 1 || layer->out.flat)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "layer %s has no map: it is %s", layer->name,
                               e->layer == e->input ? "the input"
                               : layer->out.flat    ? "flat"
                                                    : "the last"),
                       "name a layer whose output is [h,w,c]; `cnnsweep summary` lists them");
    return CS_OK;
}

static cs_status allocate(cs_explainer *e) {
    const size_t batch = (size_t)e->spec.batch, values = batch * cs_shape_count(layer_of(e)->out);
    const size_t pixels = batch * cs_shape_count(e->layers[e->input].out);
    CS_TRY(cs_alloc(values, sizeof(float), "activations", &e->activations));
    CS_TRY(cs_alloc(values, sizeof(float), "gradients", &e->gradients));
    CS_TRY(cs_alloc(pixels, sizeof(float), "inputs", &e->inputs));
    return cs_alloc(batch * (size_t)cs_explainer_outputs(e), sizeof(float), "logits", &e->starts);
}

static cs_status open_explainer(cs_explainer *e) {
    if (e->spec.batch < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "batch is %d", e->spec.batch), "use a batch of at least 1");
    CS_TRY(copy_graph(e));
    if (e->input < 0 || !last_layer(e)->out.flat)
        return cs_fail(CS_ERR_SHAPE, "%s has no logits: its last layer %s is not flat", e->graph.arch,
                       last_layer(e)->name);
    CS_TRY(choose_layer(e));
    return allocate(e);
}

cs_status cs_explainer_open(const cs_explain_spec *spec, cs_explainer **out) {
    cs_explainer *e = NULL;
    CS_TRY(cs_alloc(1, sizeof *e, "explainer", &e));
    e->spec = *spec;
    cs_explain_settings *settings = &e->spec.settings;
    cs_status status = open_explainer(e);
    if (status != CS_OK) {
        cs_explainer_close(e);
        return status;
    }
    const cs_shape input = cs_explainer_input(e);
    const int side = input.h < input.w ? input.h : input.w;
    settings->steps = settings->steps > 0 ? settings->steps : 50;
    settings->samples = settings->samples > 0 ? settings->samples : 50;
    settings->noise = settings->noise > 0 ? settings->noise : 0.15;
    settings->patch = settings->patch > 0 ? settings->patch : (side + 7) / 8;
    settings->stride = settings->stride > 0 ? settings->stride : (settings->patch + 1) / 2;
    *out = e;
    return CS_OK;
}

void cs_explainer_close(cs_explainer *e) {
    if (!e)
        return;
    cs_part *const parts[] = {&e->above, &e->below, &e->scores, &e->slopes, &e->guided};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        cs_program_free(parts[i]->program);
        cs_segment_free(parts[i]->segment);
    }
    free(e->layers);
    free(e->activations);
    free(e->gradients);
    free(e->inputs);
    free(e->starts);
    free(e);
}

const char *cs_explainer_layer(const cs_explainer *e) {
    return layer_of(e)->name;
}

cs_shape cs_explainer_input(const cs_explainer *e) {
    return e->layers[e->input].out;
}

int cs_explainer_classes(const cs_explainer *e) {
    return cs_layer_classes(last_layer(e));
}

int cs_explainer_outputs(const cs_explainer *e) {
    return last_layer(e)->out.c;
}

cs_shape cs_explainer_shape(const cs_explainer *e, const cs_explain_method *method) {
    cs_shape shape = method->kind == CS_MAP_LAYER ? layer_of(e)->out : cs_explainer_input(e);
    if (method->kind != CS_MAP_COLOUR)
        shape.c = 1;
    return shape;
}

/* Programs. */

/* Compiles layers [begin, end). With a `gradient` it trains, and gives the gradient of that layer or input. */
static cs_status compile(cs_explainer *e, cs_part *part, int begin, int end, cs_program_spec spec) {
    if (part->program)
        return CS_OK;
    if (!part->segment)
        CS_TRY(cs_segment_create(&e->graph, begin, end, &part->segment));
    spec.segment = part->segment;
    spec.batch = e->spec.batch;
    spec.mode = spec.gradients ? CS_MODE_TRAIN : CS_MODE_INFER;
    CS_TRY(cs_program_compile(e->spec.engine, &spec, &part->program));
    return cs_program_load(part->program, CS_ARRAY_VALUE, e->spec.params);
}

/* Runs backward from the logits of the classes. */
static cs_status run_backward(cs_explainer *e, const cs_part *part, const int32_t *classes, int n, float *out) {
    const size_t outputs = (size_t)cs_explainer_outputs(e);
    memset(e->starts, 0, (size_t)n * outputs * sizeof *e->starts);
    for (int i = 0; i < n; i++)
        if (outputs == 1)
            e->starts[i] = classes[i] ? 1 : -1;
        else
            e->starts[(size_t)i * outputs + (size_t)classes[i]] = 1;
    CS_TRY(cs_program_set_gradient(part->program, e->starts, n));
    CS_TRY(cs_program_backward(part->program, n));
    return cs_program_get_gradient(part->program, 0, out, n);
}

static cs_status get_layer(const cs_explainer *e, int n) {
    for (int i = 0; i < e->below.segment->n_outputs; i++)
        if (e->below.segment->outputs[i] == e->layer)
            return cs_program_get_output(e->below.program, i, e->activations, n);
    return cs_fail(CS_ERR_SHAPE, "layer %s: no later layer reads it", layer_of(e)->name);
}

cs_status cs_explainer_run_layer(cs_explainer *e, const float *images, const int32_t *classes, int n) {
    CS_TRY(compile(e, &e->below, 0, e->layer + 1, (cs_program_spec){0}));
    CS_TRY(cs_program_set_input(e->below.program, 0, images, n));
    CS_TRY(cs_program_forward(e->below.program, n));
    CS_TRY(get_layer(e, n));
    if (!classes)
        return CS_OK;
    const cs_program_spec spec = {.upstream = e->below.program, .gradients = &e->layer, .n_gradients = 1};
    CS_TRY(compile(e, &e->above, e->layer + 1, e->graph.n_layers, spec));
    CS_TRY(cs_program_forward(e->above.program, n));
    return run_backward(e, &e->above, classes, n, e->gradients);
}

/* Guided backpropagation is defined by the corner of a ReLU, which other activations do not have. */
static void say_what_is_not_guided(cs_explainer *e) {
    for (int l = 0; l < e->graph.n_layers && !e->guided_said; l++) {
        const cs_activation activation = e->layers[l].activation;
        if (activation != CS_ACT_SWISH && activation != CS_ACT_SIGMOID)
            continue;
        cs_log(CS_LOG_INFO,
               "guided backpropagation: %s has %s, which keeps its plain gradient: only relu and relu6 are guided",
               e->graph.arch, cs_activation_name(activation));
        e->guided_said = true;
    }
    e->guided_said = true;
}

cs_status cs_explainer_run_slopes(cs_explainer *e, const float *images, const int32_t *classes, int n, bool guided,
                                  float *out) {
    cs_part *part = guided ? &e->guided : &e->slopes;
    if (guided)
        say_what_is_not_guided(e);
    const cs_program_spec spec = {.gradients = &e->input, .n_gradients = 1, .guided = guided};
    CS_TRY(compile(e, part, 0, e->graph.n_layers, spec));
    CS_TRY(cs_program_set_input(part->program, 0, images, n));
    CS_TRY(cs_program_forward(part->program, n));
    return run_backward(e, part, classes, n, out);
}

cs_status cs_explainer_run_scores(cs_explainer *e, const float *images, int n, float *out) {
    CS_TRY(compile(e, &e->scores, 0, e->graph.n_layers, (cs_program_spec){0}));
    CS_TRY(cs_program_set_input(e->scores.program, 0, images, n));
    CS_TRY(cs_program_forward(e->scores.program, n));
    return cs_program_get_output(e->scores.program, e->scores.segment->n_outputs - 1, out, n);
}

double cs_explainer_logit(const cs_explainer *e, const float *outputs, int32_t class) {
    if (cs_explainer_outputs(e) == 1)
        return class ? (double)outputs[0] : -(double)outputs[0];
    return (double)outputs[class];
}

cs_status cs_explainer_logits(cs_explainer *e, const float *images, int n, float *logits) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e)), outputs = (size_t)cs_explainer_outputs(e);
    for (int first = 0; first < n; first += e->spec.batch) {
        const int rows = n - first < e->spec.batch ? n - first : e->spec.batch;
        CS_TRY(cs_explainer_run_scores(e, images + (size_t)first * pixels, rows, logits + (size_t)first * outputs));
    }
    for (size_t i = (size_t)n; outputs == 1 && i-- > 0;) {
        const float z = logits[i];
        logits[2 * i] = -z / 2;
        logits[2 * i + 1] = z / 2;
    }
    return CS_OK;
}

static cs_status check_classes(const cs_explainer *e, const int32_t *classes, int n) {
    for (int i = 0; i < n; i++)
        if (classes[i] < 0 || classes[i] >= cs_explainer_classes(e))
            return cs_fail(CS_ERR_ARG, "image %d is to be explained for class %d; the network has %d classes", i,
                           (int)classes[i], cs_explainer_classes(e));
    return CS_OK;
}

cs_status cs_explain(cs_explainer *e, const cs_explain_method *method, const float *images, const int32_t *classes,
                     int n, float *maps) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e));
    const size_t places = cs_shape_count(cs_explainer_shape(e, method));
    cs_status status = check_classes(e, classes, n);
    for (int first = 0; first < n && status == CS_OK; first += e->spec.batch) {
        const int rows = n - first < e->spec.batch ? n - first : e->spec.batch;
        e->first = first;
        status = method->make(e, images + (size_t)first * pixels, classes + first, rows, maps + (size_t)first * places);
    }
    return status;
}
