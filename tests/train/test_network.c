/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a trial: its cost, its trunk, and the size of its input. */
#include "toy.h"

#include "cnnsweep/cost.h"
#include "cnnsweep/weights.h"

#include <stdio.h>

/* The multiply-adds of basenet at 32 x 32: convolutions 28*28*5*5*3*6 and 10*10*5*5*6*16, dense 400*50, head 50*3. */
static const double trunk_macs = 28 * 28 * 25 * 3 * 6 + 10 * 10 * 25 * 6 * 16 + 400 * 50, head_macs = 50 * 3;

static double macs_of(const char *fine_tune) {
    cs_trial_config trial = toy_trial("unused.h5");
    cs_graph *graph;
    cs_params *params;
    trial.data.image[0] = trial.data.image[1] = TOY_SIZE;
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", fine_tune);
    assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
    const cs_work work = cs_work_of(graph);
    double macs = cs_trial_macs(&trial, &work, 10, 4);
    cs_params_free(params);
    cs_graph_free(graph);
    return macs;
}

/* Two epochs of 10 and 4 images; a backward pass costs two forward passes of the tail. */
static void test_macs_count_the_frozen_part_once(void **state) {
    (void)state;
    double all = trunk_macs + head_macs;
    assert_true(macs_of("all") == 2 * (10 * 3 * all + 4 * all));
    assert_true(macs_of("head") == 2 * (10 * (trunk_macs + 3 * head_macs) + 4 * all));
}

static int cut_of(const char *arch, const char *fine_tune) {
    cs_trial_config trial = toy_trial("unused.h5");
    cs_graph *graph;
    cs_params *params;
    trial.data.image[0] = trial.data.image[1] = TOY_SIZE;
    snprintf(trial.model.arch, sizeof trial.model.arch, "%s", arch);
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", fine_tune);
    assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
    int cut = cs_trial_cut(graph);
    cs_params_free(params);
    cs_graph_free(graph);
    return cut;
}

/* EfficientNet begins with scalings, whose statistics are parameters that are never trained. */
static void test_a_trunk_without_trained_kernels_is_not_cut(void **state) {
    (void)state;
    assert_int_equal(cut_of("efficientnet_b0", "all"), 0);
    assert_int_equal(cut_of("efficientnet_b0", "stem_conv"), 0);
    assert_true(cut_of("efficientnet_b0", "blocks:16") > 0);
    assert_int_equal(cut_of("basenet", "all"), 0);
    assert_true(cut_of("basenet", "conv2d_1") > 0);
}

/* A cut after a depthwise convolution would not pay off: it saves a small kernel and costs a pass over its output. */
static void test_a_trunk_ends_after_a_large_convolution(void **state) {
    (void)state;
    assert_int_equal(cut_of("mobilenet", "conv_pw_13_bn"), cut_of("mobilenet", "conv_pw_13") + 1);
    assert_int_equal(cut_of("mobilenet", "conv_dw_13_bn"), cut_of("mobilenet", "conv_dw_13"));
    assert_int_equal(cut_of("mobilenet", "conv_pw_11_bn"), cut_of("mobilenet", "conv_pw_11"));
}

static void test_an_unknown_layer_is_named(void **state) {
    (void)state;
    cs_trial_config trial = toy_trial("unused.h5");
    cs_graph *graph;
    cs_params *params;
    snprintf(trial.model.arch, sizeof trial.model.arch, "mobilenet");
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "conv_pw_14");
    assert_fails(cs_trial_network(&trial, TOY_CLASSES, &graph, &params), CS_ERR_NOT_FOUND, "conv_pw_1");
}

static void test_a_missing_weights_file_is_named(void **state) {
    (void)state;
    cs_trial_config trial = toy_trial("unused.h5");
    cs_graph *graph;
    cs_params *params;
    snprintf(trial.weights, sizeof trial.weights, "%s/nowhere.h5", test_scratch());
    assert_fails(cs_trial_network(&trial, TOY_CLASSES, &graph, &params), CS_ERR_NOT_FOUND, "nowhere.h5");
}

/* EfficientNet rescales its input a second time with ImageNet's weights only. */
static void test_the_weights_determine_the_scaling_of_the_input(void **state) {
    (void)state;
    static const char *const files[] = {"scaled.h5", "scaled.weights.h5", "scaled.safetensors"};
    for (int twice = 0; twice < 2; twice++)
        for (int f = 0; f < 3; f++) {
            cs_trial_config trial = toy_trial("unused.h5");
            cs_graph *written, *graph;
            cs_params *params;
            int found;
            snprintf(trial.model.arch, sizeof trial.model.arch, "efficientnet_b0");
            snprintf(trial.weights, sizeof trial.weights, "%s/%s", test_scratch(), files[f]);
            trial.model.pretrained = twice;
            assert_ok(cs_model_build(&trial.model, &written));
            assert_ok(cs_params_create(written, &params));
            assert_ok(cs_weights_write(trial.weights, params));
            cs_params_free(params);
            cs_graph_free(written);
            assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
            assert_int_equal(cs_graph_find(graph, "rescaling_1", &found) == CS_OK, twice);
            cs_params_free(params);
            cs_graph_free(graph);
        }
}

static void test_the_image_size_comes_from_the_dataset(void **state) {
    (void)state;
    static const toy_spec spec = {.counts = {3, 0, 0}};
    cs_trial_config trial = toy_trial(toy_dataset("sized", &spec));
    cs_dataset *dataset;
    assert_ok(cs_dataset_open(trial.data.path, &dataset));
    assert_ok(cs_trial_resolve_image(dataset, &trial));
    assert_int_equal(trial.data.image[0], TOY_SIZE);
    assert_int_equal(trial.data.image[1], TOY_SIZE);
    trial.data.image[0] = trial.data.image[1] = 48;
    assert_ok(cs_trial_resolve_image(dataset, &trial));
    assert_int_equal(trial.data.image[0], 48);
    cs_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macs_count_the_frozen_part_once),
        cmocka_unit_test(test_a_trunk_without_trained_kernels_is_not_cut),
        cmocka_unit_test(test_a_trunk_ends_after_a_large_convolution),
        cmocka_unit_test(test_an_unknown_layer_is_named),
        cmocka_unit_test(test_a_missing_weights_file_is_named),
        cmocka_unit_test(test_the_weights_determine_the_scaling_of_the_input),
        cmocka_unit_test(test_the_image_size_comes_from_the_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
