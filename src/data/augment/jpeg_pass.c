/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes an image as JPEG and decodes it again, as albumentations does with OpenCV: OpenCV takes the channels for
 * blue, green and red, so that red has the weight of blue in the luma. */
#include "lines.h"

static void swap_channels(const uint8_t *from, uint8_t *to, size_t pixels) {
    for (size_t i = 0; i < pixels; i++, from += 3, to += 3) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
    }
}

cs_status cs_jpeg_image(const cs_sweep *s, cs_augment_scratch *scratch) {
    const size_t pixels = (size_t)s->h * (size_t)s->w;
    size_t size;
    if (!scratch->decoder)
        CS_TRY(cs_decoder_open(&scratch->decoder));
    CS_TRY(cs_image_reserve(&scratch->image, s->h, s->w));
    swap_channels(s->from, scratch->image.pixels, pixels);
    CS_TRY(cs_encode_jpeg(&scratch->image, s->passes->quality, false, &scratch->jpeg, &scratch->jpeg_capacity, &size));
    CS_TRY(cs_decode(scratch->decoder, "augmented image", scratch->jpeg, size, 0, 0, &scratch->image));
    swap_channels(scratch->image.pixels, s->to, pixels);
    return CS_OK;
}
