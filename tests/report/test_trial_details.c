/* SPDX-License-Identifier: Apache-2.0 */
/* The details of a trial are what scikit-learn and numpy compute of the same predictions, and their file gives them
 * back. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"
#include "cnnsweep/trial_details.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the predictions of a case are drawn. */
typedef struct draw {
    int classes;
    int rows;
    float steps;   /* logits are multiples of 1/steps, such that scores are equal; 0: any number */
    float skill;   /* added to the logit of the label */
    bool binary;   /* the logits of a binary head: 0 and another */
    int occurring; /* labels are below this */
} draw;

/* A case and the files about it: <scratch>/<name>.json and others. */
typedef struct sample_case {
    char name[32];
    draw draw;
    cs_dataset *dataset;
    cs_evaluation *evaluation;
} sample_case;

static const char *const hostile[] = {"<script>alert(1)</script>",
                                      "\"quoted\", \\ & 'single'",
                                      "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\xae",
                                      "two\nlines",
                                      "na\xefve",
                                      ""};
enum { N_HOSTILE = sizeof hostile / sizeof *hostile };

static void path_of(const sample_case *c, const char *suffix, char out[CS_PATH_MAX]) {
    assert_ok(cs_path(out, CS_PATH_MAX, "%s/%s.%s", test_scratch(), c->name, suffix));
}

/* A dataset of images of one pixel, whose test split has the labels, and whose other splits have a few. */
static void make_dataset(sample_case *c, const int32_t *labels) {
    char path[CS_PATH_MAX], id[64], *names[3000];
    const uint8_t pixel[3] = {0};
    const int64_t counts[CS_SPLIT_COUNT] = {5, 3, c->draw.rows};
    for (int k = 0; k < c->draw.classes; k++) {
        snprintf(id, sizeof id, "class %d", k);
        names[k] = strdup(k < N_HOSTILE ? hostile[k] : id);
    }
    const cs_dataset_layout layout = {.encoding = CS_ENCODING_RAW,
                                      .h = 1,
                                      .w = 1,
                                      .replace = true,
                                      .classes = (const char *const *)names,
                                      .n_classes = c->draw.classes,
                                      .counts = {counts[0], counts[1], counts[2]}};
    cs_dataset_writer *writer = NULL;
    path_of(c, "h5", path);
    assert_ok(cs_dataset_create(path, &layout, &writer));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        for (int i = 0; i < counts[split]; i++) {
            int32_t label = split == CS_SPLIT_TEST ? labels[i] : (int32_t)(i % c->draw.classes);
            snprintf(id, sizeof id, "%s/%d <b>\"%s\".jpg", cs_split_name(split), i, i == 3 ? "\n,\xe9" : "");
            assert_ok(cs_dataset_append(writer, split, label, id, pixel, sizeof pixel));
        }
    }
    assert_ok(cs_dataset_commit(&writer));
    assert_ok(cs_dataset_open(path, &c->dataset));
    for (int k = 0; k < c->draw.classes; k++)
        free(names[k]);
}

static float draw_logit(cs_rng *rng, const draw *d, bool is_label) {
    float logit = cs_rng_normal(rng) + (is_label ? d->skill : 0);
    return d->steps > 0 ? roundf(logit * d->steps) / d->steps : logit;
}

/* Draws a case and evaluates it in batches of 7. */
static void open_case(sample_case *c, const char *name, const draw *d, unsigned needs) {
    static uint32_t number;
    cs_rng rng = cs_rng_at(5, CS_PURPOSE_TEST, 0, number++);
    const cs_evaluation_spec spec = {.classes = d->classes, .needs = needs, .rows = d->rows};
    float *logits = calloc((size_t)d->rows * (size_t)d->classes, sizeof *logits);
    int32_t *labels = calloc((size_t)d->rows, sizeof *labels);
    int64_t *samples = calloc((size_t)d->rows, sizeof *samples);
    *c = (sample_case){.draw = *d};
    snprintf(c->name, sizeof c->name, "%s", name);
    assert_ok(cs_evaluation_create(&spec, &c->evaluation));
    for (int i = 0; i < d->rows; i++) {
        samples[i] = i;
        labels[i] = (int32_t)cs_rng_below(&rng, (uint32_t)d->occurring);
        for (int k = 0; k < d->classes; k++)
            logits[i * d->classes + k] = d->binary && k == 0 ? 0 : draw_logit(&rng, d, labels[i] == k);
    }
    for (int first = 0; first < d->rows; first += 7) {
        int n = d->rows - first < 7 ? d->rows - first : 7, correct = 0;
        for (int i = first; i < first + n; i++) {
            int largest = 0;
            for (int k = 1; k < d->classes; k++)
                largest = logits[i * d->classes + k] > logits[i * d->classes + largest] ? k : largest;
            correct += largest == labels[i];
        }
        const cs_tally sums = {.loss = 0.25 * n, .correct = correct, .rows = n};
        cs_evaluation_add(c->evaluation, &sums,
                          &(cs_evaluated_rows){logits + first * d->classes, labels + first, samples + first});
    }
    make_dataset(c, labels);
    free(logits);
    free(labels);
    free(samples);
}

