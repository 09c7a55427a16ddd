/* SPDX-License-Identifier: Apache-2.0 */
/* Random sweeps, repeats and budgets: which trials a job has. */
#include "test.h"

#include "job_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM(n, parameters)                                                                                          \
    JOB_BASE "sweep: {method: random, budget: {trials: " #n "}, parameters: {" parameters "}}\n"

static cs_job *read(const char *text, const char *set) {
    cs_job *job = NULL;
    assert_ok(job_read_text(text, set, &job));
    return job;
}

static const char *describe(const cs_job *job, int trial) {
    static char text[2][256];
    static int turn;
    turn = !turn;
    cs_job_describe_trial(job, trial, text[turn], sizeof text[turn]);
    return text[turn];
}

/* The Kolmogorov distance of [n] values from the uniform distribution on [0, 1] is below what one sample in a thousand
 * exceeds. */
static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}
static void assert_uniform(double *values, int n) {
    double distance = 0;
    qsort(values, (size_t)n, sizeof *values, ascending);
    for (int i = 0; i < n; i++) {
        assert_true(values[i] >= 0 && values[i] <= 1);
        distance = fmax(distance, fmax((i + 1.0) / n - values[i], values[i] - (double)i / n));
    }
    assert_true(distance < 1.95 / sqrt(n));
}

static void test_draws_have_their_distributions(void **state) {
    (void)state;
    enum { N = 2000 };
    static double rate[N], lr[N];
    cs_job *job = read(RANDOM(2000, "momentum: {uniform: [0.25, 0.75]}, lr: {log_uniform: [1e-5, 0.1]}, "
                                    "batch: {int: [3, 6]}, optimizer: {choice: [sgd, adam]}, fine_tune: {int: [1, 9]}"),
                       NULL);
    assert_int_equal(job->n_trials, N);
    int batches[4] = {0}, adam = 0, nine = 0;
    for (int t = 0; t < N; t++) {
        const cs_trial_config *trial = &job->trials[t];
        rate[t] = (trial->train.optimizer.momentum - 0.25) / 0.5;
        lr[t] = (log10(trial->train.optimizer.lr) + 5) / 4;
        assert_in_range(trial->train.batch, 3, 6);
        batches[trial->train.batch - 3]++;
        adam += trial->train.optimizer.kind == CS_OPTIMIZER_ADAM;
        nine += strcmp(trial->fine_tune, "9") == 0;
    }
    assert_uniform(rate, N);
    assert_uniform(lr, N);
    for (int i = 0; i < 4; i++)
        assert_in_range(batches[i], 430, 570); /* 500 +- 3.6 sigma */
    assert_in_range(adam, 920, 1080);
    assert_in_range(nine, 165, 280);
    cs_job_free(job);
}

/* The expected counts are in the ratio of log(7.5 / 3.5), log(15.5 / 7.5), ...: a number gets what rounds to it. */
static void test_whole_numbers_are_drawn_evenly_in_the_logarithm(void **state) {
    (void)state;
    enum { N = 2000, OCTAVES = 4 };
    static const int expected[OCTAVES] = {526, 501, 489, 484};
    int counts[OCTAVES] = {0};
    cs_job *job = read(RANDOM(2000, "batch: {log_int: [4, 63]}, weight_decay: {uniform: [0, 1]}"), NULL);
    assert_int_equal(job->n_trials, N);
    for (int t = 0; t < N; t++) {
        assert_in_range(job->trials[t].train.batch, 4, 63);
        counts[(int)log2(job->trials[t].train.batch) - 2]++;
    }
    for (int i = 0; i < OCTAVES; i++)
        assert_in_range(counts[i], expected[i] - 72, expected[i] + 72); /* 3.7 sigma */
    cs_job_free(job);
}

static void test_a_larger_budget_keeps_the_earlier_trials(void **state) {
    (void)state;
    const char *text = RANDOM(10, "lr: {log_uniform: [1e-5, 0.1]}, batch: {int: [1, 4]}");
    cs_job *small = read(text, NULL), *large = read(text, "sweep.budget.trials=40");
    assert_int_equal(large->n_trials, 40);
    for (int t = 0; t < small->n_trials; t++)
        assert_string_equal(describe(small, t), describe(large, t));
    cs_job_free(small);
    cs_job_free(large);
}

/* Finished trials of a sweep are found again only if a later version draws the same. */
static void test_draws_are_those_of_earlier_versions(void **state) {
    (void)state;
    static const char *const expected[] = {
        "lr=0.00028893855 momentum=0.15010177 batch=56 optimizer=sgd",
        "lr=0.0007524801 momentum=0.5993465 batch=41 optimizer=adam",
        "lr=3.8807437e-05 momentum=0.5523133 batch=1 optimizer=sgd",
        "lr=0.0039465306 momentum=0.48646632 batch=52 optimizer=sgd",
        "lr=0.00017094048 momentum=0.522951 batch=57 optimizer=sgd",
        "lr=0.007643071 momentum=0.22928892 batch=30 optimizer=adam",
    };
    cs_job *job =
        read(RANDOM(6, "lr: {log_uniform: [1e-5, 0.1]}, momentum: {uniform: [0, 0.9]}, batch: {int: [1, 64]}, "
                       "optimizer: [sgd, adam]"),
             NULL);
    for (int t = 0; t < 6; t++)
        assert_string_equal(describe(job, t), expected[t]);
    cs_job_free(job);
}

