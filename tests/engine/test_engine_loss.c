/* SPDX-License-Identifier: Apache-2.0 */
/* The loss in extreme cases and with soft targets, on every engine under test. The network is a dense layer whose
 * kernel is the identity, so that the logits are the input. */
#include "run.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 3 };

static void identity_net(cs_graph *graph, const engine_case *row) {
    int in, flat, out;
    assert_ok(cs_graph_input(graph, "input", row->h, row->w, row->c, &in));
    assert_ok(cs_graph_flatten(graph, "flatten", in, &flat));
    assert_ok(cs_graph_dense(graph, "logits", flat, row->c, CS_ACT_SOFTMAX, &out));
}

/* The logit is the input. */
static void binary_net(cs_graph *graph, const engine_case *row) {
    int in, flat, out;
    assert_ok(cs_graph_input(graph, "input", row->h, row->w, row->c, &in));
    assert_ok(cs_graph_flatten(graph, "flatten", in, &flat));
    assert_ok(cs_graph_dense(graph, "logits", flat, 1, CS_ACT_BINARY, &out));
}

static const engine_case binary_row = {"binary", binary_net, 1, 1, 1, {0}, 1, 1, 0, 0, 0};
static const engine_case row = {"identity", identity_net, 1, 1, CLASSES, {0}, 1, 1, 0, 0, 0};

static const engine_case rows_of_any_size[] = {
    {"identity_1", identity_net, 1, 1, 1, {0}, 7, 7, 0, 0, 0},
    {"identity_2", identity_net, 1, 1, 2, {0}, 7, 1, 0, 0, 0},
    {"identity_10", identity_net, 1, 1, 10, {0}, 7, 5, 0, 0, 0},
    {"identity_257", identity_net, 1, 1, 257, {0}, 7, 6, 0, 0, 0},
    {"binary_7", binary_net, 1, 1, 3, {0}, 7, 6, 0, 0, 0},
    {"binary_300", binary_net, 1, 1, 3, {0}, 300, 299, 0, 0, 0},
};
enum { SIZES = sizeof rows_of_any_size / sizeof *rows_of_any_size };

static void open_identity(engine_run *run, const char *device, const float logits[CLASSES], int32_t label) {
    run_open(run, &row, device, CS_MODE_TRAIN);
    for (size_t i = 0; i < run->graph->n_values; i++)
        run->initial->data[i] = i < CLASSES * CLASSES && i % (CLASSES + 1) == 0;
    for (int i = 0; i < CLASSES; i++)
        run->input[i] = logits[i];
    run->labels[0] = label;
    run_load(run, run->initial);
    run_step(run);
}

static void huge_logits_give_a_finite_loss(void **state) {
    engine_run run;
    open_identity(&run, *state, (const float[]){20000, -20000, 0}, 2);
    assert_float_equal((float)run.loss.sum, 20000, 0.1);
    assert_int_equal(run.loss.correct, 0);
    cs_params *gradient = run_read(&run, CS_ARRAY_GRADIENT);
    const float *bias = gradient->data + CLASSES * CLASSES;
    assert_float_equal(bias[0], 1, 1e-6);
    assert_float_equal(bias[2], -1, 1e-6);
    cs_params_free(gradient);
    run_close(&run);
}

static void the_first_of_equal_logits_is_the_prediction(void **state) {
    for (int32_t label = 0; label < CLASSES; label++) {
        engine_run run;
        open_identity(&run, *state, (const float[]){-1, 2, 2}, label);
        assert_int_equal(run.loss.correct, label == 1);
        run_close(&run);
    }
}

static void the_loss_is_in_nats(void **state) {
    engine_run run;
    open_identity(&run, *state, (const float[]){0, 0, 0}, 1);
    assert_float_equal((float)run.loss.sum, logf(3), 1e-6);
    assert_float_equal(run.probabilities[0], 1.0 / 3, 1e-6);
    run_close(&run);
}

static void a_nan_logit_gives_no_finite_loss(void **state) {
    engine_run run;
    open_identity(&run, *state, (const float[]){0, NAN, 0}, 0);
    assert_false(isfinite(run.loss.sum));
    run_close(&run);
}

