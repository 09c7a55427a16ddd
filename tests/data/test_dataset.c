/* SPDX-License-Identifier: Apache-2.0 */
/* The dataset format: a file is read as it was written, and a damaged file is refused. */
#include "fixture.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const fixture raw = {.encoding = CS_ENCODING_RAW, .h = 5, .w = 7, .counts = {11, 4, 3}};

/* Sample i of a raw dataset has the pixels that fixture_write made. */
static void assert_pixels(const cs_dataset *dataset, const fixture *spec, cs_split split, int64_t i) {
    uint8_t expected[5 * 7 * 3];
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size);
    fixture_pixels(expected, spec->h, spec->w, (uint32_t)i + 1000u * split);
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(bytes, expected, size);
}

static void assert_content(const cs_dataset *dataset, const fixture *spec) {
    assert_int_equal(cs_dataset_class_count(dataset), 3);
    assert_string_equal(cs_dataset_class(dataset, 2), "caf\xC3\xA9");
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        assert_int_equal(cs_dataset_count(dataset, (cs_split)s), spec->counts[s]);
        for (int64_t i = 0; i < spec->counts[s]; i++) {
            char id[64];
            snprintf(id, sizeof id, "%s/%d", cs_split_name((cs_split)s), (int)i);
            assert_string_equal(cs_dataset_id(dataset, (cs_split)s, i), id);
            assert_int_equal(cs_dataset_label(dataset, (cs_split)s, i), i % 3);
            assert_pixels(dataset, spec, (cs_split)s, i);
        }
    }
}

static void a_raw_dataset_is_read_as_written(void **state) {
    (void)state;
    const char *path = fixture_path("raw.h5");
    cs_dataset *dataset = NULL;
    double mean[3], std[3];
    int h, w;
    fixture_write(path, &raw);
    assert_ok(cs_dataset_open(path, &dataset));
    assert_content(dataset, &raw);
    cs_dataset_image_size(dataset, &h, &w);
    cs_dataset_mean_std(dataset, mean, std);
    assert_int_equal(h, 5);
    assert_int_equal(w, 7);
    assert_true(mean[1] == 2 && std[2] == 6);
    cs_dataset_close(dataset);
}

static void shards_are_one_dataset(void **state) {
    (void)state;
    const char *path = fixture_path("shards");
    fixture spec = raw;
    cs_dataset *dataset = NULL;
    spec.shard_bytes = 5 * 7 * 3 * 4; /* four images in a shard */
    fixture_write(path, &spec);
    assert_ok(cs_dataset_open(path, &dataset));
    assert_int_equal(cs_dataset_shard_count(dataset), 5);
    assert_content(dataset, &spec);
    cs_dataset_close(dataset);
}

static void jpeg_streams_are_read_byte_for_byte(void **state) {
    (void)state;
    const char *path = fixture_path("jpeg.h5");
    const fixture spec = {.encoding = CS_ENCODING_JPEG, .h = 20, .w = 30, .counts = {7, 0, 2}};
    cs_dataset *dataset = NULL;
    cs_decoder *decoder = NULL;
    cs_image image = {0};
    int h, w;
    fixture_write(path, &spec);
    assert_ok(cs_dataset_open(path, &dataset));
    assert_ok(cs_decoder_open(&decoder));
    assert_int_equal(cs_dataset_encoding(dataset), CS_ENCODING_JPEG);
    cs_dataset_image_size(dataset, &h, &w);
    assert_int_equal(h + w, 0);
    for (int64_t i = 0; i < spec.counts[CS_SPLIT_TRAIN]; i++) {
        cs_image drawn = {0};
        uint8_t *jpeg = NULL;
        size_t size, expected, capacity = 0;
        const uint8_t *bytes = cs_dataset_bytes(dataset, CS_SPLIT_TRAIN, i, &size);
        assert_ok(cs_image_reserve(&drawn, 20 + (int)i % 3, 30 + (int)i % 3));
        fixture_pixels(drawn.pixels, drawn.h, drawn.w, (uint32_t)i);
        assert_ok(cs_encode_jpeg(&drawn, 95, true, &jpeg, &capacity, &expected));
        assert_int_equal(size, expected);
        assert_memory_equal(bytes, jpeg, size);
        assert_ok(cs_decode(decoder, "sample", bytes, size, 0, 0, &image));
        assert_int_equal(image.h, drawn.h);
        free(jpeg);
        cs_image_clear(&drawn);
    }
    cs_image_clear(&image);
    cs_decoder_close(decoder);
    cs_dataset_close(dataset);
}