static void test_an_option_draws_the_same_whatever_else_is_swept(void **state) {
    (void)state;
    cs_job *alone = read(RANDOM(20, "lr: {log_uniform: [1e-5, 0.1]}"), NULL);
    cs_job *among = read(RANDOM(20, "weight_decay: {uniform: [0, 1]}, lr: {log_uniform: [1e-5, 0.1]}"), NULL);
    cs_job *other = read(RANDOM(20, "lr: {log_uniform: [1e-5, 0.1]}"), "sweep.seed=2");
    int same = 0;
    for (int t = 0; t < 20; t++) {
        assert_true(alone->trials[t].train.optimizer.lr == among->trials[t].train.optimizer.lr);
        same += alone->trials[t].train.optimizer.lr == other->trials[t].train.optimizer.lr;
    }
    assert_int_equal(same, 0);
    cs_job_free(alone);
    cs_job_free(among);
    cs_job_free(other);
}

static void test_no_combination_is_drawn_twice_even_in_a_small_space(void **state) {
    (void)state;
    cs_job *job = read(RANDOM(50, "batch: {int: [1, 3]}, optimizer: [sgd, adam]"), NULL);
    assert_int_equal(job->n_trials, 6);
    for (int t = 0; t < job->n_trials; t++)
        for (int earlier = 0; earlier < t; earlier++)
            assert_string_not_equal(describe(job, t), describe(job, earlier));
    cs_job_free(job);
}

static void test_swept_options_have_the_drawn_values_in_order(void **state) {
    (void)state;
    cs_job *job = read(RANDOM(100, "optimizer: [sgd, adam], batch: {int: [1, 30]}, lr: {uniform: [0.1, 1]}"), NULL);
    assert_int_equal(job->n_swept, 3);
    assert_int_equal(job->swept[0].n, 2);
    assert_string_equal(job->swept[0].values[0], "sgd");
    for (int a = 1; a < 3; a++)
        for (int v = 1; v < job->swept[a].n; v++)
            assert_true(strtod(job->swept[a].values[v], NULL) > strtod(job->swept[a].values[v - 1], NULL));
    assert_true(job->swept[1].n <= 30);
    for (int t = 0; t < job->n_trials; t++) {
        assert_int_equal(job->numbers[t], t);
        for (int a = 0; a < 3; a++) {
            char text[64];
            cs_option_get(job->swept[a].option, &job->trials[t], text, sizeof text);
            assert_string_equal(job->swept[a].values[job->value_indices[t * 3 + a]], text);
        }
    }
    cs_job_free(job);
}

static void test_a_random_sweep_has_a_pivot_only_if_asked_for(void **state) {
    (void)state;
    const char *parameters = "lr: {uniform: [0.1, 1]}, optimizer: [sgd, adam], batch: [1, 2, 3]";
    char text[512];
    snprintf(text, sizeof text, JOB_BASE "sweep: {method: random, budget: {trials: 5}, parameters: {%s}}\n",
             parameters);
    cs_job *job = read(text, NULL);
    assert_string_equal(job->table_rows, "");
    assert_string_equal(job->table_columns, "");
    cs_job_free(job);
    job = read(text, "table.rows=batch");
    assert_string_equal(job->table_rows, "train.batch");
    assert_string_equal(job->table_columns, "train.optimizer");
    cs_job_free(job);
}

static void test_repeats_are_seeds_of_the_last_swept_option(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "train: {seed: 7}\nsweep: {repeats: 3, parameters: {lr: [0.1, 0.2]}}\n", NULL);
    assert_int_equal(job->n_trials, 6);
    for (int t = 0; t < 6; t++) {
        assert_true(job->trials[t].train.seed == 7 + t % 3);
        assert_true(job->trials[t].train.optimizer.lr == (t < 3 ? 0.1 : 0.2));
    }
    assert_string_equal(describe(job, 4), "lr=0.2 seed=8");
    assert_string_equal(job->table_rows, "train.lr");
    assert_string_equal(job->table_columns, ""); /* cells are means over the seeds */
    cs_job_free(job);
    job = read(JOB_BASE "sweep: {repeats: 3}\n", NULL);
    assert_int_equal(job->n_trials, 3);
    assert_string_equal(job->table_rows, "");
    cs_job_free(job);
}

