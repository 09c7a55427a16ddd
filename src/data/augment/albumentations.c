/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of albumentations 2, as they act on images of bytes. */
#include "rules.h"

#include <math.h>

/* Changes of levels, which are truncated to bytes. */

static void gamma_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number, rng, h, w, drawn);
    drawn[0] /= 100;
}

static void gamma_compose(const float *number, const double *drawn, cs_picture *picture) {
    const double step = 1.0 / 255;
    uint8_t table[256];
    (void)number;
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(pow(v * step, drawn[0]) * 255);
    cs_picture_recolour(picture, table);
}

/* drawn: the factor of all values, and what is added then. */
static void brightness_contrast_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number + 2, rng, h, w, &drawn[0]);
    cs_range_draw(number, rng, h, w, &drawn[1]);
    drawn[0] += 1;
    drawn[1] *= 255;
}

static void brightness_contrast_compose(const float *number, const double *drawn, cs_picture *picture) {
    const float factor = (float)drawn[0], shift = (float)drawn[1];
    uint8_t table[256];
    (void)number;
    for (int v = 0; v < 256; v++) {
        const float scaled = (float)v * factor, value = scaled + shift;
        table[v] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    cs_picture_recolour(picture, table);
}

/* The numbers of hue_saturation_value. */
enum { HUE = 0, SATURATION = 2, VALUE = 4 };

static void hsv_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number + HUE, rng, h, w, &drawn[0]);
    cs_range_draw(number + SATURATION, rng, h, w, &drawn[1]);
    cs_range_draw(number + VALUE, rng, h, w, &drawn[2]);
}

static uint8_t shifted(int value, double shift) {
    const int made = value + (int)shift;
    return (uint8_t)(made < 0 ? 0 : made > 255 ? 255 : made);
}

/* A grey pixel keeps the saturation 0. Without any shift albumentations does not convert the image. */
static void hsv_compose(const float *number, const double *drawn, cs_picture *picture) {
    const double circle = 180;
    (void)number;
    if (drawn[0] == 0 && drawn[1] == 0 && drawn[2] == 0)
        return;
    cs_pass *pass = cs_picture_add(picture, CS_PASS_HSV);
    for (int v = 0; v < 256; v++) {
        const double turned = fmod(v + drawn[0], circle);
        pass->level[0][v] = (uint8_t)(turned < 0 ? turned + circle : turned);
        pass->level[1][v] = v == 0 ? 0 : shifted(v, drawn[1]);
        pass->level[2][v] = shifted(v, drawn[2]);
    }
}

/* The numbers of coarse_dropout. */
enum { HOLES = 0, HOLE_HEIGHT = 2, HOLE_WIDTH = 4, FILL = 6 };
enum { FILL_NUMBERS, FILL_RANDOM, FILL_UNIFORM };
static const char *const fills[] = {"random", "random_uniform", NULL};

static uint32_t whole_between(cs_rng *rng, int low, int high) {
    return (uint32_t)low + cs_rng_below(rng, (uint32_t)(high - low) + 1);
}

/* The side of a hole in pixels. If the largest height is below 1, sides are fractions of the image's. */
static int draw_side(const float *range, bool is_fraction, cs_rng *rng, int side) {
    const int low = (int)range[0], high = range[1] < (float)side ? (int)range[1] : side;
    if (is_fraction)
        return (int)(side * cs_uniform(rng, (double)range[0], (double)range[1]));
    return (int)whole_between(rng, low < high ? low : high, high);
}

/* drawn: how many holes, the stream of their values, and each hole's top, left, height and width. */
static void dropout_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const bool is_fraction = number[HOLE_HEIGHT + 1] < 1;
    drawn[0] = whole_between(rng, (int)number[HOLES], (int)number[HOLES + 1]);
    drawn[1] = cs_rng_u32(rng);
    double *hole = drawn + 2;
    for (int i = 0; i < (int)drawn[0]; i++, hole += 4) {
        const int height = draw_side(number + HOLE_HEIGHT, is_fraction, rng, h);
        const int width = draw_side(number + HOLE_WIDTH, is_fraction, rng, w);
        hole[0] = whole_between(rng, 0, h - height);
        hole[1] = whole_between(rng, 0, w - width);
        hole[2] = height;
        hole[3] = width;
    }
}

