/* SPDX-License-Identifier: Apache-2.0 */
/* What the network gets of standardized images equals what the ImageDataGenerator of Keras makes of them, fitted to the
 * same training images, or torchvision's Normalize; and the statistics are those of the training split alone. */
#include "augments.h"
#include "fit.h"
#include "fixture.h"
#include "network.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/whitening.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { H = 10, W = 8, SIZE = H * W * 3, TRAIN = 300, FEW = 40, VAL = 7 };

/* What a file for the reference has of each case before the images: training images, those of val, and what the network
 * gets of the latter. */
typedef struct head {
    int32_t era, samplewise_center, samplewise_std, featurewise_center, featurewise_std, zca, h, w, n, n_val;
    double rescale, zca_epsilon;
} head;

/* Removes all files that earlier tests kept. */
static void empty_folder(void) {
    assert_ok(cs_remove_all(fixture_path("kept")));
}

static int count_files(void) {
    int n = 0;
    DIR *stream = opendir(fixture_path("kept"));
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        n += strstr(entry->d_name, ".h5") && !strstr(entry->d_name, ".lock");
    if (stream)
        closedir(stream);
    return n;
}

static cs_trial_config make_trial(const char *text) {
    cs_trial_config trial = {.train = {.batch = 16}, .augment = test_augment(text), .augment_name = "test"};
    assert_true(snprintf(trial.data.features, sizeof trial.data.features, "%s", fixture_path("kept")) > 0);
    return trial;
}

/* A network of no layers but its input. */
static cs_graph *make_input(int h, int w) {
    cs_graph *graph = NULL;
    int input;
    assert_ok(cs_graph_create("input", &graph));
    assert_ok(cs_graph_input(graph, "input", h, w, 3, &input));
    graph->preprocess = CS_PREPROCESS_CAFFE; /* to be replaced */
    return graph;
}

static cs_dataset *open_dataset(const fixture *spec) {
    const char *path = fixture_path("standardized.h5");
    cs_dataset *dataset = NULL;
    fixture_write(path, spec);
    assert_ok(cs_dataset_open(path, &dataset));
    return dataset;
}

/* Reads all images of a split; the caller frees them. */
static float *read_split(const cs_dataset *dataset, cs_loader_config config) {
    const size_t size = (size_t)config.h * (size_t)config.w * 3;
    cs_loader *loader = NULL;
    cs_batch batch;
    float *images = NULL, *to;
    assert_ok(cs_alloc((size_t)cs_dataset_count(dataset, config.split), size * sizeof *images, "images", &images));
    assert_ok(cs_loader_open(dataset, &config, &loader));
    assert_ok(cs_loader_start(loader, 0, 0));
    to = images;
    for (int i = cs_loader_batches(loader); i > 0; i--) {
        assert_ok(cs_loader_next(loader, &batch));
        memcpy(to, batch.images, (size_t)batch.n * size * sizeof *to);
        to += (size_t)batch.n * size;
    }
    cs_loader_close(loader);
    return images;
}

static float *read_pixels(const cs_dataset *dataset, cs_split split) {
    const cs_loader_config config = {.split = split, .batch = 16, .h = H, .w = W, .multiply = {1, 1, 1}};
    return read_split(dataset, config);
}

/* What a network of H x W gets of the split. */
static float *read_standardized(const cs_dataset *dataset, const cs_trial_config *trial, cs_split split) {
    cs_graph *graph = make_input(H, W);
    cs_fitted fitted = {0};
    assert_ok(cs_fit(trial, dataset, graph, NULL, &fitted));
    float *images = read_split(dataset, cs_trial_loader(trial, graph, &fitted.standardization, split));
    cs_fitted_close(&fitted);
    cs_graph_free(graph);
    return images;
}

static void write_floats(FILE *file, float *values, size_t n) {
    assert_int_equal(fwrite(values, sizeof *values, n, file), n);
    free(values);
}

