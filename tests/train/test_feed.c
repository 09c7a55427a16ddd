/* SPDX-License-Identifier: Apache-2.0 */
/* With an engine that has stores, the inputs of a program equal the loader's floats bit for bit. Without stores there
 * is nothing to compare. */
#include "augments.h"
#include "feed.h"
#include "fixture.h"
#include "network.h"

#include "device.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <stdlib.h>
#include <string.h>

enum { H = 12, W = 9, N = 23, BATCH = 5, EPOCHS = 3, CLASSES = 3 };

static bool without_stores;
bool __real_cs_engine_has_stores(const cs_engine *engine);
bool __wrap_cs_engine_has_stores(const cs_engine *engine);
bool __wrap_cs_engine_has_stores(const cs_engine *engine) {
    return !without_stores && __real_cs_engine_has_stores(engine);
}

static size_t room;
size_t __wrap_cs_engine_free_bytes(const cs_engine *engine);
size_t __wrap_cs_engine_free_bytes(const cs_engine *engine) {
    (void)engine;
    return room;
}

/* The engine reports more room for stores than it has. */
static int64_t largest_store;
cs_status __real_cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
cs_status __wrap_cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
cs_status __wrap_cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out) {
    *out = NULL;
    if (spec->rows > largest_store)
        return cs_fail(CS_ERR_NO_MEMORY, "a store of %lld rows", (long long)spec->rows);
    return __real_cs_store_open(engine, spec, out);
}

/* A feed, and a program whose output is its input. */
typedef struct fed_program {
    cs_feed *feed;
    cs_program *program;
    float *output;
} fed_program;

typedef struct bench {
    cs_engine *engine;
    cs_dataset *dataset;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    fed_program stores, floats;
    size_t row;
    int64_t n_new; /* images sent to a store */
} bench;

static void open_fed_program(const bench *b, const cs_loader_config *config, bool again, fed_program *out) {
    const cs_program_spec spec = {.segment = b->segment, .batch = config->batch, .mode = CS_MODE_INFER};
    assert_ok(cs_program_compile(b->engine, &spec, &out->program));
    assert_ok(cs_program_load(out->program, CS_ARRAY_VALUE, b->params));
    assert_ok(cs_feed_open(b->engine, b->dataset, config, again, &out->feed));
    assert_ok(cs_alloc((size_t)config->batch * b->row, sizeof(float), "output", &out->output));
}

static void close_fed_program(fed_program *s) {
    cs_feed_close(s->feed);
    cs_program_free(s->program);
    free(s->output);
}

static void open_bench(bench *b, const fixture *spec, const cs_loader_config *config, bool again) {
    const cs_engine_options options = test_engine_options(test_device(), 1);
    int input, padded;
    *b = (bench){0};
    assert_ok(cs_engine_open(test_device(), &options, &b->engine));
    fixture_write(fixture_path("fed.h5"), spec);
    assert_ok(cs_dataset_open(fixture_path("fed.h5"), &b->dataset));
    assert_ok(cs_graph_create("pad", &b->graph));
    assert_ok(cs_graph_input(b->graph, "input", config->h, config->w, 3, &input));
    assert_ok(cs_graph_zero_pad(b->graph, "pad", input, 1, 0, 0, 1, &padded));
    assert_ok(cs_params_create(b->graph, &b->params));
    assert_ok(cs_segment_create(b->graph, 0, b->graph->n_layers, &b->segment));
    b->row = cs_shape_count(b->graph->layers[padded].out);
    open_fed_program(b, config, again, &b->stores);
    without_stores = true;
    open_fed_program(b, config, again, &b->floats);
    without_stores = false;
}

static void close_bench(bench *b) {
    close_fed_program(&b->stores);
    close_fed_program(&b->floats);
    cs_segment_free(b->segment);
    cs_params_free(b->params);
    cs_graph_free(b->graph);
    cs_dataset_close(b->dataset);
    cs_engine_close(b->engine);
}

static void run_side(fed_program *s, cs_batch *batch) {
    assert_ok(cs_feed_next(s->feed, batch));
    if (batch->n == 0)
        return;
    assert_ok(cs_feed_input(s->feed, batch, s->program));
    assert_ok(cs_program_forward(s->program, batch->n));
    assert_ok(cs_program_get_output(s->program, 0, s->output, batch->n));
}

static bool host_makes_pictures; /* what is expected of an engine that has stores */

