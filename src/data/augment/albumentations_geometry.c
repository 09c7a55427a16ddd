/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of albumentations 2 that move pixels. */
#include "rules.h"

#include <math.h>

/* The symmetries of a square. A quarter of a turn is made of a transposition and a mirror. */
typedef struct symmetry {
    bool transposes;         /* first the image is mirrored at its main diagonal */
    bool mirror_x, mirror_y; /* then left to right, top to bottom */
} symmetry;

/* In the order of albumentations' d4_group_elements: the image; turned by 90, 180 and 270 degrees counter-clockwise;
 * mirrored top to bottom, at the second diagonal, left to right, and at the main diagonal. */
enum { SYMMETRIES = 8, TURNS = 4, TRANSPOSED = 7 };
static const symmetry symmetries[SYMMETRIES] = {{false, false, false}, {true, false, true},  {false, true, true},
                                                {true, true, false},   {false, false, true}, {true, true, true},
                                                {false, true, false},  {true, false, false}};

static void add_symmetry(cs_picture *picture, int which) {
    const symmetry *s = &symmetries[which];
    if (s->transposes)
        cs_picture_add(picture, CS_PASS_WARP)->warp =
            (cs_warp){.map = {{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}, .fill = CS_FILL_NEAREST, .nearest = true};
    if (s->mirror_x || s->mirror_y)
        cs_picture_mirror(picture, s->mirror_x, s->mirror_y);
}

static int turn_variants(const float *number) {
    (void)number;
    return TURNS;
}

static void turn_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)number, (void)h, (void)w;
    drawn[0] = cs_rng_below(rng, TURNS);
}

static int square_variants(const float *number) {
    (void)number;
    return SYMMETRIES;
}

static void square_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)number, (void)h, (void)w;
    drawn[0] = cs_rng_below(rng, SYMMETRIES);
}

static void square_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    add_symmetry(picture, (int)drawn[0]);
}

static void transpose_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    add_symmetry(picture, TRANSPOSED);
}

static const char *const interpolations[] = {"bilinear", "nearest", NULL};
static const char *const border_modes[] = {"constant", "replicate", "reflect", "reflect_101", NULL};
static const cs_fill fills[] = {CS_FILL_CONSTANT, CS_FILL_NEAREST, CS_FILL_REFLECT, CS_FILL_MIRROR};

/* The numbers of affine; the last ones are also the last ones of shift_scale_rotate. */
enum { SCALE = 0, TRANSLATE = 2, ROTATE = 4, SHEAR = 6, KEEP_RATIO = 8, BALANCED_SCALE, AFFINE_FILLING };
enum { INTERPOLATION, BORDER_MODE, FILL };
/* What both draw: factors, whole pixels, degrees. */
enum { SCALE_X, SCALE_Y, TRANSLATE_X, TRANSLATE_Y, DEGREES, SHEAR_X, SHEAR_Y };

/* With equal probability less or more than 1, where both can be. */
static double draw_balanced(const float *range, cs_rng *rng) {
    const bool has_less = range[0]<1, has_more = range[1]> 1;
    const bool is_less = has_less && (!has_more || cs_rng_below(rng, 2) == 0);
    if (!has_less && !has_more)
        return 1;
    return is_less ? cs_uniform(rng, (double)range[0], 1) : cs_uniform(rng, 1, (double)range[1]);
}

static void affine_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int side[2] = {w, h};
    for (int k = 0; k < 2; k++) {
        if (number[BALANCED_SCALE] != 0)
            drawn[SCALE_X + k] = draw_balanced(number + SCALE, rng);
        else
            cs_range_draw(number + SCALE, rng, h, w, &drawn[SCALE_X + k]);
        cs_range_draw(number + TRANSLATE, rng, h, w, &drawn[TRANSLATE_X + k]);
        drawn[TRANSLATE_X + k] = trunc(drawn[TRANSLATE_X + k] * side[k]);
        cs_range_draw(number + SHEAR, rng, h, w, &drawn[SHEAR_X + k]);
    }
    cs_range_draw(number + ROTATE, rng, h, w, &drawn[DEGREES]);
    if (number[KEEP_RATIO] != 0)
        drawn[SCALE_Y] = drawn[SCALE_X];
}

static void set_filling(cs_warp *warp, const float *filling) {
    warp->fill = fills[(int)filling[BORDER_MODE]];
    warp->nearest = filling[INTERPOLATION] != 0;
    for (int c = 0; c < 3; c++)
        warp->fill_value[c] = filling[FILL + 1 + c];
}

