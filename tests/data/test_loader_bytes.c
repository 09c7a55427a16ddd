/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of bytes: their pictures, applied to the bytes, give the floats of a loader without `bytes`, and an image
 * that the caller holds already is not in the batch. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/loader.h"

#include <string.h>

enum { H = 6, W = 8, ROW = H * W * 3, N = 23, BATCH = 5, EPOCHS = 3 };

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 0, 0}},
                     jpeg = {.encoding = CS_ENCODING_JPEG, .h = 40, .w = 50, .counts = {N, 0, 0}};
static const cs_loader_config plain = {.split = CS_SPLIT_TRAIN,
                                       .batch = BATCH,
                                       .h = H,
                                       .w = W,
                                       .multiply = {1, 0.5f, 2},
                                       .add = {0, -3, 1},
                                       .shuffle = true,
                                       .seed = 9};

static cs_loader_config augmented(void) {
    cs_loader_config config = plain;
    config.augment = test_augment("horizontal_flip=true vertical_flip=true brightness_range=0.4:1.5");
    return config;
}

typedef struct pair {
    cs_dataset *dataset;
    cs_loader *floats, *bytes;
    cs_row_set *held_samples;
    uint8_t images[N][ROW]; /* those that batches had */
    int n_received;
} pair;

static void open_pair(pair *p, const fixture *spec, const cs_loader_config *how) {
    cs_loader_config own = *how;
    memset(p, 0, sizeof *p);
    fixture_write(fixture_path("bytes.h5"), spec);
    assert_ok(cs_dataset_open(fixture_path("bytes.h5"), &p->dataset));
    assert_ok(cs_row_set_open(N, &p->held_samples));
    assert_ok(cs_loader_open(p->dataset, &own, &p->floats));
    own.bytes = true;
    own.held_samples = p->held_samples;
    assert_ok(cs_loader_open(p->dataset, &own, &p->bytes));
}

static void close_pair(pair *p) {
    cs_loader_close(p->floats);
    cs_loader_close(p->bytes);
    cs_row_set_close(p->held_samples);
    cs_dataset_close(p->dataset);
}

/* Applies a picture that only mirrors and recolours, as picture.h describes it. */
static void make_floats(const uint8_t *image, const cs_picture *picture, bool bgr, float *out) {
    const uint8_t(*level)[256] = NULL;
    bool mirror_x = false, mirror_y = false;
    for (int i = 0; i < picture->n; i++)
        if (picture->passes[i].kind == CS_PASS_WARP) {
            mirror_x = picture->passes[i].warp.mirror_x;
            mirror_y = picture->passes[i].warp.mirror_y;
        } else {
            assert_int_equal(picture->passes[i].kind, CS_PASS_LEVELS);
            level = picture->passes[i].level;
        }
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                int column = mirror_x ? W - 1 - x : x, line = mirror_y ? H - 1 - y : y, channel = bgr ? 2 - c : c;
                int value = image[(line * W + column) * 3 + channel];
                float scaled = (float)(level ? level[channel][value] : value);
                scaled *= plain.multiply[c];
                out[(y * W + x) * 3 + c] = scaled + plain.add[c];
            }
}

static void make_image(const pair *p, const cs_batch *batch, int image, bool bgr, float *out) {
    assert_true(cs_row_set_has(p->held_samples, batch->samples[image]));
    make_floats(p->images[batch->samples[image]], &batch->pictures[image], bgr, out);
}

static void make_row(const pair *p, const cs_batch *batch, int i, bool bgr, float *out) {
    float own[ROW], partner[ROW];
    if (!batch->mixed) {
        make_image(p, batch, i, bgr, out);
        return;
    }
    make_image(p, batch, i, bgr, own);
    make_image(p, batch, batch->partners[i], bgr, partner);
    cs_mix_images(&batch->mixed[i], H, W, own, partner, out);
}

static void check_batch(pair *p, const cs_batch *got, const cs_batch *want, bool bgr) {
    assert_int_equal(got->n, want->n);
    assert_int_equal(got->n_images, want->n);
    assert_null(got->images);
    assert_memory_equal(got->samples, want->samples, (size_t)(want->n + want->n_partners) * sizeof *want->samples);
    for (int i = 0; i < got->n_new; i++) {
        int64_t sample = got->samples[got->new_images[i]];
        assert_false(cs_row_set_has(p->held_samples, sample));
        memcpy(p->images[sample], got->bytes + (size_t)i * ROW, ROW);
        cs_row_set_add(p->held_samples, sample);
    }
    p->n_received += got->n_new;
    for (int i = 0; i < got->n; i++) {
        float row[ROW];
        make_row(p, got, i, bgr, row);
        assert_memory_equal(row, want->images + (size_t)i * ROW, sizeof row);
    }
}

