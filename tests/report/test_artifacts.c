/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a finished trial leaves. */
#include "test.h"

#include "cnnsweep/report.h"

#include <stdlib.h>
#include <string.h>

static const char *const classes[] = {"cat", "dog"};

static const cs_artifact *find(const char *name) {
    size_t n;
    const cs_artifact *all = cs_artifacts(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    fail_msg("no artifact %s", name);
    return NULL;
}

static void test_no_two_artifacts_have_the_same_file(void **state) {
    (void)state;
    size_t n;
    const cs_artifact *all = cs_artifacts(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(strcmp(all[i].folder, all[k].folder) != 0 || strcmp(all[i].suffix, all[k].suffix) != 0);
}

static void test_what_artifacts_need_is_needed(void **state) {
    (void)state;
    size_t n;
    const cs_artifact *all = cs_artifacts(&n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(all[i].needs & ~cs_artifact_needs(), 0);
    assert_true(cs_artifact_needs() & CS_NEEDS_CONFUSION);
}

static void test_a_classification_report_begins_with_its_title(void **state) {
    (void)state;
    double values[] = {1, 2, 3, 1, 1, 0, 1};
    const cs_evaluation test = {.spec = {.classes = 2, .needs = CS_NEEDS_CONFUSION}, .values = values};
    const cs_artifact_input input = {.title = "job: lr=0.1", .classes = classes, .n_classes = 2, .evaluation = &test};
    const cs_artifact *report = find("classification report");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_ok(report->write(&input, out));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strncmp(text, "job: lr=0.1\n\n", strlen("job: lr=0.1\n\n")), 0);
    assert_non_null(strstr(text, "         cat       1.00      0.50      0.67         2\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_two_artifacts_have_the_same_file),
        cmocka_unit_test(test_what_artifacts_need_is_needed),
        cmocka_unit_test(test_a_classification_report_begins_with_its_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
