/* SPDX-License-Identifier: Apache-2.0 */
/* Training on mixed images, with the engine under test and with ref. */
#include "augments.h"
#include "metric_value.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const toy_spec hard = {.counts = {44, 30, 30}, .contrast = 4, .same_test = true};
static toy_record record, other;

static const cs_mix mixup = {{[CS_MIX_MIXUP] = {CS_MIX_KERAS, 0.4f, 1}}},
                    cutmix = {{[CS_MIX_CUTMIX] = {CS_MIX_TORCH, 1, 1}}},
                    either = {{{CS_MIX_TIMM, 0.8f, 0.5f}, {CS_MIX_TIMM, 1, 0.25f}}};
static const cs_mix *const mixes[] = {&mixup, &cutmix, &either};
enum { MIXES = sizeof mixes / sizeof *mixes };

/* The calls of the loss with labels alone, with soft targets, and those that have a target between 0 and 1 (by the
 * linker's --wrap, settings.cmake). The targets of a row add up to 1, and its label is the class of the largest. */
static int hard_calls, soft_calls, mixed_calls;
cs_status __real_cs_program_loss(cs_program *program, const cs_targets *targets, int n, float *probabilities,
                                 cs_loss *out);
cs_status __wrap_cs_program_loss(cs_program *program, const cs_targets *targets, int n, float *probabilities,
                                 cs_loss *out);
cs_status __wrap_cs_program_loss(cs_program *program, const cs_targets *targets, int n, float *probabilities,
                                 cs_loss *out) {
    bool mixed = false;
    for (int row = 0; targets->soft && row < n; row++) {
        const float *soft = targets->soft + (size_t)row * TOY_CLASSES, largest = soft[targets->labels[row]];
        float sum = 0;
        for (int k = 0; k < TOY_CLASSES; k++) {
            assert_true(soft[k] <= largest);
            mixed |= soft[k] > 0.01f && soft[k] < 0.99f;
            sum += soft[k];
        }
        assert_true(fabsf(sum - 1) < 1e-6f);
    }
    *(targets->soft ? &soft_calls : &hard_calls) += 1;
    mixed_calls += mixed;
    return __real_cs_program_loss(program, targets, n, probabilities, out);
}

static cs_trial_config mixed_trial(const cs_mix *mix, const char *depth) {
    cs_trial_config trial = toy_trial(toy_dataset("mixing", &hard));
    test_augment_set(&trial.augment, "random_horizontal_flip", (const float[]){0}, 0);
    trial.train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e-2f, .momentum = 0.9f};
    trial.train.epochs = 2;
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", depth);
    if (mix)
        test_augment_mix(&trial.augment, mix);
    return trial;
}

static double value_of(const toy_record *of, int epoch, const char *name) {
    return metric_value(of->trials[0].rows[epoch].value, name);
}

static void assert_near_in(const char *name, double tolerance) {
    for (int epoch = 0; epoch < 2; epoch++) {
        const double got = value_of(&record, epoch, name), want = value_of(&other, epoch, name);
        if (!(fabs(got - want) <= tolerance * fabs(want)))
            fail_msg("%s of epoch %d is %.9g, not %.9g", name, epoch, got, want);
    }
}

static void every_engine_gives_the_curve_of_ref(void **state) {
    for (int i = 0; i < MIXES; i++) {
        const cs_trial_config trial = mixed_trial(mixes[i], "all");
        assert_ok(toy_train(*state, &trial, 1, &record));
        assert_ok(toy_train("ref", &trial, 1, &other));
        assert_near_in("loss", 1e-3);
        assert_near_in("val_loss", 1e-3);
        assert_near_in("accuracy", 1e-9);
    }
}

static void mixing_changes_what_is_trained_on(void **state) {
    const cs_trial_config plain = mixed_trial(NULL, "head");
    assert_ok(toy_train(*state, &plain, 1, &other));
    for (int i = 0; i < MIXES; i++) {
        const cs_trial_config trial = mixed_trial(mixes[i], "head");
        assert_ok(toy_train(*state, &trial, 1, &record));
        assert_true(value_of(&record, 0, "loss") != value_of(&other, 0, "loss"));
    }
}