static void test_a_random_sweep_repeats_its_draws(void **state) {
    (void)state;
    cs_job *once = read(RANDOM(3, "lr: {uniform: [0.1, 1]}"), NULL);
    cs_job *job = read(RANDOM(8, "lr: {uniform: [0.1, 1]}"), "sweep.repeats=3");
    assert_int_equal(job->n_trials, 8);
    for (int t = 0; t < 8; t++) {
        assert_true(job->trials[t].train.optimizer.lr == once->trials[t / 3].train.optimizer.lr);
        assert_true(job->trials[t].train.seed == 1 + t % 3);
    }
    cs_job_free(once);
    cs_job_free(job);
}

static void test_a_budget_takes_the_first_trials_of_a_grid(void **state) {
    (void)state;
    const char *text = JOB_BASE "sweep: {parameters: {lr: [0.1, 0.2], batch: [1, 2, 3]}}\n";
    cs_job *all = read(text, NULL), *some = read(text, "sweep.budget.trials=4");
    assert_int_equal(some->n_trials, 4);
    for (int t = 0; t < 4; t++)
        assert_string_equal(describe(some, t), describe(all, t));
    cs_job_free(all);
    cs_job_free(some);
}

static void test_schedulers_have_the_defaults_of_ray(void **state) {
    (void)state;
    const char *text = JOB_BASE "train: {epochs: 81}\nsweep: {metric: {name: val_loss}, scheduler: %s, repeats: 2}\n";
    char job_text[256];
    snprintf(job_text, sizeof job_text, text, "asha");
    cs_job *job = read(job_text, NULL);
    assert_int_equal(job->scheduler.kind, CS_SCHEDULER_ASHA);
    assert_int_equal(job->scheduler.max_t, 81);
    assert_int_equal(job->scheduler.grace_period, 1);
    assert_true(job->scheduler.reduction_factor == 4);
    assert_int_equal(job->scheduler.brackets, 1);
    cs_job_free(job);
    snprintf(job_text, sizeof job_text, text, "hyperband");
    job = read(job_text, NULL);
    assert_true(job->scheduler.reduction_factor == 3);
    assert_int_equal(job->scheduler.brackets, 5); /* Hyperband's table 1: R = 81, eta = 3 */
    cs_job_free(job);
    snprintf(job_text, sizeof job_text, text, "{type: median, grace_period: 4}");
    job = read(job_text, NULL);
    assert_int_equal(job->scheduler.kind, CS_SCHEDULER_MEDIAN);
    assert_int_equal(job->scheduler.grace_period, 4);
    assert_int_equal(job->scheduler.min_samples_required, 3);
    cs_job_free(job);
}

static void test_one_trial_of_a_job_is_a_job_of_its_own(void **state) {
    (void)state;
    const char *text =
        JOB_BASE "train: {epochs: 9}\n"
                 "sweep: {metric: {name: val_loss}, scheduler: asha, parameters: {lr: [0.1, 0.2, 0.3]}}\n";
    cs_job *job = read(text, NULL);
    assert_fails(cs_job_only(job, "t003", 0), CS_ERR_ARG, "has no trial 't003'");
    assert_ok(cs_job_only(job, "t001", 0));
    char name[32];
    cs_job_trial_name(job, 0, name, sizeof name);
    assert_string_equal(name, "t001");
    assert_int_equal(job->n_trials, 1);
    assert_int_equal(job->n_swept, 0);
    assert_int_equal(job->scheduler.kind, CS_SCHEDULER_NONE);
    assert_true(job->trials[0].train.optimizer.lr == 0.2);
    assert_int_equal(job->trials[0].train.epochs, 9);
    cs_job_free(job);
    job = read(text, NULL);
    assert_ok(cs_job_only(job, "t002", 4));
    assert_int_equal(job->trials[0].train.epochs, 4);
    cs_job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_have_their_distributions),
        cmocka_unit_test(test_whole_numbers_are_drawn_evenly_in_the_logarithm),
        cmocka_unit_test(test_a_larger_budget_keeps_the_earlier_trials),
        cmocka_unit_test(test_draws_are_those_of_earlier_versions),
        cmocka_unit_test(test_an_option_draws_the_same_whatever_else_is_swept),
        cmocka_unit_test(test_no_combination_is_drawn_twice_even_in_a_small_space),
        cmocka_unit_test(test_swept_options_have_the_drawn_values_in_order),
        cmocka_unit_test(test_a_random_sweep_has_a_pivot_only_if_asked_for),
        cmocka_unit_test(test_repeats_are_seeds_of_the_last_swept_option),
        cmocka_unit_test(test_a_random_sweep_repeats_its_draws),
        cmocka_unit_test(test_a_budget_takes_the_first_trials_of_a_grid),
        cmocka_unit_test(test_schedulers_have_the_defaults_of_ray),
        cmocka_unit_test(test_one_trial_of_a_job_is_a_job_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
