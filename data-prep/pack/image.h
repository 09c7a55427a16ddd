/* SPDX-License-Identifier: Apache-2.0 */
/* One image on its way into the dataset. */
#ifndef CNNSWEEP_PACK_IMAGE_H
#define CNNSWEEP_PACK_IMAGE_H

#include "pack.h"

typedef struct packed_image {
    const uint8_t *bytes; /* what goes into the dataset: of one of the three below */
    size_t size;
    cs_image image;
    pack_content content; /* what the source gave */
    uint8_t *jpeg;
    size_t jpeg_capacity;
    /* Exact, so that mean and std do not depend on the order. */
    uint64_t sum[3], square[3], pixels;
} packed_image;
void packed_image_clear(packed_image *image);

/* Reads, decodes, resizes and encodes one sample. One that is no good is CS_ERR_FORMAT or CS_ERR_IO; raw images
 * that differ in size are CS_ERR_SHAPE. */
CS_MUST_CHECK cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, cs_decoder *decoder,
                                   const pack_sample *sample, packed_image *out);

/* Reads and decodes it and no more, into out->image: is it any good? */
CS_MUST_CHECK cs_status pack_decode(const pack_options *options, cs_decoder *decoder, const pack_sample *sample,
                                    packed_image *out);

#endif
