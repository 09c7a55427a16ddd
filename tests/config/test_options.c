/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: options are found, parsed and printed. */
#include "test.h"

#include "cnnsweep/config.h"
#include "cnnsweep/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cs_trial_config trial;

static cs_status set(const char *key, const char *text) {
    const cs_option *option = NULL;
    cs_status status = cs_option_find(key, &option);
    return status == CS_OK ? cs_option_set(option, text, &trial) : status;
}

static const char *get(const char *key) {
    static char text[512];
    const cs_option *option = NULL;
    assert_ok(cs_option_find(key, &option));
    cs_option_get(option, &trial, text, sizeof text);
    return text;
}

static void test_every_default_is_accepted_and_printed_back(void **state) {
    (void)state;
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ok(set(options[i].key, options[i].fallback));
        assert_string_equal(get(options[i].key), options[i].fallback);
    }
}

static void test_fields_do_not_overlap(void **state) {
    (void)state;
    size_t n;
    const cs_option *options = cs_options(&n);
    static unsigned char used[sizeof(cs_trial_config)];
    for (size_t i = 0; i < n; i++)
        for (size_t byte = options[i].offset; byte < options[i].offset + options[i].size; byte++)
            assert_int_equal(used[byte]++, 0);
}

static void test_names_are_unique(void **state) {
    (void)state;
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        const cs_option *found = NULL;
        assert_ok(cs_option_find(cs_option_short_name(&options[i]), &found));
        assert_ptr_equal(found, &options[i]);
    }
}

static void test_defaults_are_those_of_keras(void **state) {
    (void)state;
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        assert_ok(cs_option_set(&options[i], options[i].fallback, &trial));
    const cs_optimizer *optimizer = &trial.train.optimizer;
    cs_optimizer_resolve(&trial.train.optimizer);
    assert_true(optimizer->lr == 1e-3 && optimizer->weight_decay == 0);
    assert_true(optimizer->beta_1 == 0.9 && optimizer->beta_2 == 0.999 && optimizer->epsilon == 1e-7);
    assert_true(optimizer->momentum == 0);
    assert_false(optimizer->nesterov);
    assert_int_equal(trial.train.batch, 32);
    assert_true(trial.train.shuffle);
}

static void test_values_are_stored(void **state) {
    (void)state;
    assert_ok(set("lr", "1e-4"));
    assert_true(trial.train.optimizer.lr == 1e-4);
    assert_string_equal(get("train.lr"), "0.0001");
    assert_ok(set("train.optimizer", "sgd"));
    assert_int_equal(trial.train.optimizer.kind, CS_OPTIMIZER_SGD);
    assert_ok(set("train.optimizer", "adam"));
    assert_int_equal(trial.train.optimizer.kind, CS_OPTIMIZER_ADAM);
    assert_ok(set("train.seed", "9007199254740992"));
    assert_true(trial.train.seed == 9007199254740992LL);
    assert_ok(set("data.image", "50x60"));
    assert_int_equal(trial.data.image[0], 50);
    assert_int_equal(trial.data.image[1], 60);
    assert_ok(set("data.image", "64"));
    assert_string_equal(get("data.image"), "64x64");
    assert_ok(set("model.head", "gap, dense"));
    assert_string_equal(trial.model.head, "gap,dense");
    assert_ok(set("train.monitor", "val_accuracy"));
    assert_string_equal(trial.train.monitor, "val_accuracy");
    assert_ok(set("shuffle", "no"));
    assert_false(trial.train.shuffle);
}

static void test_floats_print_back_exactly(void **state) {
    (void)state;
    static const char *const texts[] = {"0.1", "1e-10", "0.33333334", "123456.79", "1e+38", "1e+30"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_ok(set("lr", texts[i]));
        assert_true(strtod(get("lr"), NULL) == trial.train.optimizer.lr);
        assert_string_equal(get("lr"), texts[i]);
    }
}