static void write_case(FILE *file, const char *text, const fixture *spec) {
    const cs_trial_config trial = make_trial(text);
    const cs_standardize s = cs_augment_standardize(&trial.augment, false);
    cs_dataset *dataset = open_dataset(spec);
    const head h = {.era = s.is_of_keras_2_8,
                    .samplewise_center = strstr(text, "samplewise_center") != NULL,
                    .samplewise_std = strstr(text, "samplewise_std") != NULL,
                    .featurewise_center = strstr(text, "featurewise_center") != NULL,
                    .featurewise_std = strstr(text, "featurewise_std") != NULL,
                    .zca = strstr(text, "zca_whitening") != NULL,
                    .h = H,
                    .w = W,
                    .n = (int32_t)spec->counts[CS_SPLIT_TRAIN],
                    .n_val = VAL,
                    .rescale = (double)s.rescale,
                    .zca_epsilon = (double)s.zca_epsilon};
    assert_int_equal(fwrite(&h, sizeof h, 1, file), 1);
    write_floats(file, read_pixels(dataset, CS_SPLIT_TRAIN), (size_t)h.n * SIZE);
    write_floats(file, read_pixels(dataset, CS_SPLIT_VAL), (size_t)VAL * SIZE);
    write_floats(file, read_standardized(dataset, &trial, CS_SPLIT_VAL), (size_t)VAL * SIZE);
    cs_dataset_close(dataset);
}

static void images_are_standardized_as_by_keras(void **state) {
    static const char *const cases[] = {
        "rescale=0.003921569",
        "samplewise_center=true",
        "samplewise_std_normalization=true",
        "rescale=0.003921569 samplewise_center=true samplewise_std_normalization=true",
        "featurewise_center=true",
        "featurewise_std_normalization=true",
        "rescale=0.003921569 featurewise_center=true featurewise_std_normalization=true",
        "zca_whitening=true",
        "era=1 zca_whitening=true zca_epsilon=0.1",
        "rescale=0.003921569 featurewise_std_normalization=true zca_whitening=true zca_epsilon=0.01",
        "era=1 rescale=0.003921569 samplewise_center=true zca_whitening=true",
        "rescale=0.01 samplewise_std_normalization=true featurewise_std_normalization=true",
    };
    const fixture spec = {.h = 13, .w = 11, .counts = {FEW, VAL, 1}};
    const fixture many = {.h = 13, .w = 11, .counts = {TRAIN, VAL, 1}}; /* more images than values of each */
    const fixture jpeg = {.encoding = CS_ENCODING_JPEG, .h = 13, .w = 11, .counts = {FEW, VAL, 1}};
    FILE *file = fopen(fixture_path("standardized.bin"), "wb");
    (void)state;
    assert_non_null(file);
    empty_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_case(file, cases[i], &spec);
        write_case(file, cases[i], &jpeg);
        write_case(file, cases[i], &many);
    }
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_standardize.py", fixture_path("standardized.bin"));
}

static cs_trial_config make_normalizing_trial(const float numbers[6]) {
    cs_trial_config trial = make_trial("");
    test_augment_set(&trial.augment, "normalize", numbers, 6);
    return trial;
}

static const float imagenet[6] = {0.485f, 0.456f, 0.406f, 0.229f, 0.224f, 0.225f};

/* Of each split the bytes and what the network gets of them. */
static void images_are_normalized_as_by_torchvision(void **state) {
    static const float others[][6] = {{0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}, {0, 0.25f, 1, 1, 0.3f, 0.125f}};
    const fixture spec = {.h = H, .w = W, .counts = {TRAIN, VAL, FEW}};
    const int32_t counts[CS_SPLIT_COUNT] = {TRAIN, VAL, FEW};
    cs_dataset *dataset = open_dataset(&spec);
    FILE *file = fopen(fixture_path("normalized.bin"), "wb");
    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < 1 + sizeof others / sizeof *others; i++) {
        const float *numbers = i == 0 ? imagenet : others[i - 1];
        const cs_trial_config trial = make_normalizing_trial(numbers);
        for (int split = 0; split < CS_SPLIT_COUNT; split++) {
            const int32_t shape[] = {counts[split], H, W};
            const size_t n = (size_t)counts[split] * SIZE;
            assert_int_equal(fwrite(shape, sizeof *shape, 3, file), 3);
            assert_int_equal(fwrite(numbers, sizeof *numbers, 6, file), 6);
            write_floats(file, read_pixels(dataset, (cs_split)split), n);
            write_floats(file, read_standardized(dataset, &trial, (cs_split)split), n);
        }
    }
    assert_int_equal(fclose(file), 0);
    cs_dataset_close(dataset);
    fixture_run_reference("reference_normalize.py", fixture_path("normalized.bin"));
}

