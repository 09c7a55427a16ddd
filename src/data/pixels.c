/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of an image, which decoding and resizing both use. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

cs_status cs_image_check_size(const char *name, uint64_t h, uint64_t w) {
    if (h == 0 || w == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the image has no pixels", name);
    if (h > CS_IMAGE_MAX_PIXELS || w > CS_IMAGE_MAX_PIXELS || h * w > CS_IMAGE_MAX_PIXELS)
        return cs_fail(CS_ERR_FORMAT, "%s: the header says %llux%llu pixels, more than the %d million accepted", name,
                       (unsigned long long)w, (unsigned long long)h, CS_IMAGE_MAX_PIXELS / 1000000);
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
