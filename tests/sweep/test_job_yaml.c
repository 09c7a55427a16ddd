/* SPDX-License-Identifier: Apache-2.0 */
/* Job files as people write them: null, empty sections, numbers in all their forms, paths with ~ and $NAME. */
#include "test.h"

#include "job_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cs_job *read(const char *text, const char *set) {
    cs_job *job = NULL;
    assert_ok(job_read_text(text, set, &job));
    return job;
}

static void assert_refused(const char *text, const char *set, const char *needle) {
    cs_job *job = NULL;
    cs_status status = job_read_text(text, set, &job);
    if (status == CS_OK)
        fail_msg("accepted:\n%s", text);
    assert_fails(status, status, needle);
    assert_null(job);
}

static void test_null_is_no_value_where_none_is_the_default(void **state) {
    (void)state;
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "name: t\ndata: {path: d.h5, val_augment: %s, filter: %s, features: %s}\n"
                 "model: {arch: basenet, weights: %s, head: %s}\ntrain: {augment: %s, save_weights: %s}\n"
                 "sweep: {scheduler: %s, repeats: 2, budget: {minutes: %s}}\n",
                 nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i], nulls[i]);
        cs_job *job = read(text, NULL), *without = read(JOB_BASE "sweep: {repeats: 2}\n", NULL);
        assert_true(cs_trial_key(&job->trials[0]) == cs_trial_key(&without->trials[0]));
        assert_string_equal(job->trials[0].weights, "");
        assert_string_equal(job->trials[0].augment_name, "none");
        assert_string_equal(job->trials[0].val_augment_name, "none");
        assert_string_equal(job->trials[0].train.save_weights, "none");
        assert_false(job->budget.minutes > 0);
        cs_job_free(job);
        cs_job_free(without);
    }
    cs_job *job = read(JOB_BASE, "model.weights=none");
    assert_string_equal(job->trials[0].weights, "");
    cs_job_free(job);
    job = read("name: t\ndata: {path: d.h5}\nmodel: {arch: basenet, weights: 'null'}\n", NULL);
    assert_string_equal(job->trials[0].weights, "null");
    cs_job_free(job);
}

static void test_null_can_be_one_of_the_values_of_a_sweep(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "augmentations: {flip: {horizontal_flip: true}, nothing: }\n"
                                "sweep: {parameters: {augment: [~, flip, nothing], weights: [null, w.h5]}}\n",
                       NULL);
    assert_int_equal(job->n_trials, 6);
    assert_string_equal(job->swept[0].values[0], "none");
    assert_string_equal(job->trials[3].weights, "w.h5");
    assert_string_equal(job->trials[3].augment_name, "flip");
    assert_true(cs_augment_is_off(&job->trials[5].augment));
    cs_job_free(job);
}

static void test_null_elsewhere_names_the_default(void **state) {
    (void)state;
    assert_refused(JOB_BASE "train: {epochs: ~}\n", NULL, "job.yaml:4:17: train.epochs has no value");
    assert_string_equal(cs_error_last()->hint, "leave it out for its default, 10");
    assert_refused(JOB_BASE "train: {lr: null}\n", NULL, "train.lr has no value");
    assert_refused("name: t\ndata: {path: }\nmodel: {arch: basenet}\n", NULL, "data.path has no value");
    assert_refused("name: null\n", NULL, "name has no value");
    assert_refused(JOB_BASE "sweep: {parameters: {lr: }}\n", NULL, "train.lr: the values to try are a list");
}

static void test_pythons_none_gets_a_hint(void **state) {
    (void)state;
    static const char *const sets[] = {"model.weights=None", "train.augment=None", "train.save_weights=None",
                                       "data.val_augment=None", "data.filter=None"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        assert_refused(JOB_BASE, sets[i], "is None, which is a text to YAML");
        assert_string_equal(cs_error_last()->hint, "write null or none");
    }
}

static void test_a_section_without_keys_has_the_defaults(void **state) {
    (void)state;
    static const char *const sections[] = {"train:\n  # epochs: 3\n", "sweep:\n", "table: ~\n", "augmentations:\n",
                                           "sweep: {metric: , budget: , repeats: 1, parameters: {lr: [0.1]}}\n"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        char text[256];
        snprintf(text, sizeof text, JOB_BASE "%s", sections[i]);
        cs_job *job = read(text, NULL);
        assert_int_equal(job->n_trials, 1);
        assert_int_equal(job->trials[0].train.epochs, 10);
        cs_job_free(job);
    }
    cs_job *job = read(JOB_BASE "train:\n  # lr: 1\n", "train.epochs=2");
    assert_int_equal(job->trials[0].train.epochs, 2);
    cs_job_free(job);
}