/* Adds the inverse of: scale and rotation counter-clockwise about the centre, shear, then translation. */
static void add_affine(cs_picture *picture, const double *drawn, const float *filling) {
    const double radian = 3.14159265358979323846 / 180;
    const double cosine = cos(drawn[DEGREES] * radian), sine = sin(drawn[DEGREES] * radian);
    const double across = tan(-drawn[SHEAR_X] * radian), down = tan(-drawn[SHEAR_Y] * radian);
    const double a = (cosine - across * sine) * drawn[SCALE_X], b = (sine + across * cosine) * drawn[SCALE_Y];
    const double c = (down * cosine - sine) * drawn[SCALE_X], d = (down * sine + cosine) * drawn[SCALE_Y];
    const double determinant = a * d - b * c, inverse = determinant != 0 ? 1 / determinant : 0;
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double centre[2] = {w / 2.0 - 0.5, h / 2.0 - 0.5};
    cs_warp *warp = &cs_picture_add(picture, CS_PASS_WARP)->warp;
    *warp = (cs_warp){.map = {{d * inverse, -b * inverse, 0}, {-c * inverse, a * inverse, 0}, {0, 0, 1}},
                      .sampling = CS_SAMPLING_OPENCV};
    set_filling(warp, filling);
    for (int row = 0; row < 2; row++)
        warp->map[row][2] = centre[row] - warp->map[row][0] * (centre[0] + drawn[TRANSLATE_X]) -
                            warp->map[row][1] * (centre[1] + drawn[TRANSLATE_Y]);
}

static void affine_compose(const float *number, const double *drawn, cs_picture *picture) {
    add_affine(picture, drawn, number + AFFINE_FILLING);
}

/* The numbers of shift_scale_rotate. */
enum { SHIFT_LIMIT = 0, SCALE_LIMIT = 2, ROTATE_LIMIT = 4, LIMITS_FILLING = 6 };

/* albumentations draws the two factors each for itself. */
static void limits_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int side[2] = {w, h};
    for (int k = 0; k < 2; k++) {
        cs_range_draw(number + SCALE_LIMIT, rng, h, w, &drawn[SCALE_X + k]);
        drawn[SCALE_X + k] += 1;
        cs_range_draw(number + SHIFT_LIMIT, rng, h, w, &drawn[TRANSLATE_X + k]);
        drawn[TRANSLATE_X + k] = trunc(drawn[TRANSLATE_X + k] * side[k]);
    }
    cs_range_draw(number + ROTATE_LIMIT, rng, h, w, &drawn[DEGREES]);
}

static void limits_compose(const float *number, const double *drawn, cs_picture *picture) {
    add_affine(picture, drawn, number + LIMITS_FILLING);
}

/* The numbers of grid_distortion. The factors of the cells are drawn, those across the image first. */
enum { NUM_STEPS = 0, DISTORT_LIMIT, NORMALIZED = 3, GRID_FILLING };

static void grid_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    for (int k = 0; k < 2; k++)
        for (int i = 0; i <= (int)number[NUM_STEPS]; i++) {
            double *factor = &drawn[k * CS_GRID_CELLS + i];
            cs_range_draw(number + DISTORT_LIMIT, rng, h, w, factor);
            *factor += 1;
        }
}

/* Sets the cells of n pixels: `steps` cells, or n if these are less, and one of the pixels that are left over.
 * Normalized, the cells together are as wide in the source as the line. */
static void set_cells(cs_grid_axis *axis, int steps, int n, const double *drawn, bool normalizes) {
    double factor[CS_GRID_CELLS], sum = 0, at = 0;
    steps = steps < n ? steps : n;
    const int side = n / steps, whole = (steps + 1) * side, end = whole < n ? whole : n;
    axis->side = side;
    axis->cells = steps + 1;
    for (int i = 0; i <= steps; i++) {
        factor[i] = drawn[i];
        if (normalizes && i == steps)
            factor[i] *= (double)(end - steps * side) / side;
        sum += factor[i];
    }
    for (int i = 0; i <= steps; i++) {
        const int first = i * side, last = (first + side < n ? side : n - first) - 1;
        const double width = side * (normalizes ? factor[i] * ((double)n / side / sum) : factor[i]);
        axis->start[i] = at;
        axis->by[i] = last > 0 ? width / last : 0;
        at += width;
    }
    axis->start[steps + 1] = at;
}

