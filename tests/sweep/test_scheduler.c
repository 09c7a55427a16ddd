/* SPDX-License-Identifier: Apache-2.0 */
/* The schedulers' decisions on random streams of metrics, compared with a reference in numpy. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"
#include "job/scheduler.h"
#include "job_text.h"
#include "metric_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRIALS = 64 };

static cs_job *make_job(const char *scheduler, const char *metric, int trials, int epochs) {
    char text[512];
    cs_job *job = NULL;
    snprintf(text, sizeof text,
             JOB_BASE "train: {epochs: %d}\nsweep: {metric: {name: %s}, scheduler: %s, repeats: %d}\n", epochs, metric,
             scheduler, trials);
    assert_ok(job_read_text(text, NULL, &job));
    return job;
}

/* The metrics of an epoch. Every trial has its own level and improves with the epochs. Accuracies are multiples of
 * 1/50, so that many are equal. */
static cs_epoch_row row_of(uint64_t seed, int trial, int epoch) {
    cs_rng of_trial = cs_rng_at(seed, CS_PURPOSE_TEST, 0, (uint32_t)trial);
    cs_rng of_epoch = cs_rng_at(seed, CS_PURPOSE_TEST, (uint32_t)epoch + 1, (uint32_t)trial);
    double level = 0.2 + 0.5 * (double)cs_rng_float(&of_trial), noise = 0.1 * (double)cs_rng_float(&of_epoch);
    double accuracy = fmin(1, level + 0.2 * (1 - exp(-epoch / 5.0)) + noise);
    cs_epoch_row row = {.epoch = epoch};
    *metric_at(row.value, "val_accuracy") = round(accuracy * 50) / 50;
    *metric_at(row.value, "val_loss") = -log(accuracy);
    return row;
}

static const char *const kind_names[] = {"none", "asha", "hyperband", "median"};

/* Gives the scheduler epochs of the trials in random order, as with many ranks, and writes each decision to a file. */
static void write_decisions(const cs_job *job, uint64_t seed, FILE *file) {
    const cs_scheduler_config *config = &job->scheduler;
    int epochs = job->base.train.epochs, live[MAX_TRIALS], next[MAX_TRIALS] = {0}, n = job->n_trials;
    cs_scheduler *scheduler = NULL;
    cs_rng order = cs_rng_at(seed, CS_PURPOSE_TEST, 1000000, 0);
    char reason[256];
    assert_ok(cs_scheduler_open(job, &scheduler));
    fprintf(file, "%s %d %d %.17g %d %d %d %d %d\n", kind_names[config->kind], config->max_t, config->grace_period,
            config->reduction_factor, config->brackets, config->min_samples_required, job->maximize, n, epochs);
    for (int t = 0; t < n; t++)
        live[t] = t;
    while (n > 0) {
        int at = (int)cs_rng_below(&order, (uint32_t)n), trial = live[at];
        cs_epoch_row row = row_of(seed, trial, next[trial]);
        bool enough = cs_scheduler_decide(scheduler, trial, &row, reason, sizeof reason);
        fprintf(file, "%d %d %.17g %d\n", trial, row.epoch + 1,
                metric_value(row.value, job->maximize ? "val_accuracy" : "val_loss"), enough);
        if (enough || ++next[trial] == epochs)
            live[at] = live[--n];
    }
    cs_scheduler_close(scheduler);
}

static void assert_reference_agrees(const char *scheduler, const char *metric, int trials, int epochs) {
    char path[CS_PATH_MAX], command[CS_PATH_MAX * 2];
    cs_job *job = make_job(scheduler, metric, trials, epochs);
    snprintf(path, sizeof path, "%s/stream.txt", test_scratch());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    write_decisions(job, (uint64_t)trials * 1000 + (uint64_t)epochs, file);
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/tests/sweep/reference_scheduler.py' '%s'", CS_TEST_SOURCE,
             path);
    assert_int_equal(system(command), 0);
    cs_job_free(job);
}

static void test_asha_decides_as_ray(void **state) {
    (void)state;
    assert_reference_agrees("asha", "val_accuracy", 60, 20);
    assert_reference_agrees("{type: asha, reduction_factor: 2, grace_period: 2}", "val_loss", 50, 30);
    assert_reference_agrees("{type: asha, reduction_factor: 2.5, brackets: 3}", "val_accuracy", 64, 40);
    assert_reference_agrees("{type: asha, reduction_factor: 1.3}", "val_accuracy", 40, 12);
    assert_reference_agrees("{type: asha, max_t: 9, reduction_factor: 3}", "val_loss", 30, 20);
}