static void test_whole_numbers_in_all_their_forms(void **state) {
    (void)state;
    static const char *const tens[] = {"10", "1e1", "10.0", "0xa", "+10", "1_0", "0b1010", "100e-1", "0xA"};
    for (size_t i = 0; i < sizeof tens / sizeof *tens; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "name: t\ndata: {path: d.h5, image: [%s, 2e1], filter: {gaussian: %s}}\n"
                 "model: {arch: basenet, head: [gap, {dense: %s}, dense]}\n"
                 "train: {epochs: %s, fine_tune: %s, lr: %s}\nsweep: {parameters: {batch: [%s]}}\n",
                 tens[i], "2", tens[i], tens[i], tens[i], tens[i], tens[i]);
        cs_job *job = read(text, NULL);
        const cs_trial_config *trial = &job->trials[0];
        assert_int_equal(trial->train.epochs, 10);
        assert_int_equal(trial->train.batch, 10);
        assert_string_equal(job->swept[0].values[0], "10");
        assert_int_equal(trial->data.image[0], 10);
        assert_int_equal(trial->data.image[1], 20);
        assert_string_equal(trial->fine_tune, "10");
        assert_string_equal(trial->model.head, "gap,dense:10,dense");
        assert_true(trial->train.optimizer.lr == 10);
        cs_job_free(job);
    }
}

static void test_a_number_that_readers_take_differently_is_refused(void **state) {
    (void)state;
    static const char *const places[] = {"epochs: 010", "fine_tune: 010", "lr: 010", "batch: 010"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[256];
        snprintf(text, sizeof text, JOB_BASE "train: {%s}\n", places[i]);
        assert_refused(text, NULL, "is '010'");
        assert_non_null(strstr(cs_error_last()->hint, "8 to YAML 1.1 (PyYAML)"));
    }
    assert_refused("name: t\ndata: {path: d.h5}\nmodel: {arch: basenet, head: [gap, {dense: 0400}, dense]}\n", NULL,
                   "'0400' is not a whole number");
    assert_refused(JOB_BASE "train: {epochs: 1.5}\n", NULL, "train.epochs is '1.5'; it takes a whole number");
    assert_refused(JOB_BASE "sweep: {method: random, budget: {trials: 2}, parameters: {lr: {uniform: [0.1, 010]}}}\n",
                   NULL, "'010' is not a number");
}

static void test_a_fraction_gets_its_decimal_number(void **state) {
    (void)state;
    assert_refused(JOB_BASE "augmentations: {a: {rescale: 1/255}}\n", NULL, "rescale: '1/255' is not a number");
    assert_string_equal(cs_error_last()->hint, "YAML does not calculate: write 0.00392156863");
    assert_refused(JOB_BASE "train: {lr: 1. / 8}\n", NULL, "train.lr is '1. / 8'");
    assert_string_equal(cs_error_last()->hint, "YAML does not calculate: write 0.125");
}

static void test_the_parameters_of_keras_may_be_none(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "augmentations: {a: {brightness_range: null, rescale: ~, horizontal_flip: Yes}}\n"
                                "train: {augment: a, shuffle: OFF}\n",
                       "data.val_augment=TRUE");
    char text[CS_AUGMENT_TEXT];
    cs_augment_text(&job->trials[0].augment, text, sizeof text);
    assert_string_equal(text, "horizontal_flip=true");
    cs_augment_text(&job->trials[0].val_augment, text, sizeof text);
    assert_string_equal(text, "horizontal_flip=true");
    assert_false(job->trials[0].train.shuffle);
    cs_job_free(job);
}

