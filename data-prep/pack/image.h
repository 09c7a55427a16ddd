/* SPDX-License-Identifier: Apache-2.0 */
/* Prepares one image for the dataset. */
#ifndef CNNSWEEP_PACK_IMAGE_H
#define CNNSWEEP_PACK_IMAGE_H

#include "hash.h"
#include "pack.h"

/* What a thread needs to prepare images. */
typedef struct pack_tools {
    cs_decoder *decoder;
    cs_filter_scratch *filters;
    cs_image decoded; /* before it is resized, if there are filters */
    cs_image image;   /* the last one */
    pack_hasher hasher;
} pack_tools;
CS_MUST_CHECK cs_status pack_tools_open(const pack_options *options, pack_tools *tools);
void pack_tools_close(pack_tools *tools);

typedef struct packed_image {
    const uint8_t *bytes; /* the bytes for the dataset, in one of the three buffers below */
    size_t size;
    cs_image pixels;      /* of raw images */
    pack_content content; /* what the source returned */
    uint8_t *jpeg;
    size_t jpeg_capacity;
    cs_pixel_sums sums; /* of an image for training */
} packed_image;
void packed_image_clear(packed_image *image);

/* Reads, decodes, filters, resizes and encodes one sample, and hashes its pixels. A sample that cannot be used is
 * CS_ERR_FORMAT or CS_ERR_IO; raw images of different sizes are CS_ERR_SHAPE. */
CS_MUST_CHECK cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, pack_tools *tools,
                                   const pack_sample *sample, packed_image *out, pack_hash *hash);

/* Does what pack_image does to the pixels, tools->image, whatever their size, hashes them and encodes nothing. */
CS_MUST_CHECK cs_status pack_hash_sample(const pack_options *options, pack_tools *tools, const pack_sample *sample,
                                         pack_content *content, pack_hash *hash);

/* Only reads and decodes a sample, into tools->image, to find whether it can be used. */
CS_MUST_CHECK cs_status pack_decode(const pack_options *options, pack_tools *tools, const pack_sample *sample,
                                    pack_content *content);

/* Sets *sums to those of the image. */
void pack_sum_pixels(const cs_image *image, cs_pixel_sums *sums);

#endif
