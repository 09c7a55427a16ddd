/* SPDX-License-Identifier: Apache-2.0 */
/* Compares gradients of whole networks of the zoo with those of the reference engine: of a training step with all
 * layers trainable, and of the image with all layers frozen. */
#include "run.h"

#include "cnnsweep/zoo.h"

#include <stdlib.h>
#include <string.h>

typedef struct network {
    const char *arch;
    cs_dialect dialect;
    float alpha;
    int size, batch;
    double tolerance; /* relative to the largest gradient in a tensor */
    double spread;    /* above 1 if the deepest batch norms have only `batch` values in a channel */
} network;

static const network networks[] = {
    {"mobilenet", CS_DIALECT_KERAS, 0.25f, 64, 8, 1e-4, 1},
    {"mobilenet_v2", CS_DIALECT_KERAS, 0.35f, 65, 8, 1e-3, 1}, /* images inside the network have odd sizes, too */
    {"mobilenet_v2", CS_DIALECT_TORCH, 0.35f, 65, 8, 1e-3, 1},
    {"resnet18", CS_DIALECT_TORCH, 1, 50, 4, 1e-3, 1},
    {"resnet50", CS_DIALECT_KERAS, 1, 48, 4, 1e-3, 1},
    {"inception_v3", CS_DIALECT_KERAS, 1, 80, 4, 1e-3, 8},
    {"xception", CS_DIALECT_KERAS, 1, 71, 2, 1e-3, 1},
    {"densenet121", CS_DIALECT_KERAS, 1, 64, 4, 1e-3, 1},
    {"efficientnet_b0", CS_DIALECT_KERAS, 1, 49, 8, 1e-3, 1},
    {"cnn4", CS_DIALECT_KERAS, 1, 32, 4, 1e-3, 1},
};
static const network *current;

static void build_current(cs_graph *graph, const engine_case *row) {
    cs_model_config config;
    size_t count;
    int top, mean, logits;
    cs_model_config_init(&config);
    config.alpha = current->alpha;
    config.input_h = row->h;
    config.input_w = row->w;
    graph->dialect = current->dialect;
    const cs_zoo_entry *entry = cs_zoo_entries(&count);
    while (strcmp(entry->name, current->arch) != 0 || entry->dialect != current->dialect)
        entry++;
    assert_ok(entry->build(graph, &config, &top));
    assert_ok(cs_graph_global_average_pool(graph, "mean", top, false, &mean));
    assert_ok(cs_graph_dense(graph, "logits", mean, 10, CS_ACT_SOFTMAX, &logits));
}

/* Among a million activations some are so close to a corner of their ReLU that rounding puts them on different sides of
 * it in two engines. In deep layers, where a channel has few values, one of them changes a gradient by several percent.
 * So this sets the batch norms such that two of three channels are well above 0 and below 6 and the third is below 0.
 * These are the same channels in all layers, so that sums stay away from the corners, too. The tests of single layers
 * cover the corners. */
static void avoid_corners(engine_run *run) {
    const float offset = 2;
    for (int p = 0; p < run->graph->n_params; p++) {
        const cs_param *param = &run->graph->params[p];
        float *values = cs_params_at(run->initial, param);
        for (size_t c = 0; c < param->count; c++) {
            if (param->role == CS_PARAM_BETA)
                values[c] = c % 3 == 0 ? -offset : offset;
            if (param->role == CS_PARAM_GAMMA)
                values[c] /= 2;
        }
    }
    run_load(run, run->initial);
}

static void every_gradient_of_a_step_equals_the_reference(void **state) {
    current = *state;
    const int size = current->size, batch = current->batch;
    const engine_case row = {current->arch, build_current, size, size, 3, {0}, batch, batch, 0, 0, 0};
    engine_run run[2];
    cs_params *gradients[2];
    if (!test_device_is_not_ref())
        skip();
    for (int i = 0; i < 2; i++) {
        run_open(&run[i], &row, i ? "ref" : test_device(), CS_MODE_TRAIN);
        avoid_corners(&run[i]);
        run_step(&run[i]);
        gradients[i] = run_read(&run[i], CS_ARRAY_GRADIENT);
    }
    assert_network_near(&run[0], &run[1], gradients[0], gradients[1], current->tolerance, current->spread);
    for (int i = 0; i < 2; i++) {
        cs_params_free(gradients[i]);
        run_close(&run[i]);
    }
}

/* Uses the moving statistics, as explanations of a trained network do. They do not keep activations away from the
 * corners of their ReLUs, so the tolerance is larger than for a step. Below fp32 the gradients cannot be compared. */
static void the_gradient_of_the_image_of_a_frozen_network_equals_the_reference(void **state) {
    current = *state;
    const int size = current->size, batch = 2;
    const engine_case row = {current->arch, build_current, size, size, 3, {0}, batch, batch, 0, 0, 0};
    const run_options options = {.mode = CS_MODE_TRAIN, .asked = 0, .frozen = true};
    engine_run run[2];
    float *gradients[2];
    size_t count = 0;
    if (!test_device_is_not_ref() || test_precision() != CS_PRECISION_FP32)
        skip();
    for (int i = 0; i < 2; i++) {
        run_open_with(&run[i], &row, i ? "ref" : test_device(), &options);
        avoid_corners(&run[i]);
        run_step(&run[i]);
        gradients[i] = run_read_gradient(&run[i], 0, &count);
    }
    assert_gradient_near(gradients[0], gradients[1], count, 5e-3, 0, "the image's gradient");
    for (int i = 0; i < 2; i++) {
        free(gradients[i]);
        run_close(&run[i]);
    }
}

static int run_networks(const char *group, CMUnitTestFunction test) {
    enum { N = sizeof networks / sizeof *networks };
    struct CMUnitTest tests[N];
    for (int i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){
            .name = networks[i].arch, .test_func = test, .initial_state = (void *)(uintptr_t)&networks[i]};
    return _cmocka_run_group_tests(group, tests, N, NULL, NULL);
}

int main(void) {
    return run_networks("a step", every_gradient_of_a_step_equals_the_reference) +
           run_networks("the image", the_gradient_of_the_image_of_a_frozen_network_equals_the_reference);
}
