/* SPDX-License-Identifier: Apache-2.0 */
/* Final states: the next phase of a trial begins from one, and a trial that is asked for more epochs goes on from its
 * own. */
#include "metric_value.h"
#include "toy.h"

#include "cnnsweep/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const toy_spec spec = {.counts = {14, 6, 6}, .contrast = 4};
enum { FIRST = 2, ALL = 5 }; /* epochs */

static toy_record whole, first, second;

static cs_trial_config make_trial(int epochs) {
    cs_trial_config trial = toy_trial(toy_dataset("state", &spec));
    trial.train.epochs = epochs;
    trial.train.batch = 4;
    return trial;
}

static const char *state_file(void) {
    static char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/trial.state", test_scratch()));
    return path;
}

static cs_status train(const cs_trial_config *trial, const char *start, const char *end, toy_record *record) {
    const cs_engine_options options = test_trainer_options(2);
    cs_engine *engine;
    *record = (toy_record){0};
    cs_train_events events = toy_events(record);
    events.failed = NULL;
    const cs_trial_files files = {.start = start, .end = end};
    const cs_group_config config = {.trials = trial, .n = 1, .files = &files, .events = &events};
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    cs_status status = cs_group_train(engine, &config);
    cs_engine_close(engine);
    return status;
}

/* The epochs of `whole` from `epoch` on are those of the record. */
static void assert_goes_on(const toy_trial_record *record, int epoch) {
    const toy_trial_record *expected = &whole.trials[0];
    assert_int_equal(record->n_rows, expected->n_rows - epoch);
    for (int i = 0; i < record->n_rows; i++) {
        assert_int_equal(record->rows[i].epoch, epoch + i);
        assert_memory_equal(record->rows[i].value, expected->rows[epoch + i].value, sizeof record->rows[i].value);
    }
    assert_memory_equal(record->result.value, expected->result.value, sizeof record->result.value);
    assert_int_equal(record->result.epochs_run, expected->result.epochs_run);
}

static void a_phase_that_keeps_the_optimizer_goes_on_as_one_training(void **state) {
    (void)state;
    const cs_trial_config all = make_trial(ALL), before = make_trial(FIRST);
    cs_trial_config after = make_trial(ALL - FIRST);
    after.phase = (cs_phase){.before = cs_phase_key(&before), .keep_optimizer = true};
    assert_ok(train(&all, NULL, NULL, &whole));
    assert_ok(train(&before, NULL, state_file(), &first));
    assert_ok(train(&after, state_file(), NULL, &second));
    assert_goes_on(&second.trials[0], FIRST);
}

static void a_phase_begins_with_a_new_optimizer_unless_it_is_kept(void **state) {
    (void)state;
    const cs_trial_config all = make_trial(ALL), before = make_trial(FIRST);
    cs_trial_config after = make_trial(ALL - FIRST);
    after.phase.before = cs_phase_key(&before);
    assert_ok(train(&all, NULL, NULL, &whole));
    assert_ok(train(&before, NULL, state_file(), &first));
    assert_ok(train(&after, state_file(), NULL, &second));
    assert_true(metric_value(second.trials[0].rows[0].value, "loss") !=
                metric_value(whole.trials[0].rows[FIRST].value, "loss"));
}

static void a_trial_that_has_more_epochs_now_goes_on_from_its_own_state(void **state) {
    (void)state;
    const cs_trial_config all = make_trial(ALL), shorter = make_trial(FIRST);
    assert_ok(train(&all, NULL, NULL, &whole));
    assert_ok(train(&shorter, NULL, state_file(), &first));
    assert_ok(train(&all, state_file(), NULL, &second));
    assert_goes_on(&second.trials[0], FIRST);
}

/* The layers before `fine_tune` are those that the phase before has trained, not those of the seed. */
static void a_frozen_trunk_is_that_of_the_phase_before(void **state) {
    (void)state;
    const cs_trial_config before = make_trial(FIRST);
    cs_trial_config after = make_trial(1);
    snprintf(after.fine_tune, sizeof after.fine_tune, "dense");
    after.train.optimizer.lr = 1e-12; /* so that nothing changes */
    after.phase.before = cs_phase_key(&before);
    assert_ok(train(&before, NULL, state_file(), &first));
    assert_ok(train(&after, state_file(), NULL, &second));
    const double *a = first.trials[0].result.value, *b = second.trials[0].result.value;
    assert_true(fabs(metric_value(b, "test_loss") - metric_value(a, "test_loss")) < 1e-5);
}

static void a_state_of_another_trial_is_refused(void **state) {
    (void)state;
    const cs_trial_config before = make_trial(FIRST);
    cs_trial_config other = before, after = make_trial(1);
    other.train.seed++;
    after.phase.before = cs_phase_key(&other);
    assert_ok(train(&before, NULL, state_file(), &first));
    assert_fails(train(&after, state_file(), NULL, &second), CS_ERR_FORMAT, "final state of another trial");
    assert_fails(train(&other, state_file(), NULL, &second), CS_ERR_FORMAT, "final state of another trial");
}

static void a_damaged_state_is_refused(void **state) {
    (void)state;
    const cs_trial_config before = make_trial(FIRST), longer = make_trial(ALL);
    char *bytes = NULL;
    size_t size;
    assert_ok(train(&before, NULL, state_file(), &first));
    assert_ok(cs_file_read(state_file(), SIZE_MAX, &bytes, &size));
    for (size_t part = 0; part < 8; part++) {
        FILE *file = fopen(state_file(), "wb");
        assert_non_null(file);
        size_t at = part * (size - 1) / 7;
        bytes[at] ^= 1;
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        bytes[at] ^= 1;
        assert_fails(train(&longer, state_file(), NULL, &second), CS_ERR_FORMAT, "trial.state");
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_that_keeps_the_optimizer_goes_on_as_one_training),
        cmocka_unit_test(a_phase_begins_with_a_new_optimizer_unless_it_is_kept),
        cmocka_unit_test(a_trial_that_has_more_epochs_now_goes_on_from_its_own_state),
        cmocka_unit_test(a_frozen_trunk_is_that_of_the_phase_before),
        cmocka_unit_test(a_state_of_another_trial_is_refused),
        cmocka_unit_test(a_damaged_state_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
