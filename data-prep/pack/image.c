#include "image.h"

#include "cnnsweep/file.h"

#include <stdlib.h>

enum { FILE_LIMIT = 1 << 30, JPEG_QUALITY = 95 };

void packed_image_clear(packed_image *image) {
    cs_image_clear(&image->image);
    free(image->file);
    free(image->jpeg);
}

static cs_status read_item(const pack_options *options, const pack_item *item, char path[CS_PATH_MAX], char **bytes,
                           size_t *size) {
    CS_TRY(cs_path(path, CS_PATH_MAX, "%s/%s", options->src, item->id));
    return cs_file_read(path, FILE_LIMIT, bytes, size);
}

cs_status pack_image_size(const pack_options *options, cs_decoder *decoder, const pack_item *item, int *h, int *w) {
    char path[CS_PATH_MAX], *bytes = NULL;
    size_t size = 0;
    CS_TRY(read_item(options, item, path, &bytes, &size));
    cs_status status = cs_image_size(decoder, path, (const uint8_t *)bytes, size, h, w);
    free(bytes);
    return status;
}

/* Sums and sums of squares a channel. 48 bytes are 16 pixels: the lanes of one block line up with those of the next,
 * and the inner loop becomes vector instructions. */
static void add_statistics(const cs_image *image, packed_image *out) {
    enum { LANES = 48, MOST_BLOCKS = 65536 }; /* 65536 * 255^2 fits in 32 bits */
    const uint8_t *pixels = image->pixels;
    size_t left = (size_t)image->h * (size_t)image->w * 3;
    out->pixels = left / 3;
    for (int c = 0; c < 3; c++)
        out->sum[c] = out->square[c] = 0;
    while (left > 0) {
        uint32_t sum[LANES] = {0}, square[LANES] = {0};
        for (int block = 0; block < MOST_BLOCKS && left >= LANES; block++, pixels += LANES, left -= LANES)
            for (int i = 0; i < LANES; i++) {
                sum[i] += pixels[i];
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

/* JPEG files that need no resize are stored as they are: encoding them again would only lose. */
static cs_status encode(const cs_dataset_layout *layout, cs_decoder *decoder, const char *path, size_t file_size,
                        packed_image *out) {
    const uint8_t *file = (const uint8_t *)out->file;
    int h = 0, w = 0;
    bool keep = cs_is_jpeg(file, file_size);
    if (keep && layout->h > 0) {
        CS_TRY(cs_image_size(decoder, path, file, file_size, &h, &w));
        keep = h == layout->h && w == layout->w;
    }
    if (keep) {
        out->bytes = file;
        out->size = file_size;
        return CS_OK;
    }
    CS_TRY(cs_encode_jpeg(decoder, &out->image, JPEG_QUALITY, &out->jpeg, &out->jpeg_capacity, &out->size));
    out->bytes = out->jpeg;
    return CS_OK;
}

cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, cs_decoder *decoder,
                     const pack_item *item, packed_image *out) {
    char path[CS_PATH_MAX];
    size_t file_size = 0;
    int h = options->size[1], w = options->size[0];
    free(out->file);
    out->file = NULL;
    CS_TRY(read_item(options, item, path, &out->file, &file_size));
    CS_TRY(cs_decode_resized(decoder, path, (const uint8_t *)out->file, file_size, options->resize, h, w, &out->image));
    if (item->split == CS_SPLIT_TRAIN)
        add_statistics(&out->image, out);
    if (layout->encoding == CS_ENCODING_JPEG)
        return encode(layout, decoder, path, file_size, out);
    if (out->image.h != layout->h || out->image.w != layout->w)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %dx%d pixels, but the first image has %dx%d", path, out->image.w,
                               out->image.h, layout->w, layout->h),
                       "--size WxH resizes all of them; --encoding jpeg keeps their sizes");
    out->bytes = out->image.pixels;
    out->size = (size_t)layout->h * (size_t)layout->w * 3;
    return CS_OK;
}
