/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <stdlib.h>

enum { JPEG_QUALITY = 95 };

cs_status pack_tools_open(const pack_options *options, pack_tools *tools) {
    CS_TRY(cs_decoder_open(&tools->decoder));
    cs_decoder_set_rules(tools->decoder, &options->decode);
    pack_hasher_open(&tools->hasher);
    return cs_filter_scratch_open(&tools->filters);
}

void pack_tools_close(pack_tools *tools) {
    cs_decoder_close(tools->decoder);
    cs_filter_scratch_close(tools->filters);
    cs_image_clear(&tools->decoded);
    cs_image_clear(&tools->image);
    pack_hasher_close(&tools->hasher);
}

void packed_image_clear(packed_image *image) {
    cs_image_clear(&image->pixels);
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

/* Makes tools->image of the content, at the size that the options ask for. Filters get the whole image. */
static cs_status make_image(const pack_options *options, pack_tools *tools, const pack_content *content) {
    cs_image *decoded = &tools->decoded;
    const bool filtered = options->filter.n > 0 && !content->is_stored;
    int h = options->size[1], w = options->size[0];
    if (!filtered && content->is_pixels)
        return resize_pixels(tools->decoder, &content->pixels, options->resize, h, w, &tools->image);
    if (!filtered)
        return cs_decode_resized(tools->decoder, content->name, content->bytes, content->size, options->resize, h, w,
                                 &tools->image);
    if (content->is_pixels)
        CS_TRY(resize_pixels(tools->decoder, &content->pixels, options->resize, 0, 0, decoded));
    else
        CS_TRY(cs_decode(tools->decoder, content->name, content->bytes, content->size, 0, 0, decoded));
    CS_TRY(cs_filter_apply(&options->filter, tools->filters, decoded));
    return resize_pixels(tools->decoder, decoded, options->resize, h, w, &tools->image);
}

cs_status pack_decode(const pack_options *options, pack_tools *tools, const pack_sample *sample,
                      pack_content *content) {
    const int h = options->size[1], w = options->size[0];
    CS_TRY(pack_source_read(&options->input, sample, content));
    if (content->is_pixels)
        return resize_pixels(tools->decoder, &content->pixels, options->resize, h, w, &tools->image);
    return cs_decode(tools->decoder, content->name, content->bytes, content->size, h, w, &tools->image);
}

/* Encodes the image. JPEG files that need neither filters nor a resize nor a turn are stored unchanged, as encoding
 * them again would only lose quality. Training decodes them by the default rules. */
static cs_status encode(const pack_options *options, const cs_dataset_layout *layout, const cs_image *image,
                        packed_image *out) {
    const pack_content *content = &out->content;
    int h = 0, w = 0;
    if ((int64_t)image->h * image->w > CS_IMAGE_MAX_PIXELS)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %dx%d pixels, more than training reads from a JPEG", content->name,
                               image->w, image->h),
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
    CS_TRY(cs_encode_jpeg(image, JPEG_QUALITY, true, &out->jpeg, &out->jpeg_capacity, &out->size));
    out->bytes = out->jpeg;
    return CS_OK;
}

cs_status pack_hash_sample(const pack_options *options, pack_tools *tools, const pack_sample *sample,
                           pack_content *content, pack_hash *hash) {
    CS_TRY(pack_source_read(&options->input, sample, content));
    CS_TRY(make_image(options, tools, content));
    return pack_hash_image(&tools->hasher, &tools->image, hash);
}

/* The pixels go to the dataset, and the next image is decoded into the memory that `out` had. */
static void give_pixels(cs_image *image, packed_image *out) {
    const cs_image pixels = *image;
    *image = out->pixels;
    out->pixels = pixels;
    out->bytes = pixels.pixels;
    out->size = (size_t)pixels.h * (size_t)pixels.w * 3;
}

cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, pack_tools *tools,
                     const pack_sample *sample, packed_image *out, pack_hash *hash) {
    cs_image *image = &tools->image;
    CS_TRY(pack_hash_sample(options, tools, sample, &out->content, hash));
    if (sample->split == CS_SPLIT_TRAIN)
        pack_sum_pixels(image, &out->sums);
    if (layout->encoding == CS_ENCODING_JPEG)
        return encode(options, layout, image, out);
    if (image->h != layout->h || image->w != layout->w)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %dx%d pixels, but the first image has %dx%d", out->content.name,
                               image->w, image->h, layout->w, layout->h),
                       "--size WxH resizes all of them; --encoding jpeg keeps their sizes");
    give_pixels(image, out);
    return CS_OK;
}
