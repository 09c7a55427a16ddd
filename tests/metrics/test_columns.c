/* SPDX-License-Identifier: Apache-2.0 */
/* Columns follow from the rows of the table of metrics. */
#include "test.h"

#include "cnnsweep/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cs_metric_set read_set(const char *list) {
    cs_metric_set set;
    assert_ok(cs_metric_set_read(list, &set));
    return set;
}

static bool has(const cs_metric_set *set, const char *column) {
    int found = cs_metric_find_column(column);
    assert_true(found >= 0);
    return set->has[found];
}

static void test_columns_are_those_of_train_val_test_and_the_end(void **state) {
    (void)state;
    static const char *const prefixes[] = {"", "val_", "test_", "final_"};
    size_t n_metrics;
    const cs_metric *metrics = cs_metrics(&n_metrics);
    int n, n_epoch, place = 0;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int split = 0; split < 4; split++) {
        for (size_t i = 0; i < n_metrics; i++, place++) {
            char wanted[2 * CS_METRIC_NAME_MAX];
            snprintf(wanted, sizeof wanted, "%s%s", prefixes[split], metrics[i].name);
            assert_string_equal(columns[place].name, wanted);
            assert_int_equal(cs_metric_find_column(wanted), place);
            assert_int_equal(cs_metric_sibling(0, (cs_metric_split)split), split * (int)n_metrics);
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
    int n, n_epoch, found;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = 0; i < n_epoch; i++) {
        assert_ok(cs_metric_find_monitored(columns[i].name, &found));
        assert_int_equal(found, i);
    }
    assert_fails(cs_metric_find_monitored("test_loss", &found), CS_ERR_ARG, "unknown metric 'test_loss'");
    assert_fails(cs_metric_find_monitored("val_macro_acu", &found), CS_ERR_ARG, "did you mean 'val_macro_auc'");
}

static void test_a_name_in_a_set_stands_for_a_metric_or_for_a_column(void **state) {
    (void)state;
    const cs_metric_set set = read_set("mcc,val_ece");
    assert_true(has(&set, "mcc") && has(&set, "val_mcc") && has(&set, "test_mcc") && has(&set, "final_mcc"));
    assert_true(has(&set, "val_ece") && !has(&set, "ece") && !has(&set, "test_ece") && !has(&set, "final_ece"));
    assert_false(has(&set, "test_macro_f1"));
}

static void test_loss_and_accuracy_are_in_every_set(void **state) {
    (void)state;
    const cs_metric_set set = read_set("");
    int n;
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    for (int i = 0; i < n; i++) {
        const char *name = columns[i].metric->name;
        assert_true(set.has[i] == (strcmp(name, "loss") == 0 || strcmp(name, "accuracy") == 0));
    }
}

static void test_all_is_every_column(void **state) {
    (void)state;
    const cs_metric_set set = read_set("all");
    int n;
    (void)cs_metric_columns(&n, NULL);
    for (int i = 0; i < n; i++)
        assert_true(set.has[i]);
}

static void test_an_unknown_name_in_a_set_is_named(void **state) {
    (void)state;
    cs_metric_set set;
    assert_fails(cs_metric_set_read("mcc,macro_f2", &set), CS_ERR_ARG, "unknown metric 'macro_f2'; did you mean");
}

static void test_a_split_needs_what_its_metrics_need_and_no_more(void **state) {
    (void)state;
    static const struct {
        const char *list;
        unsigned train, test;
    } cases[] = {{"", CS_NEEDS_TALLY, CS_NEEDS_TALLY},
                 {"test_macro_f1", CS_NEEDS_TALLY, CS_NEEDS_CONFUSION},
                 {"ece", CS_NEEDS_LOGITS, CS_NEEDS_LOGITS},
                 {"val_ece,mcc", CS_NEEDS_CONFUSION, CS_NEEDS_CONFUSION},
                 {"test_ece,mcc", CS_NEEDS_CONFUSION, CS_NEEDS_CONFUSION | CS_NEEDS_LOGITS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cs_metric_set set = read_set(cases[i].list);
        assert_int_equal(cs_metric_needs(&set, CS_METRIC_TRAIN), cases[i].train);
        assert_int_equal(cs_metric_needs(&set, CS_METRIC_TEST), cases[i].test);
    }
}

static void test_only_the_columns_of_the_split_are_filled(void **state) {
    (void)state;
    const cs_metric_set set = read_set("");
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
    cs_evaluation_add(evaluation, &sums, NULL);
    cs_metric_compute(&set, CS_METRIC_TRAIN, evaluation, values);
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
    const cs_metric_set set = read_set("test_macro_f1");
    cs_metric_compute(&set, CS_METRIC_TEST, evaluation, values);
    int n;
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    for (int i = 0; i < n; i++)
        if (columns[i].split == CS_METRIC_TEST)
            assert_true(isnan(values[i]) && !signbit(values[i]));
    cs_evaluation_free(evaluation);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_those_of_train_val_test_and_the_end),
        cmocka_unit_test(test_columns_of_earlier_versions_are_kept),
        cmocka_unit_test(test_what_can_be_monitored_is_a_column_of_every_epoch),
        cmocka_unit_test(test_a_name_in_a_set_stands_for_a_metric_or_for_a_column),
        cmocka_unit_test(test_loss_and_accuracy_are_in_every_set),
        cmocka_unit_test(test_all_is_every_column),
        cmocka_unit_test(test_an_unknown_name_in_a_set_is_named),
        cmocka_unit_test(test_a_split_needs_what_its_metrics_need_and_no_more),
        cmocka_unit_test(test_only_the_columns_of_the_split_are_filled),
        cmocka_unit_test(test_metrics_of_no_rows_are_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
