/* SPDX-License-Identifier: Apache-2.0 */
/* Spaces that are no full product of listed values: steps, conditions, exclude:, include:, zip:; and finite spaces,
 * which a random search draws to the last cell. */
#include "test.h"

#include "job_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP(text)     JOB_BASE "sweep: {" text "}\n"
#define RANDOM(n, text) SWEEP("method: random, budget: {trials: " #n "}, " text)

static cs_job *read(const char *text, const char *set) {
    cs_job *job = NULL;
    assert_ok(job_read_text(text, set, &job));
    return job;
}

static cs_job *read_with_seed(const char *path, int seed) {
    char text[32];
    const char *const set = text;
    cs_job *job = NULL;
    snprintf(text, sizeof text, "sweep.seed=%d", seed);
    assert_ok(cs_job_read(path, &set, 1, &job));
    return job;
}

static void assert_refused(const char *text, const char *needle) {
    cs_job *job = NULL;
    cs_status status = job_read_text(text, NULL, &job);
    if (status == CS_OK)
        fail_msg("accepted:\n%s", text);
    assert_fails(status, status, needle);
    assert_null(job);
}

/* The trials are those listed, in this order. */
static void assert_trials(const char *text, const char *const *expected, int n) {
    cs_job *job = read(text, NULL);
    for (int t = 0; t < job->n_trials && t < n; t++) {
        char seen[256];
        cs_job_describe_trial(job, t, seen, sizeof seen);
        assert_string_equal(seen, expected[t]);
    }
    assert_int_equal(job->n_trials, n);
    cs_job_free(job);
}
#define ASSERT_TRIALS(text, ...)                                                                                       \
    do {                                                                                                               \
        static const char *const expected[] = {__VA_ARGS__};                                                           \
        assert_trials(text, expected, sizeof expected / sizeof *expected);                                             \
    } while (0)

static void assert_all_different(const cs_job *job) {
    for (int t = 0; t < job->n_trials; t++)
        for (int earlier = 0; earlier < t; earlier++)
            assert_memory_not_equal(job->value_indices + t * job->n_swept, job->value_indices + earlier * job->n_swept,
                                    (size_t)job->n_swept * sizeof *job->value_indices);
}

static void test_a_finite_space_is_drawn_to_the_last_cell(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int cells;
    } spaces[] = {
        {RANDOM(100, "parameters: {batch: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}"),
         100},
        {RANDOM(60, "parameters: {batch: {int: [5, 34]}, optimizer: [sgd, adam]}"), 60},
        {RANDOM(300, "parameters: {batch: {int: [1, 250]}}"), 250},
        {RANDOM(44, "parameters: {weight_decay: {uniform: [0, 1], step: 0.1}, epochs: {int: [1, 4]}}"), 44},
        {RANDOM(100, "parameters: {optimizer: [sgd, adam], momentum: {values: [0, 0.5, 0.9], when: {optimizer: sgd}}, "
                     "batch: {int: [1, 5]}}"),
         20},
        {RANDOM(100, "parameters: {fine_tune: [2, 4, 6, head], batch: [8, 16, 32]}, "
                     "exclude: [{fine_tune: [2, 4], batch: 32}, {fine_tune: head, batch: [8, 16]}]"),
         8},
        {RANDOM(100, "parameters: {optimizer: [sgd, adam]}, zip: [{batch: [16, 32, 64], lr: [0.1, 0.2, 0.2]}]"), 6},
    };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        const char *path = job_file(spaces[i].text);
        for (int seed = 1; seed <= 200; seed++) {
            cs_job *job = read_with_seed(path, seed);
            assert_int_equal(job->n_trials, spaces[i].cells);
            if (seed <= 20)
                assert_all_different(job);
            cs_job_free(job);
        }
    }
}