/* To the bit, so that it may stand in a list for weights that have it anyway. */
static void normalization_by_imagenets_numbers_is_the_preprocessing_torch(void **state) {
    const cs_trial_config trial = make_normalizing_trial(imagenet);
    const cs_preprocess want = cs_preprocess_of(CS_PREPROCESS_TORCH);
    cs_graph *graph = make_input(H, W);
    cs_fitted fitted = {0};
    (void)state;
    assert_ok(cs_fit(&trial, NULL, graph, NULL, &fitted));
    const cs_loader_config config = cs_trial_loader(&trial, graph, &fitted.standardization, CS_SPLIT_VAL);
    assert_memory_equal(config.multiply, want.multiply, sizeof want.multiply);
    assert_memory_equal(config.add, want.add, sizeof want.add);
    assert_false(config.bgr);
    cs_fitted_close(&fitted);
    cs_graph_free(graph);
}

static void trials_that_are_normalized_by_other_numbers_do_not_share_batches(void **state) {
    float other[6];
    const cs_trial_config a = make_normalizing_trial(imagenet);
    (void)state;
    for (int i = 0; i < 6; i++) {
        memcpy(other, imagenet, sizeof other);
        other[i] += 0.01f;
        const cs_trial_config b = make_normalizing_trial(other);
        assert_false(cs_trials_can_share(&a, &b));
        assert_true(cs_trial_key(&a) != cs_trial_key(&b));
    }
}

/* Those that cnnsweep-pack computed; this dataset was written with others, so that they can be recognised. */
static void statistics_of_images_of_the_stored_size_are_the_datasets(void **state) {
    const fixture spec = {.h = H, .w = W, .counts = {FEW, VAL, 1}};
    const cs_trial_config trial = make_trial("featurewise_std_normalization=true");
    cs_dataset *dataset = open_dataset(&spec);
    cs_graph *graph = make_input(H, W);
    cs_fitted fitted = {0};
    (void)state;
    empty_folder();
    assert_ok(cs_fit(&trial, dataset, graph, NULL, &fitted));
    for (int c = 0; c < 3; c++) {
        assert_true(fitted.standardization.mean[c] == (float)(1 + c));
        assert_true(fitted.standardization.std[c] == (float)(4 + c));
    }
    assert_int_equal(count_files(), 0);
    cs_fitted_close(&fitted);
    cs_graph_free(graph);
    cs_dataset_close(dataset);
}

/* What the network gets of the training images, with so many images in val and test. */
static float *standardized_beside(const char *text, int64_t val, int64_t test) {
    const cs_trial_config trial = make_trial(text);
    const fixture spec = {.h = 13, .w = 11, .counts = {FEW, val, test}};
    cs_dataset *dataset = open_dataset(&spec);
    float *images = read_standardized(dataset, &trial, CS_SPLIT_TRAIN);
    cs_dataset_close(dataset);
    return images;
}

static void statistics_do_not_depend_on_val_and_test(void **state) {
    static const char *const cases[] = {"featurewise_std_normalization=true", "zca_whitening=true"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        empty_folder();
        float *one = standardized_beside(cases[i], VAL, 1), *other = standardized_beside(cases[i], 3 * VAL, 50);
        assert_memory_equal(one, other, FEW * SIZE * sizeof *one);
        assert_true(count_files() >= 2); /* both were computed */
        free(one);
        free(other);
    }
}

/* Of as many images as there are values, or more, whose values are not constant. */
static void whitened_training_images_have_the_covariance_of_noise(void **state) {
    const fixture spec = {.h = 13, .w = 11, .counts = {TRAIN, VAL, 1}};
    const cs_trial_config trial = make_trial("zca_whitening=true");
    cs_dataset *dataset = open_dataset(&spec);
    (void)state;
    empty_folder();
    float *images = read_standardized(dataset, &trial, CS_SPLIT_TRAIN);
    for (size_t i = 0; i < SIZE; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < TRAIN; k++)
                sum += (double)images[k * SIZE + i] * (double)images[k * SIZE + j];
            assert_true(fabs(sum / TRAIN - (i == j)) < 1e-3);
        }
    free(images);
    cs_dataset_close(dataset);
}

