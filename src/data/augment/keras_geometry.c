/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of Keras 3 that move pixels. Each samples the image anew with TensorFlow's arithmetic, of floats, and rounds
 * to bytes. */
#include "keras.h"

#include <math.h>

static const char *const interpolations[] = {"bilinear", "nearest", NULL};
static const char *const fill_modes[] = {"reflect", "wrap", "constant", "nearest", NULL};
static const cs_fill fills[] = {CS_FILL_REFLECT, CS_FILL_WRAP, CS_FILL_CONSTANT, CS_FILL_NEAREST};
static const char *const flip_modes[] = {"horizontal_and_vertical", "horizontal", "vertical", NULL};

/* The numbers of these parameters, one after another in most rules. */
enum { FILL_MODE, INTERPOLATION, FILL_VALUE };

cs_warp *cs_keras_add_warp(cs_picture *picture, const float map[6], cs_fill fill, bool nearest, float value) {
    cs_warp *warp = &cs_picture_add(picture, CS_PASS_WARP)->warp;
    *warp = (cs_warp){.map = {{0}, {0}, {0, 0, 1}},
                      .sampling = CS_SAMPLING_TENSORFLOW,
                      .fill = fill,
                      .fill_value = {value, value, value},
                      .nearest = nearest};
    for (int i = 0; i < 6; i++)
        warp->map[i / 3][i % 3] = (double)map[i];
    return warp;
}

static void add_filled_warp(cs_picture *picture, const float map[6], const float *filling) {
    cs_keras_add_warp(picture, map, fills[(int)filling[FILL_MODE]], filling[INTERPOLATION] != 0, filling[FILL_VALUE]);
}

/* The numbers of random_flip. */
enum { FLIP_MODE, FLIP_LITERAL };

/* Both directions are decided each for itself; literally, together. */
static bool flips_each(const float *number) {
    return number[FLIP_MODE] == 0 && number[FLIP_LITERAL] == 0;
}

static int flip_variants(const float *number) {
    return flips_each(number) ? 4 : 2;
}

static void flip_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_rng_below(rng, (uint32_t)flip_variants(number));
}

static void flip_compose(const float *number, const double *drawn, cs_picture *picture) {
    const int flip = (int)drawn[0], mode = (int)number[FLIP_MODE];
    if (flips_each(number))
        cs_picture_mirror(picture, flip & 1, flip & 2);
    else if (flip)
        cs_picture_mirror(picture, mode != 2, mode != 1);
}

/* The numbers of random_rotation. */
enum { ROTATION_FACTOR, ROTATION_FILLING = 2 };

static void rotation_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_keras_uniform(rng, (double)number[0] * 360, (double)number[1] * 360);
}

/* Keras computes the map in floats. */
static void rotation_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const float angle = (float)drawn[0] * (float)(3.14159265358979323846 / 180);
    const float across = 0.5f * (float)(w - 1), down = 0.5f * (float)(h - 1);
    const float cosine = cosf(angle), sine = sinf(angle);
    const float map[6] = {cosine, -sine,  across - across * cosine - down * -sine,
                          sine,   cosine, down - across * sine - down * cosine};
    add_filled_warp(picture, map, number + ROTATION_FILLING);
}

/* The numbers of random_zoom. */
enum { ZOOM_HEIGHT, ZOOM_WIDTH = 2, ZOOM_FILLING = 5 };

/* Without a factor for the width it has the height's. */
static void zoom_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    double range[2];
    (void)h, (void)w;
    drawn[0] = cs_keras_uniform(rng, 1 + (double)number[ZOOM_HEIGHT], 1 + (double)number[ZOOM_HEIGHT + 1]);
    cs_keras_range(number + ZOOM_WIDTH, -1, range);
    drawn[1] = number[ZOOM_WIDTH] > 0 ? cs_keras_uniform(rng, 1 + range[0], 1 + range[1]) : drawn[0];
}

static void zoom_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const float down = (float)drawn[0], across = (float)drawn[1];
    const float map[6] = {across, 0, (float)(w - 1) / 2 * (1 - across), 0, down, (float)(h - 1) / 2 * (1 - down)};
    add_filled_warp(picture, map, number + ZOOM_FILLING);
}

/* The numbers of random_translation. */
enum { TRANSLATION_HEIGHT, TRANSLATION_WIDTH = 2, TRANSLATION_FILLING = 4 };

static void translation_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const float *height = number + TRANSLATION_HEIGHT, *width = number + TRANSLATION_WIDTH;
    (void)h, (void)w;
    drawn[0] = cs_keras_uniform(rng, (double)height[0], (double)height[1]);
    drawn[1] = cs_keras_uniform(rng, (double)width[0], (double)width[1]);
}

static void translation_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const float down = (float)drawn[0] * (float)h, right = (float)drawn[1] * (float)w;
    const float map[6] = {1, 0, -right, 0, 1, -down};
    add_filled_warp(picture, map, number + TRANSLATION_FILLING);
}

/* The numbers of random_shear. */
enum { SHEAR_X, SHEAR_Y = 3, SHEAR_INTERPOLATION = 6, SHEAR_FILL_MODE, SHEAR_FILL_VALUE, SHEAR_LITERAL };