/* Compares epochs, beginning with the batch `first` of the first one. */
static void compare(bench *b, int epochs, int first) {
    for (int e = 0; e < epochs; e++) {
        assert_ok(cs_loader_start(cs_feed_loader(b->stores.feed), e, e ? 0 : first));
        assert_ok(cs_loader_start(cs_feed_loader(b->floats.feed), e, e ? 0 : first));
        for (;;) {
            cs_batch got, want;
            run_side(&b->stores, &got);
            run_side(&b->floats, &want);
            assert_int_equal(got.n, want.n);
            if (want.n_global == 0)
                break;
            assert_int_equal(got.images != NULL, host_makes_pictures);
            assert_memory_equal(got.labels, want.labels, (size_t)want.n * sizeof *want.labels);
            assert_int_equal(got.soft != NULL, want.soft != NULL);
            if (want.soft)
                assert_memory_equal(got.soft, want.soft, (size_t)want.n * CLASSES * sizeof *want.soft);
            assert_memory_equal(b->stores.output, b->floats.output, (size_t)want.n * b->row * sizeof(float));
            b->n_new += got.n_new;
        }
    }
}

static cs_loader_config config_of(cs_preprocess_kind kind, const char *augment) {
    cs_preprocess preprocess = cs_preprocess_of(kind);
    cs_loader_config config = {.split = CS_SPLIT_TRAIN,
                               .batch = BATCH,
                               .h = H,
                               .w = W,
                               .bgr = preprocess.bgr,
                               .shuffle = true,
                               .seed = 5,
                               .augment = test_augment(augment)};
    memcpy(config.multiply, preprocess.multiply, sizeof config.multiply);
    memcpy(config.add, preprocess.add, sizeof config.add);
    return config;
}

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 4, 0}},
                     jpeg = {.encoding = CS_ENCODING_JPEG, .h = 2 * H, .w = 3 * W, .counts = {N, 0, 0}};
static const char none[] = "", all[] = "horizontal_flip=true vertical_flip=true brightness_range=0.6:1.9";

static int64_t feed_all(const fixture *spec, const cs_loader_config *config, bool again, int first) {
    bench b;
    open_bench(&b, spec, config, again);
    compare(&b, EPOCHS, first);
    close_bench(&b);
    return b.n_new;
}

static int plenty(void **state) {
    (void)state;
    const cs_engine_options options = test_engine_options(test_device(), 1);
    cs_engine *engine;
    room = (size_t)1 << 24;
    largest_store = INT64_MAX;
    host_makes_pictures = false;
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    bool has = cs_engine_has_stores(engine);
    cs_engine_close(engine);
    return !has; /* see main */
}

static void inputs_equal_the_loaders_for_every_treatment_of_pixels(void **state) {
    (void)state;
    static const char *const augments[] = {none, all};
    for (cs_preprocess_kind kind = CS_PREPROCESS_TF; kind <= CS_PREPROCESS_RAW_IMAGENET; kind++)
        for (int a = 0; a < 2; a++) {
            const cs_loader_config config = config_of(kind, augments[a]);
            feed_all(&raw, &config, true, 0);
        }
}

static void jpeg_and_resized_images_equal_the_loaders(void **state) {
    (void)state;
    cs_loader_config config = config_of(CS_PREPROCESS_TORCH, all);
    feed_all(&jpeg, &config, true, 0);
    feed_all(&jpeg, &config, false, 0);
    config.h = H + 3;
    feed_all(&raw, &config, true, 0);
    feed_all(&raw, &config, false, 0);
}

static void an_image_that_stays_is_sent_once(void **state) {
    (void)state;
    const cs_loader_config config = config_of(CS_PREPROCESS_TF, all);
    assert_int_equal(feed_all(&raw, &config, true, 0), N);
    assert_int_equal(feed_all(&raw, &config, true, 2), N);
    assert_int_equal(feed_all(&raw, &config, false, 0), EPOCHS * N);
}

static void images_that_do_not_fit_are_sent_each_time(void **state) {
    (void)state;
    const cs_loader_config config = config_of(CS_PREPROCESS_TF, all);
    size_t bytes = (size_t)N * H * W * 3;
    room = 4 * bytes;
    assert_int_equal(feed_all(&raw, &config, true, 0), N);
    room = 4 * bytes - 4;
    assert_int_equal(feed_all(&raw, &config, true, 0), EPOCHS * N);
}