static cs_status dropout_check(const float *number) {
    const bool is_fraction = number[HOLE_HEIGHT + 1] < 1;
    for (int i = HOLES; i <= HOLES + 1; i++)
        if (number[i] != (float)(int)number[i])
            return cs_fail(CS_ERR_ARG, "num_holes_range: %g is not a whole number", (double)number[i]);
    if ((number[HOLE_WIDTH + 1] < 1) != is_fraction)
        return cs_fail(CS_ERR_ARG, "hole_height_range and hole_width_range are not both fractions or both pixels");
    return CS_OK;
}

static void dropout_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_patches *patches = &cs_picture_add(picture, CS_PASS_PATCHES)->patches;
    const int fill = (int)number[FILL];
    patches->n = (int)drawn[0];
    patches->random = fill == FILL_RANDOM;
    patches->key = (uint32_t)drawn[1];
    const double *hole = drawn + 2;
    for (int i = 0; i < patches->n; i++, hole += 4) {
        cs_rng colour = cs_rng_at(patches->key, CS_PURPOSE_AUGMENT, 0, (uint32_t)i);
        patches->boxes[i] = (cs_box){(int)hole[0], (int)hole[1], (int)hole[2], (int)hole[3]};
        for (int c = 0; c < 3; c++)
            patches->value[i][c] =
                (uint8_t)(fill == FILL_UNIFORM ? cs_rng_below(&colour, 256) : (uint32_t)number[FILL + 1 + c]);
    }
}

/* The numbers of gauss_noise. */
enum { STD = 0, PER_CHANNEL = 2 };

static void noise_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number + STD, rng, h, w, drawn);
    drawn[1] = cs_rng_u32(rng);
}

static void noise_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    cs_noise *noise = &cs_picture_add(picture, CS_PASS_NOISE)->noise;
    noise->key = (uint32_t)drawn[1];
    noise->box = (cs_box){.h = h, .w = w};
    noise->is_grey = number[PER_CHANNEL] == 0;
    cs_noise_normal(drawn[0] * 255, noise->table);
}

/* The numbers of motion_blur, and what is drawn. */
enum { BLUR_LIMIT = 0, ALLOW_SHIFTED = 2, ANGLE = 3, DIRECTION = 5, MOST_SIZE = 31 };
enum { SIZE, DRAWN_ANGLE, DRAWN_DIRECTION, SHIFT_X, SHIFT_Y };

static int odd_from_3(float number) {
    const int size = (int)number;
    return size < 3 ? 3 : size + (size % 2 == 0);
}

static void motion_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int smallest = odd_from_3(number[BLUR_LIMIT]), largest = odd_from_3(number[BLUR_LIMIT + 1]);
    drawn[SIZE] = smallest + 2 * (double)cs_rng_below(rng, (uint32_t)(largest - smallest) / 2 + 1);
    cs_range_draw(number + ANGLE, rng, h, w, &drawn[DRAWN_ANGLE]);
    cs_range_draw(number + DIRECTION, rng, h, w, &drawn[DRAWN_DIRECTION]);
    drawn[SHIFT_X] = number[ALLOW_SHIFTED] != 0 ? cs_uniform(rng, -1, 1) : 0;
    drawn[SHIFT_Y] = number[ALLOW_SHIFTED] != 0 ? cs_uniform(rng, -1, 1) : 0;
}

static int inside(double at, int size) {
    const int whole = (int)rint(at);
    return whole < 0 ? 0 : whole >= size ? size - 1 : whole;
}