/* Both have the same random sign. */
static void shear_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const float least = number[SHEAR_LITERAL] != 0 ? -1 : 0;
    const int sign = cs_rng_below(rng, 2) == 0 ? 1 : -1;
    (void)h, (void)w;
    drawn[0] = sign * cs_keras_draw(rng, number + SHEAR_X, least);
    drawn[1] = sign * cs_keras_draw(rng, number + SHEAR_Y, least);
}

static void shear_compose(const float *number, const double *drawn, cs_picture *picture) {
    const float map[6] = {1, (float)drawn[0], 0, (float)drawn[1], 1, 0};
    cs_keras_add_warp(picture, map, fills[(int)number[SHEAR_FILL_MODE]], number[SHEAR_INTERPOLATION] != 0,
                      number[SHEAR_FILL_VALUE]);
}

/* The numbers of random_perspective. */
enum {
    PERSPECTIVE_FACTOR,
    PERSPECTIVE_SCALE = 3,
    PERSPECTIVE_INTERPOLATION,
    PERSPECTIVE_FILL_VALUE,
    PERSPECTIVE_LITERAL
};

/* Keras moves a coordinate of a corner by a part of itself, so that those at 0 stay. */
static void perspective_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const double most = 0.5 * (double)number[PERSPECTIVE_SCALE];
    (void)h, (void)w;
    drawn[0] = cs_keras_is_applied(rng, number + PERSPECTIVE_FACTOR, number[PERSPECTIVE_LITERAL] != 0);
    for (int i = 1; i < 5; i++)
        drawn[i] = cs_keras_uniform(rng, -most, most);
}

static void perspective_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double right = w - 1, bottom = h - 1;
    const double own[4][2] = {{0, 0}, {right, 0}, {0, bottom}, {right, bottom}};
    const double moved[4][2] = {{0, 0},
                                {right + right * drawn[1], 0},
                                {0, bottom + bottom * drawn[2]},
                                {right + right * drawn[3], bottom + bottom * drawn[4]}};
    double map[8];
    float affine[6];
    if (drawn[0] == 0)
        return;
    cs_homography(moved, own, map);
    for (int i = 0; i < 6; i++)
        affine[i] = (float)map[i];
    cs_warp *warp = cs_keras_add_warp(picture, affine, CS_FILL_CONSTANT, number[PERSPECTIVE_INTERPOLATION] != 0,
                                      number[PERSPECTIVE_FILL_VALUE]);
    warp->map[2][0] = map[6];
    warp->map[2][1] = map[7];
}

#define FILL_PARAMETERS                                                                                                \
    {"fill_mode", CS_AUGMENT_CHOICE, .choices = fill_modes},                                                           \
        {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations}, {                                             \
        "fill_value", CS_AUGMENT_NUMBER, .max = 255                                                                    \
    }

const cs_augment_rule cs_keras_geometry_rules[] = {
    {.name = "keras.random_flip",
     .doc = "mirrors the image in each direction with probability 1/2; literally, in both at once or not at all",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"mode", CS_AUGMENT_CHOICE, .choices = flip_modes},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"flip"},
     .variants = flip_variants,
     .draw = flip_draw,
     .compose = flip_compose},
    {.name = "keras.random_rotation",
     .doc = "turns the image by such a part of a whole turn, counter-clockwise",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1}, FILL_PARAMETERS},
     .drawn = {"degrees"},
     .draw = rotation_draw,
     .compose = rotation_compose},
    {.name = "keras.random_zoom",
     .doc = "makes the image smaller by such a part, or larger where it is negative; without width_factor, in both "
            "directions alike",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"height_factor", CS_AUGMENT_SYMMETRIC, .min = -0.999f, .max = 1},
                    {"width_factor", CS_AUGMENT_BOUNDS, .min = -0.999f, .max = 1},
                    FILL_PARAMETERS},
     .drawn = {"height_zoom", "width_zoom"},
     .draw = zoom_draw,
     .compose = zoom_compose},
    {.name = "keras.random_translation",
     .doc = "shifts the image down and to the right by such parts of its height and width",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"height_factor", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1},
                    {"width_factor", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1},
                    FILL_PARAMETERS},
     .drawn = {"down", "right"},
     .draw = translation_draw,
     .compose = translation_compose},
    {.name = "keras.random_shear",
     .doc = "shears the image from its upper left corner, both ways with one random sign; one number v is [0, v], "
            "literally [-v, v]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"x_factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"y_factor", CS_AUGMENT_BOUNDS, .max = 1},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},
                    {"fill_mode", CS_AUGMENT_CHOICE, .choices = fill_modes},
                    {"fill_value", CS_AUGMENT_NUMBER, .max = 255},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"x", "y"},
     .draw = shear_draw,
     .compose = shear_compose},
    {.name = "keras.random_perspective",
     .doc = "with probability factor, moves the corners' coordinates by up to scale / 2 of themselves; literally, the "
            "probability is drawn from [0, factor]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 1}},
                    {"scale", CS_AUGMENT_NUMBER, .max = 1, .fallback = {1}},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},
                    {"fill_value", CS_AUGMENT_NUMBER, .max = 255},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"applied", "top_right_x", "bottom_left_y", "bottom_right_x", "bottom_right_y"},
     .draw = perspective_draw,
     .compose = perspective_compose},
    {0},
};
