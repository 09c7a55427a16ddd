/* SPDX-License-Identifier: Apache-2.0 */
/* Small datasets and images for the tests of the data room. */
#ifndef CNNSWEEP_TESTS_DATA_FIXTURE_H
#define CNNSWEEP_TESTS_DATA_FIXTURE_H

#include "test.h"

#include "cnnsweep/dataset.h"

/* Fills `pixels` with values that depend on `salt`: smooth in places, noisy in others. */
void fixture_pixels(uint8_t *pixels, int h, int w, uint32_t salt);

typedef struct fixture {
    cs_encoding encoding;
    int h, w; /* with CS_ENCODING_JPEG, sample i is i % 3 pixels higher and wider */
    int64_t counts[CS_SPLIT_COUNT];
    int64_t shard_bytes;
    cs_resize resize;
} fixture;

/* Writes the dataset to `path`, which is removed first. Sample i of a split has label i % 3, id "<split>/<i>", and the
 * pixels of salt i + 1000 * split. */
void fixture_write(const char *path, const fixture *spec);

/* Path of `name` in the test's scratch folder; valid until the next call but one. */
const char *fixture_path(const char *name);

/* Runs a reference script of tests/data with Debian's Python and one argument; the test fails when the script fails. */
void fixture_run_reference(const char *script, const char *argument);

#endif
