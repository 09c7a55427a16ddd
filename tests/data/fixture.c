/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_pixels(uint8_t *pixels, int h, int w, uint32_t salt) {
    cs_rng rng = cs_rng_at(7, CS_PURPOSE_TEST, 0, salt);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++, pixels++)
                *pixels = (uint8_t)((x * 5 + y * 3 + c * 40 + (int)salt * 7 + (int)cs_rng_below(&rng, 20)) & 255);
}

const char *fixture_path(const char *name) {
    static char paths[2][CS_PATH_MAX];
    static int next;
    char *path = paths[next++ % 2];
    assert_ok(cs_path(path, CS_PATH_MAX, "%s/%s", test_scratch(), name));
    return path;
}

static void append(cs_dataset_writer *writer, const fixture *spec, cs_split split, int i) {
    char id[64];
    cs_image image = {0};
    uint8_t *jpeg = NULL;
    size_t capacity = 0, size = 0;
    int grow = spec->encoding == CS_ENCODING_JPEG ? i % 3 : 0;
    snprintf(id, sizeof id, "%s/%d", cs_split_name(split), i);
    assert_ok(cs_image_reserve(&image, spec->h + grow, spec->w + grow));
    fixture_pixels(image.pixels, image.h, image.w, (uint32_t)i + 1000u * split);
    if (spec->encoding == CS_ENCODING_JPEG) {
        assert_ok(cs_encode_jpeg(&image, 95, true, &jpeg, &capacity, &size));
        assert_ok(cs_dataset_append(writer, split, i % 3, id, jpeg, size));
    } else {
        assert_ok(cs_dataset_append(writer, split, i % 3, id, image.pixels, (size_t)spec->h * (size_t)spec->w * 3));
    }
    free(jpeg);
    cs_image_clear(&image);
}

void fixture_write(const char *path, const fixture *spec) {
    static const char *const classes[] = {"ape", "bear", "caf\xC3\xA9"};
    bool jpeg = spec->encoding == CS_ENCODING_JPEG;
    cs_dataset_layout layout = {.encoding = spec->encoding,
                                .resize = spec->resize,
                                .h = jpeg ? 0 : spec->h,
                                .w = jpeg ? 0 : spec->w,
                                .classes = classes,
                                .n_classes = 3,
                                .shard_bytes = spec->shard_bytes};
    cs_dataset_writer *writer = NULL;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        layout.counts[s] = spec->counts[s];
    assert_ok(cs_remove_all(path));
    assert_ok(cs_dataset_create(path, &layout, &writer));
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int i = 0; i < spec->counts[s]; i++)
            append(writer, spec, (cs_split)s, i);
    cs_dataset_set_mean_std(writer, (double[3]){1, 2, 3}, (double[3]){4, 5, 6});
    assert_ok(cs_dataset_commit(&writer));
    assert_null(writer);
}

void fixture_run_reference(const char *script, const char *argument) {
    char command[3 * CS_PATH_MAX];
    assert_ok(
        cs_path(command, sizeof command, "/usr/bin/python3 '%s/tests/data/%s' '%s'", CS_TEST_SOURCE, script, argument));
    assert_int_equal(system(command), 0);
}
