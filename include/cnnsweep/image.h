/* SPDX-License-Identifier: Apache-2.0 */
/* One image: decoding (src/data/codec.h says which formats), resizing, encoding. Pixels are uint8 [H,W,3] RGB. */
#ifndef CNNSWEEP_IMAGE_H
#define CNNSWEEP_IMAGE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image whose header names more pixels is refused before anything is allocated (it may be a decompression bomb),
 * unless cs_decode_rules says otherwise. Telephones take photographs of up to 200 million. */
enum { CS_IMAGE_MAX_PIXELS = 250 * 1000 * 1000 };

/* A JPEG that will be resized may be decoded at a reduced scale, as long as the decoded image stays at least this many
 * times as large as the target; then the target is an eighth of the original size or less. All others are decoded at
 * full size, so that the result is Pillow's. (Measured on photographs of 500 px resized to 50 px: the mean difference
 * is 0.8 levels at 4, and 1.8 at 2.) */
enum { CS_SCALED_DECODE_MARGIN = 4 };

typedef struct cs_image {
    int h, w;
    uint8_t *pixels; /* [h,w,3]; malloc'ed */
    size_t capacity; /* bytes allocated; they are used again when another image is decoded into this one */
} cs_image;
/* Allocates [h,w,3] and sets the size; the pixels are undefined. */
CS_MUST_CHECK cs_status cs_image_reserve(cs_image *image, int h, int w);
void cs_image_clear(cs_image *image); /* frees the pixels; NULL-safe */

/* How the pixels of a resized image are computed, as Pillow's filters of the same names do. All but NEAREST are
 * antialiased. BOX is the mean of an area. The values are part of the checksums of datasets. */
typedef enum cs_interpolation {
    CS_BILINEAR,
    CS_NEAREST,
    CS_BICUBIC,
    CS_LANCZOS,
    CS_BOX,
    CS_HAMMING,
    CS_INTERPOLATION_COUNT
} cs_interpolation;
const char *cs_interpolation_name(cs_interpolation interpolation); /* "bilinear", "nearest", ... */

/* What becomes of an image whose sides have another ratio than the target's. The values are part of the checksums of
 * datasets. */
typedef enum cs_aspect {
    CS_ASPECT_STRETCH,           /* the ratio changes */
    CS_ASPECT_CROP,              /* the middle of the image is taken, as by Pillow's ImageOps.fit */
    CS_ASPECT_PAD,               /* black is added on two sides, as by Pillow's ImageOps.pad */
    CS_ASPECT_KEEP_ASPECT_RATIO, /* as CROP, but in whole pixels, as by Keras' load_img(keep_aspect_ratio=True) */
    CS_ASPECT_COUNT
} cs_aspect;
const char *cs_aspect_name(cs_aspect aspect); /* "stretch", "crop", "pad", "keep_aspect_ratio" */

/* How images are resized. All zero is the default. */
typedef struct cs_resize {
    cs_interpolation interpolation;
    cs_aspect aspect;
} cs_resize;
enum { CS_RESIZE_TEXT = 64 };
/* Writes "bilinear", or with a fit "bilinear crop", into `text`, and returns it. */
const char *cs_resize_text(cs_resize resize, char text[CS_RESIZE_TEXT]);
bool cs_resize_parse(const char *text, cs_resize *resize); /* of that text; false: it is none */

/* A decoder holds rules, counts and scratch memory: its earlier images never change the result for the next one. Each
 * thread needs its own. */
typedef struct cs_decoder cs_decoder;
CS_MUST_CHECK cs_status cs_decoder_open(cs_decoder **out);
void cs_decoder_close(cs_decoder *decoder); /* NULL-safe */

/* What becomes of values of 16 bits: their high byte is kept, values above 255 become 255 (as in Pillow's convert), or
 * the range from the image's least to its greatest value becomes 0 to 255 (as scikit-image's rescale_intensity). */
typedef enum cs_depth16 { CS_DEPTH16_HIGH_BYTE, CS_DEPTH16_CLIP, CS_DEPTH16_SCALE, CS_DEPTH16_COUNT } cs_depth16;
const char *cs_depth16_name(cs_depth16 depth16); /* "high-byte", "clip", "scale" */

