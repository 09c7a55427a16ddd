/* SPDX-License-Identifier: Apache-2.0 */
/* The table of optimizers. test_engine_parity.c and test_cuda_update.c test that the engines apply the same rules. */
#include "cnnsweep/optimizer.h"
#include "test.h"

#include <math.h>

static void names_end_with_null(void **state) {
    (void)state;
    assert_string_equal(cs_optimizer_name(CS_OPTIMIZER_SGD), "sgd");
    assert_string_equal(cs_optimizer_name(CS_OPTIMIZER_ADAM), "adam");
    for (int kind = 0; kind < CS_OPTIMIZER_COUNT; kind++)
        assert_non_null(cs_optimizer_name(kind));
    assert_null(cs_optimizer_name(CS_OPTIMIZER_COUNT));
}

static void states_depend_on_momentum_if_the_row_says_so(void **state) {
    (void)state;
    assert_int_equal(cs_optimizer_states(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD}), 0);
    assert_int_equal(cs_optimizer_states(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .momentum = 0.9F}), 1);
    assert_int_equal(cs_optimizer_states(&(cs_optimizer){.kind = CS_OPTIMIZER_ADAM}), 2);
}

static void no_optimizer_has_more_states_than_a_program_keeps(void **state) {
    (void)state;
    int most = 0;
    for (int kind = 0; kind < CS_OPTIMIZER_COUNT; kind++) {
        int states = cs_optimizer_states(&(cs_optimizer){
            .kind = (cs_optimizer_kind)kind, .momentum = 0.9, .amsgrad = true, .centered = true, .accumulate = 2});
        most = states > most ? states : most;
    }
    assert_int_equal(most, CS_OPTIMIZER_STATES);
}

static cs_optimizer defaults_of(cs_optimizer_kind kind, cs_train_dialect dialect) {
    cs_optimizer optimizer = {.kind = kind, .dialect = dialect, .beta_1 = 0.9};
    double *unset[] = {&optimizer.lr,      &optimizer.beta_2,       &optimizer.rho,
                       &optimizer.epsilon, &optimizer.weight_decay, &optimizer.initial_accumulator};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        *unset[i] = (double)NAN;
    cs_optimizer_resolve(&optimizer);
    return optimizer;
}

static void what_is_set_is_no_default(void **state) {
    (void)state;
    cs_optimizer adam = {.kind = CS_OPTIMIZER_ADAM, .lr = 0.5, .weight_decay = (double)NAN, .epsilon = 0.25};
    cs_optimizer_resolve(&adam);
    assert_true(adam.lr == 0.5 && adam.epsilon == 0.25 && adam.weight_decay == 0);
}

static void settings_that_an_optimizer_does_not_use_are_those_of_adam(void **state) {
    (void)state;
    cs_optimizer sgd = defaults_of(CS_OPTIMIZER_SGD, CS_TRAIN_DIALECT_TORCH);
    assert_true(sgd.epsilon == 1e-7 && sgd.beta_2 == 0.999);
}

static void adams_rate_corrects_the_bias_of_its_moments(void **state) {
    (void)state;
    const cs_optimizer adam = {.kind = CS_OPTIMIZER_ADAM, .lr = 1, .beta_1 = 0.5, .beta_2 = 0.75};
    double rates[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(&adam, 2, true, rates);
    assert_true(fabs(rates[CS_RATE_MOMENT] + sqrt(1 - 0.5625) / (1 - 0.25)) < 1e-15);
}

/* The product of the momentums is not computed over all updates, only over those that matter. */
static void the_rates_of_a_late_update_are_finite_and_quick(void **state) {
    (void)state;
    for (int kind = 0; kind < CS_OPTIMIZER_COUNT; kind++)
        for (int dialect = CS_TRAIN_DIALECT_KERAS; dialect <= CS_TRAIN_DIALECT_TORCH; dialect++) {
            cs_optimizer optimizer = defaults_of((cs_optimizer_kind)kind, (cs_train_dialect)dialect);
            double rates[CS_OPTIMIZER_RATES];
            cs_optimizer_rates(&optimizer, INT64_MAX / 2, true, rates);
            for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
                assert_true(i == CS_RATE_LIMIT || isfinite(rates[i]));
        }
}

static void gradients_of_n_batches_make_one_update(void **state) {
    (void)state;
    const cs_optimizer each = {.accumulate = 1}, third = {.accumulate = 3};
    for (int64_t step = 1; step <= 9; step++) {
        assert_int_equal(cs_optimizer_update(&each, step), step);
        assert_int_equal(cs_optimizer_update(&third, step), step % 3 == 0 ? step / 3 : 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_end_with_null),
        cmocka_unit_test(states_depend_on_momentum_if_the_row_says_so),
        cmocka_unit_test(no_optimizer_has_more_states_than_a_program_keeps),
        cmocka_unit_test(what_is_set_is_no_default),
        cmocka_unit_test(settings_that_an_optimizer_does_not_use_are_those_of_adam),
        cmocka_unit_test(adams_rate_corrects_the_bias_of_its_moments),
        cmocka_unit_test(the_rates_of_a_late_update_are_finite_and_quick),
        cmocka_unit_test(gradients_of_n_batches_make_one_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