/* Whatever number of images are multiplied together. */
static void a_whitened_image_does_not_depend_on_the_others(void **state) {
    enum { MANY = 11, LONG = 700 };
    static float matrix[LONG * LONG], x[MANY * LONG], together[MANY * LONG], alone[LONG];
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    (void)state;
    for (int i = 0; i < LONG * LONG; i++)
        matrix[i] = cs_rng_range(&rng, -1, 1);
    for (int i = 0; i < MANY * LONG; i++)
        x[i] = cs_rng_range(&rng, -1, 1);
    cs_whitening_apply(matrix, LONG, x, MANY, together);
    for (int i = 0; i < MANY; i++) {
        cs_whitening_apply(matrix, LONG, x + (size_t)i * LONG, 1, alone);
        assert_memory_equal(alone, together + (size_t)i * LONG, sizeof alone);
    }
    for (int j = 0; j < LONG; j++) {
        double sum = 0;
        for (int k = 0; k < LONG; k++)
            sum += (double)x[k] * (double)matrix[k * LONG + j];
        assert_true(fabs(sum - (double)together[j]) < 1e-4);
    }
}

/* In the place of OpenBLAS' own functions (ENABLE_EXPORTS, settings.cmake). */
static int blas_kind, blas_threads;
int openblas_get_parallel(void);
int openblas_get_parallel(void) {
    return blas_kind;
}

void openblas_set_num_threads(int threads);
void openblas_set_num_threads(int threads) {
    blas_threads = threads;
}

/* Else the matrix depends on the cores that the process has. */
static void a_blas_with_its_own_threads_uses_one(void **state) {
    static const int threads_of_kind[] = {0, 1, 0}; /* it has no threads, its own, those of OpenMP */
    (void)state;
    for (blas_kind = 0; blas_kind < 3; blas_kind++) {
        cs_whitening *whitening = NULL;
        blas_threads = 0;
        assert_ok(cs_whitening_open(2, 3, &whitening));
        assert_int_equal(blas_threads, threads_of_kind[blas_kind]);
        cs_whitening_close(whitening);
    }
}

static void trials_of_different_standardizations_do_not_share_batches(void **state) {
    static const char *const texts[] = {"",
                                        "rescale=0.01",
                                        "featurewise_center=true",
                                        "featurewise_std_normalization=true",
                                        "zca_whitening=true",
                                        "zca_whitening=true zca_epsilon=0.1"};
    enum { N = sizeof texts / sizeof *texts };
    (void)state;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            const cs_trial_config a = make_trial(texts[i]), b = make_trial(texts[j]);
            assert_int_equal(cs_trials_can_share(&a, &b), i == j);
            assert_int_equal(cs_trial_key(&a) == cs_trial_key(&b), i == j);
        }
}

/* So that the trunk's output for an image is computed once. */
static void a_standardization_makes_one_picture_of_an_image(void **state) {
    const cs_augment pure = test_augment("era=1 rescale=0.01 samplewise_center=true zca_whitening=true"),
                     flips = test_augment("rescale=0.01 horizontal_flip=true"),
                     dark = test_augment("brightness_range=0.5:0.5");
    (void)state;
    assert_int_equal(cs_augment_variants(&pure), 1);
    assert_int_equal(cs_augment_variants(&flips), 2);
    assert_true(cs_augment_keeps_images(&pure));
    assert_false(cs_augment_keeps_images(&flips));
    assert_false(cs_augment_keeps_images(&dark));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_standardized_as_by_keras),
        cmocka_unit_test(images_are_normalized_as_by_torchvision),
        cmocka_unit_test(normalization_by_imagenets_numbers_is_the_preprocessing_torch),
        cmocka_unit_test(trials_that_are_normalized_by_other_numbers_do_not_share_batches),
        cmocka_unit_test(statistics_of_images_of_the_stored_size_are_the_datasets),
        cmocka_unit_test(statistics_do_not_depend_on_val_and_test),
        cmocka_unit_test(whitened_training_images_have_the_covariance_of_noise),
        cmocka_unit_test(a_whitened_image_does_not_depend_on_the_others),
        cmocka_unit_test(a_blas_with_its_own_threads_uses_one),
        cmocka_unit_test(trials_of_different_standardizations_do_not_share_batches),
        cmocka_unit_test(a_standardization_makes_one_picture_of_an_image),
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
