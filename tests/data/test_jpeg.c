/* SPDX-License-Identifier: Apache-2.0 */
/* Broken and unusual JPEG files: a fault makes only its own file unreadable, an oddity changes no pixel. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { H = 40, W = 56, ROOM = 1 << 18 };

/* A JPEG stream with room after it, to be altered. */
typedef struct stream {
    uint8_t bytes[ROOM];
    size_t size;
} stream;

static void drawn(cs_image *image) {
    assert_ok(cs_image_reserve(image, H, W));
    fixture_pixels(image->pixels, H, W, 3);
}

static void plain(stream *to) {
    cs_image image = {0};
    uint8_t *bytes = NULL;
    size_t capacity = 0;
    drawn(&image);
    assert_ok(cs_encode_jpeg(&image, 90, true, &bytes, &capacity, &to->size));
    assert_true(to->size < ROOM);
    memcpy(to->bytes, bytes, to->size);
    free(bytes);
    cs_image_clear(&image);
}

/* Encodes a gray image, in the given scans, if any, and with a restart marker after every `restart_rows` rows of
 * blocks, if not 0. */
static void gray(stream *to, const jpeg_scan_info *scans, int n, int restart_rows) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = jpeg.image_height = 16;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg.scan_info = scans;
    jpeg.num_scans = n;
    jpeg.restart_in_rows = restart_rows;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        uint8_t row[16];
        for (unsigned x = 0; x < 16; x++)
            row[x] = (uint8_t)(x * x + jpeg.next_scanline * 7);
        JSAMPROW rows = row;
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_true(size < ROOM);
    memcpy(to->bytes, bytes, size);
    to->size = size;
    free(bytes);
}

/* The position of the first segment with that marker; stray bytes before it are skipped. */
static size_t find(const stream *in, uint8_t marker) {
    size_t at = 2;
    while (in->bytes[at] != 0xFF || in->bytes[at + 1] != marker) {
        at += in->bytes[at] == 0xFF ? 2 + (size_t)in->bytes[at + 2] * 256 + in->bytes[at + 3] : 1;
        assert_true(at < in->size);
    }
    return at;
}

static void cut_out(stream *from, size_t at, size_t n) {
    memmove(from->bytes + at, from->bytes + at + n, from->size - at - n);
    from->size -= n;
}

static void put_in(stream *into, size_t at, const void *bytes, size_t n) {
    memmove(into->bytes + at + n, into->bytes + at, into->size - at);
    memcpy(into->bytes + at, bytes, n);
    into->size += n;
}

static void drop_segments(stream *from, uint8_t marker, int n) {
    for (; n > 0; n--) {
        size_t at = find(from, marker);
        cut_out(from, at, 2 + (size_t)from->bytes[at + 2] * 256 + from->bytes[at + 3]);
    }
}

enum { APP0 = 0xE0, DQT = 0xDB, DHT = 0xC4, SOF = 0xC0, SOS = 0xDA, RST0 = 0xD0 };

/* Each of these functions puts a fault into a file. */
static void end_in_the_header(stream *file) {
    file->size = find(file, DHT) + 9;
}
static void end_in_the_body(stream *file) {
    file->size = file->size * 2 / 3;
}
static void end_without_a_mark(stream *file) {
    file->size -= 2;
}
static void have_12_bits(stream *file) {
    file->bytes[find(file, SOF) + 4] = 12;
}
static void be_lossless(stream *file) {
    file->bytes[find(file, SOF) + 1] = 0xC3;
}
static void have_no_quantization(stream *file) {
    drop_segments(file, DQT, 2);
}
static void begin_twice(stream *file) {
    put_in(file, 2, "\xFF\xD8", 2);
}
static void have_a_wild_table(stream *file) {
    memset(file->bytes + find(file, DHT) + 5, 0xFF, 16);
}
static void lose_a_piece_of_the_body(stream *file) {
    cut_out(file, file->size / 2, 100);
}
static void have_a_mark_in_the_body(stream *file) {
    put_in(file, file->size * 2 / 3, "\xFF\xD9", 2);
}
static void have_no_pixels(stream *file) {
    memset(file->bytes + find(file, SOF) + 5, 0, 4);
}

