/* SPDX-License-Identifier: Apache-2.0 */
/* The first image of a TIFF, through libtiff. libtiff itself makes RGBA of all kinds of 8 bits and less; values of 16
 * bits are read here, because it would round them to 8. */
#include "codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

enum { MOST_MEMORY = 1 << 30 }; /* that libtiff and a block may take, but for a block that has the whole image */

typedef struct tiff_reader {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
    TIFF *file;
    char error[256]; /* the first one */
    uint32_t h, w;
    uint16_t bits, samples, photometric, planar, format, orientation, extra; /* extra: what the 4th (2nd) sample is */
} tiff_reader;

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n) {
    tiff_reader *self = handle;
    const size_t left = self->size - self->at, got = left < (size_t)n ? left : (size_t)n;
    memcpy(to, self->bytes + self->at, got);
    self->at += got;
    return (tmsize_t)got;
}

static tmsize_t refuse_to_write(thandle_t handle, void *from, tmsize_t n) {
    (void)handle, (void)from, (void)n;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    tiff_reader *self = handle;
    const toff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self->at : self->size;
    const toff_t at = base + offset;
    if (at > self->size)
        return (toff_t)-1;
    self->at = (size_t)at;
    return at;
}

static int leave_open(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle) {
    return ((tiff_reader *)handle)->size;
}

static int keep_error(TIFF *file, void *user, const char *module, const char *format, va_list arguments) {
    tiff_reader *self = user;
    (void)file, (void)module;
    if (!self->error[0])
        vsnprintf(self->error, sizeof self->error, format, arguments);
    return 1; /* nothing else is to be done with it */
}

static int ignore_warning(TIFF *file, void *user, const char *module, const char *format, va_list arguments) {
    (void)file, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}

static cs_status fail_tiff(const tiff_reader *self) {
    return cs_fail(CS_ERR_FORMAT, "%s: damaged TIFF: %s", self->name,
                   self->error[0] ? self->error : "it cannot be read");
}

static cs_status open_file(tiff_reader *self) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for a TIFF decoder", self->name);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, self);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MOST_MEMORY);
    self->file = TIFFClientOpenExt(self->name, "rm", self, read_bytes, refuse_to_write, seek, leave_open, size_of, NULL,
                                   NULL, options);
    TIFFOpenOptionsFree(options);
    return self->file ? CS_OK : fail_tiff(self);
}

/* Raw files of cameras are TIFFs whose first image is a preview, which nobody wants to train on. */
static cs_status check_kind(const tiff_reader *self) {
    uint32_t subfile = 0;
    (void)TIFFGetField(self->file, TIFFTAG_SUBFILETYPE, &subfile);
    if (subfile & FILETYPE_REDUCEDIMAGE)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: the first image of this TIFF is only a preview", self->name),
                       "is it a camera's raw file? convert it to PNG or JPEG, with darktable or dcraw");
    if (self->format != SAMPLEFORMAT_UINT || self->bits > 16)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: a TIFF of %u bits a value%s, which is not supported", self->name,
                               self->bits, self->format == SAMPLEFORMAT_IEEEFP ? " in floating point" : ""),
                       "convert its values to whole numbers of 8 or 16 bits");
    if (self->bits == 16 && self->photometric > PHOTOMETRIC_RGB)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: a TIFF of 16 bits that is neither gray nor RGB", self->name),
                       "convert it");
    return CS_OK;
}

static cs_status open_tiff(const cs_decoder *decoder, tiff_reader *self) {
    uint16_t extras = 0, *extra = NULL;
    CS_TRY(open_file(self));
    if (!TIFFGetField(self->file, TIFFTAG_IMAGEWIDTH, &self->w) ||
        !TIFFGetField(self->file, TIFFTAG_IMAGELENGTH, &self->h) ||
        !TIFFGetField(self->file, TIFFTAG_PHOTOMETRIC, &self->photometric))
        return fail_tiff(self);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_BITSPERSAMPLE, &self->bits);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_SAMPLESPERPIXEL, &self->samples);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_PLANARCONFIG, &self->planar);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_SAMPLEFORMAT, &self->format);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_ORIENTATION, &self->orientation);
    (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_EXTRASAMPLES, &extras, &extra);
    self->extra = extras > 0 ? extra[0] : EXTRASAMPLE_UNSPECIFIED;
    self->orientation = self->orientation >= 1 && self->orientation <= 8 ? self->orientation : 1;
    CS_TRY(check_kind(self));
    return cs_image_check_size(decoder, self->name, self->h, self->w);
}

