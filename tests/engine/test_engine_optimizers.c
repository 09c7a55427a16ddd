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
        int states = cs_optimizer_states(&(cs_optimizer){.kind = (cs_optimizer_kind)kind, .momentum = 0.9F});
        most = states > most ? states : most;
    }
    assert_int_equal(most, CS_OPTIMIZER_STATES);
}

static void learning_rates_are_keras_defaults(void **state) {
    (void)state;
    assert_true(cs_optimizer_default_lr(CS_OPTIMIZER_SGD) == 1e-2F);
    assert_true(cs_optimizer_default_lr(CS_OPTIMIZER_ADAM) == 1e-3F);
}

static void adams_rate_corrects_the_bias_of_its_moments(void **state) {
    (void)state;
    const cs_optimizer adam = {.kind = CS_OPTIMIZER_ADAM, .lr = 1, .beta_1 = 0.5F, .beta_2 = 0.75F};
    double rates[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(&adam, 2, rates);
    assert_true(fabs(rates[0] - sqrt(1 - 0.5625) / (1 - 0.25)) < 1e-15);
    for (int i = 1; i < CS_OPTIMIZER_RATES; i++)
        assert_true(rates[i] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_end_with_null),
        cmocka_unit_test(states_depend_on_momentum_if_the_row_says_so),
        cmocka_unit_test(no_optimizer_has_more_states_than_a_program_keeps),
        cmocka_unit_test(learning_rates_are_keras_defaults),
        cmocka_unit_test(adams_rate_corrects_the_bias_of_its_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