/* When most cells are used up the last ones are drawn in another way, which must not prefer any. */
static void test_the_last_cell_of_a_space_is_a_random_one(void **state) {
    (void)state;
    enum { CELLS = 5, SEEDS = 1000 };
    int last[CELLS + 1] = {0};
    const char *path = job_file(RANDOM(5, "parameters: {batch: {int: [1, 5]}}"));
    for (int seed = 1; seed <= SEEDS; seed++) {
        cs_job *job = read_with_seed(path, seed);
        assert_int_equal(job->n_trials, CELLS);
        last[job->trials[CELLS - 1].train.batch]++;
        cs_job_free(job);
    }
    for (int i = 1; i <= CELLS; i++)
        assert_in_range(last[i], 155, 245); /* 200 +- 3.5 sigma */
}

static void test_a_larger_budget_keeps_the_cells_of_a_used_up_space(void **state) {
    (void)state;
    const char *text = RANDOM(300, "parameters: {batch: {int: [1, 20]}, fine_tune: [2, 4, 6], shuffle: [true, false]}");
    cs_job *all = read(text, NULL);
    assert_int_equal(all->n_trials, 120);
    for (int n = 100; n <= 120; n += 4) {
        char set[32];
        snprintf(set, sizeof set, "sweep.budget.trials=%d", n);
        cs_job *some = read(text, set);
        assert_int_equal(some->n_trials, n);
        for (int t = 0; t < n; t++)
            assert_true(cs_trial_key(&some->trials[t]) == cs_trial_key(&all->trials[t]));
        cs_job_free(some);
    }
    cs_job_free(all);
}

