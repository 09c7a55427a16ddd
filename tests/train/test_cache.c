/* SPDX-License-Identifier: Apache-2.0 */
/* The trunk cache changes no number, whether it is off, in memory, in a file, or has room for a few rows only: on every
 * engine of this build, with a last batch that is not full. An engine with stores keeps images and rows in them; that
 * changes no number either, and needs no file. */
#include "augments.h"
#include "cache.h"
#include "toy.h"

#include <stdio.h>

enum { TRAIN = 28, VAL = 10, TEST = 11, EPOCHS = 3 };
static const toy_spec spec = {.counts = {TRAIN, VAL, TEST}, .contrast = 10};

/* Counts the rows that programs get as input. If no tail reads the images, these are the images on which the first
 * program of the trunk ran. */
static int64_t rows_set;
cs_status __real_cs_program_set_input(cs_program *program, int i, const float *values, int n);
cs_status __wrap_cs_program_set_input(cs_program *program, int i, const float *values, int n);
cs_status __wrap_cs_program_set_input(cs_program *program, int i, const float *values, int n) {
    rows_set += n;
    return __real_cs_program_set_input(program, i, values, n);
}

cs_status __real_cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n);
cs_status __wrap_cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n);
cs_status __wrap_cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n) {
    rows_set += n;
    return __real_cs_program_set_pictures(program, i, pictures, n);
}

static bool without_stores;
bool __real_cs_engine_has_stores(const cs_engine *engine);
bool __wrap_cs_engine_has_stores(const cs_engine *engine);
bool __wrap_cs_engine_has_stores(const cs_engine *engine) {
    return !without_stores && __real_cs_engine_has_stores(engine);
}

static int caches_opened;
cs_status __real_cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                                     const cs_trial_config *trial, size_t width, int batch, cs_trunk_cache *cache);
cs_status __wrap_cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                                     const cs_trial_config *trial, size_t width, int batch, cs_trunk_cache *cache);
cs_status __wrap_cs_trunk_cache_open(cs_engine *engine, const cs_cache_limits *limits, const cs_dataset *dataset,
                                     const cs_trial_config *trial, size_t width, int batch, cs_trunk_cache *cache) {
    caches_opened++;
    return __real_cs_trunk_cache_open(engine, limits, dataset, trial, width, batch, cache);
}

static toy_record off, record;

static void train(const char *device, const cs_trial_config *trials, int n, cs_cache_limits limits, toy_record *out) {
    cs_engine *engine;
    cs_train_events events = toy_events(out);
    const cs_engine_options options = test_trainer_options(2);
    assert_ok(cs_engine_open(device, &options, &engine));
    limits.folder = test_scratch();
    const cs_group_config config = {.trials = trials, .n = n, .cache = limits, .events = &events};
    rows_set = 0;
    assert_ok(cs_group_train(engine, &config));
    cs_engine_close(engine);
    for (int i = 0; i < n; i++)
        assert_true(out->trials[i].finished);
}

static cs_trial_config make_trial(const char *depth, const char *augment) {
    cs_trial_config trial = toy_trial(toy_dataset("cached", &spec));
    snprintf(trial.model.arch, sizeof trial.model.arch, "basenet_deep_bn");
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", depth);
    trial.train.epochs = EPOCHS;
    trial.augment = test_augment(augment);
    return trial;
}

enum { PLENTY = 1 << 12 }; /* rows */

static const char none[] = "", flip[] = "vertical_flip=true", flips[] = "horizontal_flip=true vertical_flip=true",
                  dark[] = "brightness_range=0.5:0.5", brightness[] = "brightness_range=0.5:1.5";

/* The bytes of a row that the trunk gives to the first tail. */
static size_t first_row(const cs_trial_config *trials, int n) {
    int first = 0;
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        cs_trial_config trial = trials[i];
        cs_graph *graph;
        cs_params *params;
        trial.data.image[0] = trial.data.image[1] = TOY_SIZE;
        assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
        int cut = cs_trial_cut(graph);
        if (cut > 0 && (first == 0 || cut < first)) {
            first = cut;
            bytes = cs_shape_count(graph->layers[cut - 1].out) * sizeof(float);
        }
        cs_params_free(params);
        cs_graph_free(graph);
    }
    assert_true(bytes > 0);
    return bytes;
}

static bool has_stores(const char *device) {
    const cs_engine_options options = test_trainer_options(1);
    cs_engine *engine;
    assert_ok(cs_engine_open(device, &options, &engine));
    bool has = cs_engine_has_stores(engine);
    cs_engine_close(engine);
    return has;
}

/* Trains with every limit; the numbers must be those without a cache and without stores. The more rows fit, the more
 * are used again. */
