#include "cnnsweep/augment.h"

#include <stdio.h>
#include <string.h>

/* One image under way. */
typedef struct canvas {
    uint8_t *pixels; /* [h,w,3] */
    int h, w;
    uint8_t *scratch; /* [w,3] */
} canvas;

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
    picture->horizontal_flip = choose_flip(draw);
}

static void draw_vertical_flip(const cs_augment *augment, float draw, cs_picture *picture) {
    (void)augment;
    picture->vertical_flip = choose_flip(draw);
}

static void draw_brightness(const cs_augment *augment, float draw, cs_picture *picture) {
    float low = augment->brightness_range[0], high = augment->brightness_range[1];
    picture->brightness = low + (high - low) * draw;
}

static void horizontal_flip(const cs_picture *picture, const canvas *image) {
    if (!picture->horizontal_flip)
        return;
    size_t stride = (size_t)image->w * 3;
    for (int y = 0; y < image->h; y++) {
        uint8_t *left = image->pixels + (size_t)y * stride, *right = left + stride - 3;
        for (; left < right; left += 3, right -= 3)
            for (int c = 0; c < 3; c++) {
                uint8_t swapped = left[c];
                left[c] = right[c];
                right[c] = swapped;
            }
    }
}

static void vertical_flip(const cs_picture *picture, const canvas *image) {
    if (!picture->vertical_flip)
        return;
    size_t stride = (size_t)image->w * 3;
    for (int y = 0; y < image->h / 2; y++) {
        uint8_t *top = image->pixels + (size_t)y * stride;
        uint8_t *bottom = image->pixels + (size_t)(image->h - 1 - y) * stride;
        memcpy(image->scratch, top, stride);
        memcpy(top, bottom, stride);
        memcpy(bottom, image->scratch, stride);
    }
}

/* Keras hands the uint8 image to Pillow's ImageEnhance.Brightness: a float32 product, cut off to an integer. */
static void brightness(const cs_picture *picture, const canvas *image) {
    if (picture->brightness == 1)
        return;
    uint8_t level[256];
    for (int i = 0; i < 256; i++) {
        float value = picture->brightness * (float)i;
        level[i] = (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value);
    }
    size_t n = (size_t)image->h * (size_t)image->w * 3;
    for (size_t i = 0; i < n; i++)
        image->pixels[i] = level[image->pixels[i]];
}

/* In Keras' order; `draw` is uniform in [0, 1). */
static const struct {
    bool (*wanted)(const cs_augment *augment);
    int (*count)(const cs_augment *augment); /* pictures it makes of one; 0: too many to count */
    int (*choose)(float draw);               /* which of them, from 0 */
    void (*draw)(const cs_augment *augment, float draw, cs_picture *picture);
    void (*apply)(const cs_picture *picture, const canvas *image);
} augmentations[] = {
    {wants_horizontal_flip, count_flip, choose_flip, draw_horizontal_flip, horizontal_flip},
    {wants_vertical_flip, count_flip, choose_flip, draw_vertical_flip, vertical_flip},
    {wants_brightness, count_brightness, choose_brightness, draw_brightness, brightness},
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

cs_picture cs_augment_draw(const cs_augment *augment, cs_rng *rng) {
    cs_picture picture = {.brightness = 1};
    for (int i = 0; i < AUGMENTATIONS; i++) {
        float draw = cs_rng_float(rng);
        if (augmentations[i].wanted(augment))
            augmentations[i].draw(augment, draw, &picture);
    }
    return picture;
}

void cs_augment_apply(const cs_augment *augment, cs_rng *rng, uint8_t *pixels, int h, int w, uint8_t *scratch) {
    const cs_picture picture = cs_augment_draw(augment, rng);
    canvas image = {.h = h, .w = w};
    image.pixels = pixels;
    image.scratch = scratch;
    for (int i = 0; i < AUGMENTATIONS; i++)
        augmentations[i].apply(&picture, &image);
}
