/* SPDX-License-Identifier: Apache-2.0 */
/* The first frame of a GIF, through giflib. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

typedef struct gif_reader {
    GifFileType *file;
    const char *name;
    const uint8_t *bytes;
    size_t left;
    int transparent; /* index of the transparent colour, or NO_TRANSPARENT_COLOR */
} gif_reader;

static int read_bytes(GifFileType *file, GifByteType *to, int n) {
    gif_reader *self = file->UserData;
    size_t got = self->left < (size_t)n ? self->left : (size_t)n;
    memcpy(to, self->bytes, got);
    self->bytes += got;
    self->left -= got;
    return (int)got;
}

static cs_status fail_gif(const char *name, int code) {
    const char *text = GifErrorString(code);
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for a GIF decoder", name);
    return cs_fail(CS_ERR_FORMAT, "%s: damaged GIF: %s", name, text ? text : "it has no image");
}

/* Reads an extension, of which only the transparent colour matters. */
static int read_extension(gif_reader *self) {
    GifByteType *block;
    GraphicsControlBlock control;
    int code, result = DGifGetExtension(self->file, &code, &block);
    for (bool first = true; result == GIF_OK && block; first = false) {
        if (first && code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            self->transparent = control.TransparentColor;
        result = DGifGetExtensionNext(self->file, &block);
    }
    return result;
}

/* Opens the file and reads up to the pixels of the first frame. */
static cs_status open_gif(gif_reader *self) {
    int code = 0;
    self->transparent = NO_TRANSPARENT_COLOR;
    self->file = DGifOpen(self, read_bytes, &code);
    if (!self->file)
        return fail_gif(self->name, code);
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    int result = GIF_OK;
    while (result == GIF_OK && record != IMAGE_DESC_RECORD_TYPE && record != TERMINATE_RECORD_TYPE) {
        result = DGifGetRecordType(self->file, &record);
        if (result == GIF_OK && record == EXTENSION_RECORD_TYPE)
            result = read_extension(self);
        else if (result == GIF_OK && record == IMAGE_DESC_RECORD_TYPE)
            result = DGifGetImageDesc(self->file);
    }
    return result == GIF_OK && record == IMAGE_DESC_RECORD_TYPE ? CS_OK : fail_gif(self->name, self->file->Error);
}

static void close_gif(gif_reader *self) {
    int code;
    if (self->file)
        (void)DGifCloseFile(self->file, &code);
}

/* The image is the screen, or larger where the frame reaches beyond it, as in Pillow. */
static cs_status find_size(const cs_decoder *decoder, const gif_reader *self, int *h, int *w) {
    const GifFileType *file = self->file;
    *h = file->Image.Top + file->Image.Height;
    *w = file->Image.Left + file->Image.Width;
    *h = file->SHeight > *h ? file->SHeight : *h;
    *w = file->SWidth > *w ? file->SWidth : *w;
    return cs_image_check_size(decoder, self->name, (uint64_t)*h, (uint64_t)*w);
}

/* Colours that no table defines are gray, as in Pillow. */
static void make_palette(const gif_reader *self, uint8_t palette[256][4]) {
    const ColorMapObject *colours = self->file->Image.ColorMap ? self->file->Image.ColorMap : self->file->SColorMap;
    for (int i = 0; i < 256; i++) {
        const bool known = colours && i < colours->ColorCount;
        palette[i][0] = known ? colours->Colors[i].Red : (uint8_t)i;
        palette[i][1] = known ? colours->Colors[i].Green : (uint8_t)i;
        palette[i][2] = known ? colours->Colors[i].Blue : (uint8_t)i;
        palette[i][3] = i == self->transparent ? 0 : 255;
    }
}

/* The row of the frame that comes n-th in the file: an interlaced one has every 8th row first, then those between. */
static int row_of(const GifImageDesc *frame, int n) {
    static const int first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
    if (!frame->Interlace)
        return n;
    for (int pass = 0; pass < 4; pass++) {
        const int rows = frame->Height > first[pass] ? (frame->Height - first[pass] + step[pass] - 1) / step[pass] : 0;
        if (n < rows)
            return first[pass] + n * step[pass];
        n -= rows;
    }
    return 0;
}

/* Reads the frame into `rgba` [.,w,4]. A row of the frame is read into the end of its place, where the four bytes of no
 * pixel overwrite an index that is still needed. */
static cs_status read_frame(gif_reader *self, uint8_t palette[256][4], int w, uint8_t *rgba) {
    const GifImageDesc *frame = &self->file->Image;
    const size_t columns = (size_t)frame->Width;
    for (int n = 0; n < frame->Height; n++) {
        const size_t row = (size_t)frame->Top + (size_t)row_of(frame, n);
        uint8_t *out = rgba + (row * (size_t)w + (size_t)frame->Left) * 4, *indices = out + columns * 3;
        if (DGifGetLine(self->file, indices, frame->Width) != GIF_OK)
            return fail_gif(self->name, self->file->Error);
        for (size_t i = 0; i < columns; i++)
            memcpy(out + 4 * i, palette[indices[i]], 4);
    }
    return CS_OK;
}

/* Around the frame is the transparent colour or, without one, the first. */
static cs_status decode_opened(cs_decoder *decoder, gif_reader *self, cs_image *image) {
    uint8_t palette[256][4];
    int h, w;
    CS_TRY(find_size(decoder, self, &h, &w));
    CS_TRY(cs_reserve_rgba(decoder, h, w));
    make_palette(self, palette);
    const uint8_t *around = palette[self->transparent == NO_TRANSPARENT_COLOR ? 0 : self->transparent];
    for (size_t i = 0; i < (size_t)h * (size_t)w; i++)
        memcpy(decoder->four + 4 * i, around, 4);
    CS_TRY(read_frame(self, palette, w, decoder->four));
    return cs_take_rgba(decoder, decoder->four, h, w, image);
}

static bool is_gif(const uint8_t *bytes, size_t size) {
    return size >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

static cs_status gif_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    gif_reader self = {.name = name, .bytes = bytes, .left = size};
    cs_status status = open_gif(&self);
    if (status == CS_OK)
        status = find_size(NULL, &self, h, w);
    close_gif(&self);
    return status;
}

static cs_status gif_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                            int target_w, cs_image *image) {
    (void)target_h, (void)target_w;
    gif_reader self = {.name = name, .bytes = bytes, .left = size};
    cs_status status = open_gif(&self);
    if (status == CS_OK)
        status = decode_opened(decoder, &self, image);
    close_gif(&self);
    return status;
}

const cs_codec cs_gif_codec = {"GIF", "first frame", is_gif, gif_size, gif_decode, NULL};