static void test_bad_values_are_named(void **state) {
    (void)state;
    static const struct {
        const char *key, *text, *needle;
    } cases[] = {
        {"train.epochs", "ten", "train.epochs is 'ten'; it takes a whole number"},
        {"train.epochs", "1.5", "whole number"},
        {"train.epochs", "0", "train.epochs is 0, outside 1 to 1e+06"},
        {"train.epochs", "99999999999999999999", "whole number"},
        {"train.epochs", "", "whole number"},
        {"train.lr", "fast", "train.lr is 'fast'; it takes a number"},
        {"train.lr", "nan", "takes a number"},
        {"train.lr", "0x1p-3", "takes a number"},
        {"train.lr", "0", "outside"},
        {"train.lr", "-1", "outside"},
        {"train.momentum", "auto", "takes a number"},
        {"train.beta_1", "1", "outside"},
        {"train.label_smoothing", "1", "outside 0 to 0.999999"},
        {"train.label_smoothing", "-0.1", "outside"},
        {"train.label_smoothing", "nan", "takes a number"},
        {"train.shuffle", "maybe", "true or false"},
        {"train.optimizer", "adm", "did you mean 'adam'?"},
        {"train.optimizer", "lbfgs", "one of sgd, adam"},
        {"data.image", "0x50", "a size such as [50, 50]"},
        {"data.image", "50x", "a size"},
        {"data.image", "50x50x3", "a size"},
        {"data.image", "70000", "a size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(set(cases[i].key, cases[i].text), CS_ERR_ARG, cases[i].needle);
}

static void test_too_long_text_is_refused_and_nothing_is_written(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_ok(set("train.fine_tune", "head"));
    assert_fails(set("train.fine_tune", text), CS_ERR_ARG, "longer than");
    assert_string_equal(get("train.fine_tune"), "head");
}

static void test_unknown_names_get_a_suggestion(void **state) {
    (void)state;
    assert_fails(set("train.epoch", "1"), CS_ERR_ARG, "did you mean 'train.epochs'?");
    assert_fails(set("batchh", "1"), CS_ERR_ARG, "did you mean 'batch'?");
    assert_fails(set("data.lr", "1"), CS_ERR_ARG, "unknown option 'data.lr'");
}

static void test_page_has_a_row_for_each_option(void **state) {
    (void)state;
    size_t n, rows = 0;
    const cs_option *options = cs_options(&n);
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    cs_options_heading(stream);
    cs_options_print(options, n, stream, true);
    fclose(stream);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), rows++) {
        int bars = 0;
        for (const char *at = line; *at; at++)
            bars += *at == '|';
        assert_int_equal(bars, 6);
    }
    assert_int_equal(rows, n + 2);
    free(text);
}

/* A config with all defaults, in memory whose bytes were `fill` before. */
static cs_trial_config default_trial(int fill) {
    size_t n;
    const cs_option *options = cs_options(&n);
    cs_trial_config made;
    memset(&made, fill, sizeof made);
    cs_model_config_init(&made.model);
    made.weights_checksum = 0;
    made.phase = (cs_phase){0};
    made.augment = (cs_augment){0};
    for (size_t i = 0; i < n; i++)
        assert_ok(cs_option_set(&options[i], options[i].fallback, &made));
    return made;
}

/* Prints a legal value that is not the default. */
static void print_other_value(const cs_option *option, char *out, size_t size) {
    static const char *const others[][2] = {{"model.arch", "resnet18"},
                                            {"data.filter", "median"},
                                            {"data.fold", "2/5"},
                                            {"train.monitor", "val_accuracy"},
                                            {"train.plateau_monitor", "val_accuracy"},
                                            {"train.milestones", "1,2"},
                                            {"train.boundaries", "1,2"},
                                            {"train.values", "1,2"},
                                            {"train.metrics", "mcc"},
                                            {"train.evaluate", "val"},
                                            {"train.class_weight", "balanced"},
                                            {"train.lr_mult", "head:2"}};
    const char *number = strcmp(option->fallback, "1") == 0 ? "2" : "1";
    switch (option->type) {
    case CS_OPTION_BOOL:
        snprintf(out, size, "%s", strcmp(option->fallback, "true") == 0 ? "false" : "true");
        return;
    case CS_OPTION_ENUM:
        if (strcmp(option->key, "train.dialect") == 0) { /* "keras" is the same as its default */
            snprintf(out, size, "torch");
            return;
        }
        for (int i = 0; option->choice(i); i++)
            if (strcmp(option->choice(i), option->fallback) != 0 &&
                (!option->key_default || strcmp(option->choice(i), option->key_default) != 0)) {
                snprintf(out, size, "%s", option->choice(i));
                return;
            }
        snprintf(out, size, "%s", option->fallback);
        return;
    case CS_OPTION_FLOAT:
        snprintf(out, size, "%s", option->max < 1 ? "0.25" : number);
        return;
    case CS_OPTION_SIZE:
        snprintf(out, size, "7x9");
        return;
    case CS_OPTION_INT:
        break;
    case CS_OPTION_LIST:
    case CS_OPTION_STRING:
    case CS_OPTION_OTHER:
        snprintf(out, size, "other");
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (strcmp(option->key, others[i][0]) == 0)
                snprintf(out, size, "%s", others[i][1]);
        return;
    }
    snprintf(out, size, "%s", number);
}

