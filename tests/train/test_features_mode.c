/* SPDX-License-Identifier: Apache-2.0 */
/* Training on features gives the numbers of fine_tune: head and reads the images once. Each test runs on every engine
 * of this build. */
#include "augments.h"
#include "metric_value.h"
#include "toy.h"

#include "cnnsweep/cost.h"
#include "cnnsweep/features.h"
#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const toy_spec some = {.counts = {44, 13, 30}, .contrast = 30};

static toy_record record, other;

/* Counts the rows of features that are computed (by the linker's --wrap, settings.cmake). */
static int appended;
cs_status __real_cs_features_append(cs_features_writer *writer, cs_split split, const float *rows,
                                    const int32_t *labels, int n);
cs_status __wrap_cs_features_append(cs_features_writer *writer, cs_split split, const float *rows,
                                    const int32_t *labels, int n);
cs_status __wrap_cs_features_append(cs_features_writer *writer, cs_split split, const float *rows,
                                    const int32_t *labels, int n) {
    appended += n;
    if (record.stop_after == appended)
        record.stop = 1;
    return __real_cs_features_append(writer, split, rows, labels, n);
}

/* Initial values with batch norms that shift and scale, so that the outputs of a MobileNet depend on the images. */
void __real_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed) {
    __real_cs_params_init(params, seed);
    for (int i = 0; i < params->graph->n_params; i++) {
        const cs_param *param = &params->graph->params[i];
        cs_rng rng = cs_rng_at(seed, CS_PURPOSE_TEST, 1, (uint32_t)i);
        for (size_t k = 0; k < param->count && param->role == CS_PARAM_MOVING_VARIANCE; k++)
            cs_params_at(params, param)[k] = cs_rng_range(&rng, 0.05f, 0.2f);
    }
}

static void set_text(char *field, size_t size, const char *text) {
    assert_true(snprintf(field, size, "%s", text) < (int)size);
}

/* Makes a trial on features; its folder of features is empty. */
static cs_trial_config features_trial(const char *name) {
    cs_trial_config trial = toy_trial(toy_dataset(name, &some));
    char folder[CS_PATH_MAX];
    trial.train.mode = CS_TRAIN_FEATURES;
    trial.train.epochs = 3;
    set_text(trial.fine_tune, sizeof trial.fine_tune, "head");
    assert_ok(cs_path(folder, sizeof folder, "%s/%s.features", test_scratch(), name));
    assert_ok(cs_remove_all(folder));
    appended = 0;
    return trial;
}

static cs_trial_config fine_tune_trial(const cs_trial_config *trial) {
    cs_trial_config same = *trial;
    same.train.mode = CS_TRAIN_FINE_TUNE;
    return same;
}

/* Counts the names in the features folder; `path` becomes the path of the first one. */
static int count_files(const char *name, char path[CS_PATH_MAX]) {
    char folder[CS_PATH_MAX];
    int n = 0;
    assert_ok(cs_path(folder, sizeof folder, "%s/%s.features", test_scratch(), name));
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.' && n++ == 0)
            assert_ok(cs_path(path, CS_PATH_MAX, "%s/%s", folder, entry->d_name));
    closedir(stream);
    return n;
}

static void check_same_as_fine_tune(const char *device, const cs_trial_config *trial) {
    cs_trial_config same = fine_tune_trial(trial);
    assert_ok(toy_train(device, trial, 1, &record));
    assert_ok(toy_train(device, &same, 1, &other));
    assert_true(record.trials[0].finished);
    assert_int_equal(appended, 44 + 13 + 30);
    assert_true(metric_value(record.trials[0].rows[0].value, "loss") !=
                metric_value(record.trials[0].rows[1].value, "loss"));
    toy_assert_same(&record.trials[0], &other.trials[0]);
}

static void test_basenet_has_the_numbers_of_fine_tune(void **state) {
    cs_trial_config trial = features_trial("small");
    check_same_as_fine_tune(*state, &trial);
}

static void test_mobilenet_has_the_numbers_of_fine_tune(void **state) {
    cs_trial_config trial = features_trial("mobile");
    set_text(trial.model.arch, sizeof trial.model.arch, "mobilenet");
    set_text(trial.model.head, sizeof trial.model.head, "gap,dropout,dense:20:relu,dense");
    trial.model.alpha = 0.25f;
    trial.model.dropout = 0.3f;
    trial.model.l2 = 1e-3f;
    trial.train.patience = 1;
    check_same_as_fine_tune(*state, &trial);
}

