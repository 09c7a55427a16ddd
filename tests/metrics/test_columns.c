/* Columns follow from the rows of the table of metrics. */
#include "test.h"

#include "cnnsweep/metrics.h"

#include <math.h>
#include <string.h>

static void test_columns_are_those_of_train_then_val_then_test(void **state) {
    (void)state;
    static const char *const wanted[] = {"accuracy",      "loss",      "val_accuracy",  "val_loss",
                                         "test_accuracy", "test_loss", "test_macro_f1", "test_weighted_f1"};
    int n, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    assert_int_equal(n, 8);
    assert_int_equal(n_epoch, 4);
    for (int i = 0; i < n; i++) {
        assert_string_equal(columns[i].name, wanted[i]);
        assert_int_equal(cs_metric_find_column(wanted[i]), i);
    }
    assert_int_equal(cs_metric_find_column("macro_f1"), -1);
}

static void test_what_is_watched_is_a_column_of_every_epoch(void **state) {
    (void)state;
    int n, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = 0; i < n_epoch; i++)
        assert_string_equal(cs_metric_monitor_name(i), columns[i].name);
    assert_null(cs_metric_monitor_name(n_epoch));
}

/* The train split has no pass of its own. */
static void test_metrics_of_the_train_split_need_the_tally_alone(void **state) {
    (void)state;
    assert_int_equal(cs_metric_needs(CS_METRIC_TRAIN), CS_NEEDS_TALLY);
}

static void test_a_split_needs_what_its_metrics_need(void **state) {
    (void)state;
    assert_int_equal(cs_metric_needs(CS_METRIC_VAL), CS_NEEDS_TALLY);
    assert_int_equal(cs_metric_needs(CS_METRIC_TEST), CS_NEEDS_CONFUSION);
}

static void test_only_the_columns_of_the_split_are_filled(void **state) {
    (void)state;
    const cs_evaluation_spec spec = {.classes = 2, .needs = CS_NEEDS_TALLY};
    const cs_tally sums = {.loss = 6, .correct = 3, .rows = 4};
    double values[CS_RESULT_VALUES];
    cs_evaluation *evaluation = NULL;
    memset(values, 0, sizeof values);
    assert_ok(cs_evaluation_create(&spec, &evaluation));
    cs_evaluation_add(evaluation, &sums, NULL, NULL);
    cs_metric_compute(CS_METRIC_VAL, evaluation, values);
    for (int i = 0; i < CS_RESULT_VALUES; i++) {
        double wanted = i == cs_metric_find_column("val_accuracy") ? 0.75
                        : i == cs_metric_find_column("val_loss")   ? 1.5
                                                                   : 0;
        assert_true(values[i] == wanted);
    }
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
        cmocka_unit_test(test_what_is_watched_is_a_column_of_every_epoch),
        cmocka_unit_test(test_metrics_of_the_train_split_need_the_tally_alone),
        cmocka_unit_test(test_a_split_needs_what_its_metrics_need),
        cmocka_unit_test(test_only_the_columns_of_the_split_are_filled),
        cmocka_unit_test(test_metrics_of_no_rows_are_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
