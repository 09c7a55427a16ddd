/* SPDX-License-Identifier: Apache-2.0 */
/* The values that a dropout drops, on every engine under test. The network is a dropout and a dense layer whose kernel
 * is the identity, so that the logits are the dropout's output. */
#include "run.h"

#include "cnnsweep/random.h"

#include <math.h>

enum { H = 3, W = 4, C = 21, VALUES = H * W * C, BATCH = 6 };
static const float rate = 0.3f;

static void add_net(cs_graph *graph, const engine_case *row, bool per_row) {
    int x;
    assert_ok(cs_graph_input(graph, "input", row->h, row->w, row->c, &x));
    assert_ok(cs_graph_dropout(graph, "drop", x, rate, per_row, &x));
    assert_ok(cs_graph_flatten(graph, "flatten", x, &x));
    assert_ok(cs_graph_dense(graph, "logits", x, VALUES, CS_ACT_SOFTMAX, &x));
}

static void values_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, false);
}

static void rows_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, true);
}

static const engine_case values_case = {"values", values_net, H, W, C, {0}, BATCH, BATCH, 0, 0, 0};
static const engine_case rows_case = {"rows", rows_net, H, W, C, {0}, BATCH, BATCH, 0, 0, 0};

static void open_identity(engine_run *run, const engine_case *row, const char *device, cs_mode mode) {
    run_open(run, row, device, mode);
    for (size_t i = 0; i < run->graph->n_values; i++)
        run->initial->data[i] = i < VALUES * VALUES && i % (VALUES + 1) == 0;
    run_load(run, run->initial);
}

/* The factors of the first n rows: each output value divided by its input. */
static void factors_of(engine_run *run, const cs_draw *draw, int n, float *factors) {
    cs_program *program = run_last(run);
    cs_program_set_draw(program, draw);
    assert_ok(cs_program_set_input(program, 0, run->input, n));
    assert_ok(cs_program_forward(program, n));
    assert_ok(cs_program_get_output(program, 0, factors, n));
    for (int i = 0; i < n * VALUES; i++)
        factors[i] /= run->input[i];
}

/* Computes the factors as engine.h defines them. */
static void expected(const cs_draw *draw, int row, bool per_row, float *factors) {
    uint64_t seed = draw->seed + ((uint64_t)cs_hash_name("drop") << 32);
    cs_rng rng = cs_rng_at(seed, CS_PURPOSE_DROPOUT, draw->epoch, (uint32_t)draw->samples[row]);
    uint32_t word = 0;
    for (int i = 0; i < VALUES; i++) {
        word = per_row && i > 0 ? word : cs_rng_u32(&rng);
        factors[i] = (double)word >= (double)rate * 0x1p32 ? 1 / (1 - rate) : 0;
    }
}

static void check_drawn(const engine_case *row, const char *device) {
    static const int64_t samples[BATCH] = {5, 0, 77, 5, 4000000000, 1};
    const cs_draw draw = {.seed = (uint64_t)-2, .epoch = 3, .samples = samples};
    static float got[BATCH * VALUES], want[VALUES];
    engine_run run;
    open_identity(&run, row, device, CS_MODE_TRAIN);
    factors_of(&run, &draw, BATCH, got);
    for (int r = 0; r < BATCH; r++) {
        expected(&draw, r, row == &rows_case, want);
        for (int i = 0; i < VALUES; i++) {
            assert_int_equal(got[r * VALUES + i] == 0, want[i] == 0);
            assert_float_equal(got[r * VALUES + i], want[i], 1e-5);
        }
    }
    run_close(&run);
}

static void each_value_is_kept_by_its_random_word(void **state) {
    check_drawn(&values_case, *state);
}

static void each_row_is_kept_by_its_first_random_word(void **state) {
    check_drawn(&rows_case, *state);
}

static void a_sample_is_dropped_alike_in_any_batch(void **state) {
    static float full[BATCH * VALUES], part[BATCH * VALUES];
    const int64_t samples[BATCH] = {9, 8, 7, 6, 5, 4};
    engine_run run;
    open_identity(&run, &values_case, *state, CS_MODE_TRAIN);
    factors_of(&run, &(cs_draw){.seed = 1, .samples = samples}, BATCH, full);
    factors_of(&run, &(cs_draw){.seed = 1, .samples = samples + 3}, 2, part);
    for (int i = 0; i < 2 * VALUES; i++)
        assert_float_equal(part[i], full[3 * VALUES + i], 1e-5);
    run_close(&run);
}

static void epochs_seeds_and_samples_drop_other_values(void **state) {
    static float first[BATCH * VALUES], other[BATCH * VALUES];
    const int64_t one = 1, two = 2;
    const cs_draw draws[] = {{2, 1, &one}, {1, 2, &one}, {1, 1, &two}};
    engine_run run;
    open_identity(&run, &values_case, *state, CS_MODE_TRAIN);
    factors_of(&run, &(cs_draw){1, 1, &one}, 1, first);
    for (size_t k = 0; k < sizeof draws / sizeof *draws; k++) {
        int differ = 0;
        factors_of(&run, &draws[k], 1, other);
        for (int i = 0; i < VALUES; i++)
            differ += (first[i] == 0) != (other[i] == 0);
        assert_in_range(differ, VALUES / 4, VALUES * 2 / 3); /* 2*0.3*0.7 of the values differ */
    }
    run_close(&run);
}

static void the_share_that_is_kept_is_near_1_minus_the_rate(void **state) {
    enum { ROUNDS = 20 };
    static float factors[BATCH * VALUES];
    const int64_t samples[BATCH] = {0, 1, 2, 3, 4, 5};
    double kept = 0, count = (double)ROUNDS * BATCH * VALUES;
    engine_run run;
    open_identity(&run, &values_case, *state, CS_MODE_TRAIN);
    for (uint32_t epoch = 0; epoch < ROUNDS; epoch++) {
        factors_of(&run, &(cs_draw){7, epoch, samples}, BATCH, factors);
        for (int i = 0; i < BATCH * VALUES; i++)
            kept += factors[i] != 0;
    }
    assert_true(fabs(kept / count - (1 - (double)rate)) < 4 * sqrt((double)rate * (1 - (double)rate) / count));
    run_close(&run);
}

static void inference_drops_nothing(void **state) {
    static float factors[BATCH * VALUES];
    engine_run run;
    open_identity(&run, &values_case, *state, CS_MODE_INFER);
    factors_of(&run, &run.draw, BATCH, factors);
    for (int i = 0; i < BATCH * VALUES; i++)
        assert_float_equal(factors[i], 1, 1e-6);
    run_close(&run);
}

static void training_without_a_draw_is_an_error_that_names_the_layer(void **state) {
    engine_run run;
    open_identity(&run, &values_case, *state, CS_MODE_TRAIN);
    cs_program_set_draw(run_last(&run), &(cs_draw){0});
    assert_fails(cs_program_forward(run_last(&run), 1), CS_ERR_ARG, "drop");
    run_close(&run);
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "dropout on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(each_value_is_kept_by_its_random_word),
        ON_DEVICE(each_row_is_kept_by_its_first_random_word),
        ON_DEVICE(a_sample_is_dropped_alike_in_any_batch),
        ON_DEVICE(epochs_seeds_and_samples_drop_other_values),
        ON_DEVICE(the_share_that_is_kept_is_near_1_minus_the_rate),
        ON_DEVICE(inference_drops_nothing),
        ON_DEVICE(training_without_a_draw_is_an_error_that_names_the_layer),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