static void soft_targets_give_the_loss_of_their_formula(void **state) {
    engine_run run;
    open_identity(&run, *state, (const float[]){0, 0, 0}, 1);
    run_soften(&run);
    memcpy(run.soft, (const float[]){0.5f, 0, 0.75f}, CLASSES * sizeof(float));
    run_step(&run);
    cs_params *gradient = run_read(&run, CS_ARRAY_GRADIENT);
    const float *bias = gradient->data + CLASSES * CLASSES;
    assert_float_equal(run.loss.sum, 1.25 * log(3), 1e-6);
    assert_float_equal(bias[0], 1.25 / 3 - 0.5, 1e-6);
    assert_float_equal(bias[1], 1.25 / 3, 1e-6);
    assert_float_equal(bias[2], 1.25 / 3 - 0.75, 1e-6);
    cs_params_free(gradient);
    run_close(&run);
}

static void the_label_is_the_class_that_counts_as_correct(void **state) {
    for (int32_t label = 0; label < CLASSES; label++) {
        engine_run run;
        open_identity(&run, *state, (const float[]){0, 2, 0}, label);
        run_soften(&run);
        run_step(&run);
        assert_int_equal(run.loss.correct, label == 1);
        run_close(&run);
    }
}

static void compare(const engine_run *got, const engine_run *want, double tolerance) {
    cs_params *a = run_read(got, CS_ARRAY_GRADIENT), *b = run_read(want, CS_ARRAY_GRADIENT);
    assert_params_near(a, b, tolerance, "gradient");
    assert_near(&(float){(float)got->loss.sum}, &(float){(float)want->loss.sum}, 1, tolerance, 0.01, "loss");
    if (test_precision() == CS_PRECISION_FP32)
        assert_int_equal(got->loss.correct, want->loss.correct);
    cs_params_free(a);
    cs_params_free(b);
}

/* A step on the device and on ref, of the case of that size. */
static void check_step(const char *device, int size, bool soft, cs_focal focal) {
    engine_run runs[2];
    for (int i = 0; i < 2; i++) {
        run_open(&runs[i], &rows_of_any_size[size], i ? "ref" : device, CS_MODE_TRAIN);
        runs[i].focal = focal;
        if (soft)
            run_soften(&runs[i]);
        run_step(&runs[i]);
    }
    compare(&runs[0], &runs[1], 1e-5);
    run_close(&runs[0]);
    run_close(&runs[1]);
}

static void soft_targets_give_the_loss_and_gradients_of_ref(void **state) {
    for (int i = 0; i < SIZES; i++)
        check_step(*state, i, true, (cs_focal){0});
}

/* Labels alone and soft targets; powers below and above 1. */
static void the_focal_loss_gives_the_loss_and_gradients_of_ref(void **state) {
    static const cs_focal focals[] = {{0.25, 2, 0.75}, {1, 0.5, 1}, {2, 1, 0.5}};
    for (int i = 0; i < SIZES; i++)
        for (int f = 0; f < 3; f++)
            for (int soft = 0; soft < 2; soft++)
                check_step(*state, i, soft, focals[f]);
}

static void the_focal_loss_is_finite_where_probabilities_are_0_and_1(void **state) {
    static const float logits[] = {20000, -20000, 0};
    for (int32_t label = 0; label < CLASSES; label++) {
        engine_run run;
        open_identity(&run, *state, logits, label);
        run.focal = (cs_focal){.alpha = 0.25, .gamma = 0.5};
        run_step(&run);
        cs_params *gradient = run_read(&run, CS_ARRAY_GRADIENT);
        const float *bias = gradient->data + CLASSES * CLASSES;
        assert_float_equal((float)run.loss.sum, 0.25 * (20000 - logits[label]), 0.1);
        assert_float_equal(bias[0], label == 0 ? 0 : 0.25, 1e-6);
        cs_params_free(gradient);
        run_close(&run);
    }
}

/* A soft target of 1 for the label and of 0 for the other classes says the same as the label alone. */
static void targets_of_one_class_give_what_its_label_gives(void **state) {
    for (int i = 0; i < SIZES; i++) {
        engine_run soft, hard;
        run_open(&soft, &rows_of_any_size[i], *state, CS_MODE_TRAIN);
        run_open(&hard, &rows_of_any_size[i], *state, CS_MODE_TRAIN);
        run_soften(&soft);
        for (int k = 0; k < soft.row->rows * soft.classes; k++)
            soft.soft[k] = k % soft.classes == soft.labels[k / soft.classes];
        run_step(&soft);
        run_step(&hard);
        compare(&soft, &hard, 1e-7);
        run_close(&soft);
        run_close(&hard);
    }
}

