/* SPDX-License-Identifier: Apache-2.0 */
/* A trial with data.filter has the numbers of a trial without it on a dataset that was packed through the same filters.
 * Each test runs on every engine of this build. */
#include "toy.h"

#include "cnnsweep/file.h"

#include <stdio.h>
#include <string.h>

enum { TRAIN = 20, VAL = 9, TEST = 10, IMAGES = TRAIN + VAL + TEST, EPOCHS = 3 };
static const toy_spec spec = {.counts = {TRAIN, VAL, TEST}, .contrast = 20};
static const char filters[] = "median,unsharp:amount=2";

/* Counts the images that are filtered (by the linker's --wrap, settings.cmake). */
static int filtered_images;
cs_status __real_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image);
cs_status __wrap_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image);
cs_status __wrap_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image) {
    filtered_images++;
    return __real_cs_filter_apply(chain, scratch, image);
}

static void append_filtered(const cs_dataset *dataset, cs_split split, int64_t i, cs_filter_scratch *scratch,
                            cs_dataset_writer *writer) {
    cs_filter_chain chain;
    cs_image image = {0};
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size);
    assert_ok(cs_filter_parse(filters, &chain));
    assert_ok(cs_image_reserve(&image, TOY_SIZE, TOY_SIZE));
    memcpy(image.pixels, bytes, size);
    assert_ok(__real_cs_filter_apply(&chain, scratch, &image));
    assert_ok(cs_dataset_append(writer, split, cs_dataset_label(dataset, split, i), cs_dataset_id(dataset, split, i),
                                image.pixels, size));
    cs_image_clear(&image);
}

/* Writes a copy of the dataset whose images went through the filters. */
static void pack_filtered(const char *from, const char *to) {
    static const char *const classes[TOY_CLASSES] = {"red", "green", "blue"};
    const cs_dataset_layout layout = {.encoding = CS_ENCODING_RAW,
                                      .resize = {CS_BILINEAR, CS_ASPECT_STRETCH},
                                      .h = TOY_SIZE,
                                      .w = TOY_SIZE,
                                      .filter = filters,
                                      .classes = classes,
                                      .n_classes = TOY_CLASSES,
                                      .counts = {TRAIN, VAL, TEST}};
    cs_dataset *dataset = NULL;
    cs_dataset_writer *writer = NULL;
    cs_filter_scratch *scratch = NULL;
    assert_ok(cs_dataset_open(from, &dataset));
    assert_ok(cs_remove_all(to));
    assert_ok(cs_dataset_create(to, &layout, &writer));
    assert_ok(cs_filter_scratch_open(&scratch));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        for (int64_t i = 0; i < spec.counts[split]; i++)
            append_filtered(dataset, split, i, scratch, writer);
    cs_filter_scratch_close(scratch);
    assert_ok(cs_dataset_commit(&writer));
    cs_dataset_close(dataset);
}

static void train(const char *device, const cs_trial_config *trial, cs_filter_cache *cache, toy_record *out) {
    cs_engine *engine;
    cs_train_events events = toy_events(out);
    const cs_engine_options options = test_trainer_options(2);
    const cs_group_config config = {.trials = trial, .n = 1, .filter_cache = cache, .events = &events};
    assert_ok(cs_engine_open(device, &options, &engine));
    filtered_images = 0;
    assert_ok(cs_group_train(engine, &config));
    assert_true(out->trials[0].finished);
    cs_engine_close(engine);
}

static cs_trial_config filtered_trial(void) {
    cs_trial_config trial = toy_trial(toy_dataset("plain", &spec));
    trial.train.epochs = EPOCHS;
    assert_ok(cs_filter_parse(filters, &trial.data.filter));
    return trial;
}

static toy_record plain, record, other;

static void test_numbers_are_those_of_a_filtered_dataset(void **state) {
    cs_trial_config trial = filtered_trial(), packed = trial;
    assert_ok(cs_path(packed.data.path, sizeof packed.data.path, "%s/packed.h5", test_scratch()));
    packed.data.filter = (cs_filter_chain){0};
    pack_filtered(trial.data.path, packed.data.path);
    train(*state, &packed, NULL, &other);
    assert_int_equal(filtered_images, 0);
    train(*state, &trial, NULL, &record);
    toy_assert_same(&record.trials[0], &other.trials[0]);
    trial.data.filter = (cs_filter_chain){0};
    train(*state, &trial, NULL, &plain);
    assert_true(plain.trials[0].rows[0].value[0] != record.trials[0].rows[0].value[0]);
}

static void test_an_image_is_filtered_once_for_all_epochs_and_groups(void **state) {
    cs_trial_config trial = filtered_trial();
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(IMAGES * TOY_SIZE * TOY_SIZE * 3, &cache));
    train(*state, &trial, cache, &record);
    assert_int_equal(filtered_images, IMAGES);
    train(*state, &trial, cache, &other);
    assert_int_equal(filtered_images, 0);
    toy_assert_same(&record.trials[0], &other.trials[0]);
    trial.train.seed = 2;
    train(*state, &trial, cache, &other);
    assert_int_equal(filtered_images, 0);
    cs_filter_cache_close(cache);
}

static void test_images_that_do_not_fit_are_filtered_anew(void **state) {
    cs_trial_config trial = filtered_trial();
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(VAL * TOY_SIZE * TOY_SIZE * 3, &cache));
    train(*state, &trial, NULL, &record);
    const int without = filtered_images;
    train(*state, &trial, cache, &other);
    assert_int_equal(cs_filter_cache_count(cache), VAL);
    assert_true(filtered_images <= without && filtered_images >= IMAGES);
    toy_assert_same(&record.trials[0], &other.trials[0]);
    cs_filter_cache_close(cache);
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "filters on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_numbers_are_those_of_a_filtered_dataset),
        ON_DEVICE(test_an_image_is_filtered_once_for_all_epochs_and_groups),
        ON_DEVICE(test_images_that_do_not_fit_are_filtered_anew),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
