/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of batches depend on the seed, the epoch and the sample, and on nothing else. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/file.h"
#include "cnnsweep/loader.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { H = 6, W = 8, ROW = H * W * 3, N = 23 };

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 5, 0}};
static const fixture jpeg = {.encoding = CS_ENCODING_JPEG, .h = 40, .w = 50, .counts = {N, 5, 0}};

static const cs_loader_config plain = {
    .split = CS_SPLIT_TRAIN, .batch = 4, .h = H, .w = W, .multiply = {1, 0.5f, 2}, .add = {0, -3, 1}, .seed = 9};

static cs_dataset *open_set(const char *name, const fixture *spec) {
    cs_dataset *dataset = NULL;
    fixture_write(fixture_path(name), spec);
    assert_ok(cs_dataset_open(fixture_path(name), &dataset));
    return dataset;
}

static cs_loader_config augmented(void) {
    cs_loader_config config = plain;
    config.shuffle = true;
    config.augment = test_augment("horizontal_flip=true vertical_flip=true brightness_range=0.4:1.5");
    return config;
}

/* A whole epoch: images[i] is the row of sample i, and `order` has the samples in the order in which they came. */
typedef struct epoch {
    float images[N][ROW];
    int64_t order[N];
    int rows;
} epoch;

static void read_epoch(cs_loader *loader, int number, epoch *out) {
    cs_batch batch;
    memset(out, 0, sizeof *out);
    assert_ok(cs_loader_start(loader, number, 0));
    for (;;) {
        assert_ok(cs_loader_next(loader, &batch));
        if (batch.n_global == 0)
            break;
        for (int i = 0; i < batch.n; i++) {
            assert_in_range(batch.samples[i], 0, N - 1);
            assert_int_equal(batch.labels[i], batch.samples[i] % 3);
            memcpy(out->images[batch.samples[i]], batch.images + i * ROW, sizeof out->images[0]);
            out->order[out->rows++] = batch.samples[i];
        }
    }
}

static epoch *new_epoch(void) {
    epoch *result = malloc(sizeof *result);
    assert_non_null(result);
    return result;
}

/* Loads the epoch with a new loader; the caller frees it. */
static epoch *load_epoch(cs_dataset *dataset, const cs_loader_config *config, int number) {
    cs_loader *loader = NULL;
    epoch *read = new_epoch();
    assert_ok(cs_loader_open(dataset, config, &loader));
    read_epoch(loader, number, read);
    cs_loader_close(loader);
    return read;
}

static void rows_are_pixel_times_multiply_plus_add(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    epoch *read = load_epoch(dataset, &plain, 0);
    assert_int_equal(read->rows, N);
    for (int i = 0; i < N; i++) {
        uint8_t pixels[ROW];
        fixture_pixels(pixels, H, W, (uint32_t)i);
        assert_int_equal(read->order[i], i);
        for (int k = 0; k < ROW; k++)
            assert_true(read->images[i][k] == (float)pixels[k] * plain.multiply[k % 3] + plain.add[k % 3]);
    }
    free(read);
    cs_dataset_close(dataset);
}

static void rows_can_have_their_channels_reversed(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader_config config = plain;
    config.bgr = true;
    config.multiply[2] = 3;
    epoch *read = load_epoch(dataset, &config, 0);
    assert_int_equal(read->rows, N);
    for (int i = 0; i < N; i++) {
        uint8_t pixels[ROW];
        fixture_pixels(pixels, H, W, (uint32_t)i);
        for (int k = 0; k < ROW; k += 3) {
            assert_true(read->images[i][k] == (float)pixels[k + 2]);
            assert_true(read->images[i][k + 1] == (float)pixels[k + 1] * 0.5f - 3);
            assert_true(read->images[i][k + 2] == (float)pixels[k] * 3 + 1);
        }
    }
    free(read);
    cs_dataset_close(dataset);
}

