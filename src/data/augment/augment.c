#include "cnnsweep/augment.h"

#include <stdio.h>

static bool wants_horizontal_flip(const cs_augment *augment) {
    return augment->horizontal_flip;
}

static bool wants_vertical_flip(const cs_augment *augment) {
    return augment->vertical_flip;
}

static bool wants_brightness(const cs_augment *augment) {
    return augment->brightness_range[0] != 0 || augment->brightness_range[1] != 0;
}

/* A flip makes two pictures of one. */
static int count_flip(const cs_augment *augment) {
    (void)augment;
    return 2;
}

/* Picture 0 is the image as it is, 1 its mirror image. */
static int choose_flip(float draw) {
    return draw < 0.5f;
}

static int count_brightness(const cs_augment *augment) {
    return augment->brightness_range[0] == augment->brightness_range[1] ? 1 : 0;
}

static int choose_brightness(float draw) {
    (void)draw;
    return 0;
}

static void draw_horizontal_flip(const cs_augment *augment, float draw, cs_picture *picture) {
    (void)augment;
    const float mirror[2][3] = {{-1, 0, (float)(picture->w - 1)}, {0, 1, 0}};
    if (choose_flip(draw))
        cs_picture_move(picture, mirror);
}

static void draw_vertical_flip(const cs_augment *augment, float draw, cs_picture *picture) {
    (void)augment;
    const float mirror[2][3] = {{1, 0, 0}, {0, -1, (float)(picture->h - 1)}};
    if (choose_flip(draw))
        cs_picture_move(picture, mirror);
}

/* Keras hands the uint8 image to Pillow's ImageEnhance.Brightness: a float32 product, cut off to an integer. */
static void draw_brightness(const cs_augment *augment, float draw, cs_picture *picture) {
    const float low = augment->brightness_range[0], high = augment->brightness_range[1];
    const float factor = low + (high - low) * draw;
    uint8_t table[256];
    if (factor == 1)
        return;
    for (int i = 0; i < 256; i++) {
        float value = factor * (float)i;
        table[i] = (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value);
    }
    cs_picture_recolour(picture, table);
}

/* In Keras' order; `draw` is uniform in [0, 1). */
static const struct {
    bool (*wanted)(const cs_augment *augment);
    int (*count)(const cs_augment *augment); /* pictures it makes of one; 0: too many to count */
    int (*choose)(float draw);               /* which of them, from 0 */
    void (*draw)(const cs_augment *augment, float draw, cs_picture *picture);
} augmentations[] = {
    {wants_horizontal_flip, count_flip, choose_flip, draw_horizontal_flip},
    {wants_vertical_flip, count_flip, choose_flip, draw_vertical_flip},
    {wants_brightness, count_brightness, choose_brightness, draw_brightness},
};
enum { AUGMENTATIONS = sizeof augmentations / sizeof *augmentations };

bool cs_augment_is_off(const cs_augment *augment) {
    for (int i = 0; i < AUGMENTATIONS; i++)
        if (augmentations[i].wanted(augment))
            return false;
    return true;
}

void cs_augment_text(const cs_augment *augment, char *out, size_t size) {
    char range[64] = "";
    if (wants_brightness(augment))
        snprintf(range, sizeof range, "brightness_range=%.9g:%.9g ", (double)augment->brightness_range[0],
                 (double)augment->brightness_range[1]);
    snprintf(out, size, "%s%s%s", range, augment->horizontal_flip ? "horizontal_flip=true " : "",
             augment->vertical_flip ? "vertical_flip=true" : "");
}

int cs_augment_variants(const cs_augment *augment) {
    int variants = 1;
    for (int i = 0; i < AUGMENTATIONS; i++)
        if (augmentations[i].wanted(augment))
            variants *= augmentations[i].count(augment);
    return variants;
}

int cs_augment_variant(const cs_augment *augment, cs_rng *rng) {
    int variant = 0;
    for (int i = 0; i < AUGMENTATIONS; i++) {
        float draw = cs_rng_float(rng);
        if (augmentations[i].wanted(augment))
            variant = variant * augmentations[i].count(augment) + augmentations[i].choose(draw);
    }
    return variant;
}

void cs_augment_draw(const cs_augment *augment, cs_rng *rng, cs_picture *picture) {
    for (int i = 0; i < AUGMENTATIONS; i++) {
        float draw = cs_rng_float(rng);
        if (augmentations[i].wanted(augment))
            augmentations[i].draw(augment, draw, picture);
    }
}
