/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of an image, which decoding and resizing both use. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

cs_status cs_image_check_size(const cs_decoder *decoder, const char *name, uint64_t h, uint64_t w) {
    const uint64_t addressable = SIZE_MAX / 16; /* so that no count of bytes overflows */
    const uint64_t allowed =
        decoder && decoder->rules.max_pixels > 0 ? (uint64_t)decoder->rules.max_pixels : CS_IMAGE_MAX_PIXELS;
    const uint64_t most = allowed < addressable ? allowed : addressable;
    if (h == 0 || w == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the image has no pixels", name);
    if (h > INT32_MAX || w > INT32_MAX || h * w > most)
        return cs_fail(CS_ERR_FORMAT, "%s: the header says %llux%llu pixels, more than the %.6g million accepted", name,
                       (unsigned long long)w, (unsigned long long)h, (double)most / 1e6);
    return CS_OK;
}

cs_status cs_image_reserve(cs_image *image, int h, int w) {
    size_t need = (size_t)h * (size_t)w * 3;
    if (need > image->capacity || !image->pixels) {
        free(image->pixels);
        image->pixels = NULL;
        image->capacity = 0;
        CS_TRY(cs_alloc(need, 1, "image", &image->pixels));
        image->capacity = need;
    }
    image->h = h;
    image->w = w;
    return CS_OK;
}

void cs_image_clear(cs_image *image) {
    if (!image)
        return;
    free(image->pixels);
    *image = (cs_image){0};
}