static void check(const fixture *spec, const cs_loader_config *how) {
    static pair p;
    open_pair(&p, spec, how);
    for (int e = 0; e < EPOCHS; e++) {
        assert_ok(cs_loader_start(p.floats, e, 0));
        assert_ok(cs_loader_start(p.bytes, e, 0));
        for (;;) {
            cs_batch got, want;
            assert_ok(cs_loader_next(p.floats, &want));
            assert_ok(cs_loader_next(p.bytes, &got));
            if (want.n_global == 0)
                break;
            check_batch(&p, &got, &want, how->bgr);
        }
    }
    assert_true(how->parts > 0 || p.n_received == N);
    close_pair(&p);
}

static void bytes_give_the_same_floats_and_come_once(void **state) {
    (void)state;
    cs_loader_config how = augmented();
    check(&raw, &how);
    check(&jpeg, &how);
    how.bgr = true;
    check(&raw, &how);
    how = plain;
    check(&raw, &how);
}

static void partners_follow_the_images_that_are_mixed(void **state) {
    (void)state;
    cs_loader_config how = augmented();
    test_augment_mix(&how.augment, &(cs_mix){{{CS_MIX_KERAS, 1, 0.5f}, {CS_MIX_TORCH, 1, 0.5f}}});
    check(&raw, &how);
    for (how.parts = 2; how.parts < BATCH + 2; how.parts++)
        for (how.part = 0; how.part < how.parts; how.part++)
            check(how.part % 2 ? &raw : &jpeg, &how);
}

/* As with a cache of rows, but the caller stores the rows. */
static void images_of_cached_rows_are_left_out(void **state) {
    (void)state;
    enum { FIRST = 4 };
    cs_loader_config how = plain;
    cs_dataset *dataset;
    cs_loader *loader;
    cs_row_set *cached_rows;
    cs_batch batch;
    int missing[2] = {0};
    how.bytes = true;
    how.first_cache_row = FIRST;
    fixture_write(fixture_path("cached.h5"), &raw);
    assert_ok(cs_dataset_open(fixture_path("cached.h5"), &dataset));
    assert_ok(cs_row_set_open(FIRST + N - 3, &cached_rows)); /* too few rows for the last three samples */
    how.cached_rows = cached_rows;
    assert_ok(cs_loader_open(dataset, &how, &loader));
    for (int e = 0; e < 2; e++) {
        assert_ok(cs_loader_start(loader, e, 0));
        for (assert_ok(cs_loader_next(loader, &batch)); batch.n > 0; assert_ok(cs_loader_next(loader, &batch))) {
            assert_int_equal(batch.n_images, batch.n_missing);
            assert_int_equal(batch.n_new, batch.n_missing);
            assert_null(batch.cached_values);
            for (int i = 0; i < batch.n; i++)
                assert_int_equal(batch.cache_rows[i], FIRST + batch.samples[i]);
            for (int i = 0; i < batch.n_missing; i++)
                cs_row_set_add(cached_rows, batch.cache_rows[batch.missing_rows[i]]);
            missing[e] += batch.n_missing;
        }
    }
    assert_int_equal(missing[0], N);
    assert_int_equal(missing[1], 3);
    cs_loader_close(loader);
    cs_row_set_close(cached_rows);
    cs_dataset_close(dataset);
}

static void features_have_no_bytes(void **state) {
    (void)state;
    static pair p;
    cs_loader_config how = plain;
    cs_loader *loader;
    open_pair(&p, &raw, &how);
    how.features = (const cs_features *)&p; /* not read */
    how.bytes = true;
    assert_fails(cs_loader_open(p.dataset, &how, &loader), CS_ERR_ARG, "features have no bytes");
    close_pair(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_give_the_same_floats_and_come_once),
        cmocka_unit_test(partners_follow_the_images_that_are_mixed),
        cmocka_unit_test(images_of_cached_rows_are_left_out),
        cmocka_unit_test(features_have_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
