/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of colour as torchvision's transforms make them of Pillow images. */
#include "sample.h"
#include "torch.h"

#include <math.h>

/* ColorJitter draws the order of its changes first. */
enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, CHANGES };

/* drawn: the order as four digits, 1 to 4 in the order above, and a number for each change. */
static void jitter_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    int32_t order[CHANGES];
    cs_rng_permutation(rng, order, CHANGES);
    drawn[0] = 0;
    for (int i = 0; i < CHANGES; i++)
        drawn[0] = 10 * drawn[0] + 1 + order[i];
    for (int i = 0; i < CHANGES; i++, number += 2)
        cs_range_draw(number, rng, h, w, &drawn[1 + i]);
}

void cs_torch_blend(cs_picture *picture, cs_blend_base base, double factor) {
    cs_picture_add(picture, CS_PASS_BLEND)->blend = (cs_blend){.base = base, .factor = (float)factor};
}

void cs_torch_curve(cs_picture *picture, cs_curve_kind kind) {
    cs_picture_add(picture, CS_PASS_CURVE)->curve = (cs_curve){.kind = kind};
}

static void add_change(cs_picture *picture, int change, double by) {
    if (change == BRIGHTNESS)
        cs_torch_blend(picture, CS_BLEND_BLACK, by);
    else if (change == CONTRAST)
        cs_torch_blend(picture, CS_BLEND_MEAN, by);
    else if (change == SATURATION)
        cs_torch_blend(picture, CS_BLEND_GREY, by);
    else
        cs_picture_add(picture, CS_PASS_HUE)->turn = (int)(by * 255);
}

/* A change whose range is its neutral number alone is left out, as torchvision does. */
static void jitter_compose(const float *number, const double *drawn, cs_picture *picture) {
    for (int place = 1000, order = (int)drawn[0]; place > 0; place /= 10) {
        const int change = order / place % 10 - 1;
        const float neutral = change == HUE ? 0 : 1, *range = number + (ptrdiff_t)2 * change;
        if (range[0] != neutral || range[1] != neutral)
            add_change(picture, change, drawn[1 + change]);
    }
}

static void grayscale_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_torch_blend(picture, CS_BLEND_GREY, 0);
}

void cs_torch_posterize(cs_picture *picture, int bits) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(v & (0xff << (8 - bits)));
    cs_picture_recolour(picture, table);
}

void cs_torch_solarize(cs_picture *picture, double threshold) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(v < threshold ? v : 255 - v);
    cs_picture_recolour(picture, table);
}

static void invert_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_torch_solarize(picture, 0);
}

static void posterize_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    cs_torch_posterize(picture, (int)number[0]);
}

static void solarize_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    cs_torch_solarize(picture, (double)number[0]);
}

static void autocontrast_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_torch_curve(picture, CS_CURVE_AUTOCONTRAST);
}

static void equalize_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number, (void)drawn;
    cs_torch_curve(picture, CS_CURVE_EQUALIZE);
}

const cs_augment_rule cs_torch_colour_rules[] = {
    {.name = "color_jitter",
     .doc = "changes brightness, contrast, saturation and hue, in a random order",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"brightness", CS_AUGMENT_FACTOR, .max = 100, .fallback = {1, 1}},
                    {"contrast", CS_AUGMENT_FACTOR, .max = 100, .fallback = {1, 1}},
                    {"saturation", CS_AUGMENT_FACTOR, .max = 100, .fallback = {1, 1}},
                    {"hue", CS_AUGMENT_SYMMETRIC, .min = -0.5f, .max = 0.5f}},
     .passes = CHANGES,
     .drawn = {"order", "brightness", "contrast", "saturation", "hue"},
     .draw = jitter_draw,
     .compose = jitter_compose},
    {.name = "random_grayscale",
     .doc = "makes the image grey",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.1f,
     .variants = cs_one_variant,
     .compose = grayscale_compose},
    {.name = "random_invert",
     .doc = "inverts all values",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = invert_compose},
    {.name = "random_posterize",
     .doc = "keeps the highest bits of each value",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"bits", CS_AUGMENT_WHOLE, .max = 8, .fallback = {4}}},
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = posterize_compose},
    {.name = "random_solarize",
     .doc = "inverts the values from the threshold on",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"threshold", CS_AUGMENT_NUMBER, .max = 256, .fallback = {128}}},
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = solarize_compose},
    {.name = "random_autocontrast",
     .doc = "stretches each channel to 0..255",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = autocontrast_compose},
    {.name = "random_equalize",
     .doc = "equalizes the histogram of each channel",
     .family = CS_FAMILY_TORCHVISION,
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = equalize_compose},
    {0},
};
