/* SPDX-License-Identifier: Apache-2.0 */
/* One image: decoding (JPEG by libjpeg-turbo, PNG by libspng), resizing, encoding. Pixels are uint8 [H,W,3] RGB. */
#ifndef CNNSWEEP_IMAGE_H
#define CNNSWEEP_IMAGE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More pixels than this in a header is refused before anything is allocated (a decompression bomb). */
enum { CS_IMAGE_MAX_PIXELS = 100 * 1000 * 1000 };

/* A JPEG that is to be resized may be decoded scaled down, as long as this many times the target is left: an eighth or
 * less of the original size. Everything nearer is decoded in full, so that the result is Pillow's. (Measured on 500 px
 * photographs resized to 50 px: 0.8 levels away on average at 4, 1.8 at 2.) */
enum { CS_SCALED_DECODE_MARGIN = 4 };

typedef struct cs_image {
    int h, w;
    uint8_t *pixels; /* [h,w,3]; malloc'ed */
    size_t capacity; /* bytes allocated: an image can be decoded into again and again */
} cs_image;
/* Makes room for [h,w,3] and sets the size; the pixels are undefined. */
CS_MUST_CHECK cs_status cs_image_reserve(cs_image *image, int h, int w);
void cs_image_clear(cs_image *image); /* frees the pixels; NULL-safe */

typedef enum cs_resize { CS_RESIZE_BILINEAR, CS_RESIZE_NEAREST, CS_RESIZE_COUNT } cs_resize;
const char *cs_resize_name(cs_resize resize); /* "bilinear", "nearest" */

/* A decoder keeps scratch memory, and nothing that decides what becomes of an image; one a thread. */
typedef struct cs_decoder cs_decoder;
CS_MUST_CHECK cs_status cs_decoder_open(cs_decoder **out);
void cs_decoder_close(cs_decoder *decoder); /* NULL-safe */

bool cs_is_jpeg(const uint8_t *bytes, size_t size);
/* The formats that are read, for people: "JPEG and PNG"; with their kinds "JPEG (progressive, gray and CMYK too) and
 * PNG". To add one see src/data/codec.h. */
void cs_image_formats(bool with_kinds, char *out, size_t size);

/* Height and width from the header of an image. What is of no format that is read is CS_ERR_FORMAT, said by what it
 * is. */
CS_MUST_CHECK cs_status cs_image_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w);

/* Decodes JPEG (progressive, gray, CMYK and YCCK too) or PNG (1-16 bit, gray, palette; alpha is dropped over black as
 * Pillow's convert("RGB") does: the colour channels are kept; of 16 bits the high 8 are). `name` is for messages. With
 * target_h, target_w > 0 a JPEG may come out scaled down by a power of two, never below CS_SCALED_DECODE_MARGIN times
 * the target. */
CS_MUST_CHECK cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                                  int target_h, int target_w, cs_image *image);

/* Resizes into `out` [h,w,3]. BILINEAR is antialiased and equal to Pillow's Image.resize(BILINEAR) within 1 level;
 * NEAREST is Pillow's NEAREST, which Keras' flow_from_directory uses. Scratch memory lives in the decoder. */
CS_MUST_CHECK cs_status cs_resize_image(cs_decoder *decoder, const cs_image *image, cs_resize how, int h, int w,
                                        uint8_t *out);

/* Decodes and resizes to [h,w,3]; h = w = 0 keeps the size. NEAREST never decodes scaled down: it picks pixels. */
CS_MUST_CHECK cs_status cs_decode_resized(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                                          cs_resize how, int h, int w, cs_image *image);

/* Makes room for images of up to max_h x max_w decoded to h x w (or 0, 0), so that cs_decode_resized on JPEGs of such
 * sizes allocates nothing here (libjpeg's own pools aside). */
CS_MUST_CHECK cs_status cs_decoder_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w);

/* JPEG with full chroma (4:4:4) into *bytes, grown as needed. */
CS_MUST_CHECK cs_status cs_encode_jpeg(const cs_image *image, int quality, uint8_t **bytes, size_t *capacity,
                                       size_t *size);

#endif
