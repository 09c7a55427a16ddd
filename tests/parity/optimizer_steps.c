/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer_steps DEVICE FOLDER STEPS [KEY=VALUE...]: updates the parameters of the upper half of a small network with
 * gradients that it makes up, with the options of a trial; model.arch is a small network unless given. Writes to
 * FOLDER:
 *
 * - params.txt: a line for each parameter: layer, role, whether it is trained, dimensions
 * - before.f32: the values of all parameters, in that order
 * - gradients.f32: their gradients, [STEPS] times
 * - after.f32: the values after the last step
 * - average.f32, with train.ema: their average */
#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/zoo.h"
#include "trained_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct updates {
    cs_trial_config trial;
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params, *gradient;
    cs_segment *segment;
    cs_program *program;
    int steps;
} updates;

static bool is_trained(const cs_graph *graph, const cs_param *param) {
    return graph->layers[param->layer].trainable && param->role != CS_PARAM_MOVING_MEAN &&
           param->role != CS_PARAM_MOVING_VARIANCE;
}

static cs_status write_trained_names(const updates *run, const char *folder) {
    FILE *out;
    CS_TRY(open_file(folder, "params.txt", &out));
    for (int i = 0; i < run->graph->n_params; i++) {
        const cs_param *param = &run->graph->params[i];
        fprintf(out, "%s %s %d", run->graph->layers[param->layer].name, cs_param_role_name(param->role),
                is_trained(run->graph, param));
        for (int d = 0; d < param->rank; d++)
            fprintf(out, " %d", param->dims[d]);
        fputc('\n', out);
    }
    return fclose(out) == 0 ? CS_OK : cs_fail_errno("params.txt");
}

static cs_status set_up(updates *run, const char *device) {
    const cs_engine_options options = {.threads = 1};
    cs_model_config config = run->trial.model;
    if (!config.arch[0])
        snprintf(config.arch, sizeof config.arch, "basenet_deep_bn");
    config.input_c = 3;
    config.input_h = config.input_w = 32;
    config.classes = 3;
    CS_TRY(cs_model_build(&config, &run->graph));
    CS_TRY(cs_params_create(run->graph, &run->params));
    CS_TRY(cs_params_create(run->graph, &run->gradient));
    cs_params_init(run->params, 5);
    for (int l = 0; l < run->graph->n_layers / 2; l++)
        run->graph->layers[l].trainable = false;
    CS_TRY(cs_graph_set_lr_factors(run->graph, run->trial.train.lr_mult));
    CS_TRY(cs_segment_create(run->graph, 0, run->graph->n_layers, &run->segment));
    CS_TRY(cs_engine_open(device, &options, &run->engine));
    const cs_program_spec spec = {
        .segment = run->segment, .batch = 1, .mode = CS_MODE_TRAIN, .optimizer = &run->trial.train.optimizer};
    CS_TRY(cs_program_compile(run->engine, &spec, &run->program));
    if (spec.optimizer->ema > 0)
        CS_TRY(cs_program_load(run->program, CS_ARRAY_AVERAGE, run->params));
    return cs_program_load(run->program, CS_ARRAY_VALUE, run->params);
}

/* Gradients of different sizes, one of them tiny; some values are 0. */
static void make_gradient(updates *run, int step) {
    cs_rng rng = cs_rng_at(9, CS_PURPOSE_TEST, 0, (uint32_t)step);
    for (int p = 0; p < run->graph->n_params; p++) {
        const cs_param *param = &run->graph->params[p];
        float size = p % 5 == 3 ? 1e-4f : (float)(p % 5 + 1) / 8;
        for (size_t i = 0; i < param->count; i++) {
            float value = size * cs_rng_range(&rng, -1, 1.2f);
            run->gradient->data[param->offset + i] = is_trained(run->graph, param) && i % 11 ? value : 0;
        }
    }
}

static cs_status make_steps(updates *run, const char *folder) {
    FILE *out;
    CS_TRY(open_file(folder, "gradients.f32", &out));
    for (int step = 1; step <= run->steps; step++) {
        make_gradient(run, step);
        fwrite(run->gradient->data, sizeof(float), run->graph->n_values, out);
        CS_TRY(cs_program_load(run->program, CS_ARRAY_GRADIENT, run->gradient));
        CS_TRY(cs_program_update(run->program, &run->trial.train.optimizer, step));
    }
    return fclose(out) == 0 ? CS_OK : cs_fail_errno("gradients.f32");
}

static cs_status run_all(updates *run, char **argv) {
    enum { DEVICE = 1, FOLDER, STEPS, OPTIONS };
    const char *folder = argv[FOLDER];
    run->steps = atoi(argv[STEPS]);
    CS_TRY(set_options(&run->trial, argv + OPTIONS));
    CS_TRY(set_up(run, argv[DEVICE]));
    const size_t bytes = run->graph->n_values * sizeof(float);
    CS_TRY(write_trained_names(run, folder));
    CS_TRY(write_array(folder, "before.f32", run->params->data, bytes));
    CS_TRY(make_steps(run, folder));
    if (run->trial.train.optimizer.ema > 0) {
        CS_TRY(cs_program_read(run->program, CS_ARRAY_AVERAGE, run->params));
        CS_TRY(write_array(folder, "average.f32", run->params->data, bytes));
    }
    CS_TRY(cs_program_read(run->program, CS_ARRAY_VALUE, run->params));
    return write_array(folder, "after.f32", run->params->data, bytes);
}

int main(int argc, char **argv) {
    updates run = {.steps = 0};
    cs_status status = CS_ERR_ARG;
    if (argc < 4)
        fprintf(stderr, "usage: optimizer_steps DEVICE FOLDER STEPS [KEY=VALUE...]\n");
    else if ((status = run_all(&run, argv)) != CS_OK)
        cs_log_error_last();
    cs_program_free(run.program);
    cs_segment_free(run.segment);
    cs_engine_close(run.engine);
    cs_params_free(run.gradient);
    cs_params_free(run.params);
    cs_graph_free(run.graph);
    return status == CS_OK ? 0 : 1;
}
