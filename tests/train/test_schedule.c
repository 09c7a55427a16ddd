/* SPDX-License-Identifier: Apache-2.0 */
/* Every update has the learning rate of the schedule. The tests replace the schedule by one of their own (by the
 * linker's --wrap, settings.cmake). */
#include "test.h"
#include "toy.h"

#include "cnnsweep/file.h"
#include "cnnsweep/schedule.h"

#include <stdio.h>
#include <string.h>

static const toy_spec spec = {.counts = {14, 6, 6}, .contrast = 4};
enum { BATCH = 4, STEPS = 4, EPOCHS = 3 }; /* STEPS of an epoch */

static enum { AS_CONFIGURED, HALF, FALLING } rule;
static int64_t last_steps;

cs_optimizer __real_cs_schedule_optimizer(const cs_train_config *config, double lr, int64_t step, int64_t steps);
cs_optimizer __wrap_cs_schedule_optimizer(const cs_train_config *config, double lr, int64_t step, int64_t steps);
cs_optimizer __wrap_cs_schedule_optimizer(const cs_train_config *config, double lr, int64_t step, int64_t steps) {
    cs_optimizer optimizer = __real_cs_schedule_optimizer(config, lr, step, steps);
    last_steps = steps;
    if (rule == FALLING)
        optimizer.lr /= (double)(1 + step);
    if (rule == HALF)
        optimizer.lr /= 2;
    return optimizer;
}

static cs_trial_config make_trial(double lr) {
    cs_trial_config trial = toy_trial(toy_dataset("schedule", &spec));
    trial.train.epochs = EPOCHS;
    trial.train.batch = BATCH;
    trial.train.optimizer.lr = lr;
    return trial;
}

static const toy_trial_record *train(double lr, toy_record *record) {
    cs_trial_config trial = make_trial(lr);
    assert_ok(toy_train("ref", &trial, 1, record));
    assert_true(record->trials[0].finished);
    return &record->trials[0];
}

static void test_a_constant_schedule_gives_the_configured_rate_to_the_bit(void **state) {
    (void)state;
    const cs_train_config config = {.optimizer = {.lr = 0.1}, .epochs = 2};
    assert_string_equal(cs_schedule_name(config.schedule.kind), "constant");
    for (int64_t step = 0; step < 3; step++)
        assert_true(__real_cs_schedule_optimizer(&config, 0.1, step, 2).lr == 0.1);
}

static void test_the_names_of_schedules_end_in_null(void **state) {
    (void)state;
    int n = 0;
    while (cs_schedule_name(n))
        n++;
    assert_true(n > 0 && n < 100);
}

static void test_updates_take_the_rate_of_the_schedule(void **state) {
    (void)state;
    static toy_record scheduled, plain;
    rule = HALF;
    const toy_trial_record *halved = train(2e-3, &scheduled);
    rule = AS_CONFIGURED;
    toy_assert_same(halved, train(1e-3, &plain));
}

static void test_an_epochs_row_has_the_rate_of_its_last_update(void **state) {
    (void)state;
    static toy_record record;
    rule = FALLING;
    const toy_trial_record *run = train(1e-3, &record);
    rule = AS_CONFIGURED;
    assert_int_equal(run->n_rows, EPOCHS);
    assert_int_equal(last_steps, STEPS);
    for (int i = 0; i < EPOCHS; i++)
        assert_true(run->rows[i].learning_rate == 1e-3 / (STEPS * (i + 1)));
}

/* The trial stops in the middle of the second epoch and is resumed. */
static void test_a_resumed_trial_continues_with_the_rates_of_its_steps(void **state) {
    (void)state;
    static toy_record whole, parts;
    const cs_trial_config trial = make_trial(1e-3);
    char path[CS_PATH_MAX];
    const cs_trial_files files = {.checkpoint = path};
    assert_ok(cs_path(path, sizeof path, "%s/schedule.checkpoint", test_scratch()));
    rule = FALLING;
    const toy_trial_record *wanted = train(1e-3, &whole);
    for (int part = 0; part < 2; part++) {
        cs_engine_options options = test_trainer_options(2);
        cs_engine *engine;
        parts.stop_after = part == 0 ? STEPS + 2 : 0;
        cs_train_events events = toy_events(&parts);
        const cs_group_config config = {
            .trials = &trial, .n = 1, .files = &files, .events = &events, .stop = &parts.stop};
        assert_ok(cs_engine_open("ref", &options, &engine));
        assert_int_equal(cs_group_train(engine, &config), part == 0 ? CS_ERR_INTERRUPTED : CS_OK);
        cs_engine_close(engine);
    }
    rule = AS_CONFIGURED;
    const toy_trial_record *resumed = &parts.trials[0];
    assert_int_equal(resumed->n_rows, EPOCHS - 1);
    for (int i = 0; i < EPOCHS - 1; i++) {
        assert_memory_equal(resumed->rows[i].value, wanted->rows[i + 1].value, sizeof wanted->rows[0].value);
        assert_true(resumed->rows[i].learning_rate == wanted->rows[i + 1].learning_rate);
    }
    assert_memory_equal(resumed->result.value, wanted->result.value, sizeof wanted->result.value);
}

