/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the data room: the contents of a decoder, and what decoding and resizing share. */
#ifndef CNNSWEEP_IMAGE_IMPL_H
#define CNNSWEEP_IMAGE_IMPL_H

#include "cnnsweep/image.h"

/* What part of an image, in pixels that need not be whole, becomes what part of the resized image; the rest of that is
 * black. */
typedef struct cs_placement {
    float top, left, bottom, right;
    int y, x, h, w;
} cs_placement;
cs_placement cs_aspect_place(cs_aspect aspect, int in_h, int in_w, int h, int w);

/* The values that cs_resize_columns adds up at once: two pixels, and two values without a weight. */
enum { CS_RESIZE_LANES = 8 };

/* The weights of one axis, kept as long as the sizes stay the same. */
typedef struct cs_axis {
    cs_interpolation interpolation;
    int in, out;
    float from, to; /* the part of the input that is resized */
    int taps;       /* weights stored for each output; those after `count` are 0 */
    int *start;     /* [out] first input */
    int *count;     /* [out] inputs */
    float *weight;  /* [out,taps] */
    float *lanes;   /* [out,taps/2,CS_RESIZE_LANES] the weights of the channels of two inputs, for bilinear columns */
    int32_t *fixed; /* [out,taps] the weights in units of 1 / 2^22, for other interpolations than bilinear */
    size_t start_capacity, count_capacity, weight_capacity, lanes_capacity, fixed_capacity;
} cs_axis;

struct cs_decoder {
    cs_decode_rules rules;
    cs_decode_counts counts;
    cs_image full;    /* the decoded image before it is resized */
    cs_image as_read; /* the decoded image before it is turned */
    uint8_t *four;    /* pixels of four channels, before they become three: CMYK or RGBA */
    uint16_t *four16; /* RGBA of 16 bits */
    size_t four_capacity, four16_capacity;
    cs_axis x, y;
    uint16_t *sums; /* one row, blended vertically, in units of 1/256 level */
    float *row;     /* one row, blended vertically, in levels */
    float *blended; /* one row of the result, before rounding */
    size_t sums_capacity, row_capacity, blended_capacity;
    uint8_t *between; /* an image whose columns are resized, but not yet its rows */
    int32_t *totals;  /* one row of sums in units of 1 / 2^22 level */
    size_t between_capacity, totals_capacity;
};

/* Empty images, and those with more pixels than the decoder's rules allow, are errors. NULL has the default rules. */
cs_status cs_image_check_size(const cs_decoder *decoder, const char *name, uint64_t h, uint64_t w);

/* For codecs: these reserve decoder->four or four16 for [h,w,4], and make `image` [h,w,3] of the RGBA values in them by
 * the decoder's rules. */
cs_status cs_reserve_rgba(cs_decoder *decoder, int h, int w);
cs_status cs_reserve_rgba16(cs_decoder *decoder, int h, int w);
cs_status cs_take_rgba(cs_decoder *decoder, const uint8_t *rgba, int h, int w, cs_image *image);
cs_status cs_take_rgba16(cs_decoder *decoder, int h, int w, cs_image *image);

/* The orientation, 1 to 8, that EXIF data in the form of a TIFF file names; 1 if it names none. */
int cs_exif_orientation(const uint8_t *tiff, size_t size);
/* Turns an image of that orientation upright. */
cs_status cs_image_turn(const cs_image *from, int orientation, cs_image *upright);

/* Allocates scratch memory for resizing max_h x max_w (or less) to h x w. */
cs_status cs_resize_reserve(cs_decoder *decoder, cs_resize how, int max_h, int max_w, int h, int w);
/* Resizes with the weights of the axes x and y into rows `stride` bytes apart; the first allocates for that. */
cs_status cs_resample_reserve(cs_decoder *decoder, int in_h, int out_w);
cs_status cs_resample(cs_decoder *decoder, const cs_image *image, uint8_t *out, size_t stride);
void cs_resize_clear(cs_decoder *decoder);

/* The inner loops. */
/* sums += a * weight_a + b * weight_b; sums in units of 1/256 level, weights in units of 1/65536 */
void cs_resize_add_rows(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t weight_a, uint16_t weight_b,
                        size_t n, uint16_t *restrict sums);
/* row = row * keep + sums, in levels */
void cs_resize_add_sums(const uint16_t *restrict sums, size_t n, float keep, float *restrict row);
/* blended[i] = 0.5 + sum over k of weight k of i * row[start[i] + k], for pixels of three channels. The `weights` are
 * in the form of cs_axis.lanes. Reads `taps` pixels (an even number) and two more values from every start on. */
void cs_resize_columns(int out, int taps, const int *restrict start, const float *restrict weights,
                       const float *restrict row, float *restrict blended);
/* Sums of pixels with weights in units of 1 / 2^22 begin at half a level and are cut to whole ones. The first computes
 * a row of `out` pixels; the second adds a row to sums, of which the third makes bytes. */
enum { CS_RESAMPLE_BITS = 22, CS_RESAMPLE_HALF = 1 << (CS_RESAMPLE_BITS - 1) };
void cs_resample_columns(int out, int taps, const int *restrict start, const int *restrict count,
                         const int32_t *restrict weights, const uint8_t *restrict row, uint8_t *restrict to);
void cs_resample_add_row(const uint8_t *restrict row, int32_t weight, size_t n, int32_t *restrict totals);
void cs_resample_round(size_t n, const int32_t *restrict totals, uint8_t *restrict to);
/* Truncates to bytes; the values are below 256. */
void cs_resize_round(size_t n, const float *restrict blended, uint8_t *restrict out);

#endif