static void grid_compose(const float *number, const double *drawn, cs_picture *picture) {
    const int steps = (int)number[NUM_STEPS];
    const bool normalizes = number[NORMALIZED] != 0;
    int h, w;
    cs_picture_size(picture, &h, &w);
    cs_grid *grid = &cs_picture_add(picture, CS_PASS_GRID)->grid;
    set_filling(&grid->warp, number + GRID_FILLING);
    set_cells(&grid->across, steps, w, drawn, normalizes);
    set_cells(&grid->down, steps, h, drawn + CS_GRID_CELLS, normalizes);
}

#define CELLS(axis)                                                                                                    \
    axis "_0", axis "_1", axis "_2", axis "_3", axis "_4", axis "_5", axis "_6", axis "_7", axis "_8", axis "_9",      \
        axis "_10", axis "_11", axis "_12", axis "_13", axis "_14", axis "_15", axis "_16"

#define FILL_PARAMETERS                                                                                                \
    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},                                                   \
        {"border_mode", CS_AUGMENT_CHOICE, .choices = border_modes}, {                                                 \
        "fill", CS_AUGMENT_FILL, .max = 255                                                                            \
    }

const cs_augment_rule cs_albumentations_geometry_rules[] = {
    {.name = "random_rotate90",
     .doc = "turns a square image by 0, 90, 180 or 270 degrees counter-clockwise",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .needs_square = true,
     .drawn = {"quarters"},
     .variants = turn_variants,
     .draw = turn_draw,
     .compose = square_compose},
    {.name = "transpose",
     .doc = "mirrors a square image at its main diagonal",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .p = 0.5f,
     .needs_square = true,
     .variants = cs_one_variant,
     .compose = transpose_compose},
    {.name = "d4",
     .doc = "turns or mirrors a square image in one of the 8 ways that keep it a square",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .needs_square = true,
     .drawn = {"element"},
     .variants = square_variants,
     .draw = square_draw,
     .compose = square_compose},
    {.name = "affine",
     .doc = "scales, turns, shears and shifts the image about its middle; each range is drawn from for x and for y; "
            "translations are parts of the sides, made whole pixels",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"scale", CS_AUGMENT_PAIR, .min = 0.001f, .max = 1000, .fallback = {1, 1}},
                    {"translate_percent", CS_AUGMENT_PAIR, .min = -1, .max = 1},
                    {"rotate", CS_AUGMENT_PAIR, .min = -360, .max = 360},
                    {"shear", CS_AUGMENT_PAIR, .min = -89, .max = 89},
                    {"keep_ratio", CS_AUGMENT_BOOL, .fallback = {0}},
                    {"balanced_scale", CS_AUGMENT_BOOL, .fallback = {0}},
                    FILL_PARAMETERS},
     .p = 0.5f,
     .drawn = {"scale_x", "scale_y", "translate_x", "translate_y", "degrees", "shear_x", "shear_y"},
     .draw = affine_draw,
     .compose = affine_compose},
    {.name = "shift_scale_rotate",
     .doc = "shifts the image by parts of its sides, made whole pixels, scales it by 1 + such a number, for x and for "
            "y, and turns it about its middle",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"shift_limit", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1, .fallback = {-0.0625f, 0.0625f}},
                    {"scale_limit", CS_AUGMENT_SYMMETRIC, .min = -0.999f, .max = 999, .fallback = {-0.1f, 0.1f}},
                    {"rotate_limit", CS_AUGMENT_SYMMETRIC, .min = -360, .max = 360, .fallback = {-45, 45}},
                    FILL_PARAMETERS},
     .p = 0.5f,
     .drawn = {"scale_x", "scale_y", "translate_x", "translate_y", "degrees"},
     .draw = limits_draw,
     .compose = limits_compose},
    {.name = "grid_distortion",
     .doc = "divides the image into num_steps cells across and down, and stretches each column and line of them by a "
            "factor of its own; normalized, so that the image fills the picture",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"num_steps", CS_AUGMENT_WHOLE, .min = 1, .max = CS_GRID_CELLS - 1, .fallback = {5}},
                    {"distort_limit", CS_AUGMENT_SYMMETRIC, .min = -0.999f, .max = 1, .fallback = {-0.3f, 0.3f}},
                    {"normalized", CS_AUGMENT_BOOL, .fallback = {1}},
                    FILL_PARAMETERS},
     .p = 0.5f,
     .drawn = {CELLS("x"), CELLS("y")},
     .draw = grid_draw,
     .compose = grid_compose},
    {0},
};
