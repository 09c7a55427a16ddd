/* SPDX-License-Identifier: Apache-2.0 */
/* Batches whose images are mixed: they are those of a loader that does not mix, mixed as cs_mix_draw says. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/loader.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { H = 6, W = 8, ROW = H * W * 3, N = 23, BATCH = 7, CLASSES = 3, EPOCH = 2, MOST_PARTS = 9 };

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 0, 0}},
                     jpeg = {.encoding = CS_ENCODING_JPEG, .h = 40, .w = 50, .counts = {N, 0, 0}};

/* An epoch by position: what each row of it is. */
typedef struct epoch {
    float images[N][ROW], soft[N][CLASSES];
    int32_t labels[N];
    int64_t samples[N];
} epoch;

static cs_loader_config configure(const cs_mix *mix) {
    cs_loader_config config = {.split = CS_SPLIT_TRAIN,
                               .batch = BATCH,
                               .h = H,
                               .w = W,
                               .multiply = {1, 0.5f, 2},
                               .add = {0, -3, 1},
                               .shuffle = true,
                               .seed = 9};
    config.augment = test_augment("horizontal_flip=true brightness_range=0.4:1.5");
    if (mix)
        test_augment_mix(&config.augment, mix);
    return config;
}

static cs_mix mix_of(cs_mix_kind kind, cs_mix_convention convention) {
    cs_mix mix = {0};
    mix.rules[kind] = (cs_mix_rule){convention, 1, 1};
    return mix;
}

static cs_dataset *open_set(const fixture *spec) {
    cs_dataset *dataset = NULL;
    fixture_write(fixture_path("mix.h5"), spec);
    assert_ok(cs_dataset_open(fixture_path("mix.h5"), &dataset));
    return dataset;
}

/* The position in the epoch of the first row of a part of batch b. */
static int first_row(const cs_batch *batch, const cs_loader_config *config, int b) {
    int parts = config->parts > 0 ? config->parts : 1;
    return b * BATCH + batch->n_global * config->part / parts;
}

static void read_batch(const cs_batch *batch, int first, epoch *out) {
    size_t rows = (size_t)batch->n;
    memcpy(out->images[first], batch->images, rows * sizeof out->images[0]);
    memcpy(out->labels + first, batch->labels, rows * sizeof *batch->labels);
    memcpy(out->samples + first, batch->samples, rows * sizeof *batch->samples);
    if (batch->soft)
        memcpy(out->soft[first], batch->soft, rows * sizeof out->soft[0]);
}

/* Reads the part of the epoch that the loader makes. The epoch begins at its batch `begin`. */
static void read_part(const cs_dataset *dataset, const cs_loader_config *config, int begin, epoch *out) {
    cs_loader *loader = NULL;
    cs_batch batch;
    const cs_mix mix = cs_augment_mix(&config->augment);
    assert_ok(cs_loader_open(dataset, config, &loader));
    assert_ok(cs_loader_start(loader, EPOCH, begin));
    for (int b = begin; b < cs_loader_batches(loader); b++) {
        assert_ok(cs_loader_next(loader, &batch));
        assert_int_equal(batch.soft != NULL, cs_mix_is_on(&mix));
        read_batch(&batch, first_row(&batch, config, b), out);
    }
    cs_loader_close(loader);
}

static epoch *read_epoch(const cs_dataset *dataset, const cs_mix *mix) {
    const cs_loader_config config = configure(mix);
    epoch *out = NULL;
    assert_ok(cs_alloc(1, sizeof *out, "epoch", &out));
    read_part(dataset, &config, 0, out);
    return out;
}

/* Mixes what the loader without mixing has read. */
static epoch *mix_epoch(const epoch *plain, const cs_mix *mix) {
    epoch *out = NULL;
    assert_ok(cs_alloc(1, sizeof *out, "epoch", &out));
    for (int first = 0; first < N; first += BATCH) {
        const int n = N - first < BATCH ? N - first : BATCH;
        const cs_mix_address at = {9, EPOCH, (uint32_t)(first / BATCH)};
        int32_t partners[BATCH];
        cs_mixed mixed[BATCH];
        cs_mix_draw(mix, &at, n, H, W, partners, mixed);
        for (int i = 0; i < n; i++) {
            const int own = first + i, partner = first + partners[i];
            out->samples[own] = plain->samples[own];
            cs_mix_images(&mixed[i], H, W, plain->images[own], plain->images[partner], out->images[own]);
            out->labels[own] =
                cs_mix_labels(&mixed[i], plain->labels[own], plain->labels[partner], CLASSES, out->soft[own]);
        }
    }
    return out;
}

