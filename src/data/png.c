/* SPDX-License-Identifier: Apache-2.0 */
/* PNG through libspng. */
#include "codec.h"

#include <string.h>

#include <spng.h>

/* The most bytes to which text and colour profiles may inflate. */
enum { CHUNK_LIMIT = 1 << 26 };

static cs_status fail_png(const char *name, int code) {
    if (code == SPNG_EMEM)
        return cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for a PNG decoder", name);
    return cs_fail(CS_ERR_FORMAT, "%s: damaged PNG: %s", name, spng_strerror(code));
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads the size, which has a fixed offset in a PNG, so that it is checked before libspng sees the file. */
static cs_status check_header(const cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size) {
    enum { WIDTH_AT = 16, HEIGHT_AT = 20, HEADER_SIZE = 24 };
    if (size < HEADER_SIZE)
        return cs_fail(CS_ERR_FORMAT, "%s: damaged PNG: ends inside its header", name);
    return cs_image_check_size(decoder, name, big_endian(bytes + HEIGHT_AT), big_endian(bytes + WIDTH_AT));
}

static cs_status open_png(const cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                          spng_ctx **out, struct spng_ihdr *header) {
    CS_TRY(check_header(decoder, name, bytes, size));
    spng_ctx *png = spng_ctx_new(0);
    if (!png)
        return fail_png(name, SPNG_EMEM);
    int code = spng_set_chunk_limits(png, CHUNK_LIMIT, CHUNK_LIMIT);
    if (!code)
        code = spng_set_png_buffer(png, bytes, size);
    if (!code)
        code = spng_get_ihdr(png, header);
    if (code) {
        spng_ctx_free(png);
        return fail_png(name, code);
    }
    *out = png;
    return CS_OK;
}

static bool is_png(const uint8_t *bytes, size_t size) {
    static const uint8_t start[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return size >= sizeof start && memcmp(bytes, start, sizeof start) == 0;
}

static cs_status png_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    spng_ctx *png = NULL;
    struct spng_ihdr header = {0};
    CS_TRY(open_png(NULL, name, bytes, size, &png, &header));
    spng_ctx_free(png);
    *h = (int)header.height;
    *w = (int)header.width;
    return CS_OK;
}

static cs_status read_pixels(spng_ctx *png, const char *name, int format, int flags, void *pixels, size_t size) {
    int code = spng_decode_image(png, pixels, size, format, flags);
    if (!code)
        code = spng_decode_chunks(png); /* reads on, as pixel checksums may come last */
    return code ? fail_png(name, code) : CS_OK;
}

/* libspng itself keeps the high byte of 16 bits and drops alpha, which are the default rules. */
static cs_status decode_opened(cs_decoder *decoder, spng_ctx *png, const char *name, const struct spng_ihdr *header,
                               cs_image *image) {
    const int h = (int)header->height, w = (int)header->width;
    const size_t pixels = (size_t)h * (size_t)w;
    if (header->bit_depth == 16) {
        CS_TRY(cs_reserve_rgba16(decoder, h, w));
        CS_TRY(read_pixels(png, name, SPNG_FMT_RGBA16, SPNG_DECODE_TRNS, decoder->four16, pixels * 8));
        return cs_take_rgba16(decoder, h, w, image);
    }
    if (decoder->rules.blend) {
        CS_TRY(cs_reserve_rgba(decoder, h, w));
        CS_TRY(read_pixels(png, name, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS, decoder->four, pixels * 4));
        return cs_take_rgba(decoder, decoder->four, h, w, image);
    }
    CS_TRY(cs_image_reserve(image, h, w));
    return read_pixels(png, name, SPNG_FMT_RGB8, 0, image->pixels, pixels * 3);
}

static cs_status png_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                            int target_w, cs_image *image) {
    (void)target_h, (void)target_w; /* a PNG cannot be decoded at a reduced scale */
    spng_ctx *png = NULL;
    struct spng_ihdr header = {0};
    CS_TRY(open_png(decoder, name, bytes, size, &png, &header));
    cs_status status = decode_opened(decoder, png, name, &header, image);
    spng_ctx_free(png);
    return status;
}

/* Finds the chunk eXIf. A chunk is its length, its name, the data and a checksum. */
static const uint8_t *png_exif(const uint8_t *bytes, size_t size, size_t *exif_size) {
    enum { SIGNATURE = 8, HEAD = 8, TAIL = 4 };
    for (size_t at = SIGNATURE; at + HEAD + TAIL <= size;) {
        size_t length = big_endian(bytes + at);
        if (length > size - at - HEAD - TAIL)
            return NULL;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0) {
            *exif_size = length;
            return bytes + at + HEAD;
        }
        at += HEAD + length + TAIL;
    }
    return NULL;
}

const cs_codec cs_png_codec = {"PNG", NULL, is_png, png_size, png_decode, png_exif};

cs_status cs_encode_png(const cs_image *image, uint8_t **bytes, size_t *size) {
    struct spng_ihdr header = {.width = (uint32_t)image->w,
                               .height = (uint32_t)image->h,
                               .bit_depth = 8,
                               .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
    const size_t pixels = (size_t)image->h * (size_t)image->w * 3;
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    int code = png ? spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1) : SPNG_EMEM;
    if (!code)
        code = spng_set_ihdr(png, &header);
    if (!code)
        code = spng_encode_image(png, image->pixels, pixels, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    if (!code)
        *bytes = spng_get_png_buffer(png, size, &code);
    spng_ctx_free(png);
    return code ? cs_fail(CS_ERR_NO_MEMORY, "a PNG of %dx%d: %s", image->w, image->h, spng_strerror(code)) : CS_OK;
}