/* Every rule is kept, and datasets that differ in it alone have other checksums. */
static void stored_jpegs_are_resized_by_the_rule_of_the_dataset(void **state) {
    (void)state;
    enum { TALL = 20, WIDE = 60 };
    uint64_t sums[CS_INTERPOLATION_COUNT * CS_ASPECT_COUNT];
    for (int i = 0; i < CS_INTERPOLATION_COUNT * CS_ASPECT_COUNT; i++) {
        const cs_resize how = {(cs_interpolation)(i / CS_ASPECT_COUNT), (cs_aspect)(i % CS_ASPECT_COUNT)};
        const fixture spec = {.encoding = CS_ENCODING_JPEG, .h = 20, .w = 30, .counts = {1, 0, 0}, .resize = how};
        const char *path = fixture_path("rule.h5");
        cs_dataset *dataset = NULL;
        cs_decoder *decoder = NULL;
        cs_image image = {0}, whole = {0};
        const uint8_t *pixels;
        uint8_t wanted[TALL * WIDE * 3];
        int h = TALL, w = WIDE, own_h = 0, own_w = 0;
        fixture_write(path, &spec);
        assert_ok(cs_dataset_open(path, &dataset));
        assert_ok(cs_decoder_open(&decoder));
        assert_int_equal(cs_dataset_resize(dataset).interpolation, how.interpolation);
        assert_int_equal(cs_dataset_resize(dataset).aspect, how.aspect);
        assert_ok(cs_dataset_pixels(dataset, decoder, CS_SPLIT_TRAIN, 0, &own_h, &own_w, &whole, &pixels));
        assert_ok(cs_resize_image(decoder, &whole, how, TALL, WIDE, wanted));
        assert_ok(cs_dataset_pixels(dataset, decoder, CS_SPLIT_TRAIN, 0, &h, &w, &image, &pixels));
        assert_memory_equal(pixels, wanted, sizeof wanted);
        sums[i] = cs_dataset_checksum(dataset);
        for (int k = 0; k < i; k++)
            assert_true(sums[k] != sums[i]);
        cs_image_clear(&image);
        cs_image_clear(&whole);
        cs_decoder_close(decoder);
        cs_dataset_close(dataset);
    }
}

static void same_input_gives_the_same_file(void **state) {
    (void)state;
    char *first = NULL, *second = NULL;
    size_t size_first, size_second;
    fixture_write(fixture_path("same1.h5"), &raw);
    fixture_write(fixture_path("same2.h5"), &raw);
    assert_ok(cs_file_read(fixture_path("same1.h5"), 1 << 20, &first, &size_first));
    assert_ok(cs_file_read(fixture_path("same2.h5"), 1 << 20, &second, &size_second));
    assert_int_equal(size_first, size_second);
    assert_memory_equal(first, second, size_first);
    free(first);
    free(second);
}

