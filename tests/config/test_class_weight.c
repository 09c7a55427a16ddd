/* SPDX-License-Identifier: Apache-2.0 */
/* What train.class_weight says, for the classes of a dataset. */
#include "cnnsweep/class_weight.h"
#include "cnnsweep/file.h"
#include "test.h"

#include <string.h>

enum { MOST_CLASSES = 3 };

static cs_dataset *dataset;
static double weights[MOST_CLASSES];

/* Opens a dataset whose training split has `labels` [n]. */
static void open_dataset(const char *const *classes, int n_classes, const int32_t *labels, int n) {
    char path[CS_PATH_MAX];
    cs_dataset_writer *writer;
    const cs_dataset_layout layout = {.encoding = CS_ENCODING_RAW,
                                      .resize = {CS_BILINEAR, CS_ASPECT_STRETCH},
                                      .h = 1,
                                      .w = 1,
                                      .classes = classes,
                                      .n_classes = n_classes,
                                      .counts = {[CS_SPLIT_TRAIN] = n}};
    assert_ok(cs_path(path, sizeof path, "%s/weights.h5", test_scratch()));
    assert_ok(cs_remove_all(path));
    assert_ok(cs_dataset_create(path, &layout, &writer));
    for (int i = 0; i < n; i++)
        assert_ok(cs_dataset_append(writer, CS_SPLIT_TRAIN, labels[i], "image", (const uint8_t[3]){0}, 3));
    assert_ok(cs_dataset_commit(&writer));
    assert_ok(cs_dataset_open(path, &dataset));
}

static int open_lesions(void **state) {
    (void)state;
    open_dataset((const char *const[]){"nevus", "melanoma", "a:b"}, 3, (const int32_t[]){0, 0, 0, 1, 0, 1}, 6);
    return 0;
}

static int open_numbers(void **state) {
    (void)state;
    open_dataset((const char *const[]){"0", "2", "9"}, 3, (const int32_t[]){0, 1, 2}, 3);
    return 0;
}

static int close_dataset(void **state) {
    (void)state;
    cs_dataset_close(dataset);
    return 0;
}

static void assert_weights(const char *text, const double want[MOST_CLASSES]) {
    memset(weights, 0, sizeof weights);
    assert_ok(cs_class_weight_check(text));
    assert_ok(cs_class_weight_read(text, dataset, weights));
    for (int k = 0; k < MOST_CLASSES; k++)
        assert_true(weights[k] == want[k]);
}

static void classes_are_given_by_name_or_number(void **state) {
    (void)state;
    assert_weights("melanoma:5", (const double[]){1, 5, 1});
    assert_weights("1:5,nevus:0.5", (const double[]){0.5, 5, 1});
    assert_weights("a:b:0", (const double[]){1, 1, 0});
}

static void a_list_has_the_weights_of_all_classes(void **state) {
    (void)state;
    assert_weights("0.5,2,0", (const double[]){0.5, 2, 0});
    assert_fails(cs_class_weight_read("1,5", dataset, weights), CS_ERR_ARG, "has 2 weights, but");
    assert_fails(cs_class_weight_read("1,5,1,1", dataset, weights), CS_ERR_ARG, "has 3 classes");
}

static void none_is_1_for_all(void **state) {
    (void)state;
    assert_weights("none", (const double[]){1, 1, 1});
    assert_weights("", (const double[]){1, 1, 1});
    assert_false(cs_class_weight_is_on("none") || cs_class_weight_is_on(""));
    assert_true(cs_class_weight_is_on("balanced") && cs_class_weight_is_on("1,1,1"));
}

/* Six samples of the two classes that occur: four of one, two of the other. */
static void balanced_counts_the_training_split(void **state) {
    (void)state;
    assert_weights("balanced", (const double[]){0.75, 1.5, 1});
}

static void an_unknown_class_is_refused_with_a_guess(void **state) {
    (void)state;
    assert_fails(cs_class_weight_read("melanom:5", dataset, weights), CS_ERR_ARG,
                 "has no class 'melanom'; did you mean 'melanoma'?");
    assert_fails(cs_class_weight_read("3:5", dataset, weights), CS_ERR_ARG, "has no class '3'");
    assert_fails(cs_class_weight_read("-1:5", dataset, weights), CS_ERR_ARG, "has no class '-1'");
}

static void a_class_has_one_weight(void **state) {
    (void)state;
    assert_fails(cs_class_weight_read("melanoma:5,1:2", dataset, weights), CS_ERR_ARG,
                 "class 1, melanoma, has two weights");
}

static void a_number_that_is_the_name_of_another_class_is_refused(void **state) {
    (void)state;
    assert_weights("0:3,9:2", (const double[]){3, 1, 2});
    assert_fails(cs_class_weight_read("2:5", dataset, weights), CS_ERR_ARG,
                 "'2' is the name of class 1 and the number of class '9'");
}

static void texts_of_another_form_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"balancd", "1,,2",  "1,",    ",1",    "a:",   ":5",   "a:1,2", "2,a:1",
                                        "a:-1",    "a:nan", "a:inf", "a:1e7", "a:1x", "0:1:", "a:5,"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_fails(cs_class_weight_check(texts[i]), CS_ERR_ARG, "train.class_weight is '");
    assert_fails(cs_class_weight_check("0,0"), CS_ERR_ARG, "no class has a weight above 0");
}

int main(void) {
#define OF(open, f) cmocka_unit_test_setup_teardown(f, open, close_dataset)
    const struct CMUnitTest tests[] = {
        OF(open_lesions, classes_are_given_by_name_or_number),
        OF(open_lesions, a_list_has_the_weights_of_all_classes),
        OF(open_lesions, none_is_1_for_all),
        OF(open_lesions, balanced_counts_the_training_split),
        OF(open_lesions, an_unknown_class_is_refused_with_a_guess),
        OF(open_lesions, a_class_has_one_weight),
        OF(open_numbers, a_number_that_is_the_name_of_another_class_is_refused),
        cmocka_unit_test(texts_of_another_form_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
