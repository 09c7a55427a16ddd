/* SPDX-License-Identifier: Apache-2.0 */
/* The loss in extreme cases, on every engine under test. The network is a dense layer whose kernel is the identity, so
 * that the logits are the input. */
#include "run.h"

#include <math.h>

enum { CLASSES = 3 };

static void identity_net(cs_graph *graph, const engine_case *row) {
    int in, flat, out;
    assert_ok(cs_graph_input(graph, "input", row->h, row->w, row->c, &in));
    assert_ok(cs_graph_flatten(graph, "flatten", in, &flat));
    assert_ok(cs_graph_dense(graph, "logits", flat, row->c, CS_ACT_SOFTMAX, &out));
}

static const engine_case row = {"identity", identity_net, 1, 1, CLASSES, {0}, 1, 1, 0, 0, 0};

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

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "loss on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(huge_logits_give_a_finite_loss),
        ON_DEVICE(the_first_of_equal_logits_is_the_prediction),
        ON_DEVICE(the_loss_is_in_nats),
        ON_DEVICE(a_nan_logit_gives_no_finite_loss),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
