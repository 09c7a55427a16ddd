/* SPDX-License-Identifier: Apache-2.0 */
/* The filtered images of a split: which bytes they have, and which of them are kept in memory. */
#include "fixture.h"

#include "cnnsweep/filtered.h"
#include "cnnsweep/loader.h"

#include <stdlib.h>
#include <string.h>

enum { H = 12, W = 10, STORED = 20, IMAGES = 7, SIZE = H * W * 3 };

/* Counts the images that are filtered (by the linker's --wrap, settings.cmake). */
static int filtered_images;
cs_status __real_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image);
cs_status __wrap_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image);
cs_status __wrap_cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image) {
    filtered_images++;
    return __real_cs_filter_apply(chain, scratch, image);
}

static cs_dataset *open_dataset(const char *name, cs_encoding encoding) {
    const fixture spec = {.encoding = encoding, .h = STORED, .w = STORED, .counts = {IMAGES, IMAGES, IMAGES}};
    const char *path = fixture_path(name);
    cs_dataset *dataset = NULL;
    fixture_write(path, &spec);
    assert_ok(cs_dataset_open(path, &dataset));
    return dataset;
}

static cs_filter_chain chain_of(const char *text) {
    cs_filter_chain chain;
    assert_ok(cs_filter_parse(text, &chain));
    return chain;
}

/* Decodes image i of the train split, filters it and resizes it, step by step. */
static void make(const cs_dataset *dataset, const cs_filter_chain *chain, int64_t i, uint8_t out[SIZE]) {
    cs_decoder *decoder = NULL;
    cs_filter_scratch *scratch = NULL;
    cs_image image = {0};
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, CS_SPLIT_TRAIN, i, &size);
    assert_ok(cs_decoder_open(&decoder));
    assert_ok(cs_filter_scratch_open(&scratch));
    if (cs_dataset_encoding(dataset) == CS_ENCODING_JPEG) {
        assert_ok(cs_decode(decoder, "image", bytes, size, 0, 0, &image));
    } else {
        assert_ok(cs_image_reserve(&image, STORED, STORED));
        memcpy(image.pixels, bytes, size);
    }
    assert_ok(__real_cs_filter_apply(chain, scratch, &image));
    assert_ok(cs_resize_image(decoder, &image, cs_dataset_resize(dataset), H, W, out));
    cs_image_clear(&image);
    cs_filter_scratch_close(scratch);
    cs_decoder_close(decoder);
}

static cs_filtered *open_filtered(const cs_dataset *dataset, cs_split split, const char *text, cs_filter_cache *cache) {
    const cs_filtered_spec spec = {.dataset = dataset, .split = split, .filter = chain_of(text), .cache = cache};
    cs_filtered *filtered = NULL;
    assert_ok(cs_filtered_open(&spec, &filtered));
    return filtered;
}

static int read_images(cs_filtered *filtered) {
    cs_decoder *decoder = NULL;
    int before = filtered_images;
    assert_ok(cs_decoder_open(&decoder));
    for (int64_t i = 0; i < IMAGES; i++) {
        const uint8_t *pixels;
        int h = H, w = W;
        assert_ok(cs_filtered_pixels(filtered, decoder, i, &h, &w, &pixels));
        assert_true(h == H && w == W);
    }
    cs_decoder_close(decoder);
    return filtered_images - before;
}

/* Reads all images of the split, and returns how many of them were filtered for it. */
static int read_all(const cs_dataset *dataset, cs_split split, const char *text, cs_filter_cache *cache) {
    cs_filtered *filtered = open_filtered(dataset, split, text, cache);
    int made = read_images(filtered);
    cs_filtered_close(filtered);
    return made;
}

static void images_are_filtered_as_they_are_stored_and_then_resized(void **state) {
    (void)state;
    static const char text[] = "median:size=5,unsharp";
    const cs_filter_chain chain = chain_of(text);
    for (cs_encoding encoding = CS_ENCODING_RAW; encoding <= CS_ENCODING_JPEG; encoding++) {
        cs_dataset *dataset = open_dataset("stored.h5", encoding);
        cs_filtered *filtered = open_filtered(dataset, CS_SPLIT_TRAIN, text, NULL);
        cs_decoder *decoder = NULL;
        assert_ok(cs_decoder_open(&decoder));
        for (int64_t i = 0; i < IMAGES; i++) {
            const uint8_t *pixels;
            uint8_t want[SIZE];
            int h = H, w = W, stored_h = 0, stored_w = 0, grows = encoding == CS_ENCODING_JPEG ? (int)i % 3 : 0;
            make(dataset, &chain, i, want);
            assert_ok(cs_filtered_pixels(filtered, decoder, i, &h, &w, &pixels));
            assert_memory_equal(pixels, want, SIZE);
            assert_ok(cs_filtered_pixels(filtered, decoder, i, &stored_h, &stored_w, &pixels));
            assert_true(stored_h == STORED + grows && stored_w == STORED + grows);
        }
        cs_decoder_close(decoder);
        cs_filtered_close(filtered);
        cs_dataset_close(dataset);
    }
}

