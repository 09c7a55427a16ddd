/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/colormap.h"

#include <math.h>
#include <stddef.h>

enum { ANCHORS = 9, FULL = 255 };

/* Between its anchors, which are at equal distances, a map is linear in sRGB. The anchors of viridis are those of
 * matplotlib's map of that name (Smith and van der Walt, in the public domain by CC0). Those of the blues were computed
 * in OKLab (Ottosson, 2020): at t from 0 to 1, lightness is 0.985 - 0.665 t, chroma 0.135 sin(pi (0.02 + 0.74 t)) and
 * hue 235 + 25 t degrees. */
static const cs_rgb viridis[ANCHORS] = {{68, 1, 84},    {71, 45, 123}, {59, 82, 139},  {44, 114, 142}, {33, 145, 140},
                                        {40, 174, 128}, {94, 201, 98}, {173, 220, 48}, {253, 231, 37}};
static const cs_rgb blues[ANCHORS] = {{245, 251, 255}, {195, 228, 251}, {148, 203, 244},
                                      {107, 177, 233}, {72, 149, 217},  {46, 122, 195},
                                      {30, 96, 167},   {24, 71, 134},   {20, 49, 97}};

static uint8_t between(uint8_t a, uint8_t b, double part) {
    return (uint8_t)lrint(a + (b - a) * part);
}

static cs_rgb interpolate(const cs_rgb anchors[ANCHORS], double value) {
    const double place = value * (ANCHORS - 1);
    const int i = place >= ANCHORS - 1 ? ANCHORS - 2 : (int)place;
    const cs_rgb *a = &anchors[i], *b = a + 1;
    return (cs_rgb){between(a->r, b->r, place - i), between(a->g, b->g, place - i), between(a->b, b->b, place - i)};
}

static cs_rgb viridis_at(double value) {
    return interpolate(viridis, value);
}

static cs_rgb blues_at(double value) {
    return interpolate(blues, value);
}

/* A channel of the map "jet" of MATLAB is a trapezium: it rises in a quarter, stays for a quarter and falls in a
 * quarter. */
static uint8_t trapezium(double value, double middle) {
    const double slope = 4, top = 1.5;
    return (uint8_t)lrint(FULL * fmin(fmax(top - slope * fabs(value - middle), 0), 1));
}

static cs_rgb jet_at(double value) {
    const double red = 0.75, green = 0.5, blue = 0.25;
    return (cs_rgb){trapezium(value, red), trapezium(value, green), trapezium(value, blue)};
}

static cs_rgb (*const maps[CS_COLORMAP_COUNT])(double value) = {
    [CS_COLORMAP_VIRIDIS] = viridis_at,
    [CS_COLORMAP_BLUES] = blues_at,
    [CS_COLORMAP_JET] = jet_at,
};

cs_rgb cs_colormap_at(cs_colormap map, double value) {
    return maps[map](fmin(fmax(value, 0), 1)); /* fmax(NaN, 0) is 0 */
}

/* WCAG 2.1, relative luminance. */
static double linear(uint8_t channel) {
    const double value = channel / (double)FULL;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* The contrast of white is 1.05 / (luminance + 0.05) and that of black (luminance + 0.05) / 0.05; they are equal at
 * sqrt(1.05 * 0.05) - 0.05. */
bool cs_rgb_is_dark(cs_rgb colour) {
    const double equal = 0.1791;
    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b) < equal;
}
