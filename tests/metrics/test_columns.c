/* SPDX-License-Identifier: Apache-2.0 */
/* Columns follow from the rows of the table of metrics. */
#include "test.h"

#include "cnnsweep/metrics.h"

#include <math.h>
#include <stdio.h>

static void test_columns_are_those_of_train_then_val_then_test(void **state) {
    (void)state;
    static const char *const prefixes[] = {"", "val_", "test_"};
    size_t n_metrics;
    const cs_metric *metrics = cs_metrics(&n_metrics);
    int n, n_epoch, place = 0;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int split = 0; split < 3; split++) {
        for (size_t i = 0; i < n_metrics; i++) {
            char wanted[CS_METRIC_NAME_MAX];
            snprintf(wanted, sizeof wanted, "%s%s", prefixes[split], metrics[i].name);
            if (!(metrics[i].splits & 1u << split)) {
                assert_int_equal(cs_metric_find_column(wanted), -1);
                continue;
            }
            assert_string_equal(columns[place].name, wanted);
            assert_int_equal(cs_metric_find_column(wanted), place);
            place++;
        }
        if (split == 1)
            assert_int_equal(n_epoch, place);
    }
    assert_int_equal(n, place);
}

/* Programs that read trials.csv and history/ rely on these names. */
static void test_columns_of_earlier_versions_are_kept(void **state) {
    (void)state;
    static const char *const names[] = {"accuracy",      "loss",      "val_accuracy",  "val_loss",
                                        "test_accuracy", "test_loss", "test_macro_f1", "test_weighted_f1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(cs_metric_find_column(names[i]) >= 0);
}

static void test_what_can_be_monitored_is_a_column_of_every_epoch(void **state) {
    (void)state;
    int n, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = 0; i < n_epoch; i++)
        assert_string_equal(cs_metric_monitor_name(i), columns[i].name);
    assert_null(cs_metric_monitor_name(n_epoch));
}

/* No pass evaluates the train split: its metrics come from the tallies of the training steps. */
static void test_metrics_of_the_train_split_need_only_the_tally(void **state) {
    (void)state;
    assert_int_equal(cs_metric_needs(CS_METRIC_TRAIN), CS_NEEDS_TALLY);
}

static void test_a_split_needs_what_its_metrics_need_and_no_more(void **state) {
    (void)state;
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    for (unsigned split = CS_METRIC_TRAIN; split <= CS_METRIC_TEST; split *= 2) {
        unsigned left = cs_metric_needs((cs_metric_split)split);
        for (size_t i = 0; i < n; i++) {
            if (!(metrics[i].splits & split))
                continue;
            assert_int_equal(metrics[i].needs & ~cs_metric_needs((cs_metric_split)split), 0);
            left &= ~metrics[i].needs;
        }
        assert_int_equal(left, 0);
    }
}

static void test_only_the_columns_of_the_split_are_filled(void **state) {
    (void)state;
    const cs_evaluation_spec spec = {.classes = 2, .needs = CS_NEEDS_TALLY};
    const cs_tally sums = {.loss = 6, .correct = 3, .rows = 4};
    const double untouched = -7;
    double values[CS_RESULT_VALUES];
    int n;
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    cs_evaluation *evaluation = NULL;
    for (int i = 0; i < CS_RESULT_VALUES; i++)
        values[i] = untouched;
    assert_ok(cs_evaluation_create(&spec, &evaluation));
    cs_evaluation_add(evaluation, &sums, NULL, NULL);
    cs_metric_compute(CS_METRIC_TRAIN, evaluation, values);
    for (int i = 0; i < n; i++)
        assert_true((values[i] != untouched) == (columns[i].split == CS_METRIC_TRAIN));
    assert_true(values[cs_metric_find_column("accuracy")] == 0.75);
    assert_true(values[cs_metric_find_column("loss")] == 1.5);
    cs_evaluation_free(evaluation);
}

static void test_metrics_of_no_rows_are_nan(void **state) {
    (void)state;
    const cs_evaluation_spec spec = {.classes = 2, .needs = CS_NEEDS_CONFUSION};
    double values[CS_RESULT_VALUES] = {0};
    cs_evaluation *evaluation = NULL;
    assert_ok(cs_evaluation_create(&spec, &evaluation));
    cs_metric_compute(CS_METRIC_TEST, evaluation, values);
    int n, n_epoch;
    (void)cs_metric_columns(&n, &n_epoch);
    for (int i = n_epoch; i < n; i++)
        assert_true(isnan(values[i]) && !signbit(values[i]));
    cs_evaluation_free(evaluation);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_those_of_train_then_val_then_test),
        cmocka_unit_test(test_columns_of_earlier_versions_are_kept),
        cmocka_unit_test(test_what_can_be_monitored_is_a_column_of_every_epoch),
        cmocka_unit_test(test_metrics_of_the_train_split_need_only_the_tally),
        cmocka_unit_test(test_a_split_needs_what_its_metrics_need_and_no_more),
        cmocka_unit_test(test_only_the_columns_of_the_split_are_filled),
        cmocka_unit_test(test_metrics_of_no_rows_are_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
