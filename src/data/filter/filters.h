/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the functions that the table names, and what they share. */
#ifndef CNNSWEEP_FILTER_FILTERS_H
#define CNNSWEEP_FILTER_FILTERS_H

#include "cnnsweep/filter.h"

typedef cs_status cs_filter_function(const float *value, cs_filter_scratch *scratch, cs_image *image);

cs_filter_function cs_gaussian_apply, cs_median_apply, cs_bilateral_apply; /* smooth.c */
cs_filter_function cs_unsharp_apply, cs_sobel_apply;                       /* edges.c */
cs_filter_function cs_gray_world_apply;                                    /* contrast.c */

/* scratch.c */
/* Sets *out, any object pointer, to `n` items of `size` bytes, which are undefined. They are valid until the filter
 * returns. */
CS_MUST_CHECK cs_status cs_scratch_take(cs_filter_scratch *scratch, size_t n, size_t size, void *out);
/* Gives all memory back, for the next filter. */
void cs_scratch_reset(cs_filter_scratch *scratch);
/* Counts an image in which a filter found no region. */
void cs_scratch_count_not_found(cs_filter_scratch *scratch);

/* arithmetic.c: they round the same way on every machine. */
/* e^x to about 1e-15. */
double cs_exact_exp(double x);
/* The n-th root of x in [0, 1]. */
double cs_exact_root(double x, int n);
/* Rounds to the nearest byte, of two equally near ones to the even one, and clips. */
uint8_t cs_to_byte(double value);
/* The index in a line of n pixels that stands for index i outside of it, mirrored at the centre of the last pixel: c b
 * | a b c d | c b a (OpenCV's BORDER_REFLECT_101). */
int cs_mirror(int i, int n);

/* pixels.c */
/* The values of OpenCV's RGB2GRAY, [h,w]. */
CS_MUST_CHECK cs_status cs_gray_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **gray);
/* A copy of the pixels [h,w,3]. */
CS_MUST_CHECK cs_status cs_copy_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **copy);
typedef struct cs_box {
    int top, left, bottom, right; /* the last two are the first row and column after it */
} cs_box;
/* Keeps the part of the image in the box, which lies inside of it and has pixels. */
void cs_crop(cs_image *image, const cs_box *box);

/* Smooths the image as OpenCV's GaussianBlur does with ksize (0, 0), to the same bytes. */
CS_MUST_CHECK cs_status cs_gaussian(double sigma, cs_filter_scratch *scratch, cs_image *image);

#endif