/* Marks the points of a line through the middle of the kernel. With a direction its end on one side is nearer. */
static void mark_line(const double *drawn, bool marked[MOST_SIZE][MOST_SIZE]) {
    const int size = (int)drawn[SIZE], half = size / 2;
    const double angle = drawn[DRAWN_ANGLE] * (3.14159265358979323846 / 180), direction = drawn[DRAWN_DIRECTION];
    const double start = direction > 0 ? -half * (1 - direction) : -half;
    const double end = direction < 0 ? half * (1 - fabs(direction)) : half, step = (end - start) / (size - 1);
    for (int i = 0; i < size; i++) {
        const double along = i == size - 1 ? end : start + i * step;
        const double x = half + cos(angle) * along + drawn[SHIFT_X] * half / 2;
        const double y = half + sin(angle) * along + drawn[SHIFT_Y] * half / 2;
        marked[inside(y, size)][inside(x, size)] = true;
    }
}

static void motion_compose(const float *number, const double *drawn, cs_picture *picture) {
    const int size = (int)drawn[SIZE];
    bool marked[MOST_SIZE][MOST_SIZE] = {{false}};
    cs_kernel *kernel = &cs_picture_add(picture, CS_PASS_KERNEL)->kernel;
    (void)number;
    mark_line(drawn, marked);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            if (marked[y][x])
                kernel->points[kernel->n++] = (cs_kernel_point){x - size / 2, y - size / 2, 1};
    for (int i = 0; i < kernel->n; i++)
        kernel->points[i].weight = 1 / (float)kernel->n;
}

static void compression_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = whole_between(rng, (int)number[0], (int)number[1]);
}

static void compression_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    cs_picture_add(picture, CS_PASS_JPEG)->quality = (int)drawn[0];
}

/* The numbers of clahe. */
enum { CLIP_LIMITS = 0, CLIP_LIMIT, TILES = 3 };

static cs_status clahe_check(const float *number) {
    for (int i = TILES; i <= TILES + 1; i++)
        if (number[i] != (float)(int)number[i])
            return cs_fail(CS_ERR_ARG, "tile_grid_size: %g is not a whole number", (double)number[i]);
    return CS_OK;
}

/* One number is the largest of a range from 1 on. */
static void clahe_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const bool is_one = number[CLIP_LIMITS] == 1;
    const float range[2] = {is_one ? 1 : number[CLIP_LIMIT], number[is_one ? CLIP_LIMIT : CLIP_LIMIT + 1]};
    cs_range_draw(range, rng, h, w, drawn);
}

static void clahe_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_picture_add(picture, CS_PASS_CLAHE)->clahe =
        (cs_clahe_tiles){.clip_limit = drawn[0], .across = (int)number[TILES], .down = (int)number[TILES + 1]};
}

#define HOLE(i) "top_" #i, "left_" #i, "height_" #i, "width_" #i

