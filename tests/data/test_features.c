/* SPDX-License-Identifier: Apache-2.0 */
/* Features files: they are read as written, by h5py too; a damaged file is refused; a loader makes batches of them. */
#include "fixture.h"

#include "cnnsweep/features.h"
#include "cnnsweep/file.h"
#include "cnnsweep/loader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 5, N = 23, H = 6, W = 8 };

static const int64_t counts[CS_SPLIT_COUNT] = {N, 5, 0};
static const char *const source = "made by hand";

static float value_of(int split, int64_t row, int i) {
    return (float)(1000 * split + row) + (float)i / 8;
}

/* Appends two rows at a time. */
static void append_rows(cs_features_writer *writer, int split, int64_t n) {
    for (int64_t first = 0; first < n; first += 2) {
        float rows[2][WIDTH];
        int32_t labels[2];
        int got = n - first < 2 ? 1 : 2;
        for (int r = 0; r < got; r++) {
            labels[r] = (int32_t)((first + r) % 3);
            for (int i = 0; i < WIDTH; i++)
                rows[r][i] = value_of(split, first + r, i);
        }
        assert_ok(cs_features_append(writer, (cs_split)split, rows[0], labels, got));
    }
}

static const char *write_features(const char *name) {
    const char *path = fixture_path(name);
    cs_features_writer *writer = NULL;
    assert_ok(cs_features_create(path, source, WIDTH, counts, &writer));
    for (int s = CS_SPLIT_COUNT - 1; s >= 0; s--)
        append_rows(writer, s, counts[s]);
    assert_false(cs_file_exists(path));
    assert_ok(cs_features_commit(&writer));
    assert_null(writer);
    return path;
}

static void assert_refused(const char *path, const char *needle) {
    cs_features *features = NULL;
    assert_fails(cs_features_open(path, source, &features), CS_ERR_FORMAT, needle);
    assert_non_null(strstr(cs_error_last()->text, path));
    assert_non_null(strstr(cs_error_last()->hint, "delete it"));
    assert_null(features);
}

static void rows_are_read_as_written(void **state) {
    (void)state;
    cs_features *features = NULL;
    assert_ok(cs_features_open(write_features("written.h5"), source, &features));
    assert_int_equal(cs_features_width(features), WIDTH);
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        assert_int_equal(cs_features_count(features, (cs_split)s), counts[s]);
        for (int64_t r = 0; r < counts[s]; r++)
            for (int i = 0; i < WIDTH; i++)
                assert_true(cs_features_row(features, (cs_split)s, r)[i] == value_of(s, r, i));
    }
    cs_features_close(features);
}

static void h5py_reads_the_same(void **state) {
    (void)state;
    fixture_run_reference("reference_features.py", write_features("compared.h5"));
}

static void another_source_is_refused(void **state) {
    (void)state;
    cs_features *features = NULL;
    const char *path = write_features("source.h5");
    assert_fails(cs_features_open(path, "other", &features), CS_ERR_FORMAT, "features of another source: \"made by");
    assert_non_null(strstr(cs_error_last()->hint, "delete it"));
}

static char *read_bytes(const char *path, size_t *size) {
    char *bytes = NULL;
    assert_ok(cs_file_read(path, 1 << 20, &bytes, size));
    return bytes;
}

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    size_t size;
    char *bytes = read_bytes(write_features("whole.h5"), &size);
    const char *path = fixture_path("cut.h5");
    for (size_t kept = 1; kept < size; kept += 97) {
        assert_ok(cs_file_write(path, bytes, kept));
        assert_refused(path, "");
    }
    free(bytes);
}

static void an_altered_value_is_refused(void **state) {
    (void)state;
    size_t size, at = 0;
    char *bytes = read_bytes(write_features("good.h5"), &size);
    const char *path = fixture_path("altered.h5");
    const float wanted = value_of(CS_SPLIT_VAL, 3, 2);
    while (at + sizeof wanted <= size && memcmp(bytes + at, &wanted, sizeof wanted) != 0)
        at++;
    assert_true(at + sizeof wanted <= size);
    bytes[at] ^= 1;
    assert_ok(cs_file_write(path, bytes, size));
    assert_refused(path, "altered or damaged");
    free(bytes);
}

static void other_files_are_refused(void **state) {
    (void)state;
    const fixture packed = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {2, 1, 0}};
    const char *path = fixture_path("packed.h5");
    fixture_write(path, &packed);
    assert_refused(path, "not a features file");
    path = fixture_path("text.h5");
    assert_ok(cs_file_write(path, "no", 2));
    assert_refused(path, "cannot open the file");
}

