/* SPDX-License-Identifier: Apache-2.0 */
/* The released MobileNet weights give the features that SOURCES.md beside the files records. */
#include "test.h"

#include "cnnsweep/engine.h"
#include "cnnsweep/weights.h"
#include "cnnsweep/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 224, FEATURES_MAX = 1280, FIRST = 5 };

/* A file, its network, and the features that SOURCES.md records. */
typedef struct recorded {
    const char *path, *arch, *layer; /* the features are the global average of this layer */
    bool partial;
    float alpha;
    int features;
    double first[FIRST], sum, norm;
} recorded;

static const recorded mobilenet = {.path = "weights/mobilenet_v1_0.25_224_kerasnames_no_top.h5",
                                   .arch = "mobilenet",
                                   .layer = "conv_pw_13_relu",
                                   .alpha = 0.25f,
                                   .features = 256,
                                   .first = {0.000000, 0.000000, 0.111213, 0.378770, 0.001345},
                                   .sum = 158.78707,
                                   .norm = 20.966787};
static const recorded mobilenet_v2 = {.path = "weights/mobilenet_v2_0.35_224_keras_no_top.h5",
                                      .arch = "mobilenet_v2",
                                      .layer = "out_relu",
                                      .alpha = 0.35f,
                                      .features = 1280,
                                      .first = {0.000000, 0.000000, 2.555125, 0.113828, 0.000000},
                                      .sum = 201.47043,
                                      .norm = 21.086537};

/* This file lacks the kernel of conv_pw_13. */
static const recorded partial_mobilenet = {.path = "weights/mobilenet_v1_1.0_224_keras_PARTIAL_no_top_no_conv_pw_13.h5",
                                           .arch = "mobilenet",
                                           .layer = "conv_pw_12_relu",
                                           .partial = true,
                                           .alpha = 1,
                                           .features = 1024,
                                           .first = {0.000000, 0.000000, 0.017293, 0.012008, 0.485419},
                                           .sum = 329.34883,
                                           .norm = 21.696022};

/* Computes the global average of the layer for the image p(h,w,c) = (7h + 13w + 29c) mod 256. */
static void features(const recorded *want, const char *device, float out[FEATURES_MAX]) {
    const char *weights = test_shared(want->path);
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", want->arch);
    config.alpha = want->alpha;
    cs_graph *graph;
    cs_params *params;
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    cs_weights_report report;
    int layer, top;
    assert_ok(cs_model_build(&config, &graph));
    assert_int_equal(graph->preprocess, CS_PREPROCESS_TF);
    assert_ok(cs_graph_find(graph, want->layer, &layer));
    assert_ok(cs_graph_global_average_pool(graph, "features", layer, false, &top));
    assert_int_equal(graph->layers[top].out.c, want->features);
    assert_ok(cs_params_create(graph, &params));
    assert_ok(cs_weights_read(weights, want->partial, params, &report));
    cs_weights_report_clear(&report);
    assert_ok(cs_engine_open(device, &(cs_engine_options){.threads = 1}, &engine));
    assert_ok(cs_segment_create(graph, 0, graph->n_layers, &segment));
    assert_ok(cs_program_compile(engine, &(cs_program_spec){.segment = segment, .batch = 1, .mode = CS_MODE_INFER},
                                 &program));
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, params));
    float *image = malloc(sizeof(float) * SIZE * SIZE * 3);
    assert_non_null(image);
    for (int h = 0; h < SIZE; h++)
        for (int w = 0; w < SIZE; w++)
            for (int c = 0; c < 3; c++)
                image[(h * SIZE + w) * 3 + c] = (float)((7 * h + 13 * w + 29 * c) % 256) / 127.5f - 1;
    assert_ok(cs_program_set_input(program, 0, image, 1));
    assert_ok(cs_program_forward(program, 1));
    assert_ok(cs_program_get_output(program, 0, out, 1));
    free(image);
    cs_program_free(program);
    cs_segment_free(segment);
    cs_engine_close(engine);
    cs_params_free(params);
    cs_graph_free(graph);
}

static void assert_recorded(const recorded *want, const char *device) {
    float got[FEATURES_MAX];
    features(want, device, got);
    double sum = 0, squares = 0;
    for (int i = 0; i < want->features; i++) {
        sum += (double)got[i];
        squares += (double)got[i] * (double)got[i];
    }
    for (int i = 0; i < FIRST; i++)
        assert_true(fabs((double)got[i] - want->first[i]) < 1e-4);
    assert_true(fabs(sum - want->sum) < 1e-2);
    assert_true(fabs(sqrt(squares) - want->norm) < 1e-3);
}

static void mobilenet_025_gives_the_recorded_features(void **state) {
    (void)state;
    assert_recorded(&mobilenet, "cpu");
}

static void mobilenet_025_gives_the_recorded_features_on_the_ref_engine(void **state) {
    (void)state;
    assert_recorded(&mobilenet, "ref");
}

static void mobilenet_v2_035_gives_the_recorded_features(void **state) {
    (void)state;
    assert_recorded(&mobilenet_v2, "cpu");
}

static void mobilenet_v2_035_gives_the_recorded_features_on_the_ref_engine(void **state) {
    (void)state;
    assert_recorded(&mobilenet_v2, "ref");
}

static void the_partial_mobilenet_gives_the_recorded_features_of_its_last_layer(void **state) {
    (void)state;
    assert_recorded(&partial_mobilenet, "cpu");
}

static void a_missing_kernel_is_an_error_that_names_it(void **state) {
    (void)state;
    cs_model_config config;
    cs_graph *graph;
    cs_params *params;
    cs_weights_report report;
    const char *weights = test_shared(partial_mobilenet.path);
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "mobilenet");
    assert_ok(cs_model_build(&config, &graph));
    assert_ok(cs_params_create(graph, &params));
    assert_fails(cs_weights_read(weights, false, params, &report), CS_ERR_NOT_FOUND, "conv_pw_13/kernel");
    assert_int_equal(report.missing, 1);
    cs_weights_report_clear(&report);
    cs_params_free(params);
    cs_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mobilenet_025_gives_the_recorded_features),
        cmocka_unit_test(mobilenet_025_gives_the_recorded_features_on_the_ref_engine),
        cmocka_unit_test(mobilenet_v2_035_gives_the_recorded_features),
        cmocka_unit_test(mobilenet_v2_035_gives_the_recorded_features_on_the_ref_engine),
        cmocka_unit_test(the_partial_mobilenet_gives_the_recorded_features_of_its_last_layer),
        cmocka_unit_test(a_missing_kernel_is_an_error_that_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