static void every_batch_is_the_mixed_one(void **state) {
    (void)state;
    const fixture *const sets[] = {&raw, &jpeg};
    for (int s = 0; s < 2; s++) {
        cs_dataset *dataset = open_set(sets[s]);
        epoch *plain = read_epoch(dataset, NULL);
        for (int kind = 0; kind < CS_MIX_KINDS; kind++)
            for (int convention = 0; convention < CS_MIX_CONVENTIONS; convention++) {
                const cs_mix mix = mix_of((cs_mix_kind)kind, (cs_mix_convention)convention);
                epoch *got = read_epoch(dataset, &mix), *want = mix_epoch(plain, &mix);
                assert_memory_equal(got, want, sizeof *got);
                assert_memory_not_equal(got->images, plain->images, sizeof got->images);
                free(got);
                free(want);
            }
        free(plain);
        cs_dataset_close(dataset);
    }
}

static void parts_of_a_batch_are_those_of_the_whole(void **state) {
    (void)state;
    cs_dataset *dataset = open_set(&raw);
    for (int convention = 0; convention < CS_MIX_CONVENTIONS; convention++) {
        const cs_mix mix = mix_of(CS_MIX_MIXUP, (cs_mix_convention)convention);
        epoch *whole = read_epoch(dataset, &mix), *joined = NULL;
        cs_loader_config config = configure(&mix);
        assert_ok(cs_alloc(1, sizeof *joined, "epoch", &joined));
        for (config.parts = 2; config.parts <= MOST_PARTS; config.parts++) {
            memset(joined, 0, sizeof *joined);
            for (config.part = 0; config.part < config.parts; config.part++)
                read_part(dataset, &config, 0, joined);
            assert_memory_equal(joined, whole, sizeof *whole);
        }
        free(whole);
        free(joined);
    }
    cs_dataset_close(dataset);
}

static void an_epoch_that_begins_later_has_the_same_batches(void **state) {
    (void)state;
    cs_dataset *dataset = open_set(&raw);
    const cs_mix mix = mix_of(CS_MIX_CUTMIX, CS_MIX_KERAS);
    const cs_loader_config config = configure(&mix);
    epoch *whole = read_epoch(dataset, &mix), *rest = NULL;
    assert_ok(cs_alloc(1, sizeof *rest, "epoch", &rest));
    read_part(dataset, &config, 2, rest);
    assert_memory_equal(rest->images[2 * BATCH], whole->images[2 * BATCH], (N - 2 * BATCH) * sizeof whole->images[0]);
    free(whole);
    free(rest);
    cs_dataset_close(dataset);
}

static void a_batch_that_is_not_mixed_has_targets_of_one_class(void **state) {
    (void)state;
    cs_dataset *dataset = open_set(&raw);
    cs_mix never = mix_of(CS_MIX_MIXUP, CS_MIX_KERAS);
    never.rules[CS_MIX_MIXUP].p = 0;
    epoch *plain = read_epoch(dataset, NULL), *got = read_epoch(dataset, &never);
    assert_memory_equal(got->images, plain->images, sizeof got->images);
    assert_memory_equal(got->labels, plain->labels, sizeof got->labels);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < CLASSES; k++)
            assert_true(got->soft[i][k] == (float)(k == plain->labels[i]));
    free(plain);
    free(got);
    cs_dataset_close(dataset);
}

static void what_is_mixed_is_neither_features_nor_cached(void **state) {
    (void)state;
    cs_dataset *dataset = open_set(&raw);
    const cs_mix mix = mix_of(CS_MIX_MIXUP, CS_MIX_KERAS);
    cs_loader_config config = configure(&mix);
    cs_row_set *rows = NULL;
    cs_loader *loader = NULL;
    config.features = (const cs_features *)&mix; /* not read */
    assert_fails(cs_loader_open(dataset, &config, &loader), CS_ERR_ARG, "features have no images to mix");
    config.features = NULL;
    assert_ok(cs_row_set_open(N, &rows));
    config.cached_rows = rows;
    assert_fails(cs_loader_open(dataset, &config, &loader), CS_ERR_ARG, "never twice the same");
    cs_row_set_close(rows);
    cs_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_batch_is_the_mixed_one),
        cmocka_unit_test(parts_of_a_batch_are_those_of_the_whole),
        cmocka_unit_test(an_epoch_that_begins_later_has_the_same_batches),
        cmocka_unit_test(a_batch_that_is_not_mixed_has_targets_of_one_class),
        cmocka_unit_test(what_is_mixed_is_neither_features_nor_cached),
    };
    return cmocka_run_group_tests_name("loader mix", tests, NULL, NULL);
}
