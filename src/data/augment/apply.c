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
        histogram.count[CHANNELS][cs_sample_grey(rgb[0], rgb[1], rgb[2])]++;
    }
    for (int c = 0; c < CHANNELS; c++)
        cs_sample_facts(s->passes, &histogram, pixels, c, &s->facts);
}

static bool needs_grey_mean(const cs_pass *pass) {
    return pass->kind == CS_PASS_BLEND && pass->blend.base == CS_BLEND_MEAN;
}

static int64_t sum_grey(const cs_sweep *s, cs_line *line) {
    int64_t sum = 0;
    for (int y = 0; y < s->from_h; y++) {
        cs_line_set(line, s->from + (size_t)y * (size_t)s->from_w * CHANNELS);
        sum += cs_line_grey_sum(line);
    }
    return sum;
}

/* Asks the processor to load the source into its cache, because a warp does not read pixels in the order in which they
 * lie. A larger source would not stay there. */
static void prefetch(const cs_sweep *s) {
    enum { CACHE_LINE = 64, MOST = 1 << 19 };
    const size_t size = (size_t)s->from_h * (size_t)s->from_w * CHANNELS;
    for (size_t i = 0; i < size && size <= MOST; i += CACHE_LINE)
        __builtin_prefetch(s->from + i);
}

/* In the fastest way that there is for the warp. */
static void warp_line(const cs_sweep *s, cs_line *line) {
    if (cs_copy_line(s, line))
        return;
    if (s->passes->warp.sampling == CS_SAMPLING_TENSORFLOW)
        cs_gather_line(s, line);
    else if (s->passes->warp.sampling == CS_SAMPLING_OPENCV)
        cs_opencv_line(s, line);
    else
        cs_warp_line(s, line);
}

/* Makes a line by the first pass of a sweep, which gathers. */
static void gather_line(const cs_sweep *s, const cs_augment_scratch *scratch, cs_line *line) {
    switch (s->passes->kind) {
    case CS_PASS_RESAMPLE:
        cs_resample_line(s, scratch, line);
        break;
    case CS_PASS_SHARPNESS:
        cs_sharpness_line(s, line);
        break;
    case CS_PASS_BLUR:
        cs_blur_line(s, line);
        break;
    case CS_PASS_JPEG: /* is made already */
    case CS_PASS_CLAHE:
        break;
    case CS_PASS_KERNEL:
        cs_kernel_line(s, line);
        break;
    case CS_PASS_GRID:
        cs_opencv_line(s, line);
        break;
    case CS_PASS_WARP:
        warp_line(s, line);
        break;
    default:
        cs_gather_line(s, line);
        break;
    }
}

/* What the first pass has to know or to do before lines are made. `grey_sum` is that of the source, or negative: not
 * known. */
static cs_status prepare(cs_sweep *s, cs_line *line, int64_t grey_sum, cs_augment_scratch *scratch) {
    const cs_pass *first = s->passes;
    if (first->kind == CS_PASS_WARP)
        prefetch(s);
    if (cs_pass_needs(first) == CS_FACTS_RANGE)
        cs_warp_range(s);
    else if (needs_grey_mean(first))
        s->facts.grey = cs_sample_mean(grey_sum < 0 ? sum_grey(s, line) : grey_sum, (int64_t)s->from_h * s->from_w);
    else if (cs_pass_needs(first) == CS_FACTS_HISTOGRAM)
        find_histogram_facts(s);
    if (first->kind == CS_PASS_RESAMPLE)
        CS_TRY(cs_resample_prepare(s, scratch));
    if (first->kind == CS_PASS_JPEG)
        CS_TRY(cs_jpeg_image(s, scratch));
    if (first->kind == CS_PASS_CLAHE)
        CS_TRY(cs_clahe_image(s, scratch));
    return CS_OK;
}

/* `grey_sum` is that of the source, and becomes that of the image that is made; it is negative if it is not known. */
static cs_status run(cs_sweep *s, cs_augment_scratch *scratch, int64_t *grey_sum) {
    const size_t stride = (size_t)s->w * CHANNELS;
    const bool gathers = cs_pass_gathers(s->passes);
    int *channels = scratch->channels;
    cs_line line = {.w = s->w, .channel = {channels, channels + s->w, channels + 2 * (ptrdiff_t)s->w}};
    CS_TRY(prepare(s, &line, *grey_sum, scratch));
    *grey_sum = s->sums_grey ? 0 : -1;
    for (line.y = 0; line.y < s->h; line.y++) {
        line.bytes = s->to + (size_t)line.y * stride;
        line.is_split = false;
        if (gathers)
            gather_line(s, scratch, &line);
        else if (s->from != s->to)
            memcpy(line.bytes, s->from + (size_t)line.y * stride, stride);
        for (int i = gathers; i < s->n; i++)
            cs_point_line(s, &s->passes[i], &line);
        if (s->sums_grey) {
            cs_line_split(&line);
            *grey_sum += cs_line_grey_sum(&line);
        }
        cs_line_join(&line);
    }
    return CS_OK;
}

/* Images alternate between two buffers, because a pass that gathers cannot change an image in place. */
cs_status cs_augment_apply(const cs_picture *picture, const uint8_t *from, cs_augment_scratch *scratch,
                           const uint8_t **made) {
    int from_h = picture->h, from_w = picture->w, next = 0;
    int64_t grey_sum = -1;
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
                      .to = scratch->images[1 - next],
                      .sums_grey = end < picture->n && needs_grey_mean(&picture->passes[end])};
        CS_TRY(cs_grow(&scratch->channels, &scratch->channels_capacity, (size_t)s.w * CHANNELS,
                       sizeof *scratch->channels, "augmented image"));
        CS_TRY(run(&s, scratch, &grey_sum));
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
    return cs_grow(&scratch->channels, &scratch->channels_capacity, (size_t)w * CHANNELS, sizeof *scratch->channels,
                   "augmented image");
}

void cs_augment_scratch_clear(cs_augment_scratch *scratch) {
    free(scratch->images[0]);
    free(scratch->images[1]);
    free(scratch->channels);
    free(scratch->rows);
    free(scratch->weights);
    cs_image_clear(&scratch->image);
    cs_decoder_close(scratch->decoder);
    free(scratch->jpeg);
    *scratch = (cs_augment_scratch){0};
}