static void every_epoch_is_another_permutation_of_all_samples(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader *loader = NULL;
    cs_loader_config config = plain;
    epoch *first = new_epoch(), *second = new_epoch();
    config.shuffle = true;
    assert_ok(cs_loader_open(dataset, &config, &loader));
    read_epoch(loader, 0, first);
    read_epoch(loader, 1, second);
    assert_memory_not_equal(first->order, second->order, sizeof first->order);
    for (int e = 0; e < 2; e++) {
        int seen[N] = {0};
        for (int i = 0; i < N; i++)
            seen[(e ? second : first)->order[i]]++;
        for (int i = 0; i < N; i++)
            assert_int_equal(seen[i], 1);
    }
    free(first);
    free(second);
    cs_loader_close(loader);
    cs_dataset_close(dataset);
}

static void the_last_batch_has_the_remaining_samples(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader *loader = NULL;
    cs_batch batch;
    assert_ok(cs_loader_open(dataset, &plain, &loader));
    assert_int_equal(cs_loader_batches(loader), 6);
    assert_ok(cs_loader_start(loader, 0, 0));
    for (int i = 0; i < 6; i++) {
        assert_ok(cs_loader_next(loader, &batch));
        assert_int_equal(batch.n, i < 5 ? 4 : 3);
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(cs_loader_next(loader, &batch));
        assert_int_equal(batch.n, 0);
    }
    cs_loader_close(loader);
    cs_dataset_close(dataset);
}

/* Epoch 3 has the same contents when epochs were skipped, repeated or abandoned before, and with other batch sizes. */
static void contents_do_not_depend_on_earlier_epochs(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader_config config = augmented();
    epoch *expected = new_epoch(), *read = new_epoch();
    cs_loader *loader = NULL;
    cs_batch batch;
    assert_ok(cs_loader_open(dataset, &config, &loader));
    read_epoch(loader, 3, expected);
    read_epoch(loader, 2, read);
    assert_memory_not_equal(read->images, expected->images, sizeof read->images);
    for (int taken = 0; taken < 4; taken++) {
        assert_ok(cs_loader_start(loader, taken, 0));
        for (int i = 0; i < taken; i++)
            assert_ok(cs_loader_next(loader, &batch));
        read_epoch(loader, 3, read);
        assert_memory_equal(read, expected, sizeof *read);
    }
    cs_loader_close(loader);
    for (int size = 1; size <= N + 1; size += 11) {
        config.batch = size;
        assert_ok(cs_loader_open(dataset, &config, &loader));
        read_epoch(loader, 3, read);
        assert_memory_equal(read, expected, sizeof *read);
        cs_loader_close(loader);
    }
    free(expected);
    free(read);
    cs_dataset_close(dataset);
}

/* The loader is started again while its thread still decodes; the epoch that it was reading is abandoned. */
static void an_epoch_can_be_abandoned_at_any_time(void **state) {
    enum { STARTS = 1000, LONGEST = 500 /* microseconds */, PATIENCE = 60 /* seconds */ };
    (void)state;
    cs_dataset *dataset = open_set("jpeg.h5", &jpeg);
    cs_loader_config config = augmented();
    epoch *expected = load_epoch(dataset, &config, 1), *read = new_epoch();
    cs_loader *loader = NULL;
    assert_ok(cs_loader_open(dataset, &config, &loader));
    alarm(PATIENCE);
    for (int i = 0; i < STARTS; i++) {
        assert_ok(cs_loader_start(loader, 0, 0));
        const struct timespec pause = {.tv_nsec = (i % LONGEST) * 1000};
        nanosleep(&pause, NULL);
    }
    read_epoch(loader, 1, read);
    alarm(0);
    assert_memory_equal(read, expected, sizeof *read);
    free(expected);
    free(read);
    cs_loader_close(loader);
    cs_dataset_close(dataset);
}

