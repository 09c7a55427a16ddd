/* SPDX-License-Identifier: Apache-2.0 */
/* loss_curve DEVICE OPTIMIZER FOLDER: trains MobileNet alpha 0.25 at 64 x 64 from its initial values. Writes to FOLDER
 * all that another framework needs to do the same, and the results:
 *   params.txt               a line for each parameter: layer, role, dimensions
 *   before.f32 after.f32     the values of all parameters, in that order, before the first step and after the last
 *   images.f32 labels.i32    the batches: [BATCHES,BATCH,SIZE,SIZE,3] and [BATCHES,BATCH]
 *   losses.txt               the mean loss of each step */
#include "cnnsweep/engine.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/zoo.h"
#include "trained_network.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 20, BATCHES = 2, BATCH = 8, SIZE = 64, CLASSES = 3, IMAGE = SIZE * SIZE * 3 };

typedef struct curve {
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    cs_program *program;
    float *images;
    int32_t labels[BATCHES * BATCH];
} curve;

/* Makes noise whose brightness depends on the class, so that the network can learn the classes. */
static void make_batches(curve *run) {
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 0, i);
        run->labels[i] = (int32_t)cs_rng_below(&rng, CLASSES);
        for (int k = 0; k < IMAGE; k++)
            run->images[(size_t)i * IMAGE + (size_t)k] =
                cs_rng_range(&rng, -0.5f, 0.5f) + 0.5f * (float)(run->labels[i] - 1);
    }
}

static cs_status set_up(curve *run, const char *device, const cs_optimizer *optimizer) {
    cs_engine_options options = {.threads = 2};
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "mobilenet");
    config.alpha = 0.25f;
    config.input_h = config.input_w = SIZE;
    config.classes = CLASSES;
    CS_TRY(cs_model_build(&config, &run->graph));
    CS_TRY(cs_params_create(run->graph, &run->params));
    cs_params_init(run->params, 5);
    CS_TRY(cs_alloc((size_t)BATCHES * BATCH * IMAGE, sizeof(float), "images", &run->images));
    make_batches(run);
    CS_TRY(cs_segment_create(run->graph, 0, run->graph->n_layers, &run->segment));
    CS_TRY(cs_engine_open(device, &options, &run->engine));
    cs_program_spec spec = {.segment = run->segment, .batch = BATCH, .mode = CS_MODE_TRAIN, .optimizer = optimizer};
    CS_TRY(cs_program_compile(run->engine, &spec, &run->program));
    return cs_program_load(run->program, CS_ARRAY_VALUE, run->params);
}

static cs_status train(curve *run, const cs_optimizer *optimizer, FILE *losses) {
    for (int step = 0; step < STEPS; step++) {
        size_t first = (size_t)(step % BATCHES) * BATCH;
        cs_loss loss;
        CS_TRY(cs_program_set_input(run->program, 0, run->images + first * IMAGE, BATCH));
        CS_TRY(cs_program_forward(run->program, BATCH));
        CS_TRY(cs_program_loss(run->program, &(cs_targets){.labels = run->labels + first}, BATCH, NULL, &loss));
        CS_TRY(cs_program_backward(run->program, BATCH));
        CS_TRY(cs_program_update(run->program, optimizer, step + 1));
        fprintf(losses, "%.9g\n", loss.sum / BATCH);
    }
    return cs_program_read(run->program, CS_ARRAY_VALUE, run->params);
}

static cs_status run_curve(curve *run, const char *device, const cs_optimizer *optimizer, const char *folder) {
    FILE *losses;
    CS_TRY(set_up(run, device, optimizer));
    size_t bytes = run->graph->n_values * sizeof(float);
    CS_TRY(write_names(run->graph, folder));
    CS_TRY(write_array(folder, "before.f32", run->params->data, bytes));
    CS_TRY(write_array(folder, "images.f32", run->images, (size_t)BATCHES * BATCH * IMAGE * sizeof(float)));
    CS_TRY(write_array(folder, "labels.i32", run->labels, sizeof run->labels));
    CS_TRY(open_file(folder, "losses.txt", &losses));
    cs_status status = train(run, optimizer, losses);
    if (fclose(losses) != 0)
        return cs_fail_errno("%s/losses.txt", folder);
    CS_TRY(status);
    return write_array(folder, "after.f32", run->params->data, bytes);
}

/* The rates are small because the gradients of this network are large at its initial values: at the usual ones a
 * difference of one rounding grows tenfold with each step, and two correct programs differ after 20 steps. */
int main(int argc, char **argv) {
    static const cs_optimizer sgd = {.kind = CS_OPTIMIZER_SGD, .lr = 1e-6f, .momentum = 0.9f, .nesterov = true};
    static const cs_optimizer adam = {
        .kind = CS_OPTIMIZER_ADAM, .lr = 1e-5f, .beta_1 = 0.9f, .beta_2 = 0.999f, .epsilon = 1e-7f};
    curve run = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: loss_curve DEVICE sgd|adam FOLDER\n");
        return 2;
    }
    cs_status status = run_curve(&run, argv[1], strcmp(argv[2], "adam") == 0 ? &adam : &sgd, argv[3]);
    if (status != CS_OK)
        cs_log_error_last();
    cs_program_free(run.program);
    cs_engine_close(run.engine);
    cs_segment_free(run.segment);
    cs_params_free(run.params);
    cs_graph_free(run.graph);
    free(run.images);
    return status == CS_OK ? 0 : 1;
}
