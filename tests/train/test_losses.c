/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the loss while a trial trains, with the engine under test. Most trials have a learning rate of 0, so
 * that all of them compute the loss of the same network. */
#include "metric_value.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>

static const toy_spec data = {.counts = {44, 30, 21}, .contrast = 4};
static toy_record record, other;

static cs_trial_config still_trial(void) {
    cs_trial_config trial = toy_trial(toy_dataset("losses", &data));
    trial.train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0};
    trial.train.epochs = 1;
    return trial;
}

static const char *const columns[] = {"loss", "val_loss", "test_loss"};
enum { TRAIN, VAL, TEST, N_COLUMNS };

typedef struct outcome {
    double loss[N_COLUMNS], accuracy;
} outcome;

static outcome train(const char *device, const cs_trial_config *trial) {
    outcome out;
    assert_ok(toy_train(device, trial, 1, &record));
    const toy_trial_record *run = &record.trials[0];
    assert_true(run->finished);
    for (int i = 0; i < N_COLUMNS; i++)
        out.loss[i] = metric_value(i == TEST ? run->result.value : run->rows[0].value, columns[i]);
    out.accuracy = metric_value(run->rows[0].value, "accuracy");
    return out;
}

static void assert_close(double got, double want, const char *what) {
    if (!(fabs(got - want) <= 1e-5 * fabs(want)))
        fail_msg("%s is %.9g, not %.9g", what, got, want);
}

/* The loss is (1-e) times that without smoothing, plus e times that of targets that are all equal. */
static void smoothing_is_part_of_the_loss_of_all_splits(void **state) {
    cs_trial_config trial = still_trial();
    const outcome plain = train(*state, &trial);
    trial.train.label_smoothing = 0.2;
    const outcome little = train(*state, &trial);
    trial.train.label_smoothing = 0.4;
    const outcome much = train(*state, &trial);
    for (int i = 0; i < N_COLUMNS; i++) {
        assert_true(fabs(little.loss[i] - plain.loss[i]) > 1e-4);
        assert_close(much.loss[i] - plain.loss[i], 2 * (little.loss[i] - plain.loss[i]), columns[i]);
    }
    assert_true(much.accuracy == plain.accuracy);
}

/* With a gamma of 0 the focal loss is alpha times the cross-entropy. */
static void the_focal_loss_is_that_of_all_splits(void **state) {
    cs_trial_config trial = still_trial();
    const outcome plain = train(*state, &trial);
    trial.train.loss = CS_LOSS_FOCAL;
    trial.train.focal_alpha = 0.5;
    const outcome scaled = train(*state, &trial);
    trial.train.focal_gamma = 2;
    const outcome focal = train(*state, &trial);
    for (int i = 0; i < N_COLUMNS; i++) {
        assert_close(scaled.loss[i], 0.5 * plain.loss[i], columns[i]);
        assert_true(focal.loss[i] < 0.75 * scaled.loss[i]);
    }
}

static cs_trial_config weighted_trial(const char *weights, cs_train_dialect dialect) {
    cs_trial_config trial = still_trial();
    trial.train.optimizer.dialect = dialect;
    snprintf(trial.train.class_weight, sizeof trial.train.class_weight, "%s", weights);
    return trial;
}

static void class_weights_count_in_training_alone(void **state) {
    cs_trial_config trial = still_trial(), weighted = weighted_trial("green:5", CS_TRAIN_DIALECT_KERAS);
    const outcome without = train(*state, &trial), with = train(*state, &weighted);
    assert_true(with.loss[TRAIN] > 1.5 * without.loss[TRAIN]);
    assert_true(with.loss[VAL] == without.loss[VAL] && with.loss[TEST] == without.loss[TEST]);
    assert_true(with.accuracy == without.accuracy);
}

/* Keras divides by the number of rows, torch by the sum of their weights. */
static void equal_weights_scale_the_loss_in_the_dialect_of_keras_alone(void **state) {
    cs_trial_config trial = still_trial(), keras = weighted_trial("2,2,2", CS_TRAIN_DIALECT_KERAS),
                    torch = weighted_trial("2,2,2", CS_TRAIN_DIALECT_TORCH);
    const outcome without = train(*state, &trial);
    assert_close(train(*state, &keras).loss[TRAIN], 2 * without.loss[TRAIN], "Keras' loss");
    assert_close(train(*state, &torch).loss[TRAIN], without.loss[TRAIN], "torch's loss");
}

/* The loss of a class alone, which other weights leave out, and the sum of those of all classes. */
static void a_weight_of_0_leaves_a_class_out(void **state) {
    cs_trial_config all = still_trial();
    double sum = 0;
    for (int k = 0; k < TOY_CLASSES; k++) {
        static const char *const alone[TOY_CLASSES] = {"1,0,0", "0,1,0", "0,0,1"};
        cs_trial_config trial = weighted_trial(alone[k], CS_TRAIN_DIALECT_KERAS);
        sum += train(*state, &trial).loss[TRAIN];
    }
    assert_close(sum, train(*state, &all).loss[TRAIN], "the sum of the losses of all classes");
}

static void a_batch_whose_weights_are_all_0_has_no_loss(void **state) {
    cs_trial_config trial = weighted_trial("0,0,1", CS_TRAIN_DIALECT_TORCH);
    trial.train.batch = 1;
    assert_true(isfinite(train(*state, &trial).loss[TRAIN]));
}

static void an_unknown_class_ends_the_trial(void **state) {
    cs_trial_config trial = weighted_trial("gren:5", CS_TRAIN_DIALECT_KERAS);
    cs_status status = toy_train(*state, &trial, 1, &record);
    if (status == CS_OK)
        status = record.trials[0].failed;
    assert_int_equal(status, CS_ERR_ARG);
}

static void trials_with_other_losses_share_a_trunk_and_train_as_alone(void **state) {
    enum { N = 4 };
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = still_trial();
        trials[i].train.optimizer.lr = 1e-2;
        trials[i].train.epochs = 2;
        snprintf(trials[i].fine_tune, sizeof trials[i].fine_tune, "head");
    }
    trials[1].train.label_smoothing = 0.1;
    snprintf(trials[2].train.class_weight, sizeof trials[2].train.class_weight, "balanced");
    trials[3].train.loss = CS_LOSS_FOCAL;
    trials[3].train.focal_alpha = 0.25;
    trials[3].train.focal_gamma = 2;
    assert_ok(toy_train(*state, trials, N, &record));
    for (int i = 0; i < N; i++) {
        assert_ok(toy_train(*state, &trials[i], 1, &other));
        assert_true(record.trials[i].finished);
        toy_assert_same(&record.trials[i], &other.trials[0]);
    }
}

int main(void) {
    void *device = (void *)(uintptr_t)test_device();
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(smoothing_is_part_of_the_loss_of_all_splits),
        ON_DEVICE(the_focal_loss_is_that_of_all_splits),
        ON_DEVICE(class_weights_count_in_training_alone),
        ON_DEVICE(equal_weights_scale_the_loss_in_the_dialect_of_keras_alone),
        ON_DEVICE(a_weight_of_0_leaves_a_class_out),
        ON_DEVICE(a_batch_whose_weights_are_all_0_has_no_loss),
        ON_DEVICE(an_unknown_class_ends_the_trial),
        ON_DEVICE(trials_with_other_losses_share_a_trunk_and_train_as_alone),
    };
    return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
