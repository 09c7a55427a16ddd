/* SPDX-License-Identifier: Apache-2.0 */
/* Colours of numbers. The next colour map is a value here and a row of the table in src/report/draw/colormap.c. */
#ifndef CNNSWEEP_COLORMAP_H
#define CNNSWEEP_COLORMAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cs_rgb {
    uint8_t r, g, b; /* sRGB */
} cs_rgb;

typedef enum cs_colormap {
    CS_COLORMAP_VIRIDIS, /* dark violet, green, yellow: lightness rises, also for the colour-blind and in grey */
    CS_COLORMAP_BLUES,   /* almost white to dark blue: lightness falls. For counts, whose 0 is the paper's colour */
    CS_COLORMAP_JET,     /* blue, cyan, yellow, red: what overlays of explanations are customarily drawn in */
    CS_COLORMAP_COUNT
} cs_colormap;

/* The colour of a value from 0 to 1. Values outside have the colour of the nearer end, NaN that of 0. */
cs_rgb cs_colormap_at(cs_colormap map, double value);
/* Whether text on this colour is read better in white than in black, by the contrast ratio of WCAG 2. */
bool cs_rgb_is_dark(cs_rgb colour);

#endif
