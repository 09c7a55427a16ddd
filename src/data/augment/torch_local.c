/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of torchvision that look at the neighbours of a pixel, or change a part of the image. */
#include "torch.h"

#include <math.h>

static void sharpness_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)drawn;
    cs_picture_add(picture, CS_PASS_SHARPNESS)->factor = number[0];
}

/* The numbers of gaussian_blur. */
enum { KERNEL_ACROSS, KERNEL_DOWN, SIGMA };

static cs_status blur_check(const float *number) {
    for (int i = KERNEL_ACROSS; i <= KERNEL_DOWN; i++)
        if (fmodf(number[i], 2) != 1)
            return cs_fail(CS_ERR_ARG, "kernel_size is %g, not an odd whole number", (double)number[i]);
    if (number[SIGMA + 1] < number[SIGMA])
        return cs_fail(CS_ERR_ARG, "sigma: high %g is below low %g", (double)number[SIGMA + 1], (double)number[SIGMA]);
    return CS_OK;
}

static void blur_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    cs_range_draw(number + SIGMA, rng, h, w, drawn);
}

/* The density of the normal law at whole numbers, in floats as torchvision computes it, with the sum 1. */
static void set_weights(float sigma, int radius, float *weight) {
    float sum = 0;
    for (int i = 0; i <= 2 * radius; i++) {
        const float at = (float)(i - radius) / sigma;
        weight[i] = expf(-0.5f * (at * at));
        sum += weight[i];
    }
    for (int i = 0; i <= 2 * radius; i++)
        weight[i] /= sum;
}

static void blur_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_blur *blur = &cs_picture_add(picture, CS_PASS_BLUR)->blur;
    blur->across = (int)number[KERNEL_ACROSS] / 2;
    blur->down = (int)number[KERNEL_DOWN] / 2;
    set_weights((float)drawn[0], blur->across, blur->weight_across);
    set_weights((float)drawn[0], blur->down, blur->weight_down);
}

/* The numbers of random_erasing, and what is drawn. */
enum { SCALE = 0, RATIO = 2, VALUE = 4 };
enum { TOP, LEFT, HEIGHT, WIDTH, KEY };

/* Tries ten times to find a rectangle that is smaller than the image; else its height is 0. */
static void erasing_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        const double area = (double)h * w * cs_uniform(rng, (double)number[SCALE], (double)number[SCALE + 1]);
        const double ratio = exp(cs_uniform(rng, log((double)number[RATIO]), log((double)number[RATIO + 1])));
        const double height = rint(sqrt(area * ratio)), width = rint(sqrt(area / ratio));
        if (!(height < h && width < w))
            continue;
        drawn[TOP] = cs_rng_below(rng, (uint32_t)(h - (int)height + 1));
        drawn[LEFT] = cs_rng_below(rng, (uint32_t)(w - (int)width + 1));
        drawn[HEIGHT] = height;
        drawn[WIDTH] = width;
        break;
    }
    drawn[KEY] = cs_rng_u32(rng);
}

/* Random values are normal noise of the tensor after the normalisation with ImageNet's means and standard deviations.
 * In bytes it has about these. */
static const uint8_t noise_middle[3] = {124, 116, 104};
static const double noise_deviation = 57.6;

static void erasing_compose(const float *number, const double *drawn, cs_picture *picture) {
    const bool is_random = number[VALUE] != 0;
    const cs_box box = {(int)drawn[TOP], (int)drawn[LEFT], (int)drawn[HEIGHT], (int)drawn[WIDTH]};
    cs_patches *patches = &cs_picture_add(picture, CS_PASS_PATCHES)->patches;
    patches->n = 1;
    patches->boxes[0] = box;
    for (int c = 0; c < 3; c++)
        patches->value[0][c] = is_random ? noise_middle[c] : (uint8_t)number[VALUE + 1 + c];
    if (!is_random)
        return;
    cs_noise *noise = &cs_picture_add(picture, CS_PASS_NOISE)->noise;
    noise->key = (uint32_t)drawn[KEY];
    noise->box = box;
    cs_noise_normal(noise_deviation, noise->table);
}

static const char *const erasing_values[] = {"random", NULL};

const cs_augment_rule cs_torch_local_rules[] = {
    {.name = "random_adjust_sharpness",
     .doc = "blends with the smoothed image: 0 is smooth, 1 the image itself, 2 twice as sharp",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"sharpness_factor", CS_AUGMENT_NUMBER, .max = 100, .fallback = {2}}},
     .p = 0.5f,
     .variants = cs_one_variant,
     .compose = sharpness_compose},
    {.name = "gaussian_blur",
     .doc = "blurs with a kernel of odd width and height, and sigma from low to high",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"kernel_size", CS_AUGMENT_PAIR, .min = 1, .max = 2 * CS_BLUR_RADIUS + 1, .fallback = {3, 3}},
                    {"sigma", CS_AUGMENT_PAIR, .min = 0.001f, .max = 1000, .fallback = {0.1f, 2}}},
     .drawn = {"sigma"},
     .check = blur_check,
     .draw = blur_draw,
     .compose = blur_compose},
    {.name = "random_erasing",
     .doc = "fills a rectangle of a part of the area and of a ratio of height to width; `value` is a byte, since the "
            "step acts before the normalisation, and `random` is noise that is normal after ImageNet's",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"scale", CS_AUGMENT_RANGE, .max = 1, .fallback = {0.02f, 0.33f}},
                    {"ratio", CS_AUGMENT_RANGE, .min = 0.001f, .max = 1000, .fallback = {0.3f, 3.3f}},
                    {"value", CS_AUGMENT_FILL, .max = 255, .choices = erasing_values}},
     .p = 0.5f,
     .passes = 2,
     .drawn = {"top", "left", "height", "width", "key"},
     .draw = erasing_draw,
     .compose = erasing_compose},
    {0},
};