/* The head begins with a dropout of the feature map, so the features have the shape of a map. */
static void test_feature_maps_have_the_numbers_of_fine_tune(void **state) {
    cs_trial_config trial = features_trial("maps");
    set_text(trial.model.arch, sizeof trial.model.arch, "mobilenet_v2");
    set_text(trial.model.head, sizeof trial.model.head, "dropout:0.2,gap,dense");
    trial.model.alpha = 0.35f;
    check_same_as_fine_tune(*state, &trial);
}

static void test_filtered_images_have_the_numbers_of_fine_tune(void **state) {
    cs_trial_config trial = features_trial("filtered");
    assert_ok(cs_filter_parse("median", &trial.data.filter));
    check_same_as_fine_tune(*state, &trial);
}

static void test_groups_have_the_numbers_of_trials_alone(void **state) {
    enum { N = 3 };
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++)
        trials[i] = features_trial("group");
    trials[1].train.optimizer.lr = 1e-2f;
    trials[1].train.epochs = 5;
    set_text(trials[2].model.head, sizeof trials[2].model.head, "dense:20:relu,dropout:0.2,dense");
    assert_ok(toy_train(*state, trials, N, &record));
    for (int i = 0; i < N; i++) {
        assert_ok(toy_train(*state, &trials[i], 1, &other));
        toy_assert_same(&record.trials[i], &other.trials[0]);
    }
}

static void test_the_second_run_computes_nothing(void **state) {
    char path[CS_PATH_MAX];
    cs_trial_config trial = features_trial("twice");
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_int_equal(appended, 87);
    trial.train.batch = 5;
    trial.train.optimizer.lr = 1e-2f;
    set_text(trial.model.head, sizeof trial.model.head, "dropout:0.1,dense:7:relu,dense");
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_true(record.trials[0].finished);
    assert_int_equal(appended, 87);
    assert_int_equal(count_files("twice", path), 1);
}

static void assert_another_file(const char *device, const cs_trial_config *trial, const char *name, int files) {
    char path[CS_PATH_MAX];
    appended = 0;
    assert_ok(toy_train(device, trial, 1, &record));
    assert_true(record.trials[0].finished);
    assert_true(appended > 0);
    assert_int_equal(count_files(name, path), files);
}

static void test_options_that_change_the_features_make_another_file(void **state) {
    static const toy_spec changed = {.counts = {44, 13, 30}, .contrast = 31};
    cs_trial_config trial = features_trial("other");
    assert_another_file(*state, &trial, "other", 1);
    trial.data.image[0] = trial.data.image[1] = 40;
    assert_another_file(*state, &trial, "other", 2);
    trial.train.seed = 2;
    assert_another_file(*state, &trial, "other", 3);
    set_text(trial.model.arch, sizeof trial.model.arch, "cnn4");
    assert_another_file(*state, &trial, "other", 4);
    toy_dataset("other", &changed);
    assert_another_file(*state, &trial, "other", 5);
    assert_ok(cs_filter_parse("median", &trial.data.filter));
    assert_another_file(*state, &trial, "other", 6);
    assert_ok(cs_filter_parse("median:size=5", &trial.data.filter));
    assert_another_file(*state, &trial, "other", 7);
}

static void test_the_folder_can_be_named(void **state) {
    cs_trial_config trial = features_trial("named");
    set_text(trial.data.features, sizeof trial.data.features, test_scratch());
    assert_true(strlen(test_scratch()) + strlen("/a/b") < sizeof trial.data.features);
    strcat(trial.data.features, "/a/b");
    assert_ok(cs_remove_all(trial.data.features));
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_true(record.trials[0].finished && cs_is_folder(trial.data.features));
    set_text(trial.data.features, sizeof trial.data.features, trial.data.path);
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_IO, "cannot create the folder");
    assert_non_null(strstr(cs_error_last()->hint, "data.features"));
}