static void rows_that_are_missing_or_too_many_are_refused(void **state) {
    (void)state;
    const float row[WIDTH] = {0};
    const int32_t label = 0;
    const char *path = fixture_path("counted.h5");
    cs_features_writer *writer = NULL;
    assert_ok(cs_features_create(path, source, WIDTH, counts, &writer));
    assert_fails(cs_features_append(writer, CS_SPLIT_TEST, row, &label, 1), CS_ERR_ARG, "more test rows");
    assert_fails(cs_features_commit(&writer), CS_ERR_ARG, "23 train rows never came");
    assert_null(writer);
    assert_false(cs_file_exists(path));
    assert_false(cs_file_exists(fixture_path("counted.h5.tmp")));
}

/* A killed process leaves its temporary file; the next process overwrites it. */
static void the_file_of_a_killed_writer_is_overwritten(void **state) {
    (void)state;
    cs_features *features = NULL;
    assert_ok(cs_file_write(fixture_path("left.h5.tmp"), "half", 4));
    assert_ok(cs_features_open(write_features("left.h5"), source, &features));
    cs_features_close(features);
}

static const cs_loader_config image_batches = {
    .split = CS_SPLIT_TRAIN, .batch = 4, .h = H, .w = W, .multiply = {1, 1, 1}, .shuffle = true, .seed = 9};

static void batches_of_features_have_the_samples_of_batches_of_images(void **state) {
    (void)state;
    const fixture packed = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N, 5, 0}};
    cs_dataset *dataset = NULL;
    cs_features *features = NULL;
    cs_loader *loaders[2];
    cs_loader_config config = {.split = CS_SPLIT_TRAIN, .batch = 4, .shuffle = true, .seed = 9};
    fixture_write(fixture_path("batches.h5"), &packed);
    assert_ok(cs_dataset_open(fixture_path("batches.h5"), &dataset));
    assert_ok(cs_features_open(write_features("rows.h5"), source, &features));
    config.features = features;
    assert_ok(cs_loader_open(dataset, &image_batches, &loaders[0]));
    assert_ok(cs_loader_open(dataset, &config, &loaders[1]));
    for (int epoch = 0; epoch < 2; epoch++) {
        cs_batch images, rows;
        for (int i = 0; i < 2; i++)
            assert_ok(cs_loader_start(loaders[i], epoch, 0));
        do {
            assert_ok(cs_loader_next(loaders[0], &images));
            assert_ok(cs_loader_next(loaders[1], &rows));
            assert_int_equal(rows.n, images.n);
            for (int r = 0; r < rows.n; r++) {
                assert_int_equal(rows.samples[r], images.samples[r]);
                assert_int_equal(rows.labels[r], images.labels[r]);
                for (int i = 0; i < WIDTH; i++)
                    assert_true(rows.images[r * WIDTH + i] == value_of(CS_SPLIT_TRAIN, rows.samples[r], i));
            }
        } while (rows.n > 0);
    }
    for (int i = 0; i < 2; i++)
        cs_loader_close(loaders[i]);
    cs_features_close(features);
    cs_dataset_close(dataset);
}

static void features_of_another_dataset_make_no_batches(void **state) {
    (void)state;
    const fixture packed = {.encoding = CS_ENCODING_RAW, .h = H, .w = W, .counts = {N + 1, 5, 0}};
    cs_dataset *dataset = NULL;
    cs_features *features = NULL;
    cs_loader *loader = NULL;
    cs_loader_config config = {.split = CS_SPLIT_TRAIN, .batch = 4};
    fixture_write(fixture_path("longer.h5"), &packed);
    assert_ok(cs_dataset_open(fixture_path("longer.h5"), &dataset));
    assert_ok(cs_features_open(write_features("short.h5"), source, &features));
    config.features = features;
    assert_fails(cs_loader_open(dataset, &config, &loader), CS_ERR_SHAPE, "train has 23 rows");
    cs_features_close(features);
    cs_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_as_written),
        cmocka_unit_test(h5py_reads_the_same),
        cmocka_unit_test(another_source_is_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(an_altered_value_is_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(rows_that_are_missing_or_too_many_are_refused),
        cmocka_unit_test(the_file_of_a_killed_writer_is_overwritten),
        cmocka_unit_test(batches_of_features_have_the_samples_of_batches_of_images),
        cmocka_unit_test(features_of_another_dataset_make_no_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
