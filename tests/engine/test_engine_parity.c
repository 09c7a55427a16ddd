/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the engine under test with `ref` for every case. */
#include "run.h"

#include <math.h>

enum { STEPS = 3 };
static const double tolerance = 1e-4; /* relative to the largest value in a tensor */

/* A chain of batch norms with moving statistics may exceed the range of fp16. */
static bool is_held(const float *values, size_t count) {
    const float largest = test_precision() == CS_PRECISION_FP16 ? 65504 : INFINITY;
    for (size_t i = 0; i < count; i++)
        if (fabsf(values[i]) > largest)
            return false;
    return true;
}

static void compare_forward(const engine_run *got, const engine_run *want) {
    size_t count = (size_t)want->row->rows * (size_t)want->outputs;
    size_t probabilities = (size_t)want->row->rows * (size_t)want->classes;
    if (!is_held(want->logits, count))
        return;
    double nothing = 0.01 * want->row->rows; /* nats; the loss of a fitted batch is only rounding error */
    assert_near(got->logits, want->logits, count, tolerance, 0, "logits");
    assert_near(got->probabilities, want->probabilities, probabilities, tolerance, 0, "probabilities");
    assert_near(&(float){(float)got->loss.sum}, &(float){(float)want->loss.sum}, 1, tolerance, nothing, "loss");
    assert_near(&(float){(float)got->loss.penalty}, &(float){(float)want->loss.penalty}, 1, tolerance, 0, "penalty");
    if (test_precision() == CS_PRECISION_FP32)
        assert_int_equal(got->loss.correct, want->loss.correct);
}

static void compare_array(const engine_run *got, const engine_run *want, cs_param_array array, const char *what) {
    cs_params *a = run_read(got, array), *b = run_read(want, array);
    assert_params_near(a, b, tolerance, what);
    cs_params_free(a);
    cs_params_free(b);
}

static void inference_gives_the_same_outputs_and_loss(void **state) {
    engine_run got, want;
    run_open(&got, *state, test_device(), CS_MODE_INFER);
    run_open(&want, *state, "ref", CS_MODE_INFER);
    run_forward(&got);
    run_forward(&want);
    compare_forward(&got, &want);
    run_close(&got);
    run_close(&want);
}

static void a_training_step_gives_the_same_loss_and_gradients(void **state) {
    engine_run got, want;
    run_open(&got, *state, test_device(), CS_MODE_TRAIN);
    run_open(&want, *state, "ref", CS_MODE_TRAIN);
    run_step(&got);
    run_step(&want);
    compare_forward(&got, &want);
    compare_array(&got, &want, CS_ARRAY_GRADIENT, "gradient");
    compare_array(&got, &want, CS_ARRAY_VALUE, "value after forward");
    run_close(&got);
    run_close(&want);
}

static void train(engine_run *run, const engine_case *row, const char *device, const cs_optimizer *optimizer) {
    run_open_training(run, row, device, optimizer);
    for (int step = 1; step <= STEPS; step++) {
        run_step(run);
        assert_ok(cs_program_update(run_last(run), optimizer, step));
    }
}

/* Compares the outputs of inference with the parameters after training. */
static void compare_inference(const engine_run *got, const engine_run *want) {
    const engine_run *trained[] = {got, want};
    engine_run run[2];
    for (int i = 0; i < 2; i++) {
        cs_params *values = run_read(trained[i], CS_ARRAY_VALUE);
        run_open(&run[i], want->row, i ? "ref" : test_device(), CS_MODE_INFER);
        run_load(&run[i], values);
        run_forward(&run[i]);
        cs_params_free(values);
    }
    compare_forward(&run[0], &run[1]);
    run_close(&run[0]);
    run_close(&run[1]);
}

static void check_updates(const engine_case *row, const cs_optimizer *optimizer) {
    engine_run got, want;
    train(&got, row, test_device(), optimizer);
    train(&want, row, "ref", optimizer);
    compare_array(&got, &want, CS_ARRAY_VALUE, "value");
    /* Below fp32 the states have the errors of the gradients, and those squared. */
    bool exact = test_precision() == CS_PRECISION_FP32;
    for (int i = 0; exact && i < cs_optimizer_states(optimizer); i++)
        compare_array(&got, &want, (cs_param_array)(CS_ARRAY_STATE + i), "optimizer state");
    compare_inference(&got, &want);
    run_close(&got);
    run_close(&want);
}

static void three_sgd_steps_give_the_same_parameters(void **state) {
    cs_optimizer sgd = {
        .kind = CS_OPTIMIZER_SGD, .lr = 0.01f, .momentum = 0.9f, .nesterov = true, .weight_decay = 0.01f};
    check_updates(*state, &sgd);
}

/* Adam divides by the size of the gradient. With a small epsilon, gradients that are only rounding error would change
 * parameters by a whole learning rate. This epsilon is large enough for a tolerance of 1e-4. */
static void three_adam_steps_give_the_same_parameters(void **state) {
    cs_optimizer adam = {.kind = CS_OPTIMIZER_ADAM,
                         .lr = 0.002f,
                         .beta_1 = 0.9f,
                         .beta_2 = 0.999f,
                         .epsilon = 1e-3f,
                         .weight_decay = 0.01f};
    check_updates(*state, &adam);
}

static void no_other_engine_is_built(void **state) {
    (void)state;
    skip();
}

int main(void) {
    const struct CMUnitTest nothing[] = {cmocka_unit_test(no_other_engine_is_built)};
    if (!test_device_is_not_ref())
        return cmocka_run_group_tests_name("parity", nothing, NULL, NULL);
    return run_cases("inference", inference_gives_the_same_outputs_and_loss) +
           run_cases("training step", a_training_step_gives_the_same_loss_and_gradients) +
           run_cases("three sgd steps", three_sgd_steps_give_the_same_parameters) +
           run_cases("three adam steps", three_adam_steps_give_the_same_parameters);
}