const cs_augment_rule cs_albumentations_rules[] = {
    {.name = "random_gamma",
     .doc = "raises values, as parts of 255, to a power of gamma_limit / 100",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"gamma_limit", CS_AUGMENT_RANGE, .min = 1, .max = 10000, .fallback = {80, 120}}},
     .p = 0.5f,
     .drawn = {"gamma"},
     .draw = gamma_draw,
     .compose = gamma_compose},
    {.name = "random_brightness_contrast",
     .doc = "multiplies all values by 1 + contrast, and adds brightness times 255",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"brightness_limit", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 1, .fallback = {-0.2f, 0.2f}},
                    {"contrast_limit", CS_AUGMENT_SYMMETRIC, .min = -1, .max = 100, .fallback = {-0.2f, 0.2f}}},
     .p = 0.5f,
     .drawn = {"factor", "shift"},
     .draw = brightness_contrast_draw,
     .compose = brightness_contrast_compose},
    {.name = "hue_saturation_value",
     .doc = "shifts the hue, of 180 in a circle, the saturation and the value, of 255, in OpenCV's HSV",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"hue_shift_limit", CS_AUGMENT_SYMMETRIC, .min = -180, .max = 180, .fallback = {-20, 20}},
                    {"sat_shift_limit", CS_AUGMENT_SYMMETRIC, .min = -255, .max = 255, .fallback = {-30, 30}},
                    {"val_shift_limit", CS_AUGMENT_SYMMETRIC, .min = -255, .max = 255, .fallback = {-20, 20}}},
     .p = 0.5f,
     .drawn = {"hue_shift", "sat_shift", "val_shift"},
     .draw = hsv_draw,
     .compose = hsv_compose},
    {.name = "coarse_dropout",
     .doc = "fills rectangles, whose sides are fractions of the image's, or pixels if the largest is 1 or more; "
            "`random`: with random values, `random_uniform`: each with one random colour",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"num_holes_range", CS_AUGMENT_RANGE, .min = 1, .max = CS_BOXES, .fallback = {1, 2}},
                    {"hole_height_range", CS_AUGMENT_RANGE, .max = CS_AUGMENT_SIDE, .fallback = {0.1f, 0.2f}},
                    {"hole_width_range", CS_AUGMENT_RANGE, .max = CS_AUGMENT_SIDE, .fallback = {0.1f, 0.2f}},
                    {"fill", CS_AUGMENT_FILL, .max = 255, .choices = fills}},
     .p = 0.5f,
     .drawn = {"holes", "key", HOLE(1), HOLE(2), HOLE(3), HOLE(4), HOLE(5), HOLE(6), HOLE(7), HOLE(8)},
     .check = dropout_check,
     .draw = dropout_draw,
     .compose = dropout_compose},
    {.name = "gauss_noise",
     .doc = "adds normal noise with mean 0 and a standard deviation of std_range times 255, to each channel its own",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"std_range", CS_AUGMENT_RANGE, .max = 1, .fallback = {0.2f, 0.44f}},
                    {"per_channel", CS_AUGMENT_BOOL, .fallback = {1}}},
     .p = 0.5f,
     .drawn = {"std", "key"},
     .draw = noise_draw,
     .compose = noise_compose},
    {.name = "motion_blur",
     .doc = "means over the points of a line, in a square of an odd number of pixels from low to high",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"blur_limit", CS_AUGMENT_RANGE, .min = 3, .max = MOST_SIZE, .fallback = {3, 7}},
                    {"allow_shifted", CS_AUGMENT_BOOL, .fallback = {1}},
                    {"angle_range", CS_AUGMENT_RANGE, .max = 360, .fallback = {0, 360}},
                    {"direction_range", CS_AUGMENT_RANGE, .min = -1, .max = 1, .fallback = {-1, 1}}},
     .p = 0.5f,
     .drawn = {"size", "angle", "direction", "shift_x", "shift_y"},
     .draw = motion_draw,
     .compose = motion_compose},
    {.name = "image_compression",
     .doc = "encodes the image as JPEG of a quality from low to high, and decodes it",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"quality_range", CS_AUGMENT_RANGE, .min = 1, .max = 100, .fallback = {99, 100}}},
     .p = 0.5f,
     .host_only = true,
     .drawn = {"quality"},
     .draw = compression_draw,
     .compose = compression_compose},
    {.name = "clahe",
     .doc = "equalizes the lightness in tile_grid_size tiles, across and down, in whose histograms no count exceeds "
            "clip_limit times their mean; one number v is a limit from 1 to v",
     .family = CS_FAMILY_ALBUMENTATIONS,
     .parameters = {{"clip_limit", CS_AUGMENT_BOUNDS, .min = 1, .max = 1000, .fallback = {2, 1, 4}},
                    {"tile_grid_size", CS_AUGMENT_PAIR, .min = 1, .max = 64, .fallback = {8, 8}}},
     .p = 0.5f,
     .host_only = true,
     .drawn = {"clip_limit"},
     .check = clahe_check,
     .draw = clahe_draw,
     .compose = clahe_compose},
    {0},
};
