/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <stdlib.h>

enum { JPEG_QUALITY = 95 };

cs_status pack_tools_open(const pack_options *options, pack_tools *tools) {
    CS_TRY(cs_decoder_open(&tools->decoder));
    cs_decoder_set_rules(tools->decoder, &options->decode);
    pack_fill_cosines(&tools->cosines);
    return cs_filter_scratch_open(&tools->filters);
}

void pack_tools_close(pack_tools *tools) {
    cs_decoder_close(tools->decoder);
    cs_filter_scratch_close(tools->filters);
    cs_image_clear(&tools->decoded);
}

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

/* Makes out->image of the content, at the size that the options ask for. Filters get the whole image. */
static cs_status make_image(const pack_options *options, pack_tools *tools, packed_image *out) {
    const pack_content *content = &out->content;
    cs_image *decoded = &tools->decoded;
    const bool filtered = options->filter.n > 0 && !content->is_stored;
    int h = options->size[1], w = options->size[0];
    if (!filtered && content->is_pixels)
        return resize_pixels(tools->decoder, &content->pixels, options->resize, h, w, &out->image);
    if (!filtered)
        return cs_decode_resized(tools->decoder, content->name, content->bytes, content->size, options->resize, h, w,
                                 &out->image);
    if (content->is_pixels)
        CS_TRY(resize_pixels(tools->decoder, &content->pixels, options->resize, 0, 0, decoded));
    else
        CS_TRY(cs_decode(tools->decoder, content->name, content->bytes, content->size, 0, 0, decoded));
    CS_TRY(cs_filter_apply(&options->filter, tools->filters, decoded));
    return resize_pixels(tools->decoder, decoded, options->resize, h, w, &out->image);
}

cs_status pack_decode(const pack_options *options, pack_tools *tools, const pack_sample *sample, packed_image *out) {
    const pack_content *content = &out->content;
    CS_TRY(pack_source_read(&options->input, sample, &out->content));
    if (content->is_pixels)
        return resize_pixels(tools->decoder, &content->pixels, options->resize, options->size[1], options->size[0],
                             &out->image);
    return cs_decode(tools->decoder, content->name, content->bytes, content->size, options->size[1], options->size[0],
                     &out->image);
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

/* Encodes the image. JPEG files that need neither filters nor a resize nor a turn are stored unchanged, as encoding
 * them again would only lose quality. Training decodes them by the default rules. */
static cs_status encode(const pack_options *options, const cs_dataset_layout *layout, packed_image *out) {
    const pack_content *content = &out->content;
    int h = 0, w = 0;
    if ((int64_t)out->image.h * out->image.w > CS_IMAGE_MAX_PIXELS)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %dx%d pixels, more than training reads from a JPEG", content->name,
                               out->image.w, out->image.h),
                       "--size WxH makes images smaller");
    const bool unchanged = cs_is_jpeg(content->bytes, content->size) && !layout->filter &&
                           !(options->decode.exif && cs_image_orientation(content->bytes, content->size) != 1);
    bool keep = content->is_stored || unchanged;
    if (keep && layout->h > 0) {
        CS_TRY(cs_image_size(content->name, content->bytes, content->size, &h, &w));
        keep = h == layout->h && w == layout->w;
    }
    if (keep) {
        out->bytes = content->bytes;
        out->size = content->size;
        return CS_OK;
    }
    CS_TRY(cs_encode_jpeg(&out->image, JPEG_QUALITY, true, &out->jpeg, &out->jpeg_capacity, &out->size));
    out->bytes = out->jpeg;
    return CS_OK;
}

cs_status pack_make_pixels(const pack_options *options, pack_tools *tools, const pack_sample *sample,
                           packed_image *out) {
    CS_TRY(pack_source_read(&options->input, sample, &out->content));
    return make_image(options, tools, out);
}

cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, pack_tools *tools,
                     const pack_sample *sample, packed_image *out) {
    CS_TRY(pack_make_pixels(options, tools, sample, out));
    if (sample->split == CS_SPLIT_TRAIN)
        add_statistics(&out->image, out);
    if (layout->encoding == CS_ENCODING_JPEG)
        return encode(options, layout, out);
    if (out->image.h != layout->h || out->image.w != layout->w)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %dx%d pixels, but the first image has %dx%d", out->content.name,
                               out->image.w, out->image.h, layout->w, layout->h),
                       "--size WxH resizes all of them; --encoding jpeg keeps their sizes");
    out->bytes = out->image.pixels;
    out->size = (size_t)layout->h * (size_t)layout->w * 3;
    return CS_OK;
}
