/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/colormap.h"

#include <math.h>
#include <stddef.h>

enum { ANCHORS = 9, DEGREE = 6, FULL = 255 };

/* Polynomials in the value for red, green and blue, fitted by least squares to matplotlib's map of that name (Smith and
 * van der Walt, in the public domain by CC0), from which they differ by at most 4 levels. */
static const double viridis[3][DEGREE + 1] = {{70, 24.7, -47, -1336.8, 1907.7, 917.1, -1286.2},
                                              {1.5, 354.6, 68.5, -1513.8, 3678.3, -3555.9, 1197.5},
                                              {85, 352, 37.2, -4982.4, 14582.6, -16788.8, 6747.1}};

/* Colours at equal distances, between which the map is linear in sRGB. They were computed in OKLab (Ottosson, 2020): at
 * t from 0 to 1, lightness is 0.985 - 0.665 t, chroma 0.135 sin(pi (0.02 + 0.74 t)) and hue 235 + 25 t degrees. */
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

static uint8_t polynomial(const double coefficients[DEGREE + 1], double value) {
    double sum = 0;
    for (int i = DEGREE; i >= 0; i--)
        sum = sum * value + coefficients[i];
    return (uint8_t)lrint(fmin(fmax(sum, 0), FULL));
}

static cs_rgb viridis_at(double value) {
    return (cs_rgb){polynomial(viridis[0], value), polynomial(viridis[1], value), polynomial(viridis[2], value)};
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