static void test_a_key_depends_on_every_option_that_changes_numbers(void **state) {
    (void)state;
    const cs_trial_config defaults = default_trial(0);
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        cs_trial_config changed = defaults;
        char text[64];
        print_other_value(&options[i], text, sizeof text);
        if (strcmp(text, options[i].fallback) == 0)
            continue; /* the option has no other value yet */
        assert_ok(cs_option_set(&options[i], text, &changed));
        /* An augmentation counts by its rules and not by its name. */
        bool named = strcmp(options[i].key, "train.augment") == 0 || strcmp(options[i].key, "data.val_augment") == 0;
        bool counts = options[i].affects & ~(unsigned)(CS_AFFECTS_PATHS | CS_AFFECTS_SWEEP) && !named;
        if ((cs_trial_key(&changed) != cs_trial_key(&defaults)) != counts)
            fail_msg("%s=%s", options[i].key, text);
    }
}

static void test_a_key_depends_on_every_rule_of_augmentation(void **state) {
    (void)state;
    const cs_trial_config defaults = default_trial(0);
    const cs_augment_rule *rule;
    for (int i = 0; (rule = cs_augment_rule_at(i)); i++) {
        cs_trial_config on = defaults;
        cs_augment_step *step;
        assert_ok(cs_augment_add(&on.augment, rule, &step));
        if (rule->family == CS_FAMILY_GENERATOR)
            step->number[0] = 1;
        assert_true(cs_trial_key(&on) != cs_trial_key(&defaults));
        assert_true(cs_trial_share_key(&on) != cs_trial_share_key(&defaults));
        assert_false(cs_trials_can_share(&on, &defaults));
    }
}