static void test_paths_are_expanded(void **state) {
    (void)state;
    static const struct {
        const char *given, *path;
    } cases[] = {{"~/d.h5", "/home/ada/d.h5"},
                 {"$DATA/d.h5", "/scratch/x/d.h5"},
                 {"${DATA}_2/$N.h5", "/scratch/x_2/7.h5"},
                 {"a~/d.h5", "a~/d.h5"},
                 {"~ada/d.h5", "~ada/d.h5"},
                 {"$$DATA/d.h5", "$DATA/d.h5"},
                 {"a$.h5", "a$.h5"},
                 {"d$", "d$"},
                 {"${DATA/d.h5", "${DATA/d.h5"},
                 {"'$N'", "7"}};
    setenv("HOME", "/home/ada", 1);
    setenv("DATA", "/scratch/x", 1);
    setenv("N", "7", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "name: t\ndata:\n  path: %s\n  features: %s\nmodel: {arch: basenet}\nplan_cache: %s\n"
                 "sweep:\n  parameters:\n    weights:\n      - %s\n",
                 cases[i].given, cases[i].given, cases[i].given, cases[i].given);
        cs_job *job = read(text, NULL);
        assert_string_equal(job->trials[0].data.path, cases[i].path);
        assert_string_equal(job->trials[0].data.features, cases[i].path);
        assert_string_equal(job->trials[0].weights, cases[i].path);
        assert_string_equal(job->run.plan_cache, cases[i].path);
        cs_job_free(job);
    }
    unsetenv("MISSING");
    assert_refused("name: t\ndata: {path: $MISSING/d.h5}\nmodel: {arch: basenet}\n", NULL,
                   "job.yaml:2:14: data.path: the environment variable MISSING is not set");
    assert_refused("name: t\ndata: {path: ${DATA}/d.h5}\nmodel: {arch: basenet}\n", NULL, "job.yaml:2:");
    assert_string_equal(cs_error_last()->hint, "inside {} a ${NAME} needs quotes: {path: '${NAME}/data.h5'}");
    assert_refused("name: ${N}\nmodel: {arch: basenet\n", NULL, "job.yaml:3:");
    assert_non_null(strstr(cs_error_last()->hint, "YAML wants spaces"));
    cs_job *job = read(JOB_BASE, "train.fine_tune=$N");
    assert_string_equal(job->trials[0].fine_tune, "$N");
    cs_job_free(job);
}

static void test_characters_that_are_not_seen_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *needle;
    } cases[] = {
        {JOB_BASE "train: {lr: 1e-3\xc2\xa0}\n", "job.yaml:4:13: column 17 has U+00A0 (no-break space): train.lr is"},
        {JOB_BASE "train: {lr: '1e-3\xe2\x80\x8b'}\n", "column 18 has U+200B (zero width space)"},
        {JOB_BASE "train: {lr: \xe2\x88\x92"
                  "1}\n",
         "column 13 has U+2212 (minus sign)"},
        {JOB_BASE "train: {optimizer: \xe2\x80\x9c"
                  "adam\xe2\x80\x9d}\n",
         "column 20 has U+201C (left double quotation mark)"},
        {JOB_BASE "train: {epochs: \xc3\xa9\xc3\xa9\xe3\x80\x80"
                  "1}\n",
         "column 19 has U+3000 (ideographic space)"},
        {JOB_BASE "train:\n\xc2\xa0\xc2\xa0"
                  "epochs: 1\n",
         "job.yaml:5:1: column 1 has U+00A0 (no-break space)"},
        {JOB_BASE "augmentations: {a: {shear_range: 1\xef\xbb\xbf}}\n", "column 35 has U+FEFF (byte order mark)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, NULL, cases[i].needle);
    assert_refused(JOB_BASE, "train.lr=1\xc2\xa0", "character 2 of the value is U+00A0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_is_no_value_where_none_is_the_default),
        cmocka_unit_test(test_null_can_be_one_of_the_values_of_a_sweep),
        cmocka_unit_test(test_null_elsewhere_names_the_default),
        cmocka_unit_test(test_pythons_none_gets_a_hint),
        cmocka_unit_test(test_a_section_without_keys_has_the_defaults),
        cmocka_unit_test(test_whole_numbers_in_all_their_forms),
        cmocka_unit_test(test_a_number_that_readers_take_differently_is_refused),
        cmocka_unit_test(test_a_fraction_gets_its_decimal_number),
        cmocka_unit_test(test_the_parameters_of_keras_may_be_none),
        cmocka_unit_test(test_paths_are_expanded),
        cmocka_unit_test(test_characters_that_are_not_seen_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