static void a_device_with_less_room_than_reported_keeps_one_batch(void **state) {
    (void)state;
    const cs_loader_config config = config_of(CS_PREPROCESS_TF, all);
    largest_store = BATCH;
    assert_int_equal(feed_all(&raw, &config, true, 0), EPOCHS * N);
}

static void a_part_of_a_batch_equals_the_loaders(void **state) {
    (void)state;
    cs_loader_config config = config_of(CS_PREPROCESS_CAFFE, all);
    config.parts = 7; /* of 5 rows: some have none */
    int64_t n_new = 0;
    for (config.part = 0; config.part < config.parts; config.part++) {
        feed_all(&raw, &config, true, 0);
        n_new += feed_all(&raw, &config, false, 1);
    }
    assert_int_equal(n_new, EPOCHS * N - BATCH);
}

static void mixed_images_equal_the_loaders(void **state) {
    (void)state;
    cs_loader_config config = config_of(CS_PREPROCESS_TORCH, all);
    test_augment_mix(&config.augment, &(cs_mix){{{CS_MIX_KERAS, 1, 0.5f}, {CS_MIX_TIMM, 1, 0.4f}}});
    assert_int_equal(feed_all(&raw, &config, true, 0), N);
    assert_int_equal(feed_all(&raw, &config, false, 0), EPOCHS * N);
    feed_all(&jpeg, &config, false, 2);
    /* Pictures of several sweeps, the first of which looks at the whole image. */
    test_augment_set(&config.augment, "random_autocontrast", (const float[]){0}, 0);
    test_augment_set(&config.augment, "random_rotation", (const float[]){-30, 30}, 2);
    for (config.parts = 2; config.parts < BATCH + 2; config.parts++)
        for (config.part = 0; config.part < config.parts; config.part++) {
            feed_all(&raw, &config, true, 0);
            feed_all(&raw, &config, false, 0);
        }
}

/* Steps of every family of lists, with numbers of their first parameters, that an engine with stores makes itself. */
typedef struct chosen_step {
    const char *name;
    float number[8];
    int n;
} chosen_step;

enum { LISTS = 5, LIST_STEPS = 6 };
static const chosen_step lists[LISTS][LIST_STEPS] = {
    {{"random_rotation", {-40, 40, 1}, 3},
     {"random_affine", {-20, 20, 0.2f, 0.1f, 0.7f, 1.4f, -10, 10}, 8},
     {"random_perspective", {0.4f}, 1},
     {"random_horizontal_flip", {0}, 0}},
    {{"color_jitter", {0.6f, 1.4f, 0.6f, 1.4f, 0.6f, 1.4f, -0.2f, 0.2f}, 8},
     {"random_autocontrast", {0}, 0},
     {"random_adjust_sharpness", {3}, 1},
     {"gaussian_blur", {5, 3}, 2},
     {"random_erasing", {0.02f, 0.33f, 0.3f, 3.3f, 1}, 5}},
    {{"rand_augment", {3}, 1}, {"trivial_augment_wide", {0}, 0}, {"auto_augment", {0}, 0}, {"random_equalize", {0}, 0}},
    {{"random_gamma", {40, 250}, 2},
     {"random_brightness_contrast", {-0.4f, 0.4f, -0.4f, 0.4f}, 4},
     {"coarse_dropout", {2, 4}, 2},
     {"gauss_noise", {0}, 0},
     {"motion_blur", {0}, 0}},
    {{"keras.random_rotation", {-0.2f, 0.2f}, 2},
     {"keras.random_zoom", {-0.4f, 0.4f}, 2},
     {"keras.random_color_jitter", {-0.2f, 0.2f, 1, 0.3f, 0, 1, 0.6f}, 7},
     {"keras.random_gaussian_blur", {0}, 0},
     {"keras.random_erasing", {0}, 0},
     {"keras.rand_augment", {3}, 1}},
};

static void steps_of_every_family_equal_the_loaders(void **state) {
    (void)state;
    for (int l = 0; l < LISTS; l++) {
        cs_loader_config config = config_of(CS_PREPROCESS_TORCH, none);
        for (const chosen_step *step = lists[l]; step < lists[l] + LIST_STEPS && step->name; step++)
            test_augment_set(&config.augment, step->name, step->number, step->n);
        assert_ok(cs_augment_check(&config.augment));
        assert_int_equal(feed_all(&raw, &config, true, 0), N);
        feed_all(&jpeg, &config, false, 0);
    }
}

