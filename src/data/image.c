/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding and resizing of images in any format: the table of image formats, and the code that all of them share. */
#include "codec.h"

#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>

cs_status cs_decoder_open(cs_decoder **out) {
    return cs_alloc(1, sizeof **out, "image decoder", out);
}

void cs_decoder_close(cs_decoder *decoder) {
    if (!decoder)
        return;
    cs_resize_clear(decoder);
    cs_image_clear(&decoder->full);
    free(decoder->cmyk);
    free(decoder);
}

/* The formats that can be read. */
extern const cs_codec cs_jpeg_codec, cs_png_codec;
static const cs_codec *const codecs[] = {&cs_jpeg_codec, &cs_png_codec};
enum { CODECS = sizeof codecs / sizeof *codecs };

void cs_image_formats(bool with_kinds, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < CODECS && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 < CODECS ? ", " : " and ", *kinds = codecs[i]->kinds;
        bool show_kinds = with_kinds && kinds;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s", before, codecs[i]->name, show_kinds ? " (" : "",
                                 show_kinds ? kinds : "", show_kinds ? ")" : "");
    }
}

/* The index of the codec that recognises the image; CODECS: none does. */
static size_t find_codec(const uint8_t *bytes, size_t size) {
    size_t i = 0;
    while (i < CODECS && !codecs[i]->recognises(bytes, size))
        i++;
    return i;
}

cs_status cs_image_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    size_t i = find_codec(bytes, size);
    return i < CODECS ? codecs[i]->size(name, bytes, size, h, w) : cs_fail_unknown(name, bytes, size);
}

cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                    int target_w, cs_image *image) {
    size_t i = find_codec(bytes, size);
    if (i == CODECS)
        return cs_fail_unknown(name, bytes, size);
    return codecs[i]->decode(decoder, name, bytes, size, target_h, target_w, image);
}

cs_status cs_decode_resized(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, cs_resize how,
                            int h, int w, cs_image *image) {
    bool scale = how == CS_RESIZE_BILINEAR;
    CS_TRY(cs_decode(decoder, name, bytes, size, scale ? h : 0, scale ? w : 0, &decoder->full));
    if (h > 0 && w > 0 && (decoder->full.h != h || decoder->full.w != w)) {
        CS_TRY(cs_image_reserve(image, h, w));
        return cs_resize_image(decoder, &decoder->full, how, h, w, image->pixels);
    }
    cs_image decoded = decoder->full;
    decoder->full = *image;
    *image = decoded;
    return CS_OK;
}

cs_status cs_decoder_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w) {
    CS_TRY(cs_image_reserve(&decoder->full, max_h, max_w));
    if (h > 0 && w > 0)
        CS_TRY(cs_resize_reserve(decoder, max_h, max_w, h, w));
    return CS_OK;
}
