/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of torchvision that move pixels, as they act on Pillow images. Each samples the image anew and rounds to
 * bytes, as Pillow does. */
#include "torch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double radian = 3.14159265358979323846 / 180;
static const char *const interpolations[] = {"nearest", "bilinear", NULL};
static const char *const bilinear_first[] = {"bilinear", "nearest", NULL};

static void horizontal_flip_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_picture_mirror(picture, true, false);
}

static void vertical_flip_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_picture_mirror(picture, false, true);
}

/* Adds a warp by Pillow's affine map, (a, b, c, d, e, f) in its documentation. */
static void add_affine(cs_picture *picture, const double map[6], bool nearest, float fill) {
    cs_warp *warp = &cs_picture_add(picture, CS_PASS_WARP)->warp;
    const bool scales_only = map[1] == 0 && map[3] == 0; /* Pillow then does not round the numbers */
    *warp = (cs_warp){.map = {{map[0], map[1], map[2]}, {map[3], map[4], map[5]}, {0, 0, 1}},
                      .sampling = nearest && !scales_only ? CS_SAMPLING_PILLOW_FIXED : CS_SAMPLING_PILLOW,
                      .fill = CS_FILL_CONSTANT,
                      .fill_value = {fill, fill, fill},
                      .nearest = nearest};
}

/* Rounds to 15 decimal digits, as Image.rotate does. */
static double round_15(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.15f", value);
    return strtod(text, NULL);
}

void cs_torch_rotate(cs_picture *picture, double degrees, bool nearest, float fill) {
    const double angle = -fmod(degrees + 360, 360) * radian;
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double centre[2] = {w / 2.0, h / 2.0};
    double map[6] = {round_15(cos(angle)), round_15(sin(angle)), 0, round_15(-sin(angle)), round_15(cos(angle)), 0};
    for (int row = 0; row < 6; row += 3)
        map[row + 2] = map[row] * -centre[0] + map[row + 1] * -centre[1] + centre[row / 3];
    add_affine(picture, map, nearest, fill);
}

static void rotation_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_torch_rotate(picture, drawn[0], number[2] == 0, number[3]);
}

/* The numbers of random_affine. */
enum { DEGREES = 0, TRANSLATE = 2, SCALE = 4, SHEAR_X = 6, SHEAR_Y = 8, AFFINE_INTERPOLATION = 10, AFFINE_FILL };

static void affine_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number + DEGREES, rng, h, w, &drawn[0]);
    drawn[1] = round(cs_uniform(rng, -1, 1) * (double)number[TRANSLATE] * w);
    drawn[2] = round(cs_uniform(rng, -1, 1) * (double)number[TRANSLATE + 1] * h);
    cs_range_draw(number + SCALE, rng, h, w, &drawn[3]);
    cs_range_draw(number + SHEAR_X, rng, h, w, &drawn[4]);
    cs_range_draw(number + SHEAR_Y, rng, h, w, &drawn[5]);
}

/* The inverse of: shear, rotation, scale about the centre, then translation. */
void cs_torch_affine(cs_picture *picture, const cs_torch_move *move, const double centre[2], bool nearest, float fill) {
    const double angle = move->degrees * radian, scale = move->scale;
    const double x = move->shear_x * radian, y = move->shear_y * radian;
    const double a = cos(angle - y) / cos(y), b = -cos(angle - y) * tan(x) / cos(y) - sin(angle);
    const double c = sin(angle - y) / cos(y), d = -sin(angle - y) * tan(x) / cos(y) + cos(angle);
    double map[6] = {d / scale, -b / scale, 0, -c / scale, a / scale, 0};
    for (int row = 0; row < 6; row += 3)
        map[row + 2] = map[row] * (-centre[0] - move->x) + map[row + 1] * (-centre[1] - move->y) + centre[row / 3];
    add_affine(picture, map, nearest, fill);
}