/* Augmentation depends on (seed, epoch, sample) alone, so the samples in their stored order get the same rows. */
static void augmentation_belongs_to_the_sample(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader_config config = augmented();
    epoch *shuffled = load_epoch(dataset, &config, 1);
    config.shuffle = false;
    epoch *stored = load_epoch(dataset, &config, 1);
    assert_memory_equal(shuffled->images, stored->images, sizeof stored->images);
    for (int i = 0; i < N; i++) {
        uint8_t pixels[ROW], made[ROW];
        cs_picture picture;
        const cs_augment_address at = {config.seed, 1, (uint32_t)i};
        fixture_pixels(pixels, H, W, (uint32_t)i);
        cs_augment_draw(&config.augment, &at, H, W, &picture, NULL, NULL);
        test_augment_apply(&picture, pixels, made);
        for (int k = 0; k < ROW; k++)
            assert_true(stored->images[i][k] == (float)made[k] * config.multiply[k % 3] + config.add[k % 3]);
    }
    free(shuffled);
    free(stored);
    cs_dataset_close(dataset);
}

static void shards_and_one_file_give_the_same_batches(void **state) {
    (void)state;
    fixture spec = raw;
    cs_loader_config config = augmented();
    cs_dataset *dataset = open_set("raw.h5", &spec);
    epoch *one = load_epoch(dataset, &config, 0);
    cs_dataset_close(dataset);
    spec.shard_bytes = ROW * 5;
    dataset = open_set("shards", &spec);
    epoch *many = load_epoch(dataset, &config, 0);
    cs_dataset_close(dataset);
    assert_memory_equal(one, many, sizeof *one);
    free(one);
    free(many);
}

static void jpegs_are_decoded_and_resized(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("jpeg.h5", &jpeg);
    cs_decoder *decoder = NULL;
    cs_image image = {0};
    epoch *read = load_epoch(dataset, &plain, 0);
    assert_ok(cs_decoder_open(&decoder));
    for (int i = 0; i < N; i++) {
        size_t size;
        const uint8_t *bytes = cs_dataset_bytes(dataset, CS_SPLIT_TRAIN, i, &size);
        assert_ok(cs_decode_resized(decoder, "sample", bytes, size, (cs_resize){0}, H, W, &image));
        for (int k = 0; k < ROW; k++)
            assert_true(read->images[i][k] == (float)image.pixels[k] * plain.multiply[k % 3] + plain.add[k % 3]);
    }
    free(read);
    cs_image_clear(&image);
    cs_decoder_close(decoder);
    cs_dataset_close(dataset);
}

/* Opens a dataset whose second image is a truncated JPEG with an intact header. */
static cs_dataset *open_damaged(void) {
    static const char *const classes[] = {"a"};
    const cs_dataset_layout layout = {
        .encoding = CS_ENCODING_JPEG, .classes = classes, .n_classes = 1, .counts = {3, 0, 0}};
    cs_dataset_writer *writer = NULL;
    cs_image image = {0};
    cs_dataset *dataset = NULL;
    uint8_t *bytes = NULL;
    size_t capacity = 0, size = 0;
    assert_ok(cs_remove_all(fixture_path("damaged.h5")));
    assert_ok(cs_dataset_create(fixture_path("damaged.h5"), &layout, &writer));
    assert_ok(cs_image_reserve(&image, 40, 40));
    fixture_pixels(image.pixels, 40, 40, 1);
    assert_ok(cs_encode_jpeg(&image, 95, true, &bytes, &capacity, &size));
    for (int i = 0; i < 3; i++)
        assert_ok(cs_dataset_append(writer, CS_SPLIT_TRAIN, 0, i == 1 ? "bad.jpg" : "good.jpg", bytes,
                                    i == 1 ? size * 2 / 3 : size));
    assert_ok(cs_dataset_commit(&writer));
    assert_ok(cs_dataset_open(fixture_path("damaged.h5"), &dataset));
    free(bytes);
    cs_image_clear(&image);
    return dataset;
}

static void an_error_in_the_loader_thread_reaches_the_caller(void **state) {
    (void)state;
    cs_dataset *dataset = open_damaged();
    cs_loader_config config = plain;
    cs_loader *loader = NULL;
    cs_batch batch;
    config.batch = 1;
    assert_ok(cs_loader_open(dataset, &config, &loader));
    assert_ok(cs_loader_start(loader, 0, 0));
    assert_ok(cs_loader_next(loader, &batch));
    assert_int_equal(batch.n, 1);
    cs_error_clear();
    assert_fails(cs_loader_next(loader, &batch), CS_ERR_FORMAT, "bad.jpg");
    cs_loader_close(loader);
    cs_dataset_close(dataset);
}