static void close_case(sample_case *c) {
    cs_evaluation_free(c->evaluation);
    cs_dataset_close(c->dataset);
}

static cs_trial_details *details_of(const sample_case *c) {
    cs_bootstrap bootstrap;
    cs_trial_details *details = NULL;
    assert_ok(cs_bootstrap_make(c->evaluation, false, 1, 0, &bootstrap));
    assert_ok(cs_trial_details_make(c->evaluation, c->dataset, CS_SPLIT_TEST, &bootstrap, &details));
    return details;
}

static void print_to(const sample_case *c, const char *suffix, const cs_trial_details *details,
                     void (*print)(const cs_trial_details *details, FILE *out)) {
    char path[CS_PATH_MAX];
    path_of(c, suffix, path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    print(details, out);
    assert_int_equal(fclose(out), 0);
}

/* Writes the label, the logits and the scores of each row as doubles, and the list of wrong images. */
static void write_rows(const sample_case *c) {
    char path[CS_PATH_MAX];
    path_of(c, "rows", path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    size_t classes = (size_t)c->draw.classes;
    for (int i = 0; i < c->draw.rows; i++) {
        const double label = cs_evaluation_label(c->evaluation, i);
        fwrite(&label, sizeof label, 1, out);
        fwrite(cs_evaluation_logits(c->evaluation, i), sizeof(double), classes, out);
        fwrite(cs_evaluation_probabilities(c->evaluation, i), sizeof(double), classes, out);
    }
    assert_int_equal(fclose(out), 0);
    path_of(c, "misclassified.csv", path);
    out = fopen(path, "w");
    assert_non_null(out);
    cs_misclassified_print(c->evaluation, c->dataset, CS_SPLIT_TEST, out);
    assert_int_equal(fclose(out), 0);
}

static char *printed(const cs_trial_details *details) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cs_trial_details_print(details, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void check_that_the_file_gives_it_back(const sample_case *c, const cs_trial_details *details) {
    char path[CS_PATH_MAX];
    cs_trial_details *read = NULL;
    path_of(c, "json", path);
    assert_ok(cs_trial_details_read(path, &read));
    char *before = printed(details), *after = printed(read);
    assert_string_equal(before, after);
    for (int i = 0; i < details->n_pr; i++)
        assert_memory_equal(details->pr[i].points, read->pr[i].points,
                            (size_t)read->pr[i].n * sizeof *read->pr->points);
    for (int i = 0; i < details->n_roc; i++)
        assert_memory_equal(details->roc[i].points, read->roc[i].points,
                            (size_t)read->roc[i].n * sizeof *read->roc->points);
    free(before);
    free(after);
    cs_trial_details_free(read);
}

static void write_case(const char *name, const draw *d) {
    sample_case c;
    open_case(&c, name, d, CS_NEEDS_CONFUSION | CS_NEEDS_LOGITS);
    cs_trial_details *details = details_of(&c);
    print_to(&c, "json", details, cs_trial_details_print);
    print_to(&c, "roc.csv", details, cs_details_roc_csv);
    print_to(&c, "pr.csv", details, cs_details_pr_csv);
    print_to(&c, "reliability.csv", details, cs_details_reliability_csv);
    print_to(&c, "confusion.csv", details, cs_details_confusion_csv);
    write_rows(&c);
    check_that_the_file_gives_it_back(&c, details);
    cs_trial_details_free(details);
    close_case(&c);
}

/* Judges all cases in the scratch folder whose names begin so, and removes them. */
static void judge(const char *names) {
    char command[2 * CS_PATH_MAX];
    snprintf(command, sizeof command, "/usr/bin/python3 -W ignore %s/tests/report/details_judge.py %s %s",
             CS_TEST_SOURCE, test_scratch(), names);
    assert_int_equal(system(command), 0);
}

static void test_numbers_are_those_of_sklearn(void **state) {
    (void)state;
    static const int classes[] = {2, 2, 3, 4, 7, 10, 11, 30, 100};
    enum { KINDS = sizeof classes / sizeof *classes, CASES = 216 };
    cs_rng rng = cs_rng_at(9, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < CASES; i++) {
        int kind = i % KINDS, round = i / KINDS;
        char name[32];
        draw d = {.classes = kind == KINDS - 1 && round % 4 ? 13 : classes[kind],
                  .binary = kind == 1,
                  .skill = 2 * cs_rng_float(&rng)};
        d.rows = 3 + (int)cs_rng_below(&rng, 400);
        d.steps = round % 4 == 1 ? 2 : round % 4 == 3 ? 8 : 0;
        d.occurring = round % 3 == 2 && d.classes > 2 ? d.classes - 1 - d.classes / 4 : d.classes;
        snprintf(name, sizeof name, "random%03d", i);
        write_case(name, &d);
    }
    judge("random");
}

static void test_a_class_may_be_the_only_one(void **state) {
    (void)state;
    write_case("only2", &(draw){.classes = 2, .rows = 20, .occurring = 1});
    write_case("only5", &(draw){.classes = 5, .rows = 20, .occurring = 1, .steps = 1});
    write_case("only1row", &(draw){.classes = 3, .rows = 1, .occurring = 3});
    judge("only");
}

static void test_a_curve_of_many_rows_keeps_its_shape(void **state) {
    (void)state;
    write_case("large2", &(draw){.classes = 2, .rows = 20000, .occurring = 2, .skill = 1});
    write_case("large5", &(draw){.classes = 5, .rows = 5000, .occurring = 5, .skill = 2});
    write_case("large_chance", &(draw){.classes = 3, .rows = 3000, .occurring = 3});
    judge("large");
}

static void test_of_many_classes_the_largest_cells_are_kept(void **state) {
    (void)state;
    write_case("many", &(draw){.classes = 1000, .rows = 12000, .occurring = 1000, .skill = 2});
    judge("many");
}

static void test_without_logits_the_file_says_so(void **state) {
    (void)state;
    sample_case c;
    open_case(&c, "tally", &(draw){.classes = 4, .rows = 50, .occurring = 4, .skill = 1}, CS_NEEDS_CONFUSION);
    cs_trial_details *details = details_of(&c);
    assert_false(details->has_scores);
    assert_non_null(strstr(details->left_out, "50 images of 4 classes"));
    assert_true(isnan(details->macro_auc) && isnan(details->classes[0].auc));
    assert_int_equal(details->n_roc + details->n_pr + details->least_sure.n, 0);
    assert_int_equal(details->confusion[0] + details->confusion[1] + details->confusion[2] + details->confusion[3],
                     details->classes[0].scores.support);
    print_to(&c, "json", details, cs_trial_details_print);
    check_that_the_file_gives_it_back(&c, details);
    cs_trial_details_free(details);
    close_case(&c);
}

/* Reads the file of a case after `from` in it was replaced by `to`; the error must have `wanted` and the file's name.
 */
static void check_refused(const char *text, const char *from, const char *to, const char *wanted) {
    char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/changed.json", test_scratch()));
    const char *at = strstr(text, from);
    assert_non_null(at);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(fclose(out), 0);
    cs_trial_details *details = NULL;
    assert_int_equal(cs_trial_details_read(path, &details), CS_ERR_FORMAT);
    assert_non_null(strstr(cs_error_last()->text, "changed.json"));
    if (!strstr(cs_error_last()->text, wanted))
        fail_msg("\"%s\" lacks \"%s\"", cs_error_last()->text, wanted);
}

static void test_a_file_that_was_changed_is_refused_at_its_place(void **state) {
    (void)state;
    sample_case c;
    open_case(&c, "intact", &(draw){.classes = 3, .rows = 60, .occurring = 3, .skill = 1},
              CS_NEEDS_CONFUSION | CS_NEEDS_LOGITS);
    cs_trial_details *details = details_of(&c);
    char *text = printed(details);
    check_refused(text, "\"version\": 1", "\"version\": 2", "version is not 1");
    check_refused(text, "\"test\"", "\"exam\"", "split is not train, val or test");
    check_refused(text, "\"rows\": 60", "\"rows\": -60", "rows is not a whole number");
    check_refused(text, "\"loss\": 0.25", "\"loss\": \"low\"", "loss is not a number or null");
    check_refused(text, "\"accuracy_wilson\": [", "\"accuracy_wilson\": [1, ", "accuracy_wilson is not a list of two");
    check_refused(text, "\"recall\"", "\"recalled\"", "classes[0].recall is not a number");
    check_refused(text, "\"name\"", "\"nickname\"", "classes[0].name is not a text");
    check_refused(text, "\"confusion\": [", "\"confusion\": [[1,2,3],", "confusion is not a list of at most 3 items");
    check_refused(text, "\"pairs\": [[", "\"pairs\": [[7,0,1], [", "pairs is not a list of [class, class, count]");
    check_refused(text, "\"confidence\"", "\"confident\"", "reliability[0].confidence is not a number");
    check_refused(text, "{\"class\": 0", "{\"class\": 3", "roc[0].class is not the number of a class");
    check_refused(text, "\"points\": [[0,0]", "\"points\": [[0,99]", "roc[0].points is not a list of");
    check_refused(text, "\"sample\"", "\"example\"", "confident_right[0].sample is not a whole number");
    check_refused(text, "\"classes\": [", "\"classes\": [7, ", "classes[0] is not an object");
    check_refused(text, "\"split\"", "\"split", "line 2");
    check_refused(text, text, "", "line 1");
    free(text);
    cs_trial_details_free(details);
    close_case(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_those_of_sklearn),
        cmocka_unit_test(test_a_class_may_be_the_only_one),
        cmocka_unit_test(test_a_curve_of_many_rows_keeps_its_shape),
        cmocka_unit_test(test_of_many_classes_the_largest_cells_are_kept),
        cmocka_unit_test(test_without_logits_the_file_says_so),
        cmocka_unit_test(test_a_file_that_was_changed_is_refused_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
