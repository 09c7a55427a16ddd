/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of a loader with a cache: they have the cached rows in place of the images. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/loader.h"

#include <stdlib.h>
#include <string.h>

enum { H = 6, W = 8, ROW = H * W * 3, N = 23, BATCH = 5, WIDTH = 3, FIRST_ROW = 7, VARIANTS = 4, EPOCHS = 6 };

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 0, 0}};

static cs_loader_config flipped(void) {
    return (cs_loader_config){.split = CS_SPLIT_TRAIN,
                              .batch = BATCH,
                              .h = H,
                              .w = W,
                              .multiply = {1, 1, 1},
                              .shuffle = true,
                              .seed = 9,
                              .augment = test_augment("horizontal_flip=true vertical_flip=true")};
}

/* Two loaders of the same samples: one without a cache, whose batches are the expected ones, and one with a cache. */
typedef struct pair {
    cs_dataset *dataset;
    cs_row_cache *cache;
    cs_loader *plain, *caching;
} pair;

static pair open_pair(size_t rows, bool all_images) {
    pair p = {0};
    const cs_cache_limits limits = {.memory = rows * WIDTH * sizeof(float)};
    cs_loader_config config = flipped();
    fixture_write(fixture_path("raw.h5"), &raw);
    assert_ok(cs_dataset_open(fixture_path("raw.h5"), &p.dataset));
    assert_ok(cs_row_cache_open(&limits, FIRST_ROW + N * VARIANTS, WIDTH, &p.cache));
    assert_ok(cs_loader_open(p.dataset, &config, &p.plain));
    config.cache = p.cache;
    config.first_cache_row = FIRST_ROW;
    config.all_images = all_images;
    assert_ok(cs_loader_open(p.dataset, &config, &p.caching));
    return p;
}

static void close_pair(pair *p) {
    cs_loader_close(p->plain);
    cs_loader_close(p->caching);
    cs_row_cache_close(p->cache);
    cs_dataset_close(p->dataset);
}

/* Computes a row that depends on every value of the image. */
static void make_row(const float *image, float row[WIDTH]) {
    memset(row, 0, WIDTH * sizeof *row);
    for (int k = 0; k < ROW; k++)
        row[k % WIDTH] = row[k % WIDTH] * 1.01f + image[k];
}

/* Fills the missing rows, as the trunk does, and compares all rows with those of the images without a cache. */
static void complete(const pair *p, const cs_batch *got, const cs_batch *want, bool all_images) {
    assert_int_equal(got->n, want->n);
    assert_int_equal(want->n_missing, want->n);
    assert_memory_equal(got->samples, want->samples, (size_t)want->n * sizeof *want->samples);
    assert_memory_equal(got->labels, want->labels, (size_t)want->n * sizeof *want->labels);
    for (int i = 0; i < got->n_missing; i++) {
        int row = got->missing_rows[i];
        assert_true(row >= i && row < got->n && (i == 0 || row > got->missing_rows[i - 1]));
        assert_memory_equal(got->images + (size_t)i * ROW, want->images + (size_t)row * ROW, ROW * sizeof(float));
        make_row(got->images + (size_t)i * ROW, got->cached_values + (size_t)row * WIDTH);
        cs_row_cache_put(p->cache, got->cache_rows[row], got->cached_values + (size_t)row * WIDTH);
    }
    for (int i = 0; i < got->n; i++) {
        float row[WIDTH];
        make_row(want->images + (size_t)i * ROW, row);
        assert_memory_equal(got->cached_values + (size_t)i * WIDTH, row, sizeof row);
        assert_in_range(got->cache_rows[i], FIRST_ROW + got->samples[i] * VARIANTS,
                        FIRST_ROW + got->samples[i] * VARIANTS + VARIANTS - 1);
    }
    if (all_images) {
        assert_true(got->n_missing == 0 || got->n_missing == got->n);
        assert_memory_equal(got->images, want->images, (size_t)want->n * ROW * sizeof(float));
    }
}

/* Counts the missing rows of every epoch, and then those of the first one when it comes again. */
static void check_epochs(size_t rows, bool all_images, int missing[EPOCHS + 1]) {
    pair p = open_pair(rows, all_images);
    for (int e = 0; e <= EPOCHS; e++) {
        missing[e] = 0;
        assert_ok(cs_loader_start(p.plain, e % EPOCHS, 0));
        assert_ok(cs_loader_start(p.caching, e % EPOCHS, 0));
        for (;;) {
            cs_batch got, want;
            assert_ok(cs_loader_next(p.plain, &want));
            assert_ok(cs_loader_next(p.caching, &got));
            if (want.n == 0)
                break;
            complete(&p, &got, &want, all_images);
            missing[e] += got.n_missing;
        }
    }
    close_pair(&p);
}

static void batches_have_cached_rows_in_place_of_images(void **state) {
    (void)state;
    int missing[EPOCHS + 1], total = 0;
    check_epochs(FIRST_ROW + N * VARIANTS, false, missing);
    assert_int_equal(missing[0], N);
    assert_true(missing[1] > 0 && missing[1] < N); /* some are flipped as before */
    assert_int_equal(missing[EPOCHS], 0);
    for (int e = 0; e < EPOCHS; e++)
        total += missing[e];
    assert_true(total <= N * VARIANTS);
}

static void rows_that_the_cache_has_no_room_for_stay_missing(void **state) {
    (void)state;
    int missing[EPOCHS + 1];
    check_epochs(FIRST_ROW + 10 * VARIANTS, false, missing); /* the cache has room for samples 0 to 9 */
    assert_int_equal(missing[0], N);
    assert_int_equal(missing[EPOCHS], N - 10);
}

static void with_all_images_no_image_is_left_out(void **state) {
    (void)state;
    int missing[EPOCHS + 1];
    check_epochs(FIRST_ROW + N * VARIANTS, true, missing);
    assert_int_equal(missing[0], N);
    assert_int_equal(missing[EPOCHS], 0);
}

static void pictures_without_a_variant_cannot_be_cached(void **state) {
    (void)state;
    pair p = open_pair(N, false);
    cs_loader_config config = flipped();
    cs_loader *loader = NULL;
    config.cache = p.cache;
    config.augment = test_augment("horizontal_flip=true brightness_range=0:0.5");
    assert_fails(cs_loader_open(p.dataset, &config, &loader), CS_ERR_ARG, "never twice the same");
    close_pair(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_have_cached_rows_in_place_of_images),
        cmocka_unit_test(rows_that_the_cache_has_no_room_for_stay_missing),
        cmocka_unit_test(with_all_images_no_image_is_left_out),
        cmocka_unit_test(pictures_without_a_variant_cannot_be_cached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