static bool is_of_schedules(const cs_option *option) {
    for (int kind = 0; cs_schedule_name(kind); kind++)
        if (cs_schedule_uses(kind, option->key))
            return true;
    return false;
}

/* A trial with settings such as "train.schedule=cosine", up to a NULL. */
static cs_trial_config make_scheduled(const char *const *settings) {
    cs_trial_config trial = make_trial(1e-3f);
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (is_of_schedules(&options[i]))
            assert_ok(cs_option_set(&options[i], options[i].fallback, &trial));
    for (; *settings; settings++) {
        const cs_option *option;
        char key[CS_VALUE_MAX];
        const char *equals = strchr(*settings, '=');
        snprintf(key, sizeof key, "%.*s", (int)(equals - *settings), *settings);
        assert_ok(cs_option_find(key, &option));
        assert_ok(cs_option_set(option, equals + 1, &trial));
    }
    assert_ok(cs_schedule_check(&trial.train));
    cs_schedule_prepare(&trial.train);
    return trial;
}

static const char *const schedules[][8] = {
    {"train.schedule=cosine", "train.warmup_steps=3", "train.warmup_prefix=true", NULL},
    {"train.schedule=one_cycle", "train.optimizer=sgd", "train.div_factor=5", "train.final_div_factor=100", NULL},
    {"train.schedule=plateau", "train.plateau_patience=1", "train.plateau_monitor=val_accuracy", "train.threshold=0.9",
     "train.decay_rate=0.5", NULL},
    {"train.schedule=step", "train.decay_epochs=1", "train.dialect=torch", NULL},
};
enum { N_SCHEDULED = sizeof schedules / sizeof *schedules };

static void test_a_group_of_schedules_gives_what_each_gives_alone(void **state) {
    (void)state;
    static toy_record together, alone;
    cs_trial_config trials[N_SCHEDULED];
    for (int i = 0; i < N_SCHEDULED; i++)
        trials[i] = make_scheduled(schedules[i]);
    assert_ok(toy_train("ref", trials, N_SCHEDULED, &together));
    for (int i = 0; i < N_SCHEDULED; i++) {
        assert_ok(toy_train("ref", &trials[i], 1, &alone));
        toy_assert_same(&together.trials[i], &alone.trials[0]);
        double first = alone.trials[0].rows[0].learning_rate, last = alone.trials[0].rows[EPOCHS - 1].learning_rate;
        if (first == last)
            fail_msg("%s: the rate stays at %g", schedules[i][0], first);
    }
}

static void test_one_cycle_changes_what_the_optimizer_has_for_momentum(void **state) {
    (void)state;
    cs_trial_config trial = make_scheduled(schedules[1]);
    const double begins = trial.train.optimizer.momentum, lr = trial.train.optimizer.lr;
    assert_true(begins == 0.95);
    assert_true(__real_cs_schedule_optimizer(&trial.train, lr, 3, STEPS).momentum < begins);
    trial.train.optimizer.kind = CS_OPTIMIZER_ADAM;
    cs_schedule_prepare(&trial.train);
    cs_optimizer adam = __real_cs_schedule_optimizer(&trial.train, lr, 3, STEPS);
    assert_true(adam.momentum == begins && adam.beta_1 < 0.95);
    trial.train.schedule.cycle_momentum = false;
    assert_true(__real_cs_schedule_optimizer(&trial.train, lr, 3, STEPS).beta_1 == trial.train.optimizer.beta_1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_constant_schedule_gives_the_configured_rate_to_the_bit),
        cmocka_unit_test(test_the_names_of_schedules_end_in_null),
        cmocka_unit_test(test_updates_take_the_rate_of_the_schedule),
        cmocka_unit_test(test_an_epochs_row_has_the_rate_of_its_last_update),
        cmocka_unit_test(test_a_resumed_trial_continues_with_the_rates_of_its_steps),
        cmocka_unit_test(test_a_group_of_schedules_gives_what_each_gives_alone),
        cmocka_unit_test(test_one_cycle_changes_what_the_optimizer_has_for_momentum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
