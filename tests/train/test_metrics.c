/* The confusion matrix and its report; the judge of the text is sklearn itself. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_LIMIT = 1 << 16 };

/* Runs sklearn's classification_report on the pairs of `confusion`. */
static char *judge(const cs_confusion *confusion, const char *const *names) {
    char path[CS_PATH_MAX], command[2 * CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/pairs.txt", test_scratch()));
    FILE *pairs = fopen(path, "w");
    assert_non_null(pairs);
    for (int i = 0; i < confusion->classes; i++)
        fprintf(pairs, "%s\n", names[i]);
    fputc('\n', pairs);
    for (int i = 0; i < confusion->classes * confusion->classes; i++)
        for (int64_t k = 0; k < confusion->counts[i]; k++)
            fprintf(pairs, "%d %d\n", i / confusion->classes, i % confusion->classes);
    assert_int_equal(fclose(pairs), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 -W ignore %s/tests/train/sklearn_report.py %s", CS_TEST_SOURCE,
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

static char *report(const cs_confusion *confusion, const char *const *names) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cs_confusion_report(confusion, names, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void check_against_sklearn(const cs_confusion *confusion, const char *const *names) {
    char *wanted = judge(confusion, names), *text = report(confusion, names);
    size_t size = strlen(wanted);
    assert_true(strlen(text) > size);
    assert_memory_equal(text, wanted, size);
    assert_int_equal(strncmp(text + size, "\nconfusion matrix", strlen("\nconfusion matrix")), 0);
    free(text);
    free(wanted);
}

static const char *const names[] = {"melanoma",  "nevus", "a class with a long name", "vitiligo", "ein naevus blått",
                                    "keratosis", "x"};
enum { N_NAMES = sizeof names / sizeof *names };

static void test_report_is_sklearns(void **state) {
    (void)state;
    enum { SAMPLES = 300 };
    for (int classes = 2; classes <= N_NAMES; classes++) {
        cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, (uint32_t)classes);
        cs_confusion *confusion;
        assert_ok(cs_confusion_create(classes, &confusion));
        for (int i = 0; i < SAMPLES; i++) {
            int32_t label = (int32_t)cs_rng_below(&rng, (uint32_t)classes);
            bool right = cs_rng_float(&rng) < 0.6f;
            cs_confusion_add(confusion, label, right ? label : (int32_t)cs_rng_below(&rng, (uint32_t)classes));
        }
        check_against_sklearn(confusion, names);
        cs_confusion_free(confusion);
    }
}

static void test_report_with_a_class_never_predicted(void **state) {
    (void)state;
    cs_confusion *confusion;
    assert_ok(cs_confusion_create(3, &confusion));
    for (int i = 0; i < 7; i++)
        cs_confusion_add(confusion, i % 3, i % 2);
    check_against_sklearn(confusion, names);
    cs_confusion_free(confusion);
}

static void test_report_with_a_class_that_never_occurs(void **state) {
    (void)state;
    cs_confusion *confusion;
    assert_ok(cs_confusion_create(4, &confusion));
    for (int i = 0; i < 11; i++)
        cs_confusion_add(confusion, i % 2, i % 3 == 0);
    check_against_sklearn(confusion, names);
    cs_confusion_free(confusion);
}

static void test_report_ends_in_the_confusion_matrix(void **state) {
    (void)state;
    cs_confusion *confusion;
    assert_ok(cs_confusion_create(2, &confusion));
    for (int i = 0; i < 12; i++)
        cs_confusion_add(confusion, 0, i < 3);
    cs_confusion_add(confusion, 1, 0);
    char *text = report(confusion, names);
    assert_non_null(strstr(text, "    melanoma       9      3\n       nevus       1      0\n"));
    free(text);
    cs_confusion_free(confusion);
}

static void test_reset_forgets(void **state) {
    (void)state;
    cs_confusion *confusion;
    assert_ok(cs_confusion_create(2, &confusion));
    cs_confusion_add(confusion, 1, 0);
    assert_true(cs_confusion_accuracy(confusion) == 0);
    cs_confusion_reset(confusion);
    cs_confusion_add(confusion, 1, 1);
    assert_true(cs_confusion_accuracy(confusion) == 1);
    assert_int_equal(cs_confusion_weighted(confusion).support, 1);
    cs_confusion_free(confusion);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_is_sklearns),
        cmocka_unit_test(test_report_with_a_class_never_predicted),
        cmocka_unit_test(test_report_with_a_class_that_never_occurs),
        cmocka_unit_test(test_report_ends_in_the_confusion_matrix),
        cmocka_unit_test(test_reset_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
