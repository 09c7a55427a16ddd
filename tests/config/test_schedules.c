/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that every schedule has; tests/parity/ compares the rates with those of Keras and torch. */
#include "test.h"

#include "cnnsweep/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cs_trial_config trial;

static void set(const char *key, const char *text) {
    const cs_option *option = NULL;
    assert_ok(cs_option_find(key, &option));
    assert_ok(cs_option_set(option, text, &trial));
}

/* All options at their defaults, but those that a schedule must have. */
static void begin(const char *schedule) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        assert_ok(cs_option_set(&options[i], options[i].fallback, &trial));
    set("train.schedule", schedule);
    set("train.optimizer", "sgd");
    set("train.lr", "0.5");
    set("train.epochs", "9");
    if (cs_schedule_uses(trial.train.schedule.kind, "decay_rate"))
        set("train.decay_rate", "0.7");
    if (cs_schedule_uses(trial.train.schedule.kind, "milestones"))
        set("train.milestones", "2,5.5");
    if (cs_schedule_uses(trial.train.schedule.kind, "values"))
        set("train.values", "3,2,1");
}

static void check_rates(const char *name, int64_t steps) {
    const cs_train_config *train = &trial.train;
    assert_ok(cs_schedule_check(train));
    for (int64_t step = 0; step < 12 * steps; step++) {
        double rate = cs_schedule_rate(train, 0.5, step, steps);
        double momentum = (double)cs_schedule_optimizer(train, 0.5, step, steps).momentum;
        if (!isfinite(rate) || rate < 0 || rate > 3.5 || !(momentum >= 0) || momentum > 1)
            fail_msg("%s, update %lld of epochs of %lld: rate %g, momentum %g", name, (long long)step, (long long)steps,
                     rate, momentum);
    }
}

/* Also after the last epoch, and where a length is a single update or a part of one. */
static void test_every_rate_is_a_finite_number(void **state) {
    (void)state;
    static const char *const lengths[] = {"0.01", "0.5", "1", "4", "100"};
    static const char *const parts[] = {"0.001", "0.3", "1"};
    static const char *const dialects[] = {"keras", "torch"};
    for (int kind = 0; cs_schedule_name(kind); kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
                for (size_t d = 0; d < 2; d++)
                    for (int64_t steps = 1; steps <= 7; steps += 3) {
                        begin(cs_schedule_name(kind));
                        set("train.dialect", dialects[d]);
                        set("train.decay_epochs", lengths[i]);
                        set("train.pct_start", parts[p]);
                        set("train.warmup_steps", i % 2 ? "5" : "0");
                        check_rates(cs_schedule_name(kind), steps);
                    }
}

static void test_every_setting_that_a_schedule_uses_is_an_option(void **state) {
    (void)state;
    for (int kind = 0; cs_schedule_name(kind); kind++) {
        char text[512] = "", *rest;
        const char *uses = cs_schedule_at(kind)->uses;
        snprintf(text, sizeof text, "%s", uses ? uses : "");
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            char key[64];
            const cs_option *option = NULL;
            snprintf(key, sizeof key, "train.%s", word);
            assert_ok(cs_option_find(key, &option));
            assert_true(cs_schedule_uses(kind, key));
            assert_true(option->sweepable && option->affects == CS_AFFECTS_TRAINING);
        }
    }
}

/* A trial that ended early can be trained again for as many epochs. */
static void test_a_run_of_fewer_epochs_keeps_the_rates(void **state) {
    (void)state;
    enum { STEPS = 4, SHORTER = 5 };
    for (int kind = 0; cs_schedule_name(kind); kind++) {
        double wanted[SHORTER * STEPS];
        char setting[64];
        begin(cs_schedule_name(kind));
        if (cs_schedule_at(kind)->length == CS_LENGTH_REQUIRED)
            set("train.decay_epochs", "3");
        set("train.warmup_epochs", "1.5");
        for (int step = 0; step < SHORTER * STEPS; step++)
            wanted[step] = cs_schedule_rate(&trial.train, 0.5, step, STEPS);
        assert_true(cs_schedule_keep_length(&trial.train, setting, sizeof setting));
        set("train.epochs", "5");
        if (setting[0]) {
            *strchr(setting, '=') = '\0';
            set(setting, setting + strlen(setting) + 1);
        }
        for (int step = 0; step < SHORTER * STEPS; step++)
            assert_true(cs_schedule_rate(&trial.train, 0.5, step, STEPS) == wanted[step]);
    }
}

/* torch's schedulers step once an epoch, however many batches an update has. 4 does not divide the 10 of an epoch. */
static void test_accumulation_does_not_move_what_changes_once_an_epoch(void **state) {
    (void)state;
    enum { STEPS = 10, EPOCHS = 9 };
    for (int kind = 0; cs_schedule_name(kind); kind++) {
        double wanted[EPOCHS * STEPS];
        begin(cs_schedule_name(kind));
        set("train.schedule_interval", "epoch");
        set("train.decay_epochs", "3");
        set("train.warmup_epochs", "2");
        for (int step = 0; step < EPOCHS * STEPS; step++)
            wanted[step] = cs_schedule_rate(&trial.train, 0.5, step, STEPS);
        set("train.accumulate", "4");
        for (int step = 0; step < EPOCHS * STEPS; step++)
            assert_true(fabs(cs_schedule_rate(&trial.train, 0.5, step, STEPS) - wanted[step]) < 1e-12);
    }
}

/* With 5 batches for each update, an epoch of 10 is one of 2 updates. */
static void test_a_schedule_by_step_counts_updates(void **state) {
    (void)state;
    enum { BATCHES = 5, UPDATES = 2, EPOCHS = 9 };
    for (int kind = 0; cs_schedule_name(kind); kind++) {
        double wanted[EPOCHS * UPDATES];
        begin(cs_schedule_name(kind));
        set("train.schedule_interval", "step");
        set("train.decay_steps", "7");
        set("train.warmup_steps", "3");
        for (int update = 0; update < EPOCHS * UPDATES; update++)
            wanted[update] = cs_schedule_rate(&trial.train, 0.5, update, UPDATES);
        set("train.accumulate", "5");
        for (int step = 0; step < EPOCHS * UPDATES * BATCHES; step++) {
            double rate = cs_schedule_rate(&trial.train, 0.5, step, (int64_t)UPDATES * BATCHES);
            assert_true(fabs(rate - wanted[step / BATCHES]) < 1e-12);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rate_is_a_finite_number),
        cmocka_unit_test(test_every_setting_that_a_schedule_uses_is_an_option),
        cmocka_unit_test(test_a_run_of_fewer_epochs_keeps_the_rates),
        cmocka_unit_test(test_accumulation_does_not_move_what_changes_once_an_epoch),
        cmocka_unit_test(test_a_schedule_by_step_counts_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
