/* SPDX-License-Identifier: Apache-2.0 */
/* How the rates of a machine are measured. Whether the rates are right can only be tested on an idle machine, by
 * comparing a plan with the time that it takes. */
#include "toy.h"

#include "cnnsweep/cost.h"
#include "cnnsweep/log.h"

#include <stdio.h>

static int least_rows, most_rows;

/* Replaced by the linker's --wrap (settings.cmake). */
cs_status __real_cs_program_forward(cs_program *program, int n);
cs_status __wrap_cs_program_forward(cs_program *program, int n);
cs_status __wrap_cs_program_forward(cs_program *program, int n) {
    least_rows = n < least_rows ? n : least_rows;
    most_rows = n > most_rows ? n : most_rows;
    return __real_cs_program_forward(program, n);
}

enum { BATCH = 24 };

static cs_rates measure(const char *fine_tune, double expected_rate) {
    static const cs_engine_options options = {.threads = 1};
    cs_engine *engine = NULL;
    cs_rates rates = {.trunk = expected_rate, .train = expected_rate, .infer = expected_rate};
    cs_trial_config trial = toy_trial("none.h5");
    trial.data.image[0] = trial.data.image[1] = TOY_SIZE;
    trial.train.batch = BATCH;
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", fine_tune);
    least_rows = BATCH + 1;
    most_rows = 0;
    assert_ok(cs_engine_open("ref", &options, &engine));
    assert_ok(cs_rates_measure(engine, &trial, TOY_CLASSES, 0.01, &rates));
    cs_engine_close(engine);
    return rates;
}

/* The time of a step's update does not depend on its rows, so a rate from a few rows would be many times too low. */
static void whole_batches_are_measured(void **state) {
    (void)state;
    const double fast = 1e9;
    cs_rates rates = measure("head", fast);
    assert_int_equal(least_rows, BATCH);
    assert_int_equal(most_rows, BATCH);
    assert_true(rates.trunk != fast && rates.train != fast && rates.infer != fast);
    assert_true(rates.trunk > 0 && rates.train > 0 && rates.infer > 0 && rates.trial > 0);
}

static void a_part_of_a_slow_batch_is_measured(void **state) {
    (void)state;
    const double slow = 1e3;
    cs_rates rates = measure("all", slow);
    assert_int_equal(least_rows, 1);
    assert_int_equal(most_rows, 1);
    assert_true(rates.train > slow && rates.infer > slow);
    assert_true(rates.trunk == slow); /* there is no trunk, so the rate is unchanged */
}

int main(void) {
    cs_log_set_level(CS_LOG_WARN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_batches_are_measured),
        cmocka_unit_test(a_part_of_a_slow_batch_is_measured),
    };
    return cmocka_run_group_tests_name("measured rates", tests, NULL, NULL);
}
