/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: how the host makes one line of an image. The values are those of picture_sample.h; what is done
 * otherwise here only saves time. */
#ifndef CNNSWEEP_AUGMENT_LINES_H
#define CNNSWEEP_AUGMENT_LINES_H

#include "cnnsweep/augment.h"
#include "sample.h"

/* A sweep: its passes, and the images [from_h,from_w,3] that it reads and [h,w,3] that it makes. They are the same one
 * if no pass gathers. */
typedef struct cs_sweep {
    const cs_pass *passes;
    int n, from_h, from_w, h, w;
    const uint8_t *from;
    uint8_t *to;
    cs_pass_facts facts;
    bool sums_grey; /* Does the next sweep need the sum of the grey values? */
} cs_sweep;

/* A line of the image that a sweep makes: the bytes of its pixels, or, in loops that compilers vectorise, its channels.
 */
typedef struct cs_line {
    int y, w;
    uint8_t *bytes;  /* [w,3] */
    int *channel[3]; /* [w] each */
    bool is_split;   /* The line is in `channel`, else in `bytes`. */
} cs_line;

/* channels.c: brings a line into its bytes, or into its channels, if it is not there. */
void cs_line_join(cs_line *line);
void cs_line_split(cs_line *line);
/* Splits the bytes [w,3] into the channels of the line, which has w pixels; reversed: the pixels up to the one at
 * `rgb`, from the last to the first. */
void cs_line_set(cs_line *line, const uint8_t *rgb);
void cs_line_set_reversed(cs_line *line, const uint8_t *rgb);
/* The sum of the grey values of a line that is split. */
int64_t cs_line_grey_sum(const cs_line *line);

/* All of the next functions make the line by the sweep's first pass, which gathers. */
/* lines.c: pixel by pixel; and a warp by which the line shows whole pixels of a line of the source in order or
 * reversed. The latter returns false if the warp does not do that. */
void cs_gather_line(const cs_sweep *s, cs_line *line);
bool cs_copy_line(const cs_sweep *s, cs_line *line);
/* warp.c: a warp of scipy's or Pillow's; and the range of its values. */
void cs_warp_line(const cs_sweep *s, cs_line *line);
void cs_warp_range(cs_sweep *s);
/* opencv_lines.c: a warp with OpenCV's sampling, or a grid. */
void cs_opencv_line(const cs_sweep *s, cs_line *line);
/* local_lines.c: passes that look at neighbours of a pixel. */
void cs_sharpness_line(const cs_sweep *s, cs_line *line);
void cs_blur_line(const cs_sweep *s, cs_line *line);
void cs_kernel_line(const cs_sweep *s, cs_line *line);
/* resample.c: resamples the lines of the source for a RESAMPLE, the sweep's first pass; then lines can be made. */
CS_MUST_CHECK cs_status cs_resample_prepare(const cs_sweep *s, cs_augment_scratch *scratch);
void cs_resample_line(const cs_sweep *s, const cs_augment_scratch *scratch, cs_line *line);

/* jpeg_pass.c, clahe_pass.c: make all lines by a JPEG or a CLAHE, the sweep's first pass. */
CS_MUST_CHECK cs_status cs_jpeg_image(const cs_sweep *s, cs_augment_scratch *scratch);
CS_MUST_CHECK cs_status cs_clahe_image(const cs_sweep *s, cs_augment_scratch *scratch);

/* point_lines.c: changes the line by a point pass. */
void cs_point_line(const cs_sweep *s, const cs_pass *pass, cs_line *line);

#endif
