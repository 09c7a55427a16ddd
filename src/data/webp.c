/* SPDX-License-Identifier: Apache-2.0 */
/* WebP through libwebp; of an animation the first frame, as Pillow opens it. */
#include "codec.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

static bool is_webp(const uint8_t *bytes, size_t size) {
    return size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0;
}

static cs_status fail_webp(const char *name) {
    return cs_fail(CS_ERR_FORMAT, "%s: damaged WebP", name); /* libwebp does not say why */
}

static cs_status find_size(const cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int *h,
                           int *w) {
    if (!WebPGetInfo(bytes, size, w, h))
        return fail_webp(name);
    return cs_image_check_size(decoder, name, (uint64_t)*h, (uint64_t)*w);
}

static cs_status webp_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    return find_size(NULL, name, bytes, size, h, w);
}

static cs_status webp_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                             int target_w, cs_image *image) {
    (void)target_h, (void)target_w;
    const WebPData data = {bytes, size};
    WebPAnimDecoderOptions options;
    uint8_t *rgba;
    int h, w, time;
    CS_TRY(find_size(decoder, name, bytes, size, &h, &w));
    if (!WebPAnimDecoderOptionsInit(&options))
        return cs_fail(CS_ERR_UNSUPPORTED, "%s: this libwebp is of another version than its headers", name);
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *webp = WebPAnimDecoderNew(&data, &options);
    WebPAnimInfo info;
    cs_status status = CS_OK;
    if (!webp || !WebPAnimDecoderGetInfo(webp, &info) || info.canvas_height != (uint32_t)h ||
        info.canvas_width != (uint32_t)w || !WebPAnimDecoderGetNext(webp, &rgba, &time))
        status = fail_webp(name);
    else
        status = cs_take_rgba(decoder, rgba, h, w, image);
    WebPAnimDecoderDelete(webp);
    return status;
}

/* Finds the chunk EXIF. A chunk is its name, its length and its data, filled up to an even length. Some programs begin
 * the data as a JPEG's. */
static const uint8_t *webp_exif(const uint8_t *bytes, size_t size, size_t *exif_size) {
    enum { FIRST = 12, HEAD = 8, MARK = 6 };
    for (size_t at = FIRST; at + HEAD <= size;) {
        const uint8_t *chunk = bytes + at;
        const size_t length = chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 | (size_t)chunk[7] << 24;
        if (length > size - at - HEAD)
            return NULL;
        if (memcmp(chunk, "EXIF", 4) == 0) {
            const size_t skip = length >= MARK && memcmp(chunk + HEAD, "Exif\0\0", MARK) == 0 ? MARK : 0;
            *exif_size = length - skip;
            return chunk + HEAD + skip;
        }
        at += HEAD + length + length % 2;
    }
    return NULL;
}

const cs_codec cs_webp_codec = {"WebP", NULL, is_webp, webp_size, webp_decode, webp_exif};