static void test_a_truncated_file_is_refused(void **state) {
    char path[CS_PATH_MAX];
    cs_trial_config trial = features_trial("truncated");
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_int_equal(count_files("truncated", path), 1);
    assert_int_equal(truncate(path, 5000), 0);
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_FORMAT, path);
    assert_non_null(strstr(cs_error_last()->hint, "delete it"));
}

static void test_a_stop_leaves_no_file(void **state) {
    char path[CS_PATH_MAX];
    cs_trial_config trial = features_trial("stopped");
    record.stop_after = 44;
    cs_status status = toy_train(*state, &trial, 1, &record);
    record.stop_after = 0;
    assert_fails(status, CS_ERR_INTERRUPTED, "stopped");
    assert_int_equal(count_files("stopped", path), 0);
}

/* Both processes begin at once and write the number of rows that they computed to the pipe. */
static void test_of_two_processes_only_one_computes(void **state) {
    int ends[2], rows[2], sum = 0;
    cs_trial_config trial = features_trial("both");
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool trained = toy_train(*state, &trial, 1, &record) == CS_OK && record.trials[0].finished;
            _exit(trained && write(ends[1], &appended, sizeof appended) == sizeof appended ? 0 : 1);
        }
    }
    for (int i = 0; i < 2; i++) {
        int code;
        assert_true(wait(&code) > 0);
        assert_int_equal(code, 0);
        assert_int_equal(read(ends[0], &rows[i], sizeof rows[i]), sizeof rows[i]);
        sum += rows[i];
    }
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(sum, 87);
    assert_true(rows[0] == 0 || rows[1] == 0);
}

static void test_augmented_images_and_unfrozen_bases_are_refused(void **state) {
    cs_trial_config trial = features_trial("refused");
    set_text(trial.fine_tune, sizeof trial.fine_tune, "all");
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_ARG, "leaves no layer frozen");
    set_text(trial.fine_tune, sizeof trial.fine_tune, "head");
    trial.augment = test_augment("vertical_flip=true");
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_ARG, "with the augmentation");
}

static void test_modes_and_depths_do_not_share(void **state) {
    (void)state;
    cs_trial_config a = features_trial("strange"), b = fine_tune_trial(&a);
    assert_false(cs_trials_can_share(&a, &b));
    b = a;
    set_text(b.data.features, sizeof b.data.features, "elsewhere");
    assert_false(cs_trials_can_share(&a, &b));
    b = a;
    set_text(b.fine_tune, sizeof b.fine_tune, "1");
    assert_false(cs_trials_can_share(&a, &b));
}

static void test_the_frozen_part_costs_once(void **state) {
    (void)state;
    cs_trial_config trial = features_trial("cost"), tuned = fine_tune_trial(&trial);
    cs_graph *graph;
    cs_params *params;
    assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
    const cs_work work = cs_work_of(graph);
    double once = cs_trial_macs(&trial, &work, 100, 10), often = cs_trial_macs(&tuned, &work, 100, 10);
    trial.train.epochs = tuned.train.epochs = 1;
    double one = cs_trial_macs(&trial, &work, 100, 10);
    assert_true(one == cs_trial_macs(&tuned, &work, 100, 10));
    assert_true(fabs(often - 3 * one) < 1e-6 * often);
    assert_true(once > one && once < 1.5 * one);
    cs_params_free(params);
    cs_graph_free(graph);
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "features on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_of_two_processes_only_one_computes),
        ON_DEVICE(test_basenet_has_the_numbers_of_fine_tune),
        ON_DEVICE(test_mobilenet_has_the_numbers_of_fine_tune),
        ON_DEVICE(test_feature_maps_have_the_numbers_of_fine_tune),
        ON_DEVICE(test_filtered_images_have_the_numbers_of_fine_tune),
        ON_DEVICE(test_groups_have_the_numbers_of_trials_alone),
        ON_DEVICE(test_the_second_run_computes_nothing),
        ON_DEVICE(test_options_that_change_the_features_make_another_file),
        ON_DEVICE(test_the_folder_can_be_named),
        ON_DEVICE(test_a_truncated_file_is_refused),
        ON_DEVICE(test_a_stop_leaves_no_file),
        ON_DEVICE(test_augmented_images_and_unfrozen_bases_are_refused),
        ON_DEVICE(test_modes_and_depths_do_not_share),
        ON_DEVICE(test_the_frozen_part_costs_once),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