static void batches_have_filtered_images_in_every_epoch(void **state) {
    (void)state;
    cs_dataset *dataset = open_dataset("batches.h5", CS_ENCODING_RAW);
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(SIZE * IMAGES, &cache));
    for (int with_cache = 0; with_cache < 2; with_cache++) {
        const cs_loader_config config = {.split = CS_SPLIT_TRAIN,
                                         .batch = IMAGES,
                                         .h = H,
                                         .w = W,
                                         .filter = chain_of("median"),
                                         .filter_cache = with_cache ? cache : NULL,
                                         .multiply = {1, 1, 1}};
        cs_loader *loader = NULL;
        assert_ok(cs_loader_open(dataset, &config, &loader));
        filtered_images = 0;
        for (int epoch = 0; epoch < 3; epoch++) {
            cs_batch batch;
            assert_ok(cs_loader_start(loader, epoch, 0));
            assert_ok(cs_loader_next(loader, &batch));
            for (int64_t i = 0; i < IMAGES; i++) {
                uint8_t want[SIZE];
                make(dataset, &config.filter, i, want);
                for (int k = 0; k < SIZE; k++)
                    assert_true(batch.images[i * SIZE + k] == (float)want[k]);
            }
        }
        cs_loader_close(loader);
        assert_int_equal(filtered_images, with_cache ? IMAGES : 3 * IMAGES);
    }
    cs_filter_cache_close(cache);
    cs_dataset_close(dataset);
}

static void an_image_is_kept_for_its_split_chain_and_dataset(void **state) {
    (void)state;
    cs_dataset *one = open_dataset("one.h5", CS_ENCODING_RAW), *other = open_dataset("other.h5", CS_ENCODING_JPEG);
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(1 << 20, &cache));
    for (int again = 0; again < 2; again++) {
        int filtered = again ? 0 : IMAGES;
        assert_int_equal(read_all(one, CS_SPLIT_TRAIN, "median", cache), filtered);
        assert_int_equal(read_all(one, CS_SPLIT_VAL, "median", cache), filtered);
        assert_int_equal(read_all(one, CS_SPLIT_TRAIN, "median:size=5", cache), filtered);
        assert_int_equal(read_all(other, CS_SPLIT_TRAIN, "median", cache), filtered);
    }
    assert_int_equal(cs_filter_cache_count(cache), 4 * IMAGES);
    cs_filter_cache_close(cache);
    cs_dataset_close(one);
    cs_dataset_close(other);
}

static void the_split_that_was_unused_longest_makes_room(void **state) {
    (void)state;
    cs_dataset *dataset = open_dataset("room.h5", CS_ENCODING_RAW);
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(2 * SIZE * IMAGES, &cache));
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "median", cache), IMAGES);
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "gaussian", cache), IMAGES);
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "median", cache), 0);
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "unsharp", cache), IMAGES); /* in place of gaussian */
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "median", cache), 0);
    assert_int_equal(read_all(dataset, CS_SPLIT_TRAIN, "gaussian", cache), IMAGES);
    cs_filter_cache_close(cache);
    cs_dataset_close(dataset);
}

static void a_split_in_use_is_not_dropped(void **state) {
    (void)state;
    cs_dataset *dataset = open_dataset("used.h5", CS_ENCODING_RAW);
    cs_filter_cache *cache = NULL;
    assert_ok(cs_filter_cache_open(SIZE * IMAGES, &cache));
    cs_filtered *used = open_filtered(dataset, CS_SPLIT_TRAIN, "median", cache);
    assert_int_equal(read_images(used), IMAGES);
    for (int again = 0; again < 2; again++)
        assert_int_equal(read_all(dataset, CS_SPLIT_VAL, "median", cache), IMAGES);
    assert_int_equal(read_images(used), 0);
    cs_filtered_close(used);
    assert_int_equal(read_all(dataset, CS_SPLIT_VAL, "median", cache), IMAGES);
    assert_int_equal(read_all(dataset, CS_SPLIT_VAL, "median", cache), 0);
    cs_filter_cache_close(cache);
    cs_dataset_close(dataset);
}

static void an_image_of_another_size_is_made_anew(void **state) {
    (void)state;
    cs_dataset *dataset = open_dataset("size.h5", CS_ENCODING_RAW);
    cs_filter_cache *cache = NULL;
    cs_decoder *decoder = NULL;
    const uint8_t *pixels;
    assert_ok(cs_decoder_open(&decoder));
    assert_ok(cs_filter_cache_open(STORED * STORED * 3 * IMAGES, &cache));
    cs_filtered *filtered = open_filtered(dataset, CS_SPLIT_TRAIN, "median", cache);
    filtered_images = 0;
    for (int k = 0; k < 6; k++) { /* twice at each size */
        int h = k / 2 == 1 ? 0 : H, w = k / 2 == 1 ? 0 : W;
        assert_ok(cs_filtered_pixels(filtered, decoder, 0, &h, &w, &pixels));
        assert_int_equal(h, k / 2 == 1 ? STORED : H);
        assert_int_equal(filtered_images, 1 + k / 2);
    }
    cs_filtered_close(filtered);
    cs_filter_cache_close(cache);
    cs_decoder_close(decoder);
    cs_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_filtered_as_they_are_stored_and_then_resized),
        cmocka_unit_test(batches_have_filtered_images_in_every_epoch),
        cmocka_unit_test(an_image_is_kept_for_its_split_chain_and_dataset),
        cmocka_unit_test(the_split_that_was_unused_longest_makes_room),
        cmocka_unit_test(a_split_in_use_is_not_dropped),
        cmocka_unit_test(an_image_of_another_size_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