static void close_tiff(tiff_reader *self) {
    if (self->file)
        TIFFClose(self->file);
}

/* Values that were stored multiplied by alpha are divided by it, as in Pillow. */
static void divide_by_alpha(uint8_t rgba[4]) {
    const unsigned alpha = rgba[3];
    for (int c = 0; alpha != 0 && alpha != 255 && c < 3; c++) {
        const unsigned value = 255U * rgba[c] / alpha;
        rgba[c] = (uint8_t)(value < 255 ? value : 255);
    }
}

/* Reads kinds of up to 8 bits. libtiff multiplies colours by alpha that is not associated with them; it is told that
 * alpha is associated, so that it does not. */
static cs_status read_rgba(cs_decoder *decoder, tiff_reader *self, cs_image *image) {
    const size_t n = (size_t)self->h * self->w;
    TIFFRGBAImage reader;
    char text[1024] = "";
    uint16_t associated = EXTRASAMPLE_ASSOCALPHA;
    CS_TRY(cs_reserve_rgba(decoder, (int)self->h, (int)self->w));
    if (self->extra == EXTRASAMPLE_UNASSALPHA)
        (void)TIFFSetField(self->file, TIFFTAG_EXTRASAMPLES, 1, &associated);
    if (!TIFFRGBAImageBegin(&reader, self->file, 1, text))
        return cs_fail(CS_ERR_FORMAT, "%s: this kind of TIFF is not supported: %s", self->name, text);
    reader.req_orientation = reader.orientation; /* it is turned later */
    const int done = TIFFRGBAImageGet(&reader, (uint32_t *)(void *)decoder->four, self->w, self->h);
    TIFFRGBAImageEnd(&reader);
    if (!done || self->error[0])
        return fail_tiff(self);
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = decoder->four + 4 * i;
        uint32_t pixel;
        memcpy(&pixel, at, sizeof pixel);
        memcpy(at, (const uint8_t[]){TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel), TIFFGetA(pixel)}, 4);
        if (self->extra == EXTRASAMPLE_ASSOCALPHA)
            divide_by_alpha(at);
    }
    return cs_take_rgba(decoder, decoder->four, (int)self->h, (int)self->w, image);
}

/* A file is stored in blocks: tiles, or strips, which are as wide as the image; all samples of a pixel together, or
 * each in blocks of its own. */
typedef struct tiff_blocks {
    uint32_t h, w;
    size_t samples; /* in a block */
    bool tiled;
    uint16_t *values;
    tmsize_t size;
} tiff_blocks;

/* Copies sample `s` of the pixels of a block at (top, left), as far as it lies inside the image. */
static void take_sample(const tiff_reader *self, const tiff_blocks *blocks, uint32_t top, uint32_t left, size_t s,
                        size_t channel, uint16_t *rgba) {
    const uint16_t flip = self->photometric == PHOTOMETRIC_MINISWHITE ? UINT16_MAX : 0;
    for (uint32_t y = 0; y < blocks->h && top + y < self->h; y++)
        for (uint32_t x = 0; x < blocks->w && left + x < self->w; x++)
            rgba[4 * ((size_t)(top + y) * self->w + left + x) + channel] =
                blocks->values[((size_t)y * blocks->w + x) * blocks->samples + s] ^ flip;
}

/* The channels of RGBA that sample `s` of the file goes to: [from, to). */
static void channels_of(const tiff_reader *self, size_t s, size_t *from, size_t *to) {
    const size_t colours = self->photometric == PHOTOMETRIC_RGB ? 3 : 1;
    *from = s < colours ? s : 3;
    *to = s < colours ? (colours == 1 ? 3 : s + 1) : 4;
    if (s > colours || (s == colours && self->extra == EXTRASAMPLE_UNSPECIFIED))
        *to = *from; /* it has no meaning for the picture */
}

static cs_status read_block(tiff_reader *self, const tiff_blocks *blocks, uint32_t top, uint32_t left, uint16_t plane,
                            uint16_t *rgba) {
    const tmsize_t got = blocks->tiled ? TIFFReadTile(self->file, blocks->values, left, top, 0, plane)
                                       : TIFFReadEncodedStrip(self->file, TIFFComputeStrip(self->file, top, plane),
                                                              blocks->values, blocks->size);
    if (got < 0 || self->error[0])
        return fail_tiff(self);
    for (size_t s = 0; s < blocks->samples; s++) {
        size_t from, to;
        channels_of(self, plane + s, &from, &to);
        for (size_t channel = from; channel < to; channel++)
            take_sample(self, blocks, top, left, s, channel, rgba);
    }
    return CS_OK;
}