static void impossible_configurations_are_refused(void **state) {
    (void)state;
    cs_dataset *dataset = open_set("raw.h5", &raw);
    cs_loader_config config = plain;
    cs_loader *loader = NULL;
    cs_batch batch;
    config.split = CS_SPLIT_TEST;
    assert_fails(cs_loader_open(dataset, &config, &loader), CS_ERR_NOT_FOUND, "\"test\" is empty");
    config = plain;
    config.batch = 0;
    assert_fails(cs_loader_open(dataset, &config, &loader), CS_ERR_ARG, "batches of 0");
    assert_ok(cs_loader_open(dataset, &plain, &loader));
    assert_fails(cs_loader_next(loader, &batch), CS_ERR_ARG, "before");
    assert_fails(cs_loader_start(loader, -1, 0), CS_ERR_ARG, "epoch -1");
    cs_loader_close(loader);
    cs_dataset_close(dataset);
}

/* The linker replaces our code's allocation calls by these functions (settings.cmake), but not those of libjpeg. */
static atomic_bool counting;
static atomic_int allocations;

#define COUNTED(name, parameters, arguments)                                                                           \
    void *__real_##name parameters;                                                                                    \
    void *__wrap_##name parameters;                                                                                    \
    void *__wrap_##name parameters {                                                                                   \
        if (atomic_load(&counting))                                                                                    \
            atomic_fetch_add(&allocations, 1);                                                                         \
        return __real_##name arguments;                                                                                \
    }
COUNTED(malloc, (size_t size), (size))
COUNTED(calloc, (size_t n, size_t size), (n, size))
COUNTED(realloc, (void *block, size_t size), (block, size))
COUNTED(aligned_alloc, (size_t alignment, size_t size), (alignment, size))

static void nothing_is_allocated_after_open(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        cs_dataset *dataset = open_set(i % 2 ? "jpeg.h5" : "raw.h5", i % 2 ? &jpeg : &raw);
        cs_loader_config config = augmented();
        if (i >= 2)
            test_augment_mix(&config.augment, &(cs_mix){{[CS_MIX_MIXUP] = {CS_MIX_KERAS, 0.2f, 1}}});
        cs_loader *loader = NULL;
        cs_batch batch;
        atomic_store(&allocations, 0);
        atomic_store(&counting, true);
        assert_ok(cs_loader_open(dataset, &config, &loader));
        assert_true(atomic_load(&allocations) > 0); /* so the functions do count */
        atomic_store(&allocations, 0);
        for (int e = 0; e < 3; e++) {
            assert_ok(cs_loader_start(loader, e, 0));
            do
                assert_ok(cs_loader_next(loader, &batch));
            while (batch.n_global > 0);
        }
        atomic_store(&counting, false);
        assert_int_equal(atomic_load(&allocations), 0);
        cs_loader_close(loader);
        cs_dataset_close(dataset);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_pixel_times_multiply_plus_add),
        cmocka_unit_test(rows_can_have_their_channels_reversed),
        cmocka_unit_test(every_epoch_is_another_permutation_of_all_samples),
        cmocka_unit_test(the_last_batch_has_the_remaining_samples),
        cmocka_unit_test(contents_do_not_depend_on_earlier_epochs),
        cmocka_unit_test(an_epoch_can_be_abandoned_at_any_time),
        cmocka_unit_test(augmentation_belongs_to_the_sample),
        cmocka_unit_test(shards_and_one_file_give_the_same_batches),
        cmocka_unit_test(jpegs_are_decoded_and_resized),
        cmocka_unit_test(an_error_in_the_loader_thread_reaches_the_caller),
        cmocka_unit_test(impossible_configurations_are_refused),
        cmocka_unit_test(nothing_is_allocated_after_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