/* The bytes before a restart marker belong to the row of blocks before it. */
static void have_more_in_a_row_than_its_blocks(stream *file) {
    gray(file, NULL, 0, 1);
    size_t at = find(file, SOS);
    while (file->bytes[at] != 0xFF || file->bytes[at + 1] != RST0)
        at++;
    put_in(file, at, "more than the decoder reads ahead", 33);
}

static const struct {
    void (*make)(stream *file);
    const char *message;
    bool in_header;
} faults[] = {
    {end_in_the_header, "damaged JPEG: ", true},
    {end_in_the_body, "damaged JPEG: ", false},
    {end_without_a_mark, "damaged JPEG: Premature end", false},
    {have_12_bits, "a JPEG of 12 bits a colour, which is not supported", true},
    {be_lossless, "a lossless or hierarchical JPEG (SOF 0xc3), which is not supported", true},
    {have_no_quantization, "damaged JPEG: ", false},
    {begin_twice, "damaged JPEG: ", true},
    {have_a_wild_table, "damaged JPEG: ", true},
    {lose_a_piece_of_the_body, "damaged JPEG: ", false},
    {have_a_mark_in_the_body, "damaged JPEG: ", false},
    {have_no_pixels, "damaged JPEG: ", true},
    {have_more_in_a_row_than_its_blocks, "damaged JPEG: Corrupt JPEG data: 33 extraneous bytes before marker 0xd0",
     false},
};

/* Each of these functions puts an oddity into a file. */
static void have_an_unknown_revision(stream *file) {
    file->bytes[find(file, APP0) + 9] = 0;
}
static void have_stray_bytes(stream *file) {
    put_in(file, find(file, SOF), "stray", 5);
}
static void have_stray_bytes_at_the_end(stream *file) {
    put_in(file, file->size - 2, "stray", 5);
}
static void have_an_unknown_transform(stream *file) {
    drop_segments(file, APP0, 1);
    put_in(file, 2,
           "\xFF\xEE\0\x0E"
           "Adobe\0\x64\0\0\0\0\x09",
           16);
}
static void end_the_scan_at_coefficient_0(stream *file) {
    size_t at = find(file, SOS);
    file->bytes[at + 2 + file->bytes[at + 3] - 2] = 0;
}
static void go_on_behind_the_end(stream *file) {
    put_in(file, file->size, "\xFF\xD8\xFF", 3);
}

static void (*const oddities[])(stream *file) = {have_an_unknown_revision,      have_stray_bytes,
                                                 have_stray_bytes_at_the_end,   have_an_unknown_transform,
                                                 end_the_scan_at_coefficient_0, go_on_behind_the_end};
enum { ODDITIES = sizeof oddities / sizeof *oddities, FAULTS = sizeof faults / sizeof *faults };

static void assert_decodes_to(cs_decoder *decoder, const stream *file, const cs_image *expected) {
    cs_image image = {0};
    assert_ok(cs_decode(decoder, "file", file->bytes, file->size, 0, 0, &image));
    assert_int_equal(image.h, expected->h);
    assert_int_equal(image.w, expected->w);
    assert_memory_equal(image.pixels, expected->pixels, (size_t)image.h * (size_t)image.w * 3);
    cs_image_clear(&image);
}

static void assert_refused(cs_decoder *decoder, const stream *file, const char *message) {
    cs_image image = {0};
    assert_fails(cs_decode(decoder, "file", file->bytes, file->size, 0, 0, &image), CS_ERR_FORMAT, message);
    cs_image_clear(&image);
}

static stream good, file; /* too large for a stack */
static cs_image expected;