static void affine_compose(const float *number, const double *drawn, cs_picture *picture) {
    const cs_torch_move move = {drawn[0], drawn[1], drawn[2], drawn[3], drawn[4], drawn[5]};
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double centre[2] = {w * 0.5, h * 0.5};
    cs_torch_affine(picture, &move, centre, number[AFFINE_INTERPOLATION] == 0, number[AFFINE_FILL]);
}

/* Draws x and y of the four corners: whole pixels from the image's own corners, at most so many inwards. */
static void perspective_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int half[2] = {w / 2, h / 2};
    const int most[2] = {(int)((double)number[0] * half[0]), (int)((double)number[0] * half[1])};
    const int last[2] = {w - 1, h - 1};
    static const bool far[4][2] = {{false, false}, {true, false}, {true, true}, {false, true}};
    for (int corner = 0; corner < 4; corner++)
        for (int k = 0; k < 2; k++) {
            const int inwards = (int)cs_rng_below(rng, (uint32_t)most[k] + 1);
            drawn[2 * corner + k] = far[corner][k] ? last[k] - inwards : inwards;
        }
}

/* The corners of the image appear at those that were drawn. torchvision keeps the coefficients as floats. */
static void perspective_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double right = w - 1, bottom = h - 1;
    const double own[4][2] = {{0, 0}, {right, 0}, {right, bottom}, {0, bottom}};
    double moved[4][2], map[8];
    for (int i = 0; i < 8; i++)
        moved[i / 2][i % 2] = drawn[i];
    cs_homography(moved, own, map);
    for (int i = 0; i < 8; i++)
        map[i] = (double)(float)map[i];
    add_affine(picture, map, number[1] != 0, number[2]);
    cs_warp *warp = &picture->passes[picture->n - 1].warp;
    warp->map[2][0] = map[6];
    warp->map[2][1] = map[7];
    warp->sampling = CS_SAMPLING_PILLOW;
}

const cs_augment_rule cs_torch_geometry_rules[] = {
    {.name = "random_horizontal_flip",
     .doc = "mirrors the image left to right",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = horizontal_flip_compose},
    {.name = "random_vertical_flip",
     .doc = "mirrors the image top to bottom",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = vertical_flip_compose},
    {.name = "random_rotation",
     .doc = "turns the image by so many degrees counter-clockwise",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"degrees", CS_AUGMENT_SYMMETRIC, .min = -360, .max = 360},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},
                    {"fill", CS_AUGMENT_NUMBER, .max = 255}},
     .drawn = {"degrees"},
     .draw = cs_range_draw,
     .compose = rotation_compose},
    {.name = "random_affine",
     .doc = "turns, shifts (by fractions of width and height), scales and shears the image about its middle",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"degrees", CS_AUGMENT_SYMMETRIC, .min = -360, .max = 360},
                    {"translate", CS_AUGMENT_PAIR, .max = 1},
                    {"scale", CS_AUGMENT_RANGE, .min = 0.001f, .max = 1000, .fallback = {1, 1}},
                    {"shear", CS_AUGMENT_SYMMETRIC, .min = -89, .max = 89},
                    {"shear_y", CS_AUGMENT_SYMMETRIC, .min = -89, .max = 89},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},
                    {"fill", CS_AUGMENT_NUMBER, .max = 255}},
     .drawn = {"degrees", "translate_x", "translate_y", "scale", "shear_x", "shear_y"},
     .draw = affine_draw,
     .compose = affine_compose},
    {.name = "random_perspective",
     .doc = "moves the corners inwards by up to this part of half the sides",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"distortion_scale", CS_AUGMENT_NUMBER, .max = 1, .fallback = {0.5f}},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = bilinear_first},
                    {"fill", CS_AUGMENT_NUMBER, .max = 255}},
     .p = 0.5f,
     .drawn = {"top_left_x", "top_left_y", "top_right_x", "top_right_y", "bottom_right_x", "bottom_right_y",
               "bottom_left_x", "bottom_left_y"},
     .draw = perspective_draw,
     .compose = perspective_compose},
    {0},
};