static void check_limits(const char *device, const cs_trial_config *trials, int n) {
    static const int rows[][2] = {{0, 1}, {5, 4}, {VAL + 3, PLENTY}, {PLENTY, 0}}; /* rows in memory, in a file */
    enum { N_LIMITS = sizeof rows / sizeof *rows };
    size_t row = first_row(trials, n);
    double reused[N_LIMITS];
    without_stores = true;
    train(device, trials, n, (cs_cache_limits){0}, &off);
    without_stores = false;
    for (int i = 0; i < n; i++)
        assert_true(off.trials[i].result.reused == 0);
    for (int l = 0; l < N_LIMITS; l++) {
        size_t memory = (size_t)rows[l][0] * row, disk = (size_t)rows[l][1] * row;
        const cs_cache_limits apart = {.memory = memory, .disk = disk}, together = {.memory = memory + disk};
        train(device, trials, n, has_stores(device) ? together : apart, &record);
        for (int i = 0; i < n; i++)
            toy_assert_same(&record.trials[i], &off.trials[i]);
        reused[l] = record.trials[0].result.reused;
    }
    assert_true(reused[0] < reused[1] && reused[1] < reused[2] && reused[2] == reused[3]);
}

static void check_depths(const char *device, const char *const *depths, int n, const char *augment) {
    cs_trial_config trials[TOY_MAX_TRIALS];
    for (int i = 0; i < n; i++)
        trials[i] = make_trial(depths[i], augment);
    check_limits(device, trials, n);
}

static void test_numbers_are_the_same_in_a_group(void **state) {
    static const char *const depths[] = {"conv2d_4", "head", "conv2d_2"};
    static const char *const augments[] = {none, flips, dark, brightness};
    for (size_t a = 0; a < sizeof augments / sizeof *augments; a++)
        check_depths(*state, depths, 3, augments[a]);
}

static void test_numbers_are_the_same_alone(void **state) {
    static const char *const depth = "conv2d_3";
    check_depths(*state, &depth, 1, none);
    check_depths(*state, &depth, 1, flips);
}

static void test_numbers_are_the_same_beside_a_tail_that_reads_images(void **state) {
    static const char *const depths[] = {"head", "all", "conv2d_4"};
    check_depths(*state, depths, 3, none);
    check_depths(*state, depths, 3, flip);
}

/* Tails stop at different times, among them the first and the last one. */
static void test_numbers_are_the_same_when_tails_stop_early(void **state) {
    static const char *const depths[] = {"conv2d_4", "head", "2", "conv2d_3"};
    cs_trial_config trials[4];
    for (int i = 0; i < 4; i++) {
        trials[i] = make_trial(depths[i], flip);
        trials[i].train.epochs = EPOCHS + i;
        trials[i].train.patience = i % 2 ? 0 : 1;
        trials[i].train.min_delta = i % 2 ? 0 : 100;
    }
    check_limits(*state, trials, 4);
    assert_int_equal(off.trials[0].n_rows, 2);
    assert_int_equal(off.trials[3].n_rows, EPOCHS + 3);
}

static const cs_cache_limits in_memory = {.memory = 1 << 24}, in_file = {.disk = 1 << 24};

static void test_trunk_runs_once_on_every_image(void **state) {
    static const char *const depths[] = {"2", "head"};
    cs_trial_config trials[2];
    for (int i = 0; i < 2; i++)
        trials[i] = make_trial(depths[i], none);
    for (int l = has_stores(*state); l < 2; l++) {
        train(*state, trials, 2, l ? in_memory : in_file, &record);
        assert_int_equal(rows_set, TRAIN + VAL + TEST);
        for (int i = 0; i < 2; i++)
            assert_true(record.trials[i].result.reused ==
                        (double)((EPOCHS - 1) * (TRAIN + VAL) + VAL) / (EPOCHS * (TRAIN + VAL) + VAL + TEST));
    }
    train(*state, trials, 2, (cs_cache_limits){0}, &record);
    assert_int_equal(rows_set, EPOCHS * (TRAIN + VAL) + VAL + TEST);
}

static void test_val_is_kept_even_if_train_cannot_be(void **state) {
    cs_trial_config trial = make_trial("head", brightness);
    train(*state, &trial, 1, in_memory, &record);
    assert_int_equal(rows_set, EPOCHS * TRAIN + VAL + TEST);
}

static void test_flips_run_the_trunk_on_new_pictures_only(void **state) {
    cs_trial_config trial = make_trial("head", flip);
    trial.train.epochs = 8;
    train(*state, &trial, 1, in_memory, &record);
    assert_in_range(rows_set, TRAIN + VAL + TEST, 2 * TRAIN + VAL + TEST);
}

/* A cache would only take memory. */
static void test_one_epoch_opens_no_cache(void **state) {
    cs_trial_config trial = make_trial("head", none);
    for (int epochs = 1; epochs <= 2; epochs++) {
        trial.train.epochs = epochs;
        caches_opened = 0;
        train(*state, &trial, 1, in_memory, &record);
        assert_int_equal(caches_opened, epochs - 1);
    }
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "cache on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_numbers_are_the_same_in_a_group),
        ON_DEVICE(test_numbers_are_the_same_alone),
        ON_DEVICE(test_numbers_are_the_same_beside_a_tail_that_reads_images),
        ON_DEVICE(test_numbers_are_the_same_when_tails_stop_early),
        ON_DEVICE(test_trunk_runs_once_on_every_image),
        ON_DEVICE(test_val_is_kept_even_if_train_cannot_be),
        ON_DEVICE(test_flips_run_the_trunk_on_new_pictures_only),
        ON_DEVICE(test_one_epoch_opens_no_cache),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