/* Feeds the images as a trial standardizes them with these parameters of Keras' generator. */
static int64_t feed_standardized(const char *text) {
    static float matrix[H * W * 3][H * W * 3];
    const cs_trial_config trial = {.train = {.batch = BATCH, .seed = 5}, .augment = test_augment(text)};
    const cs_standardization standardization = {.settings = cs_augment_standardize(&trial.augment, false),
                                                .mean = {120, 100, 90},
                                                .std = {60, 50, 70},
                                                .whitening = matrix[0]};
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    cs_graph *graph;
    int input;
    for (int i = 0; i < H * W * 3; i++)
        for (int k = 0; k < H * W * 3; k++)
            matrix[i][k] = cs_rng_range(&rng, -1, 1);
    assert_ok(cs_graph_create("input", &graph));
    assert_ok(cs_graph_input(graph, "input", H, W, 3, &input));
    cs_loader_config config = cs_trial_loader(&trial, graph, &standardization, CS_SPLIT_TRAIN);
    config.shuffle = true;
    config.augment = trial.augment;
    const int64_t n_new = feed_all(&raw, &config, true, 0);
    cs_graph_free(graph);
    return n_new;
}

static void images_scaled_by_channels_equal_the_loaders(void **state) {
    (void)state;
    assert_int_equal(feed_standardized("rescale=0.01 rotation_range=40 horizontal_flip=true"), N);
    assert_int_equal(feed_standardized("rescale=0.01 featurewise_std_normalization=true zoom_range=0.7:1.3"), N);
}

/* The engine is not asked to make what it cannot. */
static void the_host_makes_images_that_the_engine_cannot(void **state) {
    (void)state;
    static const char *const texts[] = {"samplewise_center=true brightness_range=0.5:1.5",
                                        "samplewise_std_normalization=true featurewise_std_normalization=true",
                                        "zca_whitening=true rescale=0.01 vertical_flip=true"};
    cs_loader_config config = config_of(CS_PREPROCESS_CAFFE, none);
    host_makes_pictures = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(feed_standardized(texts[i]), 0);
    test_augment_set(&config.augment, "image_compression", (const float[]){10, 60}, 2);
    assert_int_equal(feed_all(&raw, &config, true, 0), 0);
    test_augment_mix(&config.augment, &(cs_mix){{{CS_MIX_KERAS, 1, 0.5f}, {CS_MIX_TIMM, 1, 0.4f}}});
    assert_int_equal(feed_all(&raw, &config, true, 0), 0);
}

/* If every row of the split can be cached, its images are read only once, so that they need not stay in the store. */
static void images_whose_rows_are_cached_do_not_stay(void **state) {
    (void)state;
    cs_loader_config config = config_of(CS_PREPROCESS_TF, none);
    cs_row_set *cached_rows;
    assert_ok(cs_row_set_open(N, &cached_rows));
    config.cached_rows = cached_rows; /* no row is ever added */
    assert_int_equal(feed_all(&raw, &config, true, 0), EPOCHS * N);
    config.all_images = true;
    assert_int_equal(feed_all(&raw, &config, true, 0), N);
    config.all_images = false;
    config.augment = test_augment("vertical_flip=true"); /* two pictures of each */
    assert_int_equal(feed_all(&raw, &config, true, 0), N);
    cs_row_set_close(cached_rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(inputs_equal_the_loaders_for_every_treatment_of_pixels, plenty),
        cmocka_unit_test_setup(jpeg_and_resized_images_equal_the_loaders, plenty),
        cmocka_unit_test_setup(an_image_that_stays_is_sent_once, plenty),
        cmocka_unit_test_setup(images_that_do_not_fit_are_sent_each_time, plenty),
        cmocka_unit_test_setup(a_device_with_less_room_than_reported_keeps_one_batch, plenty),
        cmocka_unit_test_setup(a_part_of_a_batch_equals_the_loaders, plenty),
        cmocka_unit_test_setup(mixed_images_equal_the_loaders, plenty),
        cmocka_unit_test_setup(steps_of_every_family_equal_the_loaders, plenty),
        cmocka_unit_test_setup(images_scaled_by_channels_equal_the_loaders, plenty),
        cmocka_unit_test_setup(the_host_makes_images_that_the_engine_cannot, plenty),
        cmocka_unit_test_setup(images_whose_rows_are_cached_do_not_stay, plenty),
    };
    if (plenty(NULL) != 0) {
        print_message("engine %s has no stores\n", test_device());
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
