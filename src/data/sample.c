/* SPDX-License-Identifier: Apache-2.0 */
/* The pixels of one sample of a dataset. */
#include "cnnsweep/dataset.h"

static cs_status decode(const cs_dataset *dataset, cs_decoder *decoder, cs_split split, int64_t i, int h, int w,
                        cs_image *image) {
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size);
    cs_status status = cs_decode_resized(decoder, cs_dataset_id(dataset, split, i), bytes, size,
                                         cs_dataset_resize(dataset), h, w, image);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", cs_dataset_path(dataset));
}

cs_status cs_dataset_pixels(const cs_dataset *dataset, cs_decoder *decoder, cs_split split, int64_t i, int *h, int *w,
                            cs_image *image, const uint8_t **pixels) {
    if (cs_dataset_encoding(dataset) == CS_ENCODING_JPEG) {
        CS_TRY(decode(dataset, decoder, split, i, *h, *w, image));
        *h = image->h;
        *w = image->w;
        *pixels = image->pixels;
        return CS_OK;
    }
    cs_image stored = {0};
    stored.pixels = (uint8_t *)cs_dataset_bytes(dataset, split, i, &stored.capacity);
    cs_dataset_image_size(dataset, &stored.h, &stored.w);
    if (*h == 0) {
        *h = stored.h;
        *w = stored.w;
    }
    if (stored.h == *h && stored.w == *w) {
        *pixels = stored.pixels;
        return CS_OK;
    }
    if (image->capacity < (size_t)*h * (size_t)*w * 3)
        CS_TRY(cs_image_reserve(image, *h, *w));
    *pixels = image->pixels;
    return cs_resize_image(decoder, &stored, cs_dataset_resize(dataset), *h, *w, image->pixels);
}