static void decode_good(cs_decoder **decoder) {
    plain(&good);
    assert_ok(cs_decoder_open(decoder));
    assert_ok(cs_decode(*decoder, "good", good.bytes, good.size, 0, 0, &expected));
}

static void finish(cs_decoder *decoder) {
    cs_decoder_close(decoder);
    cs_image_clear(&expected);
}

static void an_image_decodes_the_same_after_a_broken_one(void **state) {
    (void)state;
    cs_decoder *decoder = NULL;
    decode_good(&decoder);
    for (size_t i = 0; i < FAULTS; i++) {
        int h, w;
        file = good;
        faults[i].make(&file);
        assert_refused(decoder, &file, faults[i].message);
        assert_decodes_to(decoder, &good, &expected);
        if (faults[i].in_header)
            assert_fails(cs_image_size("file", file.bytes, file.size, &h, &w), CS_ERR_FORMAT, faults[i].message);
        else
            assert_ok(cs_image_size("file", file.bytes, file.size, &h, &w));
        assert_ok(cs_image_size("good", good.bytes, good.size, &h, &w));
        assert_int_equal(h, H);
        assert_int_equal(w, W);
    }
    finish(decoder);
}

static void an_oddity_changes_no_pixel(void **state) {
    (void)state;
    cs_decoder *decoder = NULL;
    decode_good(&decoder);
    for (size_t i = 0; i < ODDITIES; i++) {
        file = good;
        oddities[i](&file);
        assert_decodes_to(decoder, &file, &expected);
    }
    finish(decoder);
}

static void a_fault_after_an_oddity_is_noticed(void **state) {
    (void)state;
    cs_decoder *decoder = NULL;
    decode_good(&decoder);
    for (size_t i = 0; i < ODDITIES; i++)
        for (size_t k = i; k < ODDITIES; k++) {
            if (oddities[i] == have_an_unknown_revision && oddities[k] == have_an_unknown_transform)
                continue; /* it is in the place of the revision */
            file = good;
            oddities[i](&file);
            if (i != k)
                oddities[k](&file);
            assert_decodes_to(decoder, &file, &expected);
            end_in_the_body(&file);
            assert_refused(decoder, &file, "damaged JPEG: ");
        }
    finish(decoder);
}

/* Encodes a drawing of four inks, CMYK, at the best quality. */
static void inks(stream *to, J_COLOR_SPACE stored) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = jpeg.image_height = 16;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, stored);
    jpeg_set_quality(&jpeg, 100, TRUE);
    for (int c = 0; c < 4; c++)
        jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        uint8_t row[64];
        for (unsigned i = 0; i < 64; i++)
            row[i] = (uint8_t)(100 + i + jpeg.next_scanline * (i % 4));
        JSAMPROW rows = row;
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_true(size < ROOM);
    memcpy(to->bytes, bytes, size);
    to->size = size;
    free(bytes);
}

/* CMYK is compared with Pillow in test_pack_pillow.py; Pillow cannot write the other. */
static void inks_stored_as_ycck_are_those_stored_as_cmyk(void **state) {
    (void)state;
    cs_decoder *decoder = NULL;
    cs_image cmyk = {0}, ycck = {0};
    assert_ok(cs_decoder_open(&decoder));
    inks(&file, JCS_CMYK);
    assert_ok(cs_decode(decoder, "CMYK", file.bytes, file.size, 0, 0, &cmyk));
    inks(&file, JCS_YCCK);
    assert_ok(cs_decode(decoder, "YCCK", file.bytes, file.size, 0, 0, &ycck));
    for (int i = 0; i < 16 * 16 * 3; i++)
        assert_in_range(ycck.pixels[i] + 3 - cmyk.pixels[i], 0, 6); /* both are rounded */
    cs_image_clear(&cmyk);
    cs_image_clear(&ycck);
    cs_decoder_close(decoder);
}

