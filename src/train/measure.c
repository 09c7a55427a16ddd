/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the rates of a machine: times a trial's own programs on random images. */
#include "cnnsweep/cost.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>

/* A program to time, and its input. */
typedef struct probe {
    cs_segment *segment;
    cs_program *program;
    bool trains;      /* time a train step; else forward, and the loss if the program ends in logits */
    double macs;      /* of one row */
    float *input;     /* [batch, ...] */
    int32_t *labels;  /* [batch] zeros */
    int64_t *samples; /* [batch] */
    const cs_trial_config *trial;
} probe;

static cs_status open_probe(probe *p, cs_engine *engine, const cs_graph *graph, const cs_params *params, int begin,
                            int end) {
    enum { SEED = 1, LEVELS = 256 };
    size_t batch = (size_t)p->trial->train.batch, n = batch * cs_shape_count(graph->layers[begin].in);
    for (int i = begin; i < end; i++)
        p->macs += cs_layer_macs(graph, i);
    CS_TRY(cs_segment_create(graph, begin, end, &p->segment));
    const cs_program_spec spec = {.segment = p->segment,
                                  .batch = (int)batch,
                                  .mode = p->trains ? CS_MODE_TRAIN : CS_MODE_INFER,
                                  .optimizer = &p->trial->train.optimizer};
    CS_TRY(cs_program_compile(engine, &spec, &p->program));
    CS_TRY(cs_program_load(p->program, CS_ARRAY_VALUE, params));
    CS_TRY(cs_alloc(n, sizeof *p->input, "images to measure with", &p->input));
    CS_TRY(cs_alloc(batch, sizeof *p->labels, "labels to measure with", &p->labels));
    CS_TRY(cs_alloc(batch, sizeof *p->samples, "labels to measure with", &p->samples));
    cs_rng rng = cs_rng_at(SEED, CS_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < n; i++)
        p->input[i] = (float)cs_rng_below(&rng, LEVELS) / LEVELS;
    return CS_OK;
}

static void close_probe(probe *p) {
    cs_program_free(p->program);
    cs_segment_free(p->segment);
    free(p->input);
    free(p->labels);
    free(p->samples);
}

static cs_status run(const probe *p, int n, int64_t step) {
    cs_loss loss;
    CS_TRY(cs_program_set_input(p->program, 0, p->input, n));
    if (p->trains)
        cs_program_set_draw(p->program, &(cs_draw){.samples = p->samples});
    CS_TRY(cs_program_forward(p->program, n));
    if (p->segment->end < p->segment->graph->n_layers)
        return CS_OK;
    CS_TRY(cs_program_loss(p->program, &(cs_targets){.labels = p->labels}, n, NULL, &loss));
    if (!p->trains)
        return CS_OK;
    CS_TRY(cs_program_backward(p->program, n));
    return cs_program_update(p->program, &p->trial->train.optimizer, step);
}

/* Times a few calls on a batch and takes the fastest; costs that a step has once, such as its update, are thus divided
 * over a batch. If a call would take too long at the current `*rate`, only the first rows of the batch are used. The
 * first call is not counted, as it generates code and touches memory. */
static cs_status time_probe(const probe *p, double seconds, double *rate) {
    enum { LEAST = 2, MOST = 6 };
    const double too_long = 0.5;
    int batch = p->trial->train.batch;
    double expected = p->macs * batch / *rate, begun = cs_now(), fastest = INFINITY;
    int rows = expected < too_long ? batch : 1 + (int)(batch * too_long / expected);
    for (int call = 0; call <= MOST && (call <= LEAST || cs_now() - begun < seconds); call++) {
        double start = cs_now();
        CS_TRY(run(p, rows, call + 1));
        if (call > 0)
            fastest = fmin(fastest, cs_now() - start);
    }
    *rate = p->macs * rows / fmax(fastest, 1e-9);
    return CS_OK;
}

static cs_status measure(cs_engine *engine, const cs_trial_config *trial, const cs_graph *graph,
                         const cs_params *params, double seconds, cs_rates *out) {
    enum { PROBES = 3 };
    int cut = cs_trial_cut(graph), end = graph->n_layers;
    double *rates[PROBES] = {&out->trunk, &out->train, &out->infer};
    for (int i = 0; i < PROBES; i++) {
        probe p = {.trial = trial, .trains = i == 1};
        double begun = cs_now();
        if (i == 0 && cut == 0)
            continue;
        cs_status status = open_probe(&p, engine, graph, params, i ? cut : 0, i ? end : cut);
        out->trial += cs_now() - begun;
        if (status == CS_OK && p.macs > 0)
            status = time_probe(&p, seconds / PROBES, rates[i]);
        close_probe(&p);
        CS_TRY(status);
    }
    return CS_OK;
}

cs_status cs_rates_measure(cs_engine *engine, const cs_trial_config *trial, int classes, double seconds,
                           cs_rates *out) {
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    double begun = cs_now();
    CS_TRY(cs_trial_network(trial, classes, &graph, &params));
    out->trial = cs_now() - begun;
    cs_status status = measure(engine, trial, graph, params, seconds, out);
    cs_params_free(params);
    cs_graph_free(graph);
    return status;
}
