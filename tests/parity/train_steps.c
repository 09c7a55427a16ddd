/* SPDX-License-Identifier: Apache-2.0 */
/* train_steps DEVICE FOLDER KEY=VALUE...: trains a network from its initial values with the options of a trial, model.*
 * and train.*, on random images of two classes. Writes to FOLDER what another framework needs to do the same, and the
 * results:
 *   params.txt               a line for each parameter: layer, role, dimensions
 *   before.f32 after.f32     the values of all parameters, in that order, before the first step and after the last
 *   images.f32 labels.i32    the batch of all steps: [BATCH,SIZE,SIZE,3] and [BATCH]
 *   losses.txt               the loss of each step, penalties included */
#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "trained_network.h"

#include <string.h>

enum { STEPS = 20, BATCH = 8, SIZE = 32, CLASSES = 2, IMAGE = SIZE * SIZE * 3 };

typedef struct training {
    cs_trial_config trial;
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    cs_program *program;
    int32_t labels[BATCH];
    float images[BATCH * IMAGE];
} training;

/* Makes noise whose brightness depends on the class, so that the network can learn the classes. */
static void make_batch(training *run) {
    for (uint32_t i = 0; i < BATCH; i++) {
        cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 0, i);
        run->labels[i] = (int32_t)cs_rng_below(&rng, CLASSES);
        for (int k = 0; k < IMAGE; k++)
            run->images[(size_t)i * IMAGE + (size_t)k] = cs_rng_range(&rng, -0.5f, 0.5f) + 0.5f * (float)run->labels[i];
    }
}

static cs_status set_up(training *run, const char *device) {
    const cs_engine_options options = {.threads = 1};
    cs_model_config config = run->trial.model;
    config.input_h = config.input_w = SIZE;
    config.input_c = 3;
    config.classes = CLASSES;
    CS_TRY(cs_model_build(&config, &run->graph));
    CS_TRY(cs_params_create(run->graph, &run->params));
    cs_params_init(run->params, 5);
    make_batch(run);
    CS_TRY(cs_segment_create(run->graph, 0, run->graph->n_layers, &run->segment));
    CS_TRY(cs_engine_open(device, &options, &run->engine));
    const cs_program_spec spec = {
        .segment = run->segment, .batch = BATCH, .mode = CS_MODE_TRAIN, .optimizer = &run->trial.train.optimizer};
    CS_TRY(cs_program_compile(run->engine, &spec, &run->program));
    return cs_program_load(run->program, CS_ARRAY_VALUE, run->params);
}

static cs_status train(training *run, FILE *losses) {
    for (int step = 1; step <= STEPS; step++) {
        cs_loss loss;
        CS_TRY(cs_program_set_input(run->program, 0, run->images, BATCH));
        CS_TRY(cs_program_forward(run->program, BATCH));
        CS_TRY(cs_program_loss(run->program, &(cs_targets){.labels = run->labels}, BATCH, NULL, &loss));
        CS_TRY(cs_program_backward(run->program, BATCH));
        CS_TRY(cs_program_update(run->program, &run->trial.train.optimizer, step));
        fprintf(losses, "%.17g\n", loss.sum / BATCH + loss.penalty);
    }
    return cs_program_read(run->program, CS_ARRAY_VALUE, run->params);
}

static cs_status run_all(training *run, char **argv) {
    enum { DEVICE = 1, FOLDER, OPTIONS };
    const char *folder = argv[FOLDER];
    FILE *losses;
    CS_TRY(set_options(&run->trial, argv + OPTIONS));
    CS_TRY(set_up(run, argv[DEVICE]));
    size_t bytes = run->graph->n_values * sizeof(float);
    CS_TRY(write_names(run->graph, folder));
    CS_TRY(write_array(folder, "before.f32", run->params->data, bytes));
    CS_TRY(write_array(folder, "images.f32", run->images, sizeof run->images));
    CS_TRY(write_array(folder, "labels.i32", run->labels, sizeof run->labels));
    CS_TRY(open_file(folder, "losses.txt", &losses));
    cs_status status = train(run, losses);
    if (fclose(losses) != 0)
        return cs_fail_errno("%s/losses.txt", folder);
    CS_TRY(status);
    return write_array(folder, "after.f32", run->params->data, bytes);
}

int main(int argc, char **argv) {
    static training run;
    cs_status status = CS_ERR_ARG;
    if (argc < 4)
        fprintf(stderr, "usage: train_steps DEVICE FOLDER KEY=VALUE...\n");
    else if ((status = run_all(&run, argv)) != CS_OK)
        cs_log_error_last();
    cs_program_free(run.program);
    cs_segment_free(run.segment);
    cs_engine_close(run.engine);
    cs_params_free(run.params);
    cs_graph_free(run.graph);
    return status == CS_OK ? 0 : 1;
}
