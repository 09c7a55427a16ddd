/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of Keras 3 that change colours. The values of a layer are floats, and are rounded to bytes after it. */
#include "keras.h"
#include "sample.h"

#include <math.h>

/* A table of what becomes of each byte. */
static void add_levels(cs_picture *picture, float (*change)(float value, const double *by), const double *by) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = cs_keras_byte(change((float)v, by));
    cs_picture_recolour(picture, table);
}

static cs_jitter *add_jitter(cs_picture *picture) {
    cs_jitter *jitter = &cs_picture_add(picture, CS_PASS_JITTER)->jitter;
    *jitter = (cs_jitter){.contrast = 1, .saturation = 1};
    return jitter;
}

static void brightness_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_keras_uniform(rng, (double)number[0], (double)number[1]);
}

static float brightened(float value, const double *by) {
    return value + (float)by[0] * 255;
}

static void brightness_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_levels(picture, brightened, drawn);
}

/* Rules of a factor that may be one number have it first, and then whether it is taken literally. */
enum { FACTOR, LITERAL = 3 };

/* Of one number v: from 1-v to 1+v; Keras' code takes 1 to 1+v. */
static double draw_contrast(cs_rng *rng, const float *factor, bool is_literal) {
    const double upper = (double)factor[factor[0] < 2 ? 1 : 2],
                 lower = factor[0] < 2 && is_literal ? 0 : (double)factor[1];
    return cs_keras_uniform(rng, 1 - lower, 1 + upper);
}

static void contrast_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = draw_contrast(rng, number + FACTOR, number[LITERAL] != 0);
}

static void contrast_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_jitter(picture)->contrast = (float)drawn[0];
}

/* Of one number v: from 0 to v; Keras' code takes -v to v. */
static void literal_side_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_keras_draw(rng, number + FACTOR, number[LITERAL] != 0 ? -1 : 0);
}

/* 0 gives grey, 0.5 changes nothing, 1 the most. Keras' code lets the saturation, which is at most 1, grow to 255. */
static void set_saturation(cs_jitter *jitter, double factor, bool is_literal) {
    jitter->saturation = (float)factor / (1 - (float)factor + 1e-7f);
    jitter->most = is_literal ? 255 : 1;
}

static void saturation_compose(const float *number, const double *drawn, cs_picture *picture) {
    set_saturation(add_jitter(picture), drawn[0], number[LITERAL] != 0);
}

/* To either side. */
static double draw_hue(cs_rng *rng, const float *factor) {
    const int sign = cs_rng_below(rng, 2) == 0 ? 1 : -1;
    return sign * cs_keras_draw(rng, factor, 0);
}

static void hue_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = draw_hue(rng, number + FACTOR);
}

static void hue_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_jitter(picture)->hue = (float)drawn[0] * 0.5f;
}

/* The numbers of random_color_jitter. */
enum { BRIGHTNESS, CONTRAST = 2, SATURATION = 5, HUE = 8, JITTER_LITERAL = 11 };

static void jitter_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const bool is_literal = number[JITTER_LITERAL] != 0;
    brightness_draw(number + BRIGHTNESS, rng, h, w, &drawn[0]);
    drawn[1] = draw_contrast(rng, number + CONTRAST, is_literal);
    drawn[2] = number[SATURATION] > 0 ? cs_keras_draw(rng, number + SATURATION, is_literal ? -1 : 0) : 0.5;
    drawn[3] = draw_hue(rng, number + HUE);
}

static void jitter_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_jitter *jitter = add_jitter(picture);
    jitter->brightness = (float)drawn[0] * 255;
    jitter->contrast = (float)drawn[1];
    if (number[SATURATION] > 0)
        set_saturation(jitter, drawn[2], number[JITTER_LITERAL] != 0);
    jitter->hue = (float)drawn[3] * 0.5f;
}

static void degeneration_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    cs_picture_add(picture, CS_PASS_DEGENERATION)->factor = (float)drawn[0];
}

static void one_side_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_keras_draw(rng, number + FACTOR, 0);
}

/* 0 gives the smoothed image, 0.5 changes nothing, 1 the sharpest. */
static void sharpness_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    cs_picture_add(picture, CS_PASS_SHARPNESS_KERAS)->factor = 2 * (float)drawn[0];
}

static int decision_variants(const float *number) {
    (void)number;
    return 2;
}

static void grayscale_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_rng_float(rng) < number[0];
}

static void grayscale_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    if (drawn[0] != 0)
        cs_picture_add(picture, CS_PASS_DEGENERATION)->factor = 1;
}

static void invert_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_keras_is_applied(rng, number + FACTOR, number[LITERAL] != 0);
}

static float inverted(float value, const double *by) {
    (void)by;
    return 255 - value;
}

static void invert_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    if (drawn[0] != 0)
        add_levels(picture, inverted, drawn);
}

/* So many bits; Keras' code draws a whole number from 1 to one less. */
static void posterization_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int bits = (int)number[0];
    (void)h, (void)w;
    drawn[0] = number[1] != 0 && bits > 1 ? 1 + cs_rng_below(rng, (uint32_t)bits - 1) : (uint32_t)bits;
}

