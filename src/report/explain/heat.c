/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a raw map. */
#include "cnnsweep/explain.h"
#include "cnnsweep/memory.h"
#include "resize_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Heats have 256 steps, as in the colour maps of other programs. */
static cs_rgb colour_of(float heat, cs_colormap map) {
    return cs_colormap_at(map, floor(255 * fmin(1, fmax(0, (double)heat))) / 255);
}

static uint8_t to_byte(double v) {
    return (uint8_t)(255 * fmin(1, fmax(0, v)) + 0.5);
}

void cs_heat_draw(const float *heat, cs_colormap map, cs_image *image) {
    for (size_t p = 0; p < (size_t)image->h * (size_t)image->w; p++) {
        const cs_rgb colour = colour_of(heat[p], map);
        memcpy(&image->pixels[3 * p], (const uint8_t[]){colour.r, colour.g, colour.b}, 3);
    }
}

/* The three channels of a place, 0 to 1. */
static void blend(const float *heat, cs_colormap map, const uint8_t *picture, double share, size_t p, double out[3]) {
    const cs_rgb colour = colour_of(heat[p], map);
    const uint8_t channels[3] = {colour.r, colour.g, colour.b};
    for (size_t c = 0; c < 3; c++)
        out[c] = ((1 - share) * channels[c] + share * picture[3 * p + c]) / 255;
}

void cs_heat_overlay(const float *heat, cs_colormap map, const uint8_t *picture, double share, cs_image *image) {
    const size_t places = (size_t)image->h * (size_t)image->w;
    double most = 0, blended[3];
    for (size_t p = 0; p < places; p++) {
        blend(heat, map, picture, share, p, blended);
        most = fmax(most, fmax(blended[0], fmax(blended[1], blended[2])));
    }
    for (size_t p = 0; p < places; p++) {
        blend(heat, map, picture, share, p, blended);
        for (size_t c = 0; c < 3; c++)
            image->pixels[3 * p + c] = to_byte(blended[c] / fmax(most, 1e-7));
    }
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