/* The coding keeps every coefficient, so the pixels are those of the usual one. */
static void an_arithmetic_coded_file_has_the_pixels_of_a_huffman_coded_one(void **state) {
    (void)state;
    cs_decoder *decoder = NULL;
    struct jpeg_decompress_struct from;
    struct jpeg_compress_struct to;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    decode_good(&decoder);
    from.err = to.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&from);
    jpeg_create_compress(&to);
    jpeg_mem_src(&from, good.bytes, good.size);
    jpeg_mem_dest(&to, &bytes, &size);
    jpeg_read_header(&from, TRUE);
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&from);
    jpeg_copy_critical_parameters(&from, &to);
    to.arith_code = TRUE;
    jpeg_write_coefficients(&to, coefficients);
    jpeg_finish_compress(&to);
    jpeg_destroy_compress(&to);
    jpeg_destroy_decompress(&from);
    memcpy(file.bytes, bytes, size);
    file.size = size;
    free(bytes);
    assert_decodes_to(decoder, &file, &expected);
    finish(decoder);
}

static void a_file_without_tables_does_not_get_those_of_the_file_before(void **state) {
    (void)state;
    /* Two scans, so that libjpeg makes Huffman tables for this image, which are not the usual ones. */
    static const jpeg_scan_info scans[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
    static stream tables;
    cs_decoder *decoder = NULL;
    cs_image image = {0};
    decode_good(&decoder);
    gray(&tables, scans, 2, 0);
    file = good;
    drop_segments(&file, DHT, 4); /* as in Motion JPEG, where the usual tables apply, which `good` has */
    assert_decodes_to(decoder, &file, &expected);
    assert_ok(cs_decode(decoder, "tables", tables.bytes, tables.size, 0, 0, &image));
    assert_decodes_to(decoder, &file, &expected);
    cs_image_clear(&image);
    finish(decoder);
}

static void a_progressive_file_of_very_many_scans_is_refused(void **state) {
    (void)state;
    enum { FROM = 8, MOST = 1 + 63 * (FROM + 1) };
    jpeg_scan_info scans[MOST] = {{1, {0}, 0, 0, 0, 0}};
    int n = 1;
    cs_decoder *decoder = NULL;
    cs_image image = {0};
    for (int k = 1; k < 64; k++)
        for (int bit = FROM; bit >= 0; bit--)
            scans[n++] = (jpeg_scan_info){1, {0}, k, k, bit == FROM ? 0 : bit + 1, bit};
    assert_ok(cs_decoder_open(&decoder));
    gray(&file, scans, 1 + 55 * (FROM + 1), 0); /* 496 */
    assert_ok(cs_decode(decoder, "many", file.bytes, file.size, 0, 0, &image));
    gray(&file, scans, n, 0); /* 568 */
    assert_refused(decoder, &file, "a progressive JPEG of more than 500 scans");
    cs_image_clear(&image);
    cs_decoder_close(decoder);
}

static void an_image_too_large_for_jpeg_is_not_encoded(void **state) {
    (void)state;
    cs_image image = {0};
    uint8_t *bytes = NULL;
    size_t capacity = 0, size;
    assert_ok(cs_image_reserve(&image, 1, 65501));
    memset(image.pixels, 7, 65501 * 3);
    assert_fails(cs_encode_jpeg(&image, 95, true, &bytes, &capacity, &size), CS_ERR_SHAPE,
                 "cannot encode 65501x1 as JPEG");
    cs_image_clear(&image);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_decodes_the_same_after_a_broken_one),
        cmocka_unit_test(an_oddity_changes_no_pixel),
        cmocka_unit_test(a_fault_after_an_oddity_is_noticed),
        cmocka_unit_test(inks_stored_as_ycck_are_those_stored_as_cmyk),
        cmocka_unit_test(an_arithmetic_coded_file_has_the_pixels_of_a_huffman_coded_one),
        cmocka_unit_test(a_file_without_tables_does_not_get_those_of_the_file_before),
        cmocka_unit_test(a_progressive_file_of_very_many_scans_is_refused),
        cmocka_unit_test(an_image_too_large_for_jpeg_is_not_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