static float posterized(float value, const double *by) {
    return (float)((int)value & (0xff << (8 - (int)by[0])));
}

static void posterization_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_levels(picture, posterized, drawn);
}

/* The numbers of solarization. */
enum { ADDITION, THRESHOLD = 3, SOLARIZATION_LITERAL = 6 };

/* Keras' code multiplies only the upper bound of a range by 255. */
static double draw_of_255(cs_rng *rng, const float *factor, bool is_literal) {
    double range[2];
    cs_keras_range(factor, 0, range);
    return cs_keras_uniform(rng, is_literal ? range[0] : range[0] * 255, range[1] * 255);
}

static void solarization_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = draw_of_255(rng, number + ADDITION, number[SOLARIZATION_LITERAL] != 0);
    drawn[1] = draw_of_255(rng, number + THRESHOLD, number[SOLARIZATION_LITERAL] != 0);
}

static float solarized(float value, const double *by) {
    const float sum = fminf(value + (float)by[0], 255);
    return sum < (float)by[1] ? sum : 255 - sum;
}

static void solarization_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_levels(picture, solarized, drawn);
}

static void auto_contrast_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_picture_add(picture, CS_PASS_CURVE)->curve = (cs_curve){.kind = CS_CURVE_AUTOCONTRAST_KERAS};
}

static void equalization_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    cs_picture_add(picture, CS_PASS_CURVE)->curve = (cs_curve){.kind = CS_CURVE_EQUALIZE_KERAS, .bins = (int)number[0]};
}

const cs_augment_rule cs_keras_colour_rules[] = {
    {.name = "keras.random_brightness",
     .doc = "adds such a part of 255 to all values",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1}},
     .drawn = {"brightness"},
     .draw = brightness_draw,
     .compose = brightness_compose},
    {.name = "keras.random_contrast",
     .doc = "multiplies the distance to each channel's mean; one number v is a factor of [1-v, 1+v], literally [1, "
            "1+v], and "
            "[a, b] one of [1-a, 1+b]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"contrast"},
     .draw = contrast_draw,
     .compose = contrast_compose},
    {.name = "keras.random_saturation",
     .doc = "changes the saturation: 0 to grey, 0.5 not, 1 to the most; one number v is [0, v], literally [-v, v], and "
            "then "
            "the saturation may grow beyond the most",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"saturation"},
     .draw = literal_side_draw,
     .compose = saturation_compose},
    {.name = "keras.random_hue",
     .doc = "turns the hue to either side by such a part of half a turn; one number v is [0, v]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1}},
     .drawn = {"hue"},
     .draw = hue_draw,
     .compose = hue_compose},
    {.name = "keras.random_color_jitter",
     .doc = "random_brightness, random_contrast, random_saturation and random_hue without rounding between them",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"brightness_factor", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1},
                    {"contrast_factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"saturation_factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"hue_factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"brightness", "contrast", "saturation", "hue"},
     .draw = jitter_draw,
     .compose = jitter_compose},
    {.name = "keras.random_color_degeneration",
     .doc = "blends with the grey image: 1 gives that; one number v is [0, v], literally [-v, v]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"degeneration"},
     .draw = literal_side_draw,
     .compose = degeneration_compose},
    {.name = "keras.random_sharpness",
     .doc = "smooths the image (0) or sharpens it (1), 0.5 changes nothing; one number v is [0, v]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1}},
     .drawn = {"sharpness"},
     .draw = one_side_draw,
     .compose = sharpness_compose},
    {.name = "keras.random_grayscale",
     .doc = "makes the image grey, with probability factor",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_NUMBER, .max = 1, .fallback = {0.5f}}},
     .drawn = {"applied"},
     .variants = decision_variants,
     .draw = grayscale_draw,
     .compose = grayscale_compose},
    {.name = "keras.random_invert",
     .doc = "inverts all values with probability factor; literally, the probability is drawn from [0, factor]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 1}},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"applied"},
     .variants = decision_variants,
     .draw = invert_draw,
     .compose = invert_compose},
    {.name = "keras.random_posterization",
     .doc = "keeps so many of the highest bits of each value; literally, a random number of them, from 1 to factor - 1",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_WHOLE, .min = 1, .max = 8, .fallback = {8}},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"bits"},
     .draw = posterization_draw,
     .compose = posterization_compose},
    {.name = "keras.solarization",
     .doc =
         "adds a part of 255 to all values and inverts those from a threshold on, another part of 255; one number v is "
         "[0, v]; literally, the lower bound of a range is not multiplied by 255",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"addition_factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 0}},
                    {"threshold_factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 0}},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"addition", "threshold"},
     .draw = solarization_draw,
     .compose = solarization_compose},
    {.name = "keras.auto_contrast",
     .doc = "stretches each channel to 0..255",
     .family = CS_FAMILY_KERAS,
     .variants = cs_one_variant,
     .compose = auto_contrast_compose},
    {.name = "keras.equalization",
     .doc = "equalizes the histogram of each channel of each image; Keras takes that of the whole batch",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"bins", CS_AUGMENT_WHOLE, .min = 2, .max = 65536, .fallback = {256}}},
     .variants = cs_one_variant,
     .compose = equalization_compose},
    {0},
};