/* How images are decoded where there is a choice. All zero is the default. */
typedef struct cs_decode_rules {
    cs_depth16 depth16;
    bool blend;            /* images with alpha are blended over `background`, as Pillow's paste does, instead of */
    uint8_t background[3]; /* dropping alpha and keeping the colour channels, as Pillow's convert("RGB") does */
    bool exif;             /* apply the orientation of EXIF data, as Pillow's ImageOps.exif_transpose does */
    int64_t max_pixels;    /* 0: CS_IMAGE_MAX_PIXELS */
} cs_decode_rules;
/* The rules that differ from the default, in one text: "depth16=clip alpha=0,0,0 exif=apply max-pixels=1000", or
 * "default". */
enum { CS_DECODE_TEXT = 96 };
void cs_decode_rules_text(const cs_decode_rules *rules, char text[CS_DECODE_TEXT]);
/* Finds the rules that have this text; false if there are none. */
bool cs_decode_rules_parse(const char *text, cs_decode_rules *rules);

void cs_decoder_set_rules(cs_decoder *decoder, const cs_decode_rules *rules);

/* Of the images that a decoder has decoded, how many the rules were about. */
typedef struct cs_decode_counts {
    int64_t depth16; /* had values of 16 bits */
    int64_t turned;  /* had an EXIF orientation other than upright */
} cs_decode_counts;
cs_decode_counts cs_decoder_counts(const cs_decoder *decoder);

bool cs_is_jpeg(const uint8_t *bytes, size_t size);
/* Lists the formats that can be read, for people: "JPEG and GIF", or with their kinds "JPEG and GIF (first frame)". To
 * add a format see src/data/codec.h. */
void cs_image_formats(bool with_kinds, char *out, size_t size);

/* Reads height and width from the header of an image, as they are before EXIF data turns it. An image of an unknown
 * format is CS_ERR_FORMAT; where its format can be recognised, the error names it. */
CS_MUST_CHECK cs_status cs_image_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w);

/* The EXIF orientation of an image, from 1 (upright, or none is given) to 8. */
int cs_image_orientation(const uint8_t *bytes, size_t size);

/* Decodes an image by the decoder's rules. `name` is for messages. If target_h and target_w are above 0, a JPEG may be
 * decoded at a scale reduced by a power of two, but never below CS_SCALED_DECODE_MARGIN times the target. */
CS_MUST_CHECK cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                                  int target_h, int target_w, cs_image *image);

/* Resizes into `out` [h,w,3]. The result is Pillow's within 1 level; BILINEAR, the fast one, is not exactly Pillow's.
 * NEAREST is what Keras' flow_from_directory uses. The decoder holds the scratch memory. */
CS_MUST_CHECK cs_status cs_resize_image(cs_decoder *decoder, const cs_image *image, cs_resize how, int h, int w,
                                        uint8_t *out);

/* Sets *shown to the image itself if its longest side is at most `most`, else to `small`, into which it is resized with
 * the same ratio of sides. The pixels of *shown are borrowed. */
CS_MUST_CHECK cs_status cs_image_thumbnail(cs_decoder *decoder, const cs_image *image, int most, cs_image *small,
                                           cs_image *shown);

/* Decodes and resizes to [h,w,3]; h = w = 0 keeps the size. Only with BILINEAR may the image be decoded at a reduced
 * scale. */
CS_MUST_CHECK cs_status cs_decode_resized(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size,
                                          cs_resize how, int h, int w, cs_image *image);

/* Allocates the scratch memory for images of up to max_h x max_w that are decoded to h x w (or 0, 0), so that
 * cs_decode_resized on JPEGs of such sizes allocates nothing (except in libjpeg's own pools). */
CS_MUST_CHECK cs_status cs_decoder_reserve(cs_decoder *decoder, cs_resize how, int max_h, int max_w, int h, int w);

/* Encodes a PNG with 8 bits a channel into *bytes, which the caller frees. */
CS_MUST_CHECK cs_status cs_encode_png(const cs_image *image, uint8_t **bytes, size_t *size);

/* Encodes a JPEG with full chroma (4:4:4), or half of it in each direction (4:2:0), into *bytes, which is grown as
 * needed. */
CS_MUST_CHECK cs_status cs_encode_jpeg(const cs_image *image, int quality, bool full_chroma, uint8_t **bytes,
                                       size_t *capacity, size_t *size);

#endif