static void test_a_step_lists_the_values_of_a_range(void **state) {
    (void)state;
    ASSERT_TRIALS(SWEEP("parameters: {batch: {int: [16, 64], step: 16}}"), "batch=16", "batch=32", "batch=48",
                  "batch=64");
    ASSERT_TRIALS(SWEEP("parameters: {weight_decay: {uniform: [0, 1], step: 0.1}}"), "weight_decay=0",
                  "weight_decay=0.1", "weight_decay=0.2", "weight_decay=0.3", "weight_decay=0.4", "weight_decay=0.5",
                  "weight_decay=0.6", "weight_decay=0.7", "weight_decay=0.8", "weight_decay=0.9", "weight_decay=1");
    ASSERT_TRIALS(SWEEP("parameters: {lr: {uniform: [0.1, 0.3], step: 0.1}}"), "lr=0.1", "lr=0.2", "lr=0.3");
    /* Optuna's rule: the last value is the last that the steps hit. */
    ASSERT_TRIALS(SWEEP("parameters: {epochs: {int: [1, 10], step: 4}}"), "epochs=1", "epochs=5", "epochs=9");
    ASSERT_TRIALS(SWEEP("parameters: {fine_tune: {int: [2, 7], step: 2.0}}"), "fine_tune=2", "fine_tune=4",
                  "fine_tune=6");
    cs_job *job = read(RANDOM(2000, "parameters: {weight_decay: {uniform: [0, 1], step: 0.25}, "
                                    "seed: {int: [1, 1000000], step: 100}}"),
                       NULL);
    int counts[5] = {0};
    for (int t = 0; t < 2000; t++) {
        counts[(int)(4 * job->trials[t].train.optimizer.weight_decay)]++;
        assert_int_equal(job->trials[t].train.seed % 100, 1);
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(counts[i], 337, 463); /* 400 +- 3.5 sigma */
    cs_job_free(job);
}

static void test_a_condition_keeps_a_parameter_to_the_trials_it_is_for(void **state) {
    (void)state;
    ASSERT_TRIALS(SWEEP("parameters: {optimizer: [sgd, adam], momentum: {values: [0, 0.9], when: {optimizer: sgd}}, "
                        "batch: [8, 16]}"),
                  "optimizer=sgd momentum=0 batch=8", "optimizer=sgd momentum=0 batch=16",
                  "optimizer=sgd momentum=0.9 batch=8", "optimizer=sgd momentum=0.9 batch=16", "optimizer=adam batch=8",
                  "optimizer=adam batch=16");
    /* The condition may stand before what it refers to, and have several values. */
    ASSERT_TRIALS(
        SWEEP("parameters: {batch: {values: [8, 16], when: {fine_tune: [2, head]}}, fine_tune: [2, 4, head]}"),
        "batch=8 fine_tune=2", "fine_tune=4", "batch=8 fine_tune=head", "batch=16 fine_tune=2",
        "batch=16 fine_tune=head");
    /* A parameter that does not apply fulfils no condition. */
    ASSERT_TRIALS(
        SWEEP("parameters: {optimizer: [adam, sgd], nesterov: {values: [true, false], when: {momentum: 0.9}}, "
              "momentum: {values: [0, 0.9], when: {optimizer: sgd}}}"),
        "optimizer=adam", "optimizer=sgd momentum=0", "optimizer=sgd nesterov=true momentum=0.9",
        "optimizer=sgd nesterov=false momentum=0.9");
    /* A condition about an option that is the same in all trials. */
    ASSERT_TRIALS(SWEEP("parameters: {beta_1: {values: [0, 0.9], when: {optimizer: adam}}}"), "beta_1=0", "beta_1=0.9");
}

static void test_without_its_condition_a_parameter_has_the_value_of_the_job(void **state) {
    (void)state;
    cs_job *job =
        read(JOB_BASE "train: {weight_decay: 0.5}\nsweep: {parameters: {optimizer: [sgd, adam], weight_decay: {values: "
                      "[0, 0.9], when: {optimizer: sgd}}}}\n",
             NULL);
    assert_int_equal(job->n_trials, 3);
    assert_true(job->trials[1].train.optimizer.weight_decay == 0.9);
    assert_true(job->trials[2].train.optimizer.weight_decay == 0.5);
    assert_int_equal(job->value_indices[2 * 2 + 1], CS_NO_VALUE);
    assert_false(cs_job_has_value(job, 2, 1));
    assert_int_equal(cs_job_count_values(job, 0), 2);
    assert_int_equal(cs_job_count_values(job, 1), 3);
    cs_job *plain = read(JOB_BASE "train: {weight_decay: 0.5, optimizer: adam}\n", NULL);
    assert_true(cs_trial_key(&job->trials[2]) == cs_trial_key(&plain->trials[0]));
    cs_job_free(plain);
    cs_job_free(job);
}

static void test_a_random_search_draws_no_parameter_that_does_not_apply(void **state) {
    (void)state;
    cs_job *job = read(RANDOM(200, "parameters: {optimizer: [sgd, adam], lr: {log_uniform: [1e-4, 1]}, momentum: "
                                   "{uniform: [0.1, 0.9], when: {optimizer: sgd}}}"),
                       NULL);
    cs_job *always = read(
        RANDOM(200,
               "parameters: {optimizer: [sgd, adam], lr: {log_uniform: [1e-4, 1]}, momentum: {uniform: [0.1, 0.9]}}"),
        NULL);
    assert_int_equal(job->n_trials, 200);
    for (int t = 0; t < 200; t++) {
        const cs_optimizer *a = &job->trials[t].train.optimizer, *b = &always->trials[t].train.optimizer;
        bool sgd = a->kind == CS_OPTIMIZER_SGD;
        assert_int_equal(cs_job_has_value(job, t, 2), sgd);
        assert_true(a->kind == b->kind && a->lr == b->lr);
        assert_true(a->momentum == (sgd ? b->momentum : 0));
        for (int i = 0; i < 3; i++) {
            int index = job->value_indices[t * 3 + i];
            char text[64];
            cs_option_get(job->swept[i].option, &job->trials[t], text, sizeof text);
            if (index != CS_NO_VALUE)
                assert_string_equal(job->swept[i].values[index], text);
        }
    }
    cs_job_free(job);
    cs_job_free(always);
}

static void test_cells_are_left_out_and_added(void **state) {
    (void)state;
    ASSERT_TRIALS(
        SWEEP("parameters: {fine_tune: [2, 4], batch: [8, 16, 32]}, exclude: [{fine_tune: 2, batch: [8, 0x10]}]"),
        "fine_tune=2 batch=32", "fine_tune=4 batch=8", "fine_tune=4 batch=16", "fine_tune=4 batch=32");
    ASSERT_TRIALS(
        SWEEP("parameters: {fine_tune: [2, 4]}, exclude: {fine_tune: 4}, include: [{fine_tune: [4, 6], lr: 0.5}, "
              "{fine_tune: head}]"),
        "fine_tune=2", "fine_tune=4 lr=0.5", "fine_tune=6 lr=0.5", "fine_tune=head");
    ASSERT_TRIALS(SWEEP("include: [{fine_tune: 2, batch: 8}, {fine_tune: 4, batch: 16}]"), "fine_tune=2 batch=8",
                  "fine_tune=4 batch=16");
    /* What is there already is not added again. */
    ASSERT_TRIALS(SWEEP("parameters: {fine_tune: [2, 4]}, include: [{fine_tune: [4, 6]}]"), "fine_tune=2",
                  "fine_tune=4", "fine_tune=6");
    /* A head is itself a list. */
    ASSERT_TRIALS(SWEEP("parameters: {head: [[gap, dense], [flatten, dense]], batch: [8, 16]}, "
                        "exclude: [{head: [gap, dense], batch: 8}, {head: [[flatten, dense]], batch: 16}]"),
                  "head=gap,dense batch=16", "head=flatten,dense batch=8");
    /* Cells without a value of an option do not match a map about it. */
    ASSERT_TRIALS(SWEEP("parameters: {optimizer: [sgd, adam], momentum: {values: [0, 0.9], when: {optimizer: sgd}}}, "
                        "exclude: [{momentum: 0}]"),
                  "optimizer=sgd momentum=0.9", "optimizer=adam");
}

static void test_zipped_lists_go_together(void **state) {
    (void)state;
    ASSERT_TRIALS(SWEEP("parameters: {fine_tune: [2, 4]}, zip: [{batch: [16, 32, 64], lr: [1e-3, 2e-3, 2e-3]}]"),
                  "fine_tune=2 batch=16 lr=0.001", "fine_tune=2 batch=32 lr=0.002", "fine_tune=2 batch=64 lr=0.002",
                  "fine_tune=4 batch=16 lr=0.001", "fine_tune=4 batch=32 lr=0.002", "fine_tune=4 batch=64 lr=0.002");
    ASSERT_TRIALS(
        SWEEP("zip: [{optimizer: [sgd, adam], lr: [0.1, 0.01]}, {momentum: [0.5, 0.9], nesterov: [true, false], "
              "when: {optimizer: sgd}}], exclude: [{momentum: 0.9}]"),
        "optimizer=sgd lr=0.1 momentum=0.5 nesterov=true", "optimizer=adam lr=0.01");
    cs_job *job = read(SWEEP("zip: {batch: [16, 32], lr: [1e-3, 2e-3]}, parameters: {seed: [1, 2]}"), NULL);
    assert_string_equal(job->table_rows, "train.seed");
    assert_string_equal(job->table_columns, "train.batch");
    cs_job_free(job);
    job = read(SWEEP("zip: {batch: [16, 32], lr: [1e-3, 2e-3]}"), NULL);
    assert_string_equal(job->table_rows, "train.batch");
    assert_string_equal(job->table_columns, "");
    cs_job_free(job);
}

static void test_repeats_and_budgets_count_the_cells_that_there_are(void **state) {
    (void)state;
    const char *parameters =
        "parameters: {optimizer: [adam, sgd], momentum: {values: [0, 0.9], when: {optimizer: sgd}}}, "
        "exclude: [{momentum: 0}], include: [{optimizer: adam, lr: 0.5}], repeats: 2";
    char text[512];
    snprintf(text, sizeof text, SWEEP("%s"), parameters);
    ASSERT_TRIALS(text, "optimizer=adam seed=1", "optimizer=adam seed=2", "optimizer=sgd momentum=0.9 seed=1",
                  "optimizer=sgd momentum=0.9 seed=2", "optimizer=adam lr=0.5 seed=1", "optimizer=adam lr=0.5 seed=2");
    snprintf(text, sizeof text, SWEEP("%s, budget: {trials: 3}"), parameters);
    ASSERT_TRIALS(text, "optimizer=adam seed=1", "optimizer=adam seed=2", "optimizer=sgd momentum=0.9 seed=1");
}

static void test_dropout_may_be_swept_for_the_heads_that_have_it(void **state) {
    (void)state;
    ASSERT_TRIALS(SWEEP("parameters: {head: [[gap, dense], [gap, dropout, dense]], dropout: {values: [0.2, 0.4], when: "
                        "{head: [gap, dropout, dense]}}}"),
                  "head=gap,dense", "head=gap,dropout,dense dropout=0.2", "head=gap,dropout,dense dropout=0.4");
}

static void test_what_conditions_rule_out_does_not_count_as_too_many(void **state) {
    (void)state;
    char text[4096] = JOB_BASE "sweep:\n  parameters:\n    optimizer: [sgd, adam]\n";
    static const char *const names[] = {"momentum", "beta_1", "beta_2", "epsilon"};
    for (int i = 0; i < 4; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "    %s: {uniform: [0.1, 0.5], step: 0.005, when: {optimizer: %s}}\n",
                 names[i], i < 1 ? "sgd" : "adam");
    }
    assert_refused(text, "the grid has more than 100000 trials");
    cs_job *job = read(SWEEP("parameters: {optimizer: [sgd, adam], momentum: {uniform: [0, 1], step: 0.001, when: "
                             "{optimizer: sgd}}, beta_1: {uniform: [0, 0.9], step: 0.001, when: {optimizer: adam}}}"),
                       NULL);
    assert_int_equal(job->n_trials, 1001 + 901);
    cs_job_free(job);
}