static cs_status read_blocks(tiff_reader *self, tiff_blocks *blocks, uint16_t *rgba) {
    const uint16_t planes = self->planar == PLANARCONFIG_SEPARATE ? self->samples : 1;
    for (uint16_t plane = 0; plane < planes; plane++)
        for (uint32_t top = 0; top < self->h; top += blocks->h)
            for (uint32_t left = 0; left < self->w; left += blocks->w)
                CS_TRY(read_block(self, blocks, top, left, plane, rgba));
    return CS_OK;
}

/* Finds the size of the blocks. The memory for one is what libtiff says that it fills. */
static cs_status find_blocks(tiff_reader *self, tiff_blocks *blocks) {
    *blocks = (tiff_blocks){.w = self->w, .tiled = TIFFIsTiled(self->file) != 0};
    blocks->samples = self->planar == PLANARCONFIG_SEPARATE ? 1 : self->samples;
    if (blocks->tiled) {
        (void)TIFFGetField(self->file, TIFFTAG_TILEWIDTH, &blocks->w);
        (void)TIFFGetField(self->file, TIFFTAG_TILELENGTH, &blocks->h);
        blocks->size = TIFFTileSize(self->file);
    } else {
        (void)TIFFGetFieldDefaulted(self->file, TIFFTAG_ROWSPERSTRIP, &blocks->h);
        blocks->h = blocks->h < self->h ? blocks->h : self->h;
        blocks->size = TIFFStripSize(self->file);
    }
    const uint64_t need = (uint64_t)blocks->h * blocks->w * blocks->samples * sizeof *blocks->values;
    const uint64_t most = MOST_MEMORY + (uint64_t)self->h * self->w * sizeof(uint16_t[4]);
    if (blocks->h == 0 || blocks->w == 0 || blocks->size <= 0 || (uint64_t)blocks->size < need)
        return fail_tiff(self);
    if ((uint64_t)blocks->size > most)
        return cs_fail(CS_ERR_FORMAT, "%s: damaged TIFF: an image of %u x %u with blocks of %lld bytes", self->name,
                       self->w, self->h, (long long)blocks->size);
    blocks->values = calloc((size_t)blocks->size, 1);
    return blocks->values ? CS_OK : cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for a TIFF decoder", self->name);
}

static cs_status read_16_bits(cs_decoder *decoder, tiff_reader *self, cs_image *image) {
    tiff_blocks blocks;
    CS_TRY(cs_reserve_rgba16(decoder, (int)self->h, (int)self->w));
    memset(decoder->four16, UINT8_MAX, (size_t)self->h * self->w * 4 * sizeof *decoder->four16);
    CS_TRY(find_blocks(self, &blocks));
    cs_status status = read_blocks(self, &blocks, decoder->four16);
    free(blocks.values);
    return status == CS_OK ? cs_take_rgba16(decoder, (int)self->h, (int)self->w, image) : status;
}

static bool is_tiff(const uint8_t *bytes, size_t size) {
    return size >= 8 && (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0 ||
                         memcmp(bytes, "II+\0", 4) == 0 || memcmp(bytes, "MM\0+", 4) == 0);
}

static cs_status tiff_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    tiff_reader self = {.name = name, .bytes = bytes, .size = size};
    cs_status status = open_tiff(NULL, &self);
    const bool swap = self.orientation >= 5;
    *h = (int)(swap ? self.w : self.h);
    *w = (int)(swap ? self.h : self.w);
    close_tiff(&self);
    return status;
}

/* The orientation is part of the format, as in Pillow, and always applied. */
static cs_status tiff_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                             int target_w, cs_image *image) {
    (void)target_h, (void)target_w;
    tiff_reader self = {.name = name, .bytes = bytes, .size = size};
    cs_status status = open_tiff(decoder, &self);
    cs_image *read = self.orientation > 1 ? &decoder->as_read : image;
    if (status == CS_OK)
        status = self.bits == 16 ? read_16_bits(decoder, &self, read) : read_rgba(decoder, &self, read);
    close_tiff(&self);
    CS_TRY(status);
    return self.orientation > 1 ? cs_image_turn(read, self.orientation, image) : CS_OK;
}

const cs_codec cs_tiff_codec = {"TIFF", "8 and 16 bits", is_tiff, tiff_size, tiff_decode, NULL};