/* Writes a file without cs_file_write's fsync, which would take long for thousands of files. */
static void write_plain(const char *path, const char *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A file with any single byte flipped is refused, unless the byte is padding and every value is read as before. */
static void every_flipped_byte_is_noticed(void **state) {
    (void)state;
    const char *path = fixture_path("flip.h5"), *victim = fixture_path("victim.h5");
    char *bytes = NULL;
    size_t size;
    int refused = 0;
    fixture_write(path, &raw);
    assert_ok(cs_file_read(path, 1 << 20, &bytes, &size));
    for (size_t at = 0; at < size; at += at < 1024 ? 1 : 5) {
        cs_dataset *dataset = NULL;
        bytes[at] = (char)(bytes[at] ^ 0x41);
        write_plain(victim, bytes, size);
        bytes[at] = (char)(bytes[at] ^ 0x41);
        if (cs_dataset_open(victim, &dataset) == CS_OK) {
            assert_content(dataset, &raw);
            cs_dataset_close(dataset);
        } else {
            assert_non_null(strstr(cs_error_last()->text, "victim.h5"));
            refused++;
        }
    }
    assert_true(refused > 18 * 5 * 7 * 3 / 5); /* at least those among the pixels */
    free(bytes);
}

static void a_flipped_pixel_in_a_shard_names_the_shard(void **state) {
    (void)state;
    const char *path = fixture_path("flipped");
    char shard[CS_PATH_MAX], *bytes = NULL;
    uint8_t first[5 * 7 * 3];
    size_t size, at = 0;
    fixture spec = raw;
    cs_dataset *dataset = NULL;
    spec.shard_bytes = 5 * 7 * 3 * 4;
    fixture_write(path, &spec);
    assert_ok(cs_path(shard, sizeof shard, "%s/shard-00001.h5", path));
    assert_ok(cs_file_read(shard, 1 << 20, &bytes, &size));
    fixture_pixels(first, 5, 7, 4);
    while (memcmp(bytes + at, first, sizeof first) != 0)
        assert_true(++at + sizeof first < size);
    bytes[at + 10] ^= 1;
    assert_ok(cs_file_write(shard, bytes, size));
    free(bytes);
    assert_fails(cs_dataset_open(path, &dataset), CS_ERR_FORMAT, "shard-00001.h5: altered or damaged");
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 1);
    assert_ok(cs_dataset_open(path, &dataset));
    unsetenv("CNNSWEEP_TRUST_SHARDS");
    cs_dataset_close(dataset);
}

static void a_truncated_shard_is_refused(void **state) {
    (void)state;
    const char *path = fixture_path("cut.h5");
    char *bytes = NULL;
    size_t size;
    fixture_write(path, &raw);
    assert_ok(cs_file_read(path, 1 << 20, &bytes, &size));
    for (size_t keep = 0; keep < size; keep += keep + 40 < size ? 37 : 1) {
        cs_dataset *dataset = NULL;
        write_plain(path, bytes, keep);
        if (keep == 0)
            assert_fails(cs_dataset_open(path, &dataset), CS_ERR_IO, "cut.h5");
        else
            assert_fails(cs_dataset_open(path, &dataset), CS_ERR_FORMAT, "cut.h5");
    }
    free(bytes);
}

static void a_missing_shard_is_named(void **state) {
    (void)state;
    const char *path = fixture_path("missing");
    char shard[CS_PATH_MAX];
    fixture spec = raw;
    cs_dataset *dataset = NULL;
    spec.shard_bytes = 5 * 7 * 3 * 4;
    fixture_write(path, &spec);
    assert_ok(cs_path(shard, sizeof shard, "%s/shard-00002.h5", path));
    assert_int_equal(unlink(shard), 0);
    assert_fails(cs_dataset_open(path, &dataset), CS_ERR_IO, "shard-00002.h5");
}

static void a_shard_of_another_dataset_is_refused(void **state) {
    (void)state;
    char from[CS_PATH_MAX], to[CS_PATH_MAX];
    fixture spec = raw;
    cs_dataset *dataset = NULL;
    spec.shard_bytes = 5 * 7 * 3 * 4;
    fixture_write(fixture_path("mine"), &spec);
    assert_ok(cs_path(to, sizeof to, "%s/shard-00000.h5", fixture_path("mine")));
    assert_ok(cs_path(from, sizeof from, "%s/shard-00001.h5", fixture_path("mine")));
    assert_int_equal(rename(from, to), 0);
    assert_fails(cs_dataset_open(fixture_path("mine"), &dataset), CS_ERR_FORMAT, "not the shard that index.json lists");
}

static void other_files_are_refused_by_name(void **state) {
    (void)state;
    const char *path = fixture_path("text.h5");
    cs_dataset *dataset = NULL;
    assert_ok(cs_file_write(path, "hello\n", 6));
    assert_fails(cs_dataset_open(path, &dataset), CS_ERR_FORMAT, "text.h5");
    assert_ok(cs_remove_all(path));
    assert_ok(cs_file_write(path, "version https://git-lfs.github.com/spec/v1\n", 43));
    assert_fails(cs_dataset_open(path, &dataset), CS_ERR_FORMAT, "text.h5: this is a Git LFS pointer");
    assert_fails(cs_dataset_open(fixture_path("none.h5"), &dataset), CS_ERR_NOT_FOUND, "cnnsweep-pack");
    assert_fails(cs_dataset_open(test_scratch(), &dataset), CS_ERR_NOT_FOUND, "index.json");
}

