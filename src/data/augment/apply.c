/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the image that a picture describes, sweep by sweep and line by line: the first pass of a sweep makes a line,
 * and its other passes change it while it is in the processor's cache. The CUDA engine does the same in
 * kernels/picture.cu. */
#include "cnnsweep/augment.h"
#include "lines.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3 };

static void find_histogram_facts(cs_sweep *s) {
    const int64_t pixels = (int64_t)s->from_h * s->from_w;
    cs_histogram histogram = {0};
    for (const uint8_t *rgb = s->from, *end = rgb + pixels * CHANNELS; rgb < end; rgb += CHANNELS) {
        for (int c = 0; c < CHANNELS; c++)
            histogram.count[c][rgb[c]]++;
        histogram.count[CHANNELS][cs_sample_grey(rgb)]++;
    }
    for (int c = 0; c < CHANNELS; c++)
        cs_sample_facts(s->passes, &histogram, pixels, c, &s->facts);
}

/* In the fastest way that there is for the warp. */
static void warp_line(const cs_sweep *s, int y, uint8_t *to) {
    if (cs_copy_line(s, y, to))
        return;
    if (s->passes->warp.sampling == CS_SAMPLING_TENSORFLOW)
        cs_gather_line(s, y, to);
    else
        cs_warp_line(s, y, to);
}

/* Makes line y by the first pass of a sweep, which gathers. */
static void gather_line(const cs_sweep *s, const cs_augment_scratch *scratch, int y, uint8_t *to) {
    switch (s->passes->kind) {
    case CS_PASS_RESAMPLE:
        cs_resample_line(s, scratch, y, to);
        break;
    case CS_PASS_SHARPNESS:
        cs_sharpness_line(s, y, to);
        break;
    case CS_PASS_BLUR:
        cs_blur_line(s, y, to);
        break;
    case CS_PASS_JPEG: /* is made already */
        break;
    case CS_PASS_KERNEL:
        cs_kernel_line(s, y, to);
        break;
    case CS_PASS_WARP:
        warp_line(s, y, to);
        break;
    default:
        cs_gather_line(s, y, to);
        break;
    }
}

static cs_status run(cs_sweep *s, cs_augment_scratch *scratch) {
    const cs_pass *first = s->passes;
    const size_t stride = (size_t)s->w * CHANNELS;
    const bool gathers = cs_pass_gathers(first);
    if (cs_pass_needs(first) == CS_FACTS_RANGE)
        cs_warp_range(s);
    if (cs_pass_needs(first) == CS_FACTS_HISTOGRAM)
        find_histogram_facts(s);
    if (first->kind == CS_PASS_RESAMPLE)
        CS_TRY(cs_resample_prepare(s, scratch));
    if (first->kind == CS_PASS_JPEG)
        CS_TRY(cs_jpeg_image(s, scratch));
    for (int y = 0; y < s->h; y++) {
        uint8_t *line = s->to + (size_t)y * stride;
        if (gathers)
            gather_line(s, scratch, y, line);
        else if (s->from != s->to)
            memcpy(line, s->from + (size_t)y * stride, stride);
        for (int i = gathers; i < s->n; i++)
            cs_point_line(s, &s->passes[i], y, line);
    }
    return CS_OK;
}

/* Images alternate between two buffers, because a pass that gathers cannot change an image in place. */
cs_status cs_augment_apply(const cs_picture *picture, const uint8_t *from, cs_augment_scratch *scratch,
                           const uint8_t **made) {
    int from_h = picture->h, from_w = picture->w, next = 0;
    *made = from;
    for (int i = 0, end; i < picture->n; i = end) {
        end = cs_picture_sweep(picture, i);
        const cs_pass *first = &picture->passes[i];
        if (cs_pass_gathers(first) || *made == from) {
            CS_TRY(cs_grow(&scratch->images[next], &scratch->image_capacity[next],
                           (size_t)first->h * (size_t)first->w * CHANNELS, 1, "augmented image"));
            next = 1 - next;
        }
        cs_sweep s = {.passes = first,
                      .n = end - i,
                      .from_h = from_h,
                      .from_w = from_w,
                      .h = first->h,
                      .w = first->w,
                      .from = *made,
                      .to = scratch->images[1 - next]};
        CS_TRY(run(&s, scratch));
        *made = s.to;
        from_h = s.h;
        from_w = s.w;
    }
    return CS_OK;
}

cs_status cs_augment_reserve(cs_augment_scratch *scratch, int h, int w) {
    for (int i = 0; i < 2; i++)
        CS_TRY(cs_grow(&scratch->images[i], &scratch->image_capacity[i], (size_t)h * (size_t)w * CHANNELS, 1,
                       "augmented image"));
    return CS_OK;
}

void cs_augment_scratch_clear(cs_augment_scratch *scratch) {
    free(scratch->images[0]);
    free(scratch->images[1]);
    free(scratch->rows);
    free(scratch->weights);
    cs_image_clear(&scratch->image);
    cs_decoder_close(scratch->decoder);
    free(scratch->jpeg);
    *scratch = (cs_augment_scratch){0};
}
