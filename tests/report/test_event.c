/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
/* Events of TensorBoard, where its own reader is of no help: the checksum's known values, sizes, and types of values.
 * tests/report/test_tensorboard.py has that reader read whole sweeps. */
#include "test.h"

#include "event.h"

#include <stdlib.h>
#include <string.h>

/* RFC 3720, appendix B.4, and the check value of CRC-32C. */
static void test_known_checksums(void **state) {
    (void)state;
    unsigned char bytes[32] = {0};
    assert_int_equal(cs_crc32c("123456789", 9), 0xE3069283);
    assert_int_equal(cs_crc32c(bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(cs_crc32c(bytes, sizeof bytes), 0x62A8AB43);
}

static void test_names_that_strtod_would_read_are_texts(void **state) {
    (void)state;
    const char *const numbers[] = {"1", "-0.5", "1e-4", "+3"}, *const bools[] = {"true", "false"},
                      *const mixed[] = {"1", "head"};
    assert_int_equal(cs_hparam_type_of(numbers, 4), CS_HPARAM_NUMBER);
    assert_int_equal(cs_hparam_type_of(bools, 2), CS_HPARAM_BOOL);
    assert_int_equal(cs_hparam_type_of(mixed, 2), CS_HPARAM_TEXT);
    const char *const texts[] = {"nan", "inf", "0x10", "", " 1", "1 ", "1e999", "e", "."};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(cs_hparam_type_of(&texts[i], 1), CS_HPARAM_TEXT);
}

/* A reader of protobuf refuses a text that is not UTF-8, and what is UTF-8 stays as it is, also a line break. */
static void test_every_text_is_utf8(void **state) {
    (void)state;
    static const struct {
        const char *given, *written;
    } texts[] = {{"caf\xe9.h5", "caf\\xe9.h5"}, {"\xd7\x90\nx", "\xd7\x90\nx"}, {"cut \xe2\x82", "cut \\xe2\\x82"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const cs_hparam value = {"weights", texts[i].given, CS_HPARAM_TEXT};
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_int_equal(cs_event_session_start((cs_event_time){0, 0}, "t000", &value, 1, out), CS_OK);
        fclose(out);
        assert_non_null(memmem(text, size, texts[i].written, strlen(texts[i].written)));
        assert_true(strcmp(texts[i].given, texts[i].written) == 0 ||
                    !memmem(text, size, texts[i].given, strlen(texts[i].given)));
        free(text);
    }
}

/* The image has a limit, whatever the number of classes, and so has the text with their names. */
static void test_three_thousand_classes(void **state) {
    (void)state;
    enum { CLASSES = 3000, PIXELS = (CLASSES + 2) / 3, MOST = 1 << 20 };
    const cs_evaluation_spec spec = {.classes = CLASSES, .needs = CS_NEEDS_CONFUSION};
    const char **names = calloc(CLASSES, sizeof *names);
    cs_evaluation *evaluation = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < CLASSES; i++)
        names[i] = "a class with a name of some length, as they have";
    assert_int_equal(cs_evaluation_create(&spec, &evaluation), CS_OK);
    assert_int_equal(cs_event_confusion((cs_event_time){0, 0}, "test", evaluation, names, out), CS_OK);
    fclose(out);
    assert_true(size < MOST);
    const unsigned char header[] = {'I',         'H',           'D', 'R', 0,           0,
                                    PIXELS >> 8, PIXELS & 0xFF, 0,   0,   PIXELS >> 8, PIXELS & 0xFF};
    assert_non_null(memmem(text, size, header, sizeof header));
    free(text);
    free(names);
    cs_evaluation_free(evaluation);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_checksums),
        cmocka_unit_test(test_names_that_strtod_would_read_are_texts),
        cmocka_unit_test(test_every_text_is_utf8),
        cmocka_unit_test(test_three_thousand_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
