/* SPDX-License-Identifier: Apache-2.0 */
/* BMP in the kinds that Windows writes. It is read here, as Debian has no library that reads BMP alone. Colours of 16
 * bits a pixel are rounded as in Pillow. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

enum { RGB, RLE8, RLE4, BITFIELDS, ALPHABITFIELDS = 6 }; /* compressions */
enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40, HEADER_WITH_ALPHA = 56 };

typedef struct bmp_reader {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    int h, w;
    bool from_top;
    unsigned bits, compression;
    uint32_t masks[4];       /* red, green, blue, alpha */
    uint8_t palette[256][4]; /* RGBA */
    size_t pixels_at;
} bmp_reader;

static uint32_t little_endian(const uint8_t *bytes, int n) {
    uint32_t value = 0;
    for (int i = n - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static cs_status fail_bmp(const bmp_reader *self, const char *what) {
    return cs_fail(CS_ERR_FORMAT, "%s: damaged BMP: %s", self->name, what);
}

static bool is_bmp(const uint8_t *bytes, size_t size) {
    return size >= FILE_HEADER + 4 && memcmp(bytes, "BM", 2) == 0 && little_endian(bytes + FILE_HEADER, 4) <= 124;
}

/* Sets size, bits and compression. */
static cs_status read_numbers(bmp_reader *self, uint32_t header) {
    const uint8_t *info = self->bytes + FILE_HEADER;
    const bool core = header == CORE_HEADER;
    const int64_t h = core ? (int64_t)little_endian(info + 6, 2) : (int32_t)little_endian(info + 8, 4);
    const int64_t w = core ? (int64_t)little_endian(info + 4, 2) : (int32_t)little_endian(info + 4, 4);
    if (h == INT32_MIN || w < 0)
        return fail_bmp(self, "its size is negative");
    self->from_top = h < 0;
    self->h = (int)(h < 0 ? -h : h);
    self->w = (int)w;
    self->bits = little_endian(info + (core ? 10 : 14), 2);
    self->compression = core ? RGB : little_endian(info + 16, 4);
    return CS_OK;
}

static bool is_known_kind(const bmp_reader *self) {
    switch (self->compression) {
    case RGB:
        return self->bits == 1 || self->bits == 2 || self->bits == 4 || self->bits == 8 || self->bits == 16 ||
               self->bits == 24 || self->bits == 32;
    case RLE8:
        return self->bits == 8 && !self->from_top;
    case RLE4:
        return self->bits == 4 && !self->from_top;
    case BITFIELDS:
    case ALPHABITFIELDS:
        return self->bits == 16 || self->bits == 32;
    default:
        return false;
    }
}

/* The masks lie behind the first 40 bytes of the header, whether they are part of it or follow it. */
static cs_status read_masks(bmp_reader *self, uint32_t header) {
    static const uint32_t usual[2][4] = {{0x7C00, 0x03E0, 0x001F, 0}, {0xFF0000, 0xFF00, 0xFF, 0}};
    const size_t at = FILE_HEADER + INFO_HEADER;
    const bool given = self->compression == BITFIELDS || self->compression == ALPHABITFIELDS;
    const bool has_alpha = header >= HEADER_WITH_ALPHA || self->compression == ALPHABITFIELDS;
    memcpy(self->masks, usual[self->bits == 32], sizeof self->masks);
    if (given && self->size < at + (has_alpha ? 16 : 12))
        return fail_bmp(self, "it ends in its header");
    for (size_t i = 0; given && i < 4; i++)
        self->masks[i] = i < 3 || has_alpha ? little_endian(self->bytes + at + 4 * i, 4) : 0;
    return CS_OK;
}

/* Colours that the table does not define are gray, as in Pillow. */
static void read_palette(bmp_reader *self, uint32_t header) {
    const size_t entry = header == CORE_HEADER ? 3 : 4;
    size_t at = FILE_HEADER + header, n = (size_t)1 << self->bits;
    if (header >= INFO_HEADER && little_endian(self->bytes + FILE_HEADER + 32, 4) > 0)
        n = little_endian(self->bytes + FILE_HEADER + 32, 4);
    for (size_t i = 0; i < 256; i++, at += entry) {
        const bool known = i < n && at + entry <= self->size && at + entry <= self->pixels_at;
        for (size_t c = 0; c < 3; c++)
            self->palette[i][c] = known ? self->bytes[at + 2 - c] : (uint8_t)i;
        self->palette[i][3] = 255;
    }
}

static cs_status open_bmp(const cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                          bmp_reader *self) {
    *self = (bmp_reader){.name = name, .bytes = bytes, .size = size};
    const uint32_t header = little_endian(bytes + FILE_HEADER, 4);
    self->pixels_at = little_endian(bytes + 10, 4);
    if (header != CORE_HEADER && header < INFO_HEADER)
        return fail_bmp(self, "it has an unknown header");
    if (size < FILE_HEADER + (size_t)header)
        return fail_bmp(self, "it ends in its header");
    CS_TRY(read_numbers(self, header));
    if (!is_known_kind(self))
        return cs_fail(CS_ERR_FORMAT,
                       "%s: a BMP of %u bits a pixel and compression %u, which is not supported; convert it", name,
                       self->bits, self->compression);
    CS_TRY(cs_image_check_size(decoder, name, (uint64_t)self->h, (uint64_t)self->w));
    CS_TRY(read_masks(self, header));
    if (self->bits <= 8)
        read_palette(self, header);
    return CS_OK;
}

static cs_status bmp_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    bmp_reader self;
    CS_TRY(open_bmp(NULL, name, bytes, size, &self));
    *h = self.h;
    *w = self.w;
    return CS_OK;
}

/* The part of a pixel under a mask, as 0 to 255. */
static uint8_t channel(uint32_t pixel, uint32_t mask) {
    if (mask == 0)
        return 255; /* alpha that is not stored; of a colour without bits nothing better is known */
    const int shift = __builtin_ctz(mask);
    return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / (mask >> shift));
}

