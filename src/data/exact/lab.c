/* SPDX-License-Identifier: Apache-2.0 */
/* CIE L*a*b* in bytes, with the whole numbers of OpenCV's RGB2LAB and LAB2RGB for images of bytes. L is stretched to 0
 * to 255, and 128 is added to a and b. */
#include "exact.h"

#include <math.h>
#include <pthread.h>

enum {
    GAMMA_BITS = 3, /* linear values are in units of 1/8 level */
    LINEAR = 255 << GAMMA_BITS,
    ROOTS = (256 * 3 / 2) << GAMMA_BITS,
    MATRIX_BITS = 12,
    ROOT_BITS = MATRIX_BITS + GAMMA_BITS, /* f(X) is in units of 2^-15 */
    BASE_BITS = 14,                       /* in the inverse f(X) and X are in units of 2^-14 */
    BASE = 1 << BASE_BITS,
    INVERSE_GAMMA_BITS = 12,
    INVERSE_GAMMA = 1 << INVERSE_GAMMA_BITS,
    ROUNDED_DOWN = 49, /* this entry of `roots` is 9454.5004, which OpenCV rounds down, as it computes in floats */
};

/* Rows give X / Xn, Y / Yn and Z / Zn of linear R, G, B, in units of 2^-12; Xn, Yn, Zn is the white of D65. */
static const int to_xyz[3][3] = {{1777, 1541, 778}, {871, 2929, 296}, {73, 448, 3575}};
/* The inverse, in the same units. */
static const int to_rgb[3][3] = {{12615, -6296, -2223}, {-3773, 7684, 185}, {217, -836, 4715}};

static uint16_t linear[256];              /* of a byte of sRGB */
static uint16_t roots[ROOTS];             /* f of X / Xn in units of 1 / LINEAR */
static uint8_t gamma[INVERSE_GAMMA];      /* the byte of sRGB of a linear value */
static uint16_t light[256], heights[256]; /* Y / Yn and f(Y / Yn) of L */

/* f of CIE L*a*b*: the cube root, and a line for small x. */
static double f_of(double x) {
    const double limit = 216.0 / 24389, slope = 841.0 / 108, at_zero = 16.0 / 116;
    return x < limit ? slope * x + at_zero : cs_exact_root(x / 8, 3) * 2;
}

static double from_srgb(double v) {
    const double limit = 0.04045, slope = 12.92, offset = 0.055;
    if (v <= limit)
        return v / slope;
    double root = cs_exact_root((v + offset) / (1 + offset), 5), square = root * root, fourth = square * square;
    return fourth * fourth * fourth; /* to the power of 12 / 5 */
}

static double to_srgb(double v) {
    const double limit = 0.0031308, slope = 12.92, offset = 0.055;
    if (v <= limit)
        return v * slope;
    double root = cs_exact_root(v, 12), square = root * root;
    return square * square * root * (1 + offset) - offset; /* to the power of 5 / 12 */
}

static void make_tables(void) {
    for (int i = 0; i < 256; i++)
        linear[i] = (uint16_t)rint(from_srgb(i / 255.0) * LINEAR);
    for (int i = 0; i < ROOTS; i++)
        roots[i] = (uint16_t)rint(f_of((double)((float)i * (1.0F / LINEAR))) * (1 << ROOT_BITS));
    roots[ROUNDED_DOWN]--;
    for (int i = 0; i < INVERSE_GAMMA; i++)
        gamma[i] = (uint8_t)rint(to_srgb((double)i / INVERSE_GAMMA) * UINT8_MAX);
    for (int i = 0; i < 256; i++) {
        const double limit = 8, slope = 24389.0 / 27; /* L is a line below Y / Yn = 216 / 24389 */
        double l = i * 100 / 255.0, f = (l + 16) / 116;
        heights[i] = (uint16_t)rint(f * BASE);
        light[i] = (uint16_t)rint((l <= limit ? l / slope : f * f * f) * BASE);
    }
}

static void need_tables(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_tables);
}

static uint8_t clip(int value) {
    return (uint8_t)(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
}

/* Rounds value / 2^bits. */
static int descale(int value, int bits) {
    return (value + (1 << (bits - 1))) >> bits;
}

void cs_rgb_to_lab(uint8_t *pixels, size_t n) {
    const int scale = (116 * 255 + 50) / 100, shift = (16 * 255 * (1 << ROOT_BITS) + 50) / 100;
    const int middle = 128 << ROOT_BITS;
    need_tables();
    for (size_t i = 0; i < n; i++, pixels += 3) {
        const int r = linear[pixels[0]], g = linear[pixels[1]], b = linear[pixels[2]];
        int f[3];
        for (int k = 0; k < 3; k++)
            f[k] = roots[descale(r * to_xyz[k][0] + g * to_xyz[k][1] + b * to_xyz[k][2], MATRIX_BITS)];
        pixels[0] = clip(descale(scale * f[1] - shift, ROOT_BITS));
        pixels[1] = clip(descale(500 * (f[0] - f[1]) + middle, ROOT_BITS));
        pixels[2] = clip(descale(200 * (f[1] - f[2]) + middle, ROOT_BITS));
    }
}

/* The inverse of f, in units of 2^-14, with OpenCV's roundings. */
static int inverse_f(int f) {
    const int limit = 3390, at_zero = BASE * 16 / 116 * 108 / 841;
    return f <= limit ? f * 108 / 841 - at_zero : f * f / BASE * f / BASE;
}

void cs_lab_to_rgb(uint8_t *pixels, size_t n) {
    enum { BITS = MATRIX_BITS + BASE_BITS - INVERSE_GAMMA_BITS };
    need_tables();
    for (size_t i = 0; i < n; i++, pixels += 3) {
        /* (a - 128) / 500 and (b - 128) / 200 */
        const int a = ((5 * pixels[1] * 53687 + (1 << 7)) >> 13) - 128 * BASE / 500;
        const int b = ((pixels[2] * 41943 + (1 << 4)) >> 9) - 128 * BASE / 200 + 1;
        const int height = heights[pixels[0]];
        const int x = inverse_f(height + a), y = light[pixels[0]], z = inverse_f(height - b);
        for (int c = 0; c < 3; c++) {
            int value = descale(to_rgb[c][0] * x + to_rgb[c][1] * y + to_rgb[c][2] * z, BITS);
            pixels[c] = gamma[value < 0 ? 0 : value < INVERSE_GAMMA ? value : INVERSE_GAMMA - 1];
        }
    }
}
