/* SPDX-License-Identifier: Apache-2.0 */
/* The pixels of one sample of a dataset. */
#include "cnnsweep/dataset.h"

cs_status cs_dataset_pixels(const cs_dataset *dataset, cs_decoder *decoder, cs_split split, int64_t i, int h, int w,
                            cs_image *image, const uint8_t **pixels) {
    const cs_resize how = cs_dataset_resize(dataset);
    size_t size;
    const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size);
    *pixels = image->pixels;
    if (cs_dataset_encoding(dataset) == CS_ENCODING_JPEG) {
        cs_status status = cs_decode_resized(decoder, cs_dataset_id(dataset, split, i), bytes, size, how, h, w, image);
        *pixels = image->pixels;
        return status == CS_OK ? CS_OK : cs_context(status, "%s", cs_dataset_path(dataset));
    }
    cs_image stored = {.pixels = (uint8_t *)bytes, .capacity = size};
    cs_dataset_image_size(dataset, &stored.h, &stored.w);
    if (stored.h == h && stored.w == w) {
        *pixels = bytes;
        return CS_OK;
    }
    if (image->capacity < (size_t)h * (size_t)w * 3)
        CS_TRY(cs_image_reserve(image, h, w));
    *pixels = image->pixels;
    return cs_resize_image(decoder, &stored, how, h, w, image->pixels);
}