static void open_binary(engine_run *run, const char *device, float logit, int32_t label) {
    run_open(run, &binary_row, device, CS_MODE_TRAIN);
    run->initial->data[0] = 1;
    run->initial->data[1] = 0;
    run->input[0] = logit;
    run->labels[0] = label;
    run_load(run, run->initial);
}

/* The logits 0 and z, and the target of class 1 and of class 0. */
static void a_binary_head_has_the_loss_of_two_logits(void **state) {
    static const float logits[] = {-20000, -3, 0, 1e-3f, 0.5f, 20000};
    for (size_t i = 0; i < sizeof logits / sizeof *logits; i++)
        for (int32_t label = 0; label < 2; label++) {
            engine_run run;
            const double z = (double)logits[i], other = label ? -z : z; /* log(1 + exp(other)) */
            const double p = 1 / (1 + exp(-z));
            open_binary(&run, *state, logits[i], label);
            run_step(&run);
            cs_params *gradient = run_read(&run, CS_ARRAY_GRADIENT);
            assert_near(&(float){(float)run.loss.sum}, &(float){(float)(other > 100 ? other : log1p(exp(other)))}, 1,
                        1e-6, 0.01, "loss");
            assert_near(&gradient->data[1], &(float){(float)(p - label)}, 1, 1e-6, 0.01, "gradient");
            assert_near(run.probabilities, (const float[]){(float)(1 - p), (float)p}, 2, 1e-6, 0.01, "probabilities");
            assert_int_equal(run.loss.correct, (z > 0) == label);
            cs_params_free(gradient);
            run_close(&run);
        }
}

static void a_binary_head_without_targets_has_no_loss(void **state) {
    static const cs_focal focals[] = {{0}, {1, 2, 1}};
    for (int f = 0; f < 2; f++) {
        engine_run run;
        open_binary(&run, *state, 2, 1);
        run_soften(&run);
        run.focal = focals[f];
        run.soft[0] = run.soft[1] = 0;
        run_step(&run);
        assert_true(run.loss.sum == 0);
        run_close(&run);
    }
}

static void the_focal_loss_of_a_binary_head_is_finite_far_from_0(void **state) {
    for (int32_t label = 0; label < 2; label++)
        for (float logit = -20000; logit <= 20000; logit += 40000) {
            engine_run run;
            open_binary(&run, *state, logit, label);
            run.focal = (cs_focal){1, 0.5, 1};
            run_step(&run);
            cs_params *gradient = run_read(&run, CS_ARRAY_GRADIENT);
            const bool right = (logit > 0) == label;
            assert_float_equal((float)run.loss.sum, right ? 0 : 20000, 1e-6);
            assert_float_equal(gradient->data[1], right ? 0 : label ? -1 : 1, 1e-6);
            cs_params_free(gradient);
            run_close(&run);
        }
}

static void a_binary_logit_that_is_nan_gives_no_finite_loss(void **state) {
    engine_run run;
    open_binary(&run, *state, NAN, 0);
    run_step(&run);
    assert_false(isfinite(run.loss.sum));
    run_close(&run);
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "loss on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(huge_logits_give_a_finite_loss),
        ON_DEVICE(the_first_of_equal_logits_is_the_prediction),
        ON_DEVICE(the_loss_is_in_nats),
        ON_DEVICE(a_nan_logit_gives_no_finite_loss),
        ON_DEVICE(soft_targets_give_the_loss_of_their_formula),
        ON_DEVICE(the_label_is_the_class_that_counts_as_correct),
        ON_DEVICE(soft_targets_give_the_loss_and_gradients_of_ref),
        ON_DEVICE(the_focal_loss_gives_the_loss_and_gradients_of_ref),
        ON_DEVICE(the_focal_loss_is_finite_where_probabilities_are_0_and_1),
        ON_DEVICE(targets_of_one_class_give_what_its_label_gives),
        ON_DEVICE(a_binary_head_has_the_loss_of_two_logits),
        ON_DEVICE(a_binary_head_without_targets_has_no_loss),
        ON_DEVICE(the_focal_loss_of_a_binary_head_is_finite_far_from_0),
        ON_DEVICE(a_binary_logit_that_is_nan_gives_no_finite_loss),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
