/* One image: decoding (JPEG by TurboJPEG, PNG by libspng) and resizing. Pixels are uint8 [H,W,3] RGB. */
#ifndef CNNSWEEP_IMAGE_H
#define CNNSWEEP_IMAGE_H

#include "cnnsweep/status.h"

#include <stddef.h>
#include <stdint.h>

/* More pixels than this in a header is refused before anything is allocated (a decompression bomb). */
enum { CS_IMAGE_MAX_PIXELS = 100 * 1000 * 1000 };

typedef struct cs_image {
    int h, w;
    uint8_t *pixels; /* [h,w,3]; malloc'ed */
    size_t capacity; /* bytes allocated: an image can be decoded into again and again */
} cs_image;
void cs_image_clear(cs_image *image); /* frees the pixels; NULL-safe */

typedef enum cs_resize { CS_RESIZE_BILINEAR, CS_RESIZE_NEAREST } cs_resize;
const char *cs_resize_name(cs_resize resize);

/* A decoder keeps its TurboJPEG handle and scratch memory; one a thread. */
typedef struct cs_decoder cs_decoder;
CS_MUST_CHECK cs_status cs_decoder_open(cs_decoder **out);
void cs_decoder_close(cs_decoder *decoder); /* NULL-safe */

/* Decodes JPEG (progressive, gray, CMYK and YCCK too) or PNG (1-16 bit, gray, palette; alpha is dropped over black as
 * Pillow's convert("RGB") does: the colour channels are kept). `name` is for messages. With target_h, target_w > 0 a
 * JPEG may come out scaled down by a power of two, never below 2x the target. */
CS_MUST_CHECK cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                                  int target_h, int target_w, cs_image *image);

/* Resizes into `out` [h,w,3]. BILINEAR is antialiased and equal to Pillow's Image.resize(BILINEAR) within 1 level;
 * NEAREST is Pillow's NEAREST, which Keras' flow_from_directory uses. Scratch memory lives in the decoder. */
CS_MUST_CHECK cs_status cs_resize_image(cs_decoder *decoder, const cs_image *image, cs_resize how, int h, int w,
                                        uint8_t *out);

#endif
