/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <stdlib.h>

enum { JPEG_QUALITY = 95 };

void packed_image_clear(packed_image *image) {
    cs_image_clear(&image->image);
    pack_content_clear(&image->content);
    free(image->jpeg);
}

/* Resizes pixels to [h,w,3]; h = w = 0 keeps their size. */
static cs_status resize_pixels(cs_decoder *decoder, const cs_image *pixels, cs_resize how, int h, int w,
                               cs_image *image) {
    h = h > 0 ? h : pixels->h;
    w = w > 0 ? w : pixels->w;
    CS_TRY(cs_image_reserve(image, h, w));
    return cs_resize_image(decoder, pixels, how, h, w, image->pixels);
}

/* Reads and decodes the sample into out->image, with `resized` at the size that the options ask for. */
static cs_status decode(const pack_options *options, cs_decoder *decoder, const pack_sample *sample, bool resized,
                        packed_image *out) {
    const pack_content *content = &out->content;
    int h = options->size[1], w = options->size[0];
    CS_TRY(pack_source_read(options->source, options->src, sample, &out->content));
    if (content->is_pixels)
        return resize_pixels(decoder, &content->pixels, options->resize, h, w, &out->image);
    if (resized)
        return cs_decode_resized(decoder, content->name, content->bytes, content->size, options->resize, h, w,
                                 &out->image);
    return cs_decode(decoder, content->name, content->bytes, content->size, h, w, &out->image);
}

cs_status pack_decode(const pack_options *options, cs_decoder *decoder, const pack_sample *sample, packed_image *out) {
    return decode(options, decoder, sample, false, out);
}

/* Adds up the values and their squares for each channel. Blocks of 48 bytes are 16 whole pixels, so each lane has the
 * same channel in every block and the inner loop becomes vector instructions. */
static void add_statistics(const cs_image *image, packed_image *out) {
    enum { LANES = 48, MOST_BLOCKS = 256 }; /* 256 * 255 fits in 16 bits */
    const uint8_t *pixels = image->pixels;
    size_t left = (size_t)image->h * (size_t)image->w * 3;
    out->pixels = left / 3;
    for (int c = 0; c < 3; c++)
        out->sum[c] = out->square[c] = 0;
    while (left > 0) {
        uint16_t sum[LANES] = {0};
        uint32_t square[LANES] = {0};
        for (int block = 0; block < MOST_BLOCKS && left >= LANES; block++, pixels += LANES, left -= LANES)
            for (int i = 0; i < LANES; i++) {
                sum[i] = (uint16_t)(sum[i] + pixels[i]);
                square[i] += (uint16_t)(pixels[i] * pixels[i]);
            }
        if (left < LANES)
            for (int i = 0; left > 0; i++, pixels++, left--) {
                out->sum[i % 3] += *pixels;
                out->square[i % 3] += (uint64_t)*pixels * *pixels;
            }
        for (int i = 0; i < LANES; i++) {
            out->sum[i % 3] += sum[i];
            out->square[i % 3] += square[i];
        }
    }
}

/* Encodes the image. JPEG files that need no resize are stored unchanged, as encoding them again would only lose
 * quality. */
static cs_status encode(const cs_dataset_layout *layout, packed_image *out) {
    const pack_content *content = &out->content;
    int h = 0, w = 0;
    bool keep = cs_is_jpeg(content->bytes, content->size);
    if (keep && layout->h > 0) {
        CS_TRY(cs_image_size(content->name, content->bytes, content->size, &h, &w));
        keep = h == layout->h && w == layout->w;
    }
    if (keep) {
        out->bytes = content->bytes;
        out->size = content->size;
        return CS_OK;
    }
    CS_TRY(cs_encode_jpeg(&out->image, JPEG_QUALITY, &out->jpeg, &out->jpeg_capacity, &out->size));
    out->bytes = out->jpeg;
    return CS_OK;
}

cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, cs_decoder *decoder,
                     const pack_sample *sample, packed_image *out) {
    CS_TRY(decode(options, decoder, sample, true, out));
    if (sample->split == CS_SPLIT_TRAIN)
        add_statistics(&out->image, out);
    if (layout->encoding == CS_ENCODING_JPEG)
        return encode(layout, out);
    if (out->image.h != layout->h || out->image.w != layout->w)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %dx%d pixels, but the first image has %dx%d", out->content.name,
                               out->image.w, out->image.h, layout->w, layout->h),
                       "--size WxH resizes all of them; --encoding jpeg keeps their sizes");
    out->bytes = out->image.pixels;
    out->size = (size_t)layout->h * (size_t)layout->w * 3;
    return CS_OK;
}
