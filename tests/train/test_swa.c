/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic weight averaging in training; tests/cli/test_cli_swa.py compares it with torch. */
#include "metric_value.h"
#include "toy.h"

#include "cnnsweep/swa.h"

#include <math.h>
#include <stdio.h>

static const toy_spec spec = {.counts = {14, 6, 6}, .contrast = 4};

static cs_trial_config make_trial(int start) {
    cs_trial_config trial = toy_trial(toy_dataset("swa", &spec));
    trial.train.epochs = 3;
    trial.train.swa.start = start;
    snprintf(trial.train.evaluate, sizeof trial.train.evaluate, "test");
    snprintf(trial.model.arch, sizeof trial.model.arch, "basenet_deep_bn");
    return trial;
}

static toy_record averaged, plain;

static void train(const char *device, cs_trial_config trial, int enough_after, toy_record *record) {
    *record = (toy_record){.enough_after = enough_after};
    assert_ok(toy_train(device, &trial, 1, record));
    assert_true(record->trials[0].finished);
}

static double tested(const toy_record *record, const char *metric) {
    return metric_value(record->trials[0].result.value, metric);
}

static void the_epochs_are_those_without_averaging(void **state) {
    train(*state, make_trial(1), 0, &averaged);
    train(*state, make_trial(0), 0, &plain);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(averaged.trials[0].rows[i].value, plain.trials[0].rows[i].value,
                            sizeof plain.trials[0].rows[i].value);
    assert_true(tested(&averaged, "test_loss") != tested(&plain, "test_loss"));
}

/* Even if the job does not ask for val: what is tested is not what the last epoch had. */
static void the_result_has_val_metrics_of_the_tested_weights(void **state) {
    train(*state, make_trial(1), 0, &averaged);
    double last = metric_value(averaged.trials[0].rows[2].value, "val_loss");
    assert_true(isfinite(tested(&averaged, "val_loss")) && tested(&averaged, "val_loss") != last);
}

/* Without a batch norm that trains, the mean of one epoch's weights is these weights. */
static void the_average_of_one_epoch_is_that_epoch(void **state) {
    cs_trial_config one = make_trial(2), none = make_trial(0);
    snprintf(one.model.arch, sizeof one.model.arch, "basenet");
    snprintf(none.model.arch, sizeof none.model.arch, "basenet");
    train(*state, one, 0, &averaged);
    train(*state, none, 0, &plain);
    assert_true(tested(&averaged, "test_loss") == tested(&plain, "test_loss"));
    assert_true(tested(&averaged, "val_loss") == tested(&plain, "val_loss"));
}

static void a_trial_that_ends_before_averaging_is_tested_as_it_is(void **state) {
    train(*state, make_trial(2), 2, &averaged);
    train(*state, make_trial(0), 2, &plain);
    toy_assert_same(&averaged.trials[0], &plain.trials[0]);
}

static void frozen_batch_norms_keep_their_statistics(void **state) {
    cs_trial_config one = make_trial(2), none = make_trial(0);
    snprintf(one.fine_tune, sizeof one.fine_tune, "dense");
    snprintf(none.fine_tune, sizeof none.fine_tune, "dense");
    train(*state, one, 0, &averaged);
    train(*state, none, 0, &plain);
    assert_true(tested(&averaged, "test_loss") == tested(&plain, "test_loss"));
}

static void the_rate_goes_from_the_schedules_to_swa_lr(void **state) {
    cs_trial_config trial = make_trial(2);
    cs_train_config *train = &trial.train;
    (void)state;
    train->epochs = 10;
    train->swa = (cs_swa_config){.start = 2, .lr = 0.25, .anneal_epochs = 4, .anneal = CS_ANNEAL_LINEAR};
    const double linear[] = {0.5, 0.4375, 0.375, 0.3125, 0.25, 0.25};
    for (int k = 0; k < 6; k++)
        assert_true(fabs(cs_swa_rate(train, 0.5, 2 + k) - linear[k]) < 1e-12);
    train->swa.anneal = CS_ANNEAL_COS;
    assert_true(fabs(cs_swa_rate(train, 0.5, 3) - (0.375 + 0.125 * sqrt(0.5))) < 1e-12);
    train->swa.anneal_epochs = 0;
    assert_true(cs_swa_rate(train, 0.5, 2) == 0.25);
    assert_false(cs_swa_sets_rate(train, 1));
    assert_true(cs_swa_sets_rate(train, 2));
}

static int run_on(const char *device) {
    char name[64];
    snprintf(name, sizeof name, "averaged weights on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(the_epochs_are_those_without_averaging),
        ON_DEVICE(the_result_has_val_metrics_of_the_tested_weights),
        ON_DEVICE(the_average_of_one_epoch_is_that_epoch),
        ON_DEVICE(a_trial_that_ends_before_averaging_is_tested_as_it_is),
        ON_DEVICE(frozen_batch_norms_keep_their_statistics),
        cmocka_unit_test(the_rate_goes_from_the_schedules_to_swa_lr),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