static void test_a_value_gives_the_same_key_however_it_is_written(void **state) {
    (void)state;
    static const char *const same[][3] = {{"train.lr", "1e-3", "0.001"},
                                          {"data.image", "64", "64x64"},
                                          {"train.shuffle", "no", "false"},
                                          {"data.filter", "unsharp:sigma=2:amount=3", "unsharp:amount=3.0"},
                                          {"model.head", "gap, dense", "gap,dense"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        cs_trial_config one = default_trial(0), other = one;
        const cs_option *option = NULL;
        assert_ok(cs_option_find(same[i][0], &option));
        assert_ok(cs_option_set(option, same[i][1], &one));
        assert_ok(cs_option_set(option, same[i][2], &other));
        assert_true(cs_trial_key(&one) == cs_trial_key(&other));
    }
}

/* So a new option changes no key, as older jobs leave it at its default: the key of a trial that sets nothing depends
 * on the version of the keys and on no option. */
static void test_options_at_their_defaults_are_no_part_of_a_key(void **state) {
    (void)state;
    const uint64_t version_and_no_option[] = {2, 0};
    const cs_trial_config defaults = default_trial(0);
    assert_true(cs_trial_key(&defaults) == cs_checksum(version_and_no_option, sizeof version_and_no_option));
}

static void test_weights_with_a_checksum_count_by_their_content(void **state) {
    (void)state;
    cs_trial_config one = default_trial(0), copy = one, other = one;
    one.weights_checksum = copy.weights_checksum = 1;
    other.weights_checksum = 2;
    snprintf(copy.weights, sizeof copy.weights, "copy.h5");
    assert_true(cs_trial_key(&copy) == cs_trial_key(&one));
    assert_true(cs_trial_share_key(&copy) == cs_trial_share_key(&one) && cs_trials_can_share(&copy, &one));
    assert_true(cs_same_network(&copy, &one));
    assert_true(cs_trial_key(&other) != cs_trial_key(&one));
    assert_true(cs_trial_share_key(&other) != cs_trial_share_key(&one) && !cs_trials_can_share(&other, &one));
}

static void test_a_phase_counts_in_the_keys(void **state) {
    (void)state;
    const cs_trial_config whole = default_trial(0);
    cs_trial_config first = whole, second = whole, kept = whole, other = whole;
    first.train.epochs = whole.train.epochs + 1;
    second.phase.before = kept.phase.before = cs_phase_key(&first);
    kept.phase.keep_optimizer = true;
    other.phase.before = cs_phase_key(&whole);
    const cs_trial_config *const trials[] = {&whole, &second, &kept, &other};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_true(cs_trial_key(trials[i]) != cs_trial_key(trials[j]));
    assert_true(cs_trials_can_share(&second, &kept) && cs_trial_share_key(&second) == cs_trial_share_key(&kept));
    assert_false(cs_trials_can_share(&second, &other) || cs_trials_can_share(&second, &whole));
    assert_true(cs_trial_share_key(&second) != cs_trial_share_key(&other));
}

static void test_a_trial_of_another_length_has_the_same_key_of_any_length(void **state) {
    (void)state;
    cs_trial_config one = default_trial(0), longer = one, other = one;
    longer.train.epochs = one.train.epochs + 1;
    other.train.seed = one.train.seed + 1;
    assert_true(cs_trial_key(&one) != cs_trial_key(&longer));
    assert_true(cs_trial_key_of_any_length(&one) == cs_trial_key_of_any_length(&longer));
    assert_true(cs_trial_key_of_any_length(&one) != cs_trial_key_of_any_length(&other));
}

/* The trials of a sweep are divided into parts in the order of these keys. */
static void test_share_keys_do_not_depend_on_paths(void **state) {
    (void)state;
    cs_trial_config here = default_trial(0), there = here;
    snprintf(there.data.path, sizeof there.data.path, "/scratch/d.h5");
    snprintf(there.data.features, sizeof there.data.features, "/scratch/features");
    assert_true(cs_trial_share_key(&there) == cs_trial_share_key(&here));
    assert_false(cs_trials_can_share(&there, &here));
}

static void test_a_key_does_not_depend_on_memory_between_fields(void **state) {
    (void)state;
    const cs_trial_config zeros = default_trial(0), ones = default_trial(0xff);
    assert_memory_not_equal(&zeros, &ones, sizeof zeros);
    assert_true(cs_trial_key(&zeros) == cs_trial_key(&ones));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_default_is_accepted_and_printed_back),
        cmocka_unit_test(test_fields_do_not_overlap),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_defaults_are_those_of_keras),
        cmocka_unit_test(test_values_are_stored),
        cmocka_unit_test(test_floats_print_back_exactly),
        cmocka_unit_test(test_bad_values_are_named),
        cmocka_unit_test(test_too_long_text_is_refused_and_nothing_is_written),
        cmocka_unit_test(test_unknown_names_get_a_suggestion),
        cmocka_unit_test(test_page_has_a_row_for_each_option),
        cmocka_unit_test(test_a_key_depends_on_every_option_that_changes_numbers),
        cmocka_unit_test(test_a_key_depends_on_every_rule_of_augmentation),
        cmocka_unit_test(test_a_value_gives_the_same_key_however_it_is_written),
        cmocka_unit_test(test_options_at_their_defaults_are_no_part_of_a_key),
        cmocka_unit_test(test_weights_with_a_checksum_count_by_their_content),
        cmocka_unit_test(test_a_phase_counts_in_the_keys),
        cmocka_unit_test(test_a_trial_of_another_length_has_the_same_key_of_any_length),
        cmocka_unit_test(test_share_keys_do_not_depend_on_paths),
        cmocka_unit_test(test_a_key_does_not_depend_on_memory_between_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