static void an_existing_file_is_not_overwritten(void **state) {
    (void)state;
    static const char *const classes[] = {"a"};
    const cs_dataset_layout layout = {.h = 1, .w = 1, .classes = classes, .n_classes = 1};
    cs_dataset_writer *writer = NULL;
    const char *path = fixture_path("taken.h5");
    assert_ok(cs_file_write(path, "mine", 4));
    assert_fails(cs_dataset_create(path, &layout, &writer), CS_ERR_ARG, "already exists");
}

static void wrong_samples_are_refused(void **state) {
    (void)state;
    static const char *const classes[] = {"a", "b"};
    const cs_dataset_layout layout = {.h = 1, .w = 1, .classes = classes, .n_classes = 2, .counts = {1, 0, 0}};
    const uint8_t pixel[4] = {1, 2, 3, 4};
    cs_dataset_writer *writer = NULL;
    assert_ok(cs_dataset_create(fixture_path("wrong.h5"), &layout, &writer));
    assert_fails(cs_dataset_append(writer, CS_SPLIT_TRAIN, 2, "x", pixel, 3), CS_ERR_ARG, "label 2 of 2 classes");
    assert_fails(cs_dataset_append(writer, CS_SPLIT_TRAIN, 0, "x", pixel, 4), CS_ERR_SHAPE, "4 bytes");
    assert_fails(cs_dataset_append(writer, CS_SPLIT_VAL, 0, "x", pixel, 3), CS_ERR_ARG, "more val samples");
    assert_fails(cs_dataset_commit(&writer), CS_ERR_ARG, "1 train samples of the layout never came");
    assert_false(cs_file_exists(fixture_path("wrong.h5")));
}

/* The number of names in the scratch folder that start with `prefix`. */
static int count_files(const char *prefix) {
    int n = 0;
    DIR *folder = opendir(test_scratch());
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(folder);
    return n;
}

/* A limit on the size of files replaces a full disk: writes fail in the same places. */
static void a_full_disk_leaves_no_files(void **state) {
    (void)state;
    static const char *const classes[] = {"a"};
    enum { SIDE = 64, IMAGES = 100 };
    static uint8_t pixels[SIDE * SIDE * 3];
    cs_dataset_layout layout = {.h = SIDE, .w = SIDE, .classes = classes, .n_classes = 1, .counts = {IMAGES, 0, 0}};
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (int bytes = 100000; bytes < 2000000; bytes += 400000)
        for (int sharded = 0; sharded < 2; sharded++) {
            cs_dataset_writer *writer = NULL;
            layout.shard_bytes = sharded ? 400000 : 0;
            limit = before;
            limit.rlim_cur = (rlim_t)bytes;
            assert_ok(cs_dataset_create(fixture_path("full"), &layout, &writer));
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
            cs_status status = CS_OK;
            for (int i = 0; i < IMAGES && status == CS_OK; i++)
                status = cs_dataset_append(writer, CS_SPLIT_TRAIN, 0, "x", pixels, sizeof pixels);
            if (status == CS_OK)
                status = cs_dataset_commit(&writer);
            cs_dataset_abort(&writer);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
            if (bytes < (sharded ? 600000 : 1400000)) /* a shard; all the pixels */
                assert_fails(status, CS_ERR_NO_SPACE, "File too large");
            else
                assert_ok(status);
            assert_int_equal(count_files("full"), status == CS_OK);
            assert_ok(cs_remove_all(fixture_path("full")));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raw_dataset_is_read_as_written),
        cmocka_unit_test(shards_are_one_dataset),
        cmocka_unit_test(jpeg_streams_are_read_byte_for_byte),
        cmocka_unit_test(stored_jpegs_are_resized_by_the_rule_of_the_dataset),
        cmocka_unit_test(same_input_gives_the_same_file),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(a_flipped_pixel_in_a_shard_names_the_shard),
        cmocka_unit_test(a_truncated_shard_is_refused),
        cmocka_unit_test(a_missing_shard_is_named),
        cmocka_unit_test(a_shard_of_another_dataset_is_refused),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(an_existing_file_is_not_overwritten),
        cmocka_unit_test(wrong_samples_are_refused),
        cmocka_unit_test(a_full_disk_leaves_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
