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
} cs_sweep;

/* Makes line y by the sweep's first pass, which gathers, pixel by pixel. */
void cs_gather_line(const cs_sweep *s, int y, uint8_t *to);
/* warp.c: makes line y by a warp of scipy's or Pillow's, the sweep's first pass, and finds the range of its values. */
void cs_warp_line(const cs_sweep *s, int y, uint8_t *to);
void cs_warp_range(cs_sweep *s);
/* Does the same where a line of the result is, in order or reversed, a part of a line of the source; else false. */
bool cs_copy_line(const cs_sweep *s, int y, uint8_t *to);
/* local_lines.c: the same for passes that look at neighbours of a pixel. */
void cs_sharpness_line(const cs_sweep *s, int y, uint8_t *to);
void cs_blur_line(const cs_sweep *s, int y, uint8_t *to);
void cs_kernel_line(const cs_sweep *s, int y, uint8_t *to);
/* Changes line y by a point pass. */
void cs_point_line(const cs_sweep *s, const cs_pass *pass, int y, uint8_t *line);
/* resample.c: resamples the lines of the source for a RESAMPLE, the sweep's first pass; then line y can be made. */
CS_MUST_CHECK cs_status cs_resample_prepare(const cs_sweep *s, cs_augment_scratch *scratch);
void cs_resample_line(const cs_sweep *s, const cs_augment_scratch *scratch, int y, uint8_t *to);

/* jpeg_pass.c: makes all lines by a JPEG, the sweep's first pass. */
CS_MUST_CHECK cs_status cs_jpeg_image(const cs_sweep *s, cs_augment_scratch *scratch);

#endif