static void test_mistakes_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *needle;
    } cases[] = {
        {SWEEP("parameters: {lr: {log_uniform: [1e-4, 1], step: 0.1}}"), "train.lr: a log_uniform range has no step"},
        {SWEEP("parameters: {lr: {uniform: [0.1, 1], step: 0}}"),
         "the step is 0, which is not between 0 and the width"},
        {SWEEP("parameters: {lr: {uniform: [0.1, 1], step: 2}}"), "the step is 2"},
        {SWEEP("parameters: {lr: {uniform: [0.1, 1], step: -1}}"), "the step is -1"},
        {SWEEP("parameters: {lr: {uniform: [0.1, 1], step: [1]}}"), "a step is a number"},
        {SWEEP("parameters: {lr: {uniform: [0.1, 1], step: 1e-7}}"), "makes more than 100000 values"},
        {SWEEP("parameters: {lr: {uniform: [1, 1.00001], step: 1e-9}}"), "too small to be seen at 1"},
        {SWEEP("parameters: {batch: {int: [1, 9], step: 1.5}}"), "'1.5' is not a whole number"},
        {SWEEP("parameters: {lr: {values: [0.1, 1], step: 1}}"), "listed values have no step"},
        {SWEEP("parameters: {lr: {values: [0.1, 1], stepp: 1}}"), "did you mean 'step'?"},
        {SWEEP("parameters: {lr: {when: {optimizer: adam}}}"), "values cannot be drawn from 'when'"},
        {SWEEP("parameters: {lr: {values: [1], choice: [2]}}"), "values cannot be drawn from 'choice'"},
        {SWEEP("parameters: {optimizer: [sgd], lr: {values: [1], when: {optimizer: sdg}}}"),
         "train.optimizer is 'sdg'; did you mean 'sgd'?"},
        {SWEEP("parameters: {optimizer: [sgd], lr: {values: [1], when: {optimizer: adam}}}"),
         "when: train.optimizer is never adam"},
        {SWEEP("parameters: {lr: {values: [1], when: {optimizer: sgd}}}"), "when: train.optimizer is never sgd"},
        {SWEEP("parameters: {lr: {values: [1], when: {optimiser: sgd}}}"), "did you mean 'optimizer'?"},
        {SWEEP("parameters: {lr: {values: [1], when: sgd}}"), "when: takes maps of options and values"},
        {RANDOM(5, "parameters: {lr: {uniform: [0.1, 1]}, batch: {values: [1, 2], when: {lr: 0.1}}}"),
         "when: train.lr is drawn from a range"},
        {SWEEP("parameters: {lr: {values: [1, 2], when: {batch: 1}}, batch: {values: [1, 2], when: {lr: 1}}}"),
         "conditions refer to each other in a circle"},
        {SWEEP("parameters: {lr: {values: [1, 2], when: {lr: 1}}}"), "in a circle"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, exclude: [{fine_tune: 6}]"),
         "job.yaml:4:64: exclude: train.fine_tune is never 6"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, exclude: [{batch: 8}]"), "exclude: train.batch is never 8"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, exclude: [{batch: 32}]"), "exclude: this map leaves out all trials"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, exclude: [{fine_tune: [2, 4]}]"), "sweep: no trial is left"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, exclude: [2]"), "exclude: takes maps of options and values"},
        {SWEEP("parameters: {optimizer: [sgd, adam], momentum: {values: [0, 0.9], when: {optimizer: sgd}}}, exclude: "
               "[{optimizer: adam, momentum: 0}]"),
         "exclude: no trial matches this map"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, include: [{fine_tune: 6}, {fine_tune: 4}]"),
         "job.yaml:4:68: include: the sweep has the trials of this map already"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, include: [{data.path: x}]"),
         "include: data.path is one for the whole"},
        {SWEEP("parameters: {fine_tune: [2, 4]}, include: [{fine_tune: []}]"), "this map adds 0 trials"},
        {RANDOM(5, "parameters: {fine_tune: [2, 4]}, include: [{fine_tune: 6}]"), "include: adds trials to a grid"},
        {SWEEP("zip: [{batch: [16, 32], lr: [0.1]}]"), "job.yaml:4:37: zip: lr has 1 values, but batch has 2"},
        {SWEEP("zip: [{batch: [16, 16], lr: [0.1, 1e-1]}]"), "zip: the values at 1 and 2 are equal in all lists"},
        {SWEEP("zip: [{batch: [16, 32]}], parameters: {batch: [1]}"), "train.batch is swept twice"},
        {SWEEP("zip: [{batch: 16}]"), "train.batch: the values to try are a list"},
        {SWEEP("zip: [{when: {optimizer: sgd}}]"), "zip: a condition, but no options"},
        {SWEEP("zip: [3]"), "zip: takes maps of options"},
        {SWEEP("repeats: 2, zip: [{seed: [1, 2], batch: [1, 2]}]"), "train.seed is swept too"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, cases[i].needle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_finite_space_is_drawn_to_the_last_cell),
        cmocka_unit_test(test_the_last_cell_of_a_space_is_a_random_one),
        cmocka_unit_test(test_a_larger_budget_keeps_the_cells_of_a_used_up_space),
        cmocka_unit_test(test_a_step_lists_the_values_of_a_range),
        cmocka_unit_test(test_a_condition_keeps_a_parameter_to_the_trials_it_is_for),
        cmocka_unit_test(test_without_its_condition_a_parameter_has_the_value_of_the_job),
        cmocka_unit_test(test_a_random_search_draws_no_parameter_that_does_not_apply),
        cmocka_unit_test(test_cells_are_left_out_and_added),
        cmocka_unit_test(test_zipped_lists_go_together),
        cmocka_unit_test(test_repeats_and_budgets_count_the_cells_that_there_are),
        cmocka_unit_test(test_dropout_may_be_swept_for_the_heads_that_have_it),
        cmocka_unit_test(test_what_conditions_rule_out_does_not_count_as_too_many),
        cmocka_unit_test(test_mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
