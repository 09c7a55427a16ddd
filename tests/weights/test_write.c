/* SPDX-License-Identifier: Apache-2.0 */
/* Written weights are read again to the bit, in every format; a write that fails changes nothing. */
#include "cnnsweep/file.h"
#include "cnnsweep/weights.h"
#include "cnnsweep/zoo.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static const char *const endings[] = {"h5", "weights.h5", "safetensors"};
enum { N_ENDINGS = sizeof endings / sizeof endings[0] };

static cs_params *random_params(const cs_graph *graph) {
    cs_params *params;
    assert_ok(cs_params_create(graph, &params));
    for (size_t i = 0; i < graph->n_values; i++)
        params->data[i] = (float)(i % 8191) / 64 - 60;
    return params;
}

static void check_round_trip(const cs_graph *graph, const char *ending) {
    char path[CS_PATH_MAX];
    cs_weights_report report;
    cs_params *params = random_params(graph), *back;
    assert_ok(cs_path(path, sizeof path, "%s/%s.%s", test_scratch(), graph->arch, ending));
    assert_ok(cs_params_create(graph, &back));
    assert_ok(cs_weights_write(path, params));
    assert_ok(cs_weights_read(path, false, back, &report));
    assert_int_equal(report.matched, graph->n_params);
    assert_string_equal(report.text, "");
    assert_memory_equal(back->data, params->data, graph->n_values * sizeof(float));
    cs_weights_report_clear(&report);
    cs_params_free(back);
    cs_params_free(params);
}

static void networks_of_both_dialects_are_read_back(void **state) {
    (void)state;
    static const struct {
        const char *arch;
        cs_dialect dialect;
    } cases[] = {{"mobilenet", CS_DIALECT_KERAS}, {"resnet18", CS_DIALECT_TORCH}, {"mobilenet_v2", CS_DIALECT_TORCH}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cs_model_config config;
        cs_graph *graph;
        cs_model_config_init(&config);
        snprintf(config.arch, sizeof config.arch, "%s", cases[i].arch);
        config.dialect = cases[i].dialect;
        config.classes = 3;
        assert_ok(cs_model_build(&config, &graph));
        for (int e = 0; e < N_ENDINGS; e++)
            check_round_trip(graph, endings[e]);
        cs_graph_free(graph);
    }
}

/* With more than 64 KiB of names, Keras' attributes are split. */
static void long_lists_of_layers_are_read_back(void **state) {
    (void)state;
    enum { LAYERS = 2500 };
    cs_conv_args conv = {.filters = 1, .kernel_h = 1, .kernel_w = 1, .stride = 1, .use_bias = true};
    cs_graph *graph;
    int x;
    assert_ok(cs_graph_create("long", &graph));
    assert_ok(cs_graph_input(graph, "input", 1, 1, 3, &x));
    for (int i = 0; i < LAYERS; i++) {
        char name[CS_NAME_MAX];
        snprintf(name, sizeof name, "layer_%d_of_a_network_that_is_very_deep", i);
        if (i % 100 == 0)
            assert_ok(cs_graph_conv2d(graph, name, x, conv, &x));
        else
            assert_ok(cs_graph_activation(graph, name, x, CS_ACT_RELU, &x));
    }
    check_round_trip(graph, "h5");
    cs_graph_free(graph);
}

/* Builds a network of one dense layer. */
static cs_graph *small_network(void) {
    cs_graph *graph;
    int x;
    assert_ok(cs_graph_create("net", &graph));
    assert_ok(cs_graph_input(graph, "input", 1, 1, 3, &x));
    assert_ok(cs_graph_flatten(graph, "flat", x, &x));
    assert_ok(cs_graph_dense(graph, "dense", x, 2, CS_ACT_LINEAR, &x));
    return graph;
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state) {
    (void)state;
    cs_graph *graph = small_network();
    char path[CS_PATH_MAX], *text;
    size_t size;
    cs_params *params = random_params(graph);
    assert_fails(cs_weights_write("weights.npz", params), CS_ERR_ARG, "weights.npz");
    for (int e = 0; e < N_ENDINGS; e++) {
        assert_ok(cs_path(path, sizeof path, "%s/absent/x.%s", test_scratch(), endings[e]));
        assert_fails(cs_weights_write(path, params), CS_ERR_IO, "absent/x");
        assert_ok(cs_path(path, sizeof path, "%s/taken.%s", test_scratch(), endings[e]));
        assert_ok(cs_folder_create(path));
        assert_fails(cs_weights_write(path, params), CS_ERR_IO, "taken");
        assert_true(cs_is_folder(path));
    }
    assert_ok(cs_path(path, sizeof path, "%s/old.h5", test_scratch()));
    assert_ok(cs_file_write(path, "old", 3));
    assert_ok(cs_weights_write(path, params));
    assert_ok(cs_file_read(path, 1 << 20, &text, &size));
    assert_memory_equal(text, "\211HDF", 4);
    free(text);
    cs_params_free(params);
    cs_graph_free(graph);
}

static void other_preprocessing_is_refused_and_changes_nothing(void **state) {
    (void)state;
    for (int e = 0; e < N_ENDINGS; e++) {
        cs_graph *graph = small_network();
        cs_weights_report report;
        char path[CS_PATH_MAX];
        cs_params *params = random_params(graph);
        assert_ok(cs_path(path, sizeof path, "%s/caffe.%s", test_scratch(), endings[e]));
        graph->preprocess = CS_PREPROCESS_CAFFE;
        assert_ok(cs_weights_write(path, params));
        graph->preprocess = CS_PREPROCESS_TF;
        params->data[0] = 123;
        assert_fails(cs_weights_read(path, false, params, &report), CS_ERR_ARG, "'caffe', but net has 'tf'");
        assert_true(params->data[0] == 123);
        cs_weights_report_clear(&report);
        cs_params_free(params);
        cs_graph_free(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_both_dialects_are_read_back),
        cmocka_unit_test(long_lists_of_layers_are_read_back),
        cmocka_unit_test(a_file_that_cannot_be_written_leaves_nothing),
        cmocka_unit_test(other_preprocessing_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