static void take_pixel(const bmp_reader *self, const uint8_t *row, size_t x, uint8_t rgba[4]) {
    const unsigned per_byte = self->bits < 8 ? 8 / self->bits : 1, bytes = self->bits / 8;
    if (self->bits <= 8) {
        const unsigned shift = (per_byte - 1 - (unsigned)(x % per_byte)) * self->bits;
        memcpy(rgba, self->palette[row[x / per_byte] >> shift & ((1U << self->bits) - 1)], 4);
    } else if (self->bits == 24) {
        const uint8_t *bgr = row + 3 * x;
        memcpy(rgba, (const uint8_t[]){bgr[2], bgr[1], bgr[0], 255}, 4);
    } else
        for (int c = 0; c < 4; c++)
            rgba[c] = channel(little_endian(row + bytes * x, (int)bytes), self->masks[c]);
}

static uint8_t *row_at(const bmp_reader *self, uint8_t *rgba, int y) {
    return rgba + (size_t)(self->from_top ? y : self->h - 1 - y) * (size_t)self->w * 4;
}

static cs_status read_rows(const bmp_reader *self, uint8_t *rgba) {
    const size_t step = ((size_t)self->w * self->bits + 31) / 32 * 4, row = ((size_t)self->w * self->bits + 7) / 8;
    if (self->pixels_at > self->size || (self->size - self->pixels_at) < step * (size_t)(self->h - 1) + row)
        return fail_bmp(self, "it ends too early");
    for (int y = 0; y < self->h; y++) {
        uint8_t *out = row_at(self, rgba, y);
        for (size_t x = 0; x < (size_t)self->w; x++)
            take_pixel(self, self->bytes + self->pixels_at + (size_t)y * step, x, out + 4 * x);
    }
    return CS_OK;
}

/* Where the next pixel of a run-length encoded image goes. */
typedef struct rle_place {
    int x, y;
} rle_place;

/* Writes `n` pixels. The indices are those of the bytes, in turn (`literal`), or in RLE8 the byte's and in RLE4 its two
 * halves' again and again. Pixels outside the image are left out. */
static void put_run(const bmp_reader *self, uint8_t *rgba, rle_place *to, const uint8_t *bytes, int n, bool literal) {
    const bool halves = self->compression == RLE4;
    for (int i = 0; i < n && to->x < self->w && to->y < self->h; i++, to->x++) {
        const uint8_t byte = bytes[!literal ? 0 : halves ? i / 2 : i];
        const unsigned index = !halves ? byte : i % 2 ? byte & 15U : byte >> 4U;
        memcpy(row_at(self, rgba, to->y) + (size_t)to->x * 4, self->palette[index], 4);
    }
}

/* After a byte 0: the next one ends the line (0) or the image (1), moves (2), or counts pixels that follow. */
static cs_status read_escape(const bmp_reader *self, uint8_t *rgba, size_t *at, rle_place *to, bool *ended) {
    enum { LINE, IMAGE, MOVE };
    const uint8_t code = self->bytes[*at - 1], *bytes = self->bytes + *at;
    const size_t n = code == MOVE ? 2 : code < MOVE ? 0 : self->compression == RLE4 ? (code + 1U) / 2 : code;
    if (n > self->size - *at)
        return fail_bmp(self, "it ends too early");
    *at += n + (code > MOVE ? n % 2 : 0);
    *ended = code == IMAGE;
    if (code == LINE)
        *to = (rle_place){0, to->y + 1};
    else if (code == MOVE)
        *to = (rle_place){to->x + bytes[0], to->y + bytes[1]};
    else if (code > MOVE)
        put_run(self, rgba, to, bytes, code, true);
    return CS_OK;
}

/* Pixels that no run writes have the first colour. */
static cs_status read_runs(const bmp_reader *self, uint8_t *rgba) {
    rle_place to = {0, 0};
    size_t at = self->pixels_at;
    for (size_t i = 0; i < (size_t)self->h * (size_t)self->w; i++)
        memcpy(rgba + 4 * i, self->palette[0], 4);
    for (bool ended = false; !ended && to.y < self->h;) {
        if (at > self->size || self->size - at < 2)
            return fail_bmp(self, "it ends too early");
        const uint8_t *run = self->bytes + at;
        at += 2;
        if (run[0] > 0)
            put_run(self, rgba, &to, run + 1, run[0], false);
        else
            CS_TRY(read_escape(self, rgba, &at, &to, &ended));
    }
    return CS_OK;
}

static cs_status bmp_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                            int target_w, cs_image *image) {
    (void)target_h, (void)target_w;
    bmp_reader self;
    CS_TRY(open_bmp(decoder, name, bytes, size, &self));
    CS_TRY(cs_reserve_rgba(decoder, self.h, self.w));
    const bool runs = self.compression == RLE8 || self.compression == RLE4;
    CS_TRY(runs ? read_runs(&self, decoder->four) : read_rows(&self, decoder->four));
    return cs_take_rgba(decoder, decoder->four, self.h, self.w, image);
}

const cs_codec cs_bmp_codec = {"BMP", NULL, is_bmp, bmp_size, bmp_decode, NULL};
