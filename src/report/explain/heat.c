/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a raw map. */
#include "cnnsweep/explain.h"
#include "cnnsweep/memory.h"
#include "resize_map.h"

#include <math.h>
#include <stdlib.h>

static void keep_positive(float *map, size_t count) {
    for (size_t p = 0; p < count; p++)
        map[p] = map[p] > 0 ? map[p] : 0;
}

cs_status cs_explain_heat(const float *map, cs_shape shape, int h, int w, float *heat) {
    const size_t places = (size_t)shape.h * (size_t)shape.w, channels = (size_t)shape.c;
    float *one = NULL;
    CS_TRY(cs_alloc(places, sizeof *one, "map", &one));
    for (size_t p = 0; p < places; p++) {
        one[p] = channels == 1 ? map[p] : 0;
        for (size_t c = 0; channels > 1 && c < channels; c++)
            one[p] = fmaxf(one[p], fabsf(map[p * channels + c]));
    }
    keep_positive(one, places);
    cs_map_scale(one, places, 1e-7);
    cs_map_resize(one, shape.h, shape.w, 1, h, w, heat);
    cs_map_scale(heat, (size_t)h * (size_t)w, 1e-7);
    free(one);
    return CS_OK;
}

typedef struct colour {
    double part[3]; /* red, green, blue, 0 to 1 */
} colour;

/* Three ramps, each from 0 to 1, level for a quarter, and back. */
static colour jet(double v) {
    colour out;
    for (int c = 0; c < 3; c++)
        out.part[c] = fmin(1, fmax(0, 1.5 - fabs(4 * v - 3 + c)));
    return out;
}

/* Matplotlib's viridis (S. van der Walt, N. Smith, E. Firing; CC0) at every 15th of its 256 steps. Colours between
 * them are interpolated, which changes none by more than 5 of 255. */
static colour viridis(double v) {
    static const uint8_t points[][3] = {{68, 1, 84},    {72, 23, 105},  {71, 42, 122},  {67, 61, 132},  {61, 78, 138},
                                        {53, 94, 141},  {46, 109, 142}, {41, 123, 142}, {35, 137, 142}, {31, 151, 139},
                                        {33, 165, 133}, {46, 179, 124}, {70, 192, 111}, {101, 203, 94}, {137, 213, 72},
                                        {176, 221, 47}, {216, 226, 25}, {253, 231, 37}};
    enum { LAST = sizeof points / sizeof *points - 1 };
    const double at = v * LAST;
    const int low = at >= LAST ? LAST - 1 : (int)at;
    colour out;
    for (int c = 0; c < 3; c++)
        out.part[c] = (points[low][c] + (at - low) * (points[low + 1][c] - points[low][c])) / 255;
    return out;
}

/* Heats have 256 steps, as in the colour maps of other programs. */
static colour colour_of(float heat, cs_colours colours) {
    const double step = floor(255 * fmin(1, fmax(0, (double)heat))) / 255;
    return colours == CS_COLOURS_JET ? jet(step) : viridis(step);
}

static uint8_t to_byte(double v) {
    return (uint8_t)(255 * fmin(1, fmax(0, v)) + 0.5);
}

void cs_heat_draw(const float *heat, cs_colours colours, cs_image *image) {
    for (size_t p = 0; p < (size_t)image->h * (size_t)image->w; p++) {
        const colour of = colour_of(heat[p], colours);
        for (size_t c = 0; c < 3; c++)
            image->pixels[3 * p + c] = to_byte(of.part[c]);
    }
}

static double blend(const float *heat, cs_colours colours, const uint8_t *picture, double share, size_t p, size_t c) {
    return (1 - share) * colour_of(heat[p], colours).part[c] + share * picture[3 * p + c] / 255;
}

void cs_heat_overlay(const float *heat, cs_colours colours, const uint8_t *picture, double share, cs_image *image) {
    const size_t places = (size_t)image->h * (size_t)image->w;
    double most = 0;
    for (size_t p = 0; p < places; p++)
        for (size_t c = 0; c < 3; c++)
            most = fmax(most, blend(heat, colours, picture, share, p, c));
    for (size_t p = 0; p < places; p++)
        for (size_t c = 0; c < 3; c++)
            image->pixels[3 * p + c] = to_byte(blend(heat, colours, picture, share, p, c) / fmax(most, 1e-7));
}

void cs_colour_map_draw(const float *map, bool bgr, cs_image *image) {
    const size_t count = (size_t)image->h * (size_t)image->w * 3;
    double mean = 0, square = 0;
    for (size_t i = 0; i < count; i++)
        mean += (double)map[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        square += ((double)map[i] - mean) * ((double)map[i] - mean) / (double)count;
    for (size_t i = 0; i < count; i++) {
        const size_t from = bgr ? i - i % 3 + 2 - i % 3 : i;
        image->pixels[i] = to_byte(0.1 * ((double)map[from] - mean) / (sqrt(square) + 1e-5) + 0.5);
    }
}
