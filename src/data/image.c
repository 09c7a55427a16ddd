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
    cs_image_clear(&decoder->as_read);
    free(decoder->four);
    free(decoder->four16);
    free(decoder);
}

void cs_decoder_set_rules(cs_decoder *decoder, const cs_decode_rules *rules) {
    decoder->rules = *rules;
}

cs_decode_counts cs_decoder_counts(const cs_decoder *decoder) {
    return decoder->counts;
}

/* The formats that can be read. */
extern const cs_codec cs_jpeg_codec, cs_png_codec, cs_bmp_codec, cs_gif_codec, cs_webp_codec, cs_tiff_codec,
    cs_pnm_codec;
static const cs_codec *const codecs[] = {&cs_jpeg_codec, &cs_png_codec,  &cs_bmp_codec, &cs_gif_codec,
                                         &cs_webp_codec, &cs_tiff_codec, &cs_pnm_codec};
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

static cs_status fail_unknown(const char *name, const uint8_t *bytes, size_t size) {
    char formats[256];
    cs_image_formats(false, formats, sizeof formats);
    return cs_fail_unknown(name, bytes, size, formats);
}

cs_status cs_image_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    size_t i = find_codec(bytes, size);
    return i < CODECS ? codecs[i]->size(name, bytes, size, h, w) : fail_unknown(name, bytes, size);
}

static int orientation_of(const cs_codec *codec, const uint8_t *bytes, size_t size) {
    size_t exif_size = 0;
    const uint8_t *exif = codec->exif ? codec->exif(bytes, size, &exif_size) : NULL;
    return exif ? cs_exif_orientation(exif, exif_size) : 1;
}

int cs_image_orientation(const uint8_t *bytes, size_t size) {
    size_t i = find_codec(bytes, size);
    return i < CODECS ? orientation_of(codecs[i], bytes, size) : 1;
}

/* Decodes an image that is to be turned. Orientations from 5 on exchange height and width. */
static cs_status decode_turned(const cs_codec *codec, int orientation, cs_decoder *decoder, const char *name,
                               const uint8_t *bytes, size_t size, int target_h, int target_w, cs_image *image) {
    const bool swap = orientation >= 5;
    CS_TRY(codec->decode(decoder, name, bytes, size, swap ? target_w : target_h, swap ? target_h : target_w,
                         &decoder->as_read));
    return cs_image_turn(&decoder->as_read, orientation, image);
}

cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                    int target_w, cs_image *image) {
    size_t i = find_codec(bytes, size);
    if (i == CODECS)
        return fail_unknown(name, bytes, size);
    const int orientation = orientation_of(codecs[i], bytes, size);
    if (orientation != 1 && decoder->rules.exif)
        CS_TRY(decode_turned(codecs[i], orientation, decoder, name, bytes, size, target_h, target_w, image));
    else
        CS_TRY(codecs[i]->decode(decoder, name, bytes, size, target_h, target_w, image));
    decoder->counts.turned += orientation != 1;
    return CS_OK;
}

cs_status cs_decode_resized(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, cs_resize how,
                            int h, int w, cs_image *image) {
    bool scale = how.interpolation == CS_BILINEAR;
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

cs_status cs_decoder_reserve(cs_decoder *decoder, cs_resize how, int max_h, int max_w, int h, int w) {
    CS_TRY(cs_image_reserve(&decoder->full, max_h, max_w));
    if (h > 0 && w > 0)
        CS_TRY(cs_resize_reserve(decoder, how, max_h, max_w, h, w));
    return CS_OK;
}
