/* SPDX-License-Identifier: Apache-2.0 */
/* Updates with the gradients of several batches, and evaluation with averages of the weights, as the trainer makes
 * them. tests/parity/ compares the numbers with Keras and torch. */
#include "metric_value.h"
#include "test.h"
#include "toy.h"

#include <math.h>

static const toy_spec spec = {.counts = {16, 6, 6}, .contrast = 4};

static cs_trial_config make_trial(int batch) {
    cs_trial_config trial = toy_trial(toy_dataset("accumulate", &spec));
    trial.train.batch = batch;
    trial.train.epochs = 3;
    return trial;
}

static const toy_trial_record *train(const cs_trial_config *trial, toy_record *record) {
    assert_ok(toy_train("ref", trial, 1, record));
    assert_true(record->trials[0].finished);
    return &record->trials[0];
}

static void assert_same_losses(const toy_trial_record *a, const toy_trial_record *b) {
    assert_int_equal(a->n_rows, b->n_rows);
    for (int i = 0; i < a->n_rows; i++) {
        assert_true(fabs(metric_value(a->rows[i].value, "loss") - metric_value(b->rows[i].value, "loss")) < 1e-5);
        assert_true(fabs(metric_value(a->rows[i].value, "val_loss") - metric_value(b->rows[i].value, "val_loss")) <
                    1e-5);
    }
}

static void two_batches_of_4_make_the_update_of_one_of_8(void **state) {
    (void)state;
    static toy_record whole, halves;
    cs_trial_config trial = make_trial(8);
    const toy_trial_record *wanted = train(&trial, &whole);
    trial = make_trial(4);
    trial.train.optimizer.accumulate = 2;
    assert_same_losses(train(&trial, &halves), wanted);
}

/* An epoch has 4 batches, so that the first update comes at the end of the third epoch. */
static void gradients_accumulate_across_epochs(void **state) {
    (void)state;
    static toy_record record;
    cs_trial_config trial = make_trial(4);
    trial.train.optimizer.accumulate = 12;
    trial.train.epochs = 4;
    const toy_trial_record *run = train(&trial, &record);
    double first = metric_value(run->rows[0].value, "val_loss");
    assert_true(metric_value(run->rows[1].value, "val_loss") == first);
    assert_true(metric_value(run->rows[2].value, "val_loss") != first);
}

static void averages_that_forget_at_once_are_the_weights(void **state) {
    (void)state;
    static toy_record plain, averaged;
    cs_trial_config trial = make_trial(8);
    const toy_trial_record *wanted = train(&trial, &plain);
    trial.train.optimizer.ema = 1e-12;
    assert_same_losses(train(&trial, &averaged), wanted);
}

/* In torch an average starts with the initial weights; training goes on with its own. */
static void averages_that_forget_nothing_evaluate_the_initial_weights(void **state) {
    (void)state;
    static toy_record plain, averaged;
    cs_trial_config trial = make_trial(8);
    const toy_trial_record *wanted = train(&trial, &plain);
    trial.train.optimizer.dialect = CS_TRAIN_DIALECT_TORCH;
    trial.train.optimizer.kind = CS_OPTIMIZER_SGD;
    trial.train.optimizer.ema = 0.9999999;
    const toy_trial_record *run = train(&trial, &averaged);
    assert_true(metric_value(wanted->rows[2].value, "val_loss") != metric_value(wanted->rows[0].value, "val_loss"));
    for (int i = 1; i < 3; i++) {
        double difference = metric_value(run->rows[i].value, "val_loss") - metric_value(run->rows[0].value, "val_loss");
        assert_true(fabs(difference) < 1e-5);
        assert_true(metric_value(run->rows[i].value, "loss") != metric_value(run->rows[0].value, "loss"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_batches_of_4_make_the_update_of_one_of_8),
        cmocka_unit_test(gradients_accumulate_across_epochs),
        cmocka_unit_test(averages_that_forget_at_once_are_the_weights),
        cmocka_unit_test(averages_that_forget_nothing_evaluate_the_initial_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
