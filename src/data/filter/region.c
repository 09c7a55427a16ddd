/* SPDX-License-Identifier: Apache-2.0 */
/* The largest region of a segmentation, and Otsu's segmentation. */
#include "filters.h"

#include <float.h>
#include <math.h>
#include <string.h>

const char *const cs_side_choices[] = {[CS_SIDE_DARK] = "dark", [CS_SIDE_BRIGHT] = "bright", NULL};
const char *const cs_keep_choices[] = {[CS_KEEP_CROP] = "crop", [CS_KEEP_MASK] = "mask", NULL};

/* A region of touching pixels; those that touch at a corner do too. */
typedef struct region {
    int first, size; /* `first`: a pixel of it */
    cs_box box;
} region;

/* Marks the region of the pixel `first` with `to`, where it was marked with `from`. `stack` has room for all pixels. */
static region fill(uint8_t *marks, int h, int w, int first, uint8_t from, uint8_t to, int *stack) {
    region r = {.first = first, .box = {h, w, 0, 0}};
    int n = 0;
    marks[first] = to;
    stack[n++] = first;
    while (n > 0) {
        const int at = stack[--n], y = at / w, x = at % w;
        r.size++;
        r.box.top = y < r.box.top ? y : r.box.top;
        r.box.bottom = y + 1 > r.box.bottom ? y + 1 : r.box.bottom;
        r.box.left = x < r.box.left ? x : r.box.left;
        r.box.right = x + 1 > r.box.right ? x + 1 : r.box.right;
        for (int k = y > 0 ? y - 1 : 0; k <= y + 1 && k < h; k++)
            for (int l = x > 0 ? x - 1 : 0; l <= x + 1 && l < w; l++)
                if (marks[k * w + l] == from) {
                    marks[k * w + l] = to;
                    stack[n++] = k * w + l;
                }
    }
    return r;
}

/* Finds the largest region of the pixels marked 1, which are then marked 3, and those of other regions 2. */
static region find_largest(uint8_t *marks, int h, int w, int *stack) {
    enum { MARKED = 1, SEEN = 2, LARGEST = 3 };
    region largest = {.size = 0};
    for (int i = 0; i < h * w; i++)
        if (marks[i] == MARKED) {
            region found = fill(marks, h, w, i, MARKED, SEEN, stack);
            if (found.size > largest.size)
                largest = found;
        }
    if (largest.size > 0)
        fill(marks, h, w, largest.first, SEEN, LARGEST, stack);
    for (int i = 0; i < h * w; i++)
        marks[i] = marks[i] == LARGEST;
    return largest;
}

static cs_box grow(cs_box box, int margin, int h, int w) {
    return (cs_box){.top = box.top > margin ? box.top - margin : 0,
                    .left = box.left > margin ? box.left - margin : 0,
                    .bottom = box.bottom + margin < h ? box.bottom + margin : h,
                    .right = box.right + margin < w ? box.right + margin : w};
}

cs_status cs_keep_region(const float *value, cs_filter_scratch *scratch, uint8_t *marks, cs_image *image) {
    const int h = image->h, w = image->w;
    int *stack;
    CS_TRY(cs_scratch_take(scratch, (size_t)h * (size_t)w, sizeof *stack, &stack));
    const region r = find_largest(marks, h, w, stack);
    if (r.size == 0 || r.size == h * w || r.size < (double)value[CS_REGION_MIN_AREA] * h * w) {
        cs_scratch_count_not_found(scratch);
        return CS_OK;
    }
    const int high = r.box.bottom - r.box.top, wide = r.box.right - r.box.left;
    const int margin = (int)lrint((double)value[CS_REGION_MARGIN] * (high > wide ? high : wide));
    if ((int)value[CS_REGION_KEEP] == CS_KEEP_CROP) {
        const cs_box box = grow(r.box, margin, h, w);
        cs_crop(image, &box);
        return CS_OK;
    }
    CS_TRY(cs_dilate(scratch, h, w, CS_ELEMENT_RECT, margin, marks));
    for (int i = 0; i < h * w; i++)
        if (!marks[i])
            memset(image->pixels + 3 * (size_t)i, 0, 3);
    return CS_OK;
}

/* The threshold that divides the values into two classes with the largest variance between them, as OpenCV finds it. */
static int otsu_threshold(const uint8_t *gray, size_t n) {
    const double scale = 1.0 / (double)n, smallest = (double)FLT_EPSILON;
    double mean = 0, lower_mean = 0, lower = 0, largest = 0;
    int64_t counts[256] = {0};
    int threshold = 0;
    for (size_t i = 0; i < n; i++)
        counts[gray[i]]++;
    for (int v = 0; v < 256; v++)
        mean += v * (double)counts[v];
    mean *= scale;
    for (int v = 0; v < 256; v++) {
        const double part = (double)counts[v] * scale, before = lower_mean * lower;
        lower += part;
        const double upper = 1 - lower;
        if (lower < smallest || upper < smallest || lower > 1 - smallest || upper > 1 - smallest) {
            lower_mean = before;
            continue;
        }
        lower_mean = (before + v * part) / lower;
        const double off = lower_mean - (mean - lower * lower_mean) / upper, between = lower * upper * off * off;
        if (between > largest) {
            largest = between;
            threshold = v;
        }
    }
    return threshold;
}

cs_status cs_otsu_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const size_t n = (size_t)image->h * (size_t)image->w;
    const bool wants_bright = (int)value[CS_REGION_SIDE] == CS_SIDE_BRIGHT;
    uint8_t *gray;
    CS_TRY(cs_gray_of(scratch, image, &gray));
    const int threshold = otsu_threshold(gray, n);
    for (size_t i = 0; i < n; i++)
        gray[i] = (gray[i] > threshold) == wants_bright;
    return cs_keep_region(value, scratch, gray, image);
}