static void test_hyperband_decides_as_ray_with_hyperbands_shares(void **state) {
    (void)state;
    assert_reference_agrees("hyperband", "val_accuracy", 64, 27);
    assert_reference_agrees("{type: hyperband, reduction_factor: 2, max_t: 16}", "val_loss", 64, 20);
}

static void test_the_median_rule_decides_as_ray(void **state) {
    (void)state;
    assert_reference_agrees("median", "val_accuracy", 40, 15);
    assert_reference_agrees("{type: median, grace_period: 4, min_samples_required: 7}", "val_loss", 40, 15);
}

/* A trial that is resumed reports epochs again, when the other trials may be further. */
static void assert_repeated_epochs_change_nothing(const char *text) {
    enum { TRIALS = 30, EPOCHS = 12 };
    cs_job *job = make_job(text, "val_accuracy", TRIALS, EPOCHS);
    cs_scheduler *once = NULL, *twice = NULL;
    bool stopped[TRIALS] = {false};
    int stops = 0;
    assert_ok(cs_scheduler_open(job, &once));
    assert_ok(cs_scheduler_open(job, &twice));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int t = 0; t < TRIALS; t++) {
            char reason[256] = "", again[256] = "";
            cs_epoch_row row = row_of(5, t, epoch);
            if (stopped[t])
                continue;
            bool enough = cs_scheduler_decide(once, t, &row, reason, sizeof reason);
            for (int repeat = 0; repeat < 2; repeat++)
                assert_int_equal(cs_scheduler_decide(twice, t, &row, again, sizeof again), enough);
            assert_string_equal(reason, again);
            for (int back = epoch - 1; back >= 0 && back > epoch - 3; back--) {
                row = row_of(5, t, back);
                assert_false(cs_scheduler_decide(twice, t, &row, again, sizeof again));
            }
            stopped[t] = enough;
            stops += enough;
        }
    }
    assert_true(stops > TRIALS / 3);
    cs_scheduler_close(once);
    cs_scheduler_close(twice);
    cs_job_free(job);
}

static void test_an_epoch_that_is_reported_again_changes_nothing(void **state) {
    (void)state;
    assert_repeated_epochs_change_nothing("{type: asha, reduction_factor: 2}");
    assert_repeated_epochs_change_nothing("hyperband");
    assert_repeated_epochs_change_nothing("median");
}

static void test_the_reason_names_epoch_metric_and_cutoff(void **state) {
    (void)state;
    cs_job *job = make_job("asha", "val_loss", 2, 8);
    cs_scheduler *scheduler = NULL;
    char reason[256] = "";
    cs_epoch_row row = {.epoch = 0};
    double *val_loss = metric_at(row.value, "val_loss");
    *val_loss = 0.5;
    assert_ok(cs_scheduler_open(job, &scheduler));
    assert_false(cs_scheduler_decide(scheduler, 0, &row, reason, sizeof reason));
    *val_loss = 0.75;
    assert_true(cs_scheduler_decide(scheduler, 1, &row, reason, sizeof reason));
    assert_string_equal(reason, "asha: stopped after epoch 1, rung 1: val_loss 0.75 is worse than 0.5");
    cs_scheduler_close(scheduler);
    cs_job_free(job);
}

static void test_nan_neither_stops_a_trial_nor_becomes_a_cutoff(void **state) {
    (void)state;
    cs_job *job = make_job("asha", "val_loss", 3, 8);
    cs_scheduler *scheduler = NULL;
    char reason[256];
    cs_epoch_row row = {.epoch = 0};
    double *val_loss = metric_at(row.value, "val_loss");
    *val_loss = NAN;
    assert_ok(cs_scheduler_open(job, &scheduler));
    assert_false(cs_scheduler_decide(scheduler, 0, &row, reason, sizeof reason));
    *val_loss = 9;
    assert_false(cs_scheduler_decide(scheduler, 1, &row, reason, sizeof reason));
    *val_loss = 10;
    assert_true(cs_scheduler_decide(scheduler, 2, &row, reason, sizeof reason));
    cs_scheduler_close(scheduler);
    cs_job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asha_decides_as_ray),
        cmocka_unit_test(test_hyperband_decides_as_ray_with_hyperbands_shares),
        cmocka_unit_test(test_the_median_rule_decides_as_ray),
        cmocka_unit_test(test_an_epoch_that_is_reported_again_changes_nothing),
        cmocka_unit_test(test_the_reason_names_epoch_metric_and_cutoff),
        cmocka_unit_test(test_nan_neither_stops_a_trial_nor_becomes_a_cutoff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