/* 44 images of train in batches of 8, 30 of val in each of two epochs and after training, and 30 of test. */
static void the_loss_of_train_alone_has_soft_targets(void **state) {
    for (int i = 0; i < MIXES; i++) {
        const cs_trial_config trial = mixed_trial(mixes[i], "all");
        hard_calls = soft_calls = mixed_calls = 0;
        assert_ok(toy_train(*state, &trial, 1, &record));
        assert_int_equal(soft_calls, 2 * 6);
        assert_int_equal(hard_calls, 2 * 4 + 4 + 4);
        assert_in_range(mixed_calls, 6, 2 * 6);
    }
}

/* With a learning rate of 0 nothing is learned, so that val and test tell whether their images are mixed. */
static void val_and_test_are_never_mixed(void **state) {
    cs_trial_config plain = mixed_trial(NULL, "head"), trial = mixed_trial(&mixup, "head");
    plain.train.optimizer.lr = trial.train.optimizer.lr = 0;
    assert_ok(toy_train(*state, &plain, 1, &other));
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_true(value_of(&record, 0, "loss") != value_of(&other, 0, "loss"));
    assert_true(value_of(&record, 0, "val_loss") == value_of(&other, 0, "val_loss"));
    assert_true(metric_value(record.trials[0].result.value, "test_loss") ==
                metric_value(other.trials[0].result.value, "test_loss"));
    assert_memory_equal(record.trials[0].confusion, other.trials[0].confusion, sizeof record.trials[0].confusion);
}

static void trials_mixed_alike_share_a_trunk_and_train_as_alone(void **state) {
    static const char *const depths[] = {"head", "2", "5", "all"};
    enum { N = sizeof depths / sizeof *depths };
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++)
        trials[i] = mixed_trial(&either, depths[i]);
    assert_ok(toy_train(*state, trials, N, &record));
    for (int i = 0; i < N; i++) {
        assert_ok(toy_train(*state, &trials[i], 1, &other));
        assert_true(record.trials[i].finished);
        toy_assert_same(&record.trials[i], &other.trials[0]);
    }
}

static void trials_mixed_otherwise_cannot_share(void **state) {
    (void)state;
    const cs_trial_config plain = mixed_trial(NULL, "head"), trial = mixed_trial(&mixup, "head");
    assert_true(cs_trials_can_share(&trial, &trial));
    assert_false(cs_trials_can_share(&plain, &trial));
    for (int part = 0; part < 3; part++) {
        cs_mix mix = mixup;
        cs_mix_rule *rule = &mix.rules[CS_MIX_MIXUP];
        if (part == 0)
            rule->convention = CS_MIX_TIMM;
        if (part == 1)
            rule->alpha = 0.3f;
        if (part == 2)
            rule->p = 0.5f;
        const cs_trial_config changed = mixed_trial(&mix, "head");
        assert_false(cs_trials_can_share(&changed, &trial));
        assert_true(cs_trial_key(&changed) != cs_trial_key(&trial));
    }
}

static void features_cannot_be_mixed(void **state) {
    cs_trial_config trial = mixed_trial(&mixup, "head");
    trial.train.mode = CS_TRAIN_FEATURES;
    snprintf(trial.augment_name, sizeof trial.augment_name, "mixed");
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_ARG, "features with the augmentation mixed");
}

int main(void) {
    void *device = (void *)(uintptr_t)test_device();
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(every_engine_gives_the_curve_of_ref),
        ON_DEVICE(the_loss_of_train_alone_has_soft_targets),
        ON_DEVICE(mixing_changes_what_is_trained_on),
        ON_DEVICE(val_and_test_are_never_mixed),
        ON_DEVICE(trials_mixed_alike_share_a_trunk_and_train_as_alone),
        ON_DEVICE(trials_mixed_otherwise_cannot_share),
        ON_DEVICE(features_cannot_be_mixed),
    };
    return cmocka_run_group_tests_name("mixing", tests, NULL, NULL);
}
