/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the classification report is that of sklearn. */
#include "test.h"

#include "classification_report.h"
#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_LIMIT = 1 << 16 };

/* Runs sklearn's classification_report on the pairs that `test` counts. */
static char *reference(const cs_evaluation *test, const char *const *names) {
    char path[CS_PATH_MAX], command[2 * CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/pairs.txt", test_scratch()));
    FILE *pairs = fopen(path, "w");
    assert_non_null(pairs);
    int classes = test->spec.classes;
    for (int i = 0; i < classes; i++)
        fprintf(pairs, "%s\n", names[i]);
    fputc('\n', pairs);
    for (int i = 0; i < classes * classes; i++)
        for (int64_t k = 0; k < cs_evaluation_count(test, i / classes, i % classes); k++)
            fprintf(pairs, "%d %d\n", i / classes, i % classes);
    assert_int_equal(fclose(pairs), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 -W ignore %s/tests/report/sklearn_report.py %s", CS_TEST_SOURCE,
             path);
    FILE *said = popen(command, "r");
    assert_non_null(said);
    char *text = calloc(REPORT_LIMIT, 1);
    assert_non_null(text);
    size_t size = fread(text, 1, REPORT_LIMIT - 1, said);
    assert_int_equal(pclose(said), 0);
    assert_true(size > 0);
    return text;
}

static char *report(const cs_evaluation *test, const char *const *names) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cs_classification_report(test, names, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void check_against_sklearn(const cs_evaluation *test, const char *const *names) {
    char *wanted = reference(test, names), *text = report(test, names);
    size_t size = strlen(wanted);
    assert_true(strlen(text) > size);
    assert_memory_equal(text, wanted, size);
    assert_int_equal(strncmp(text + size, "\nconfusion matrix", strlen("\nconfusion matrix")), 0);
    free(text);
    free(wanted);
}

static cs_evaluation *create(int classes) {
    const cs_evaluation_spec spec = {.classes = classes, .needs = CS_NEEDS_CONFUSION};
    cs_evaluation *test = NULL;
    assert_ok(cs_evaluation_create(&spec, &test));
    return test;
}

static void add(cs_evaluation *test, int32_t label, int predicted) {
    const int64_t sample = 0;
    float logits[16] = {0};
    const cs_tally sums = {.correct = label == predicted, .rows = 1};
    logits[predicted] = 1;
    cs_evaluation_add(test, &sums, &(cs_evaluated_rows){logits, &label, &sample});
}

static const char *const names[] = {"melanoma",  "nevus", "a class with a long name", "vitiligo", "ein naevus blått",
                                    "keratosis", "x"};
enum { N_NAMES = sizeof names / sizeof *names };

static void test_report_is_that_of_sklearn(void **state) {
    (void)state;
    enum { SAMPLES = 300 };
    for (int classes = 2; classes <= N_NAMES; classes++) {
        cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, (uint32_t)classes);
        cs_evaluation *test = create(classes);
        for (int i = 0; i < SAMPLES; i++) {
            int32_t label = (int32_t)cs_rng_below(&rng, (uint32_t)classes);
            bool right = cs_rng_float(&rng) < 0.6f;
            add(test, label, right ? label : (int32_t)cs_rng_below(&rng, (uint32_t)classes));
        }
        check_against_sklearn(test, names);
        cs_evaluation_free(test);
    }
}

static void test_report_with_a_class_never_predicted(void **state) {
    (void)state;
    cs_evaluation *test = create(3);
    for (int i = 0; i < 7; i++)
        add(test, i % 3, i % 2);
    check_against_sklearn(test, names);
    cs_evaluation_free(test);
}

static void test_report_with_a_class_that_never_occurs(void **state) {
    (void)state;
    cs_evaluation *test = create(4);
    for (int i = 0; i < 11; i++)
        add(test, i % 2, i % 3 == 0);
    check_against_sklearn(test, names);
    cs_evaluation_free(test);
}

static void test_report_ends_in_the_confusion_matrix(void **state) {
    (void)state;
    cs_evaluation *test = create(2);
    for (int i = 0; i < 12; i++)
        add(test, 0, i < 3);
    add(test, 1, 0);
    char *text = report(test, names);
    assert_non_null(strstr(text, "    melanoma       9      3\n       nevus       1      0\n"));
    free(text);
    cs_evaluation_free(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_is_that_of_sklearn),
        cmocka_unit_test(test_report_with_a_class_never_predicted),
        cmocka_unit_test(test_report_with_a_class_that_never_occurs),
        cmocka_unit_test(test_report_ends_in_the_confusion_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
