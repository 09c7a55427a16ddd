/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of albumentations 2 that move pixels. */
#include "rules.h"

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
    {0},
};
