/* SPDX-License-Identifier: Apache-2.0 */
/* PBM, PGM and PPM, as text or as bytes (netpbm's formats P1 to P6). They are read here, as the library of netpbm ends
 * the program on an error. */
#include "codec.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

typedef struct pnm_reader {
    const char *name;
    const uint8_t *at, *end;
    int kind; /* 1 to 6 */
    int channels;
    int h, w;
    int most; /* the value that means white */
} pnm_reader;

enum { MOST_VALUE = 65535 };

static bool is_bits(const pnm_reader *self) {
    return self->kind == 1 || self->kind == 4;
}

static bool is_text(const pnm_reader *self) {
    return self->kind <= 3;
}

static cs_status fail_pnm(const pnm_reader *self, const char *what) {
    return cs_fail(CS_ERR_FORMAT, "%s: damaged PPM (P%d): %s", self->name, self->kind, what);
}

/* Skips white space, and comments from # to the end of the line. */
static void skip_space(pnm_reader *self) {
    for (bool comment = false; self->at < self->end && (comment || isspace(*self->at) || *self->at == '#'); self->at++)
        comment = *self->at == '#' || (comment && *self->at != '\n' && *self->at != '\r');
}

static cs_status take_number(pnm_reader *self, int most, int *value) {
    skip_space(self);
    if (self->at == self->end)
        return fail_pnm(self, "it ends too early");
    if (!isdigit(*self->at))
        return fail_pnm(self, "a number is missing");
    for (*value = 0; self->at < self->end && isdigit(*self->at); self->at++)
        if (*value > most / 10 || (*value = *value * 10 + (*self->at - '0')) > most)
            return fail_pnm(self, "a number is too large");
    return CS_OK;
}

static bool is_pnm(const uint8_t *bytes, size_t size) {
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' && (isspace(bytes[2]) || bytes[2] == '#');
}

static cs_status read_header(const cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                             pnm_reader *self) {
    *self = (pnm_reader){.name = name, .at = bytes + 2, .end = bytes + size, .kind = bytes[1] - '0', .most = 1};
    self->channels = self->kind % 3 == 0 ? 3 : 1;
    CS_TRY(take_number(self, INT32_MAX, &self->w));
    CS_TRY(take_number(self, INT32_MAX, &self->h));
    if (!is_bits(self))
        CS_TRY(take_number(self, MOST_VALUE, &self->most));
    if (self->most == 0)
        return fail_pnm(self, "its values end at 0");
    if (self->at < self->end)
        self->at++; /* the one white space before the values */
    return cs_image_check_size(decoder, name, (uint64_t)self->h, (uint64_t)self->w);
}

static cs_status pnm_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    pnm_reader self;
    CS_TRY(read_header(NULL, name, bytes, size, &self));
    *h = self.h;
    *w = self.w;
    return CS_OK;
}

/* Reads value `i` of the row, which begins at `row` if the values are bytes or bits. In bits 1 is black. */
static cs_status take_value(pnm_reader *self, const uint8_t *row, size_t i, int *value) {
    if (self->kind == 1) {
        skip_space(self);
        if (self->at == self->end || (*self->at != '0' && *self->at != '1'))
            return fail_pnm(self, "a bit is missing");
        *value = *self->at++ == '0';
    } else if (self->kind == 4)
        *value = !(row[i / 8] >> (7 - i % 8) & 1);
    else if (is_text(self))
        return take_number(self, MOST_VALUE, value);
    else
        *value = self->most > 255 ? row[2 * i] << 8 | row[2 * i + 1] : row[i];
    return CS_OK;
}

static size_t row_bytes(const pnm_reader *self) {
    const size_t values = (size_t)self->w * (size_t)self->channels;
    if (is_text(self))
        return 0;
    return self->kind == 4 ? (values + 7) / 8 : values * (self->most > 255 ? 2 : 1);
}

/* Scales a value to 0..to, rounded as Pillow does. */
static unsigned scale(const pnm_reader *self, int value, int to) {
    const double part = (double)(value < self->most ? value : self->most) / self->most;
    return (unsigned)lrint(part * to);
}

/* Reads a row into decoder->four16 if its values have 16 bits, else into the image. Gray becomes three channels. */
static cs_status read_row(cs_decoder *decoder, pnm_reader *self, int y, cs_image *image) {
    const size_t first = (size_t)y * (size_t)self->w, channels = (size_t)self->channels;
    const bool deep = self->most > 255;
    for (size_t i = 0; i < (size_t)self->w * channels; i++) {
        const size_t pixel = first + i / channels, c = i % channels;
        int value = 0;
        CS_TRY(take_value(self, self->at, i, &value));
        const unsigned scaled = scale(self, value, deep ? MOST_VALUE : 255);
        for (size_t k = c; k < (channels == 1 ? 3 : c + 1); k++) {
            if (deep)
                decoder->four16[4 * pixel + k] = (uint16_t)scaled;
            else
                image->pixels[3 * pixel + k] = (uint8_t)scaled;
        }
        if (deep)
            decoder->four16[4 * pixel + 3] = MOST_VALUE;
    }
    return CS_OK;
}

static cs_status pnm_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                            int target_w, cs_image *image) {
    (void)target_h, (void)target_w;
    pnm_reader self;
    CS_TRY(read_header(decoder, name, bytes, size, &self));
    const bool deep = self.most > 255;
    const size_t step = row_bytes(&self);
    CS_TRY(deep ? cs_reserve_rgba16(decoder, self.h, self.w) : cs_image_reserve(image, self.h, self.w));
    for (int y = 0; y < self.h; y++, self.at += step) {
        if ((size_t)(self.end - self.at) < step)
            return fail_pnm(&self, "it ends too early");
        CS_TRY(read_row(decoder, &self, y, image));
    }
    return deep ? cs_take_rgba16(decoder, self.h, self.w, image) : CS_OK;
}

const cs_codec cs_pnm_codec = {"PPM", "PGM, PBM", is_pnm, pnm_size, pnm_decode, NULL};
