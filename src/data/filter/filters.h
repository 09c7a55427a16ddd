/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the functions that the table names, and what they share. */
#ifndef CNNSWEEP_FILTER_FILTERS_H
#define CNNSWEEP_FILTER_FILTERS_H

#include "cnnsweep/filter.h"
#include "exact/exact.h"

typedef cs_status cs_filter_function(const float *value, cs_filter_scratch *scratch, cs_image *image);

cs_filter_function cs_gaussian_apply, cs_median_apply, cs_bilateral_apply; /* smooth.c */
cs_filter_function cs_unsharp_apply, cs_sobel_apply;                       /* edges.c */
cs_filter_function cs_nl_means_apply;                                      /* denoise.c */
cs_filter_function cs_clahe_apply, cs_gray_world_apply;                    /* contrast.c */
cs_filter_function cs_hair_removal_apply;                                  /* hair.c */
cs_filter_function cs_fundus_apply;                                        /* fundus.c */
cs_filter_function cs_otsu_apply;                                          /* region.c */
cs_filter_function cs_chan_vese_apply;                                     /* chan_vese.c */

/* scratch.c */
/* Sets *out, any object pointer, to `n` items of `size` bytes, which are undefined. They are valid until the filter
 * returns. */
CS_MUST_CHECK cs_status cs_scratch_take(cs_filter_scratch *scratch, size_t n, size_t size, void *out);
/* Gives all memory back, for the next filter. */
void cs_scratch_reset(cs_filter_scratch *scratch);
/* Counts an image in which a filter found no region. */
void cs_scratch_count_not_found(cs_filter_scratch *scratch);

/* pixels.c */
/* The values of OpenCV's RGB2GRAY, [h,w]. */
CS_MUST_CHECK cs_status cs_gray_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **gray);
/* A copy of the pixels [h,w,3]. */
CS_MUST_CHECK cs_status cs_copy_of(cs_filter_scratch *scratch, const cs_image *image, uint8_t **copy);
/* A copy of the pixels that continues `border` mirrored pixels to all sides: [h+2*border,w+2*border,3]. */
CS_MUST_CHECK cs_status cs_continued(cs_filter_scratch *scratch, const cs_image *image, int border, uint8_t **copy);
/* Writes a row of w pixels with `border` mirrored pixels on both sides. */
void cs_continue_row(const uint8_t *row, int w, int border, uint8_t *out);
typedef struct cs_box {
    int top, left, bottom, right; /* the last two are the first row and column after it */
} cs_box;
/* Keeps the part of the image in the box, which lies inside of it and has pixels. */
void cs_crop(cs_image *image, const cs_box *box);

/* morphology.c */
typedef enum cs_element { CS_ELEMENT_CROSS, CS_ELEMENT_RECT } cs_element;
extern const char *const cs_element_choices[];
/* Dilates `values` [h,w] with an element that reaches `radius` pixels to each side. */
CS_MUST_CHECK cs_status cs_dilate(cs_filter_scratch *scratch, int h, int w, cs_element element, int radius,
                                  uint8_t *values);
/* Dilates and then erodes. */
CS_MUST_CHECK cs_status cs_close(cs_filter_scratch *scratch, int h, int w, cs_element element, int radius,
                                 uint8_t *values);

/* inpaint.c */
/* Fills the pixels whose `mask` [h,w] is not 0 from the pixels around them, as OpenCV's INPAINT_TELEA. */
CS_MUST_CHECK cs_status cs_inpaint(cs_filter_scratch *scratch, const uint8_t *mask, int radius, cs_image *image);

/* region.c */
typedef enum cs_side { CS_SIDE_DARK, CS_SIDE_BRIGHT } cs_side;
typedef enum cs_keep { CS_KEEP_CROP, CS_KEEP_MASK } cs_keep;
extern const char *const cs_side_choices[], *const cs_keep_choices[];
/* The order of the parameters of filters that find a region. */
enum {
    CS_REGION_SIDE,
    CS_REGION_KEEP,
    CS_REGION_MARGIN,
    CS_REGION_MIN_AREA,
    CS_CHAN_VESE_MU,
    CS_CHAN_VESE_ITERATIONS,
    CS_CHAN_VESE_SIZE
};
/* Keeps the largest region of the pixels whose `marks` [h,w] are 1 (else 0), with a margin: crops the image to it, or
 * makes all other pixels black. Leaves the image as it is if there is no such region, if it is too small, or if
 * it is the whole image. */
CS_MUST_CHECK cs_status cs_keep_region(const float *value, cs_filter_scratch *scratch, uint8_t *marks, cs_image *image);

/* Smooths the image as OpenCV's GaussianBlur does with ksize (0, 0), to the same bytes. */
CS_MUST_CHECK cs_status cs_gaussian(double sigma, cs_filter_scratch *scratch, cs_image *image);

#endif
