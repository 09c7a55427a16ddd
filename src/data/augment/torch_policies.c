/* SPDX-License-Identifier: Apache-2.0 */
/* RandAugment, TrivialAugmentWide and AutoAugment of torchvision: operations from one list, with strengths in so many
 * steps ("bins"). */
#include "torch.h"

#include <math.h>

/* In the order of RandAugment's list, which has no INVERT. */
typedef enum operation {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTOCONTRAST,
    EQUALIZE,
    INVERT
} operation;
enum { LISTED = INVERT };

/* The strengths in the last bin. */
typedef struct strengths {
    int bins;
    float shear, rotate, colour;
    float translate_width, translate_height; /* in pixels */
    int posterize;                           /* bits that are lost */
} strengths;

/* The number of a bin, as torch.linspace computes it in floats. */
static double linear(float low, float high, int bins, int bin) {
    const float step = (high - low) / (float)(bins - 1);
    return (double)(bin < bins / 2 ? low + step * (float)bin : high - step * (float)(bins - bin - 1));
}

static double strength(operation which, const strengths *most, int bin) {
    switch (which) {
    case SHEAR_X:
    case SHEAR_Y:
        return linear(0, most->shear, most->bins, bin);
    case TRANSLATE_X:
        return linear(0, most->translate_width, most->bins, bin);
    case TRANSLATE_Y:
        return linear(0, most->translate_height, most->bins, bin);
    case ROTATE:
        return linear(0, most->rotate, most->bins, bin);
    case POSTERIZE:
        return 8 - rint((double)((float)bin / (float)((most->bins - 1) / (double)most->posterize)));
    case SOLARIZE:
        return linear(255, 0, most->bins, bin);
    default:
        return linear(0, most->colour, most->bins, bin);
    }
}

/* A shear about the first pixel's corner, by a ratio. */
static void shear(cs_picture *picture, double x, double y, bool nearest, float fill) {
    const double degree = 180 / 3.14159265358979323846, corner[2] = {0, 0};
    const cs_torch_move move = {.scale = 1, .shear_x = degree * atan(x), .shear_y = degree * atan(y)};
    cs_torch_affine(picture, &move, corner, nearest, fill);
}

static void translate(cs_picture *picture, double x, double y, bool nearest, float fill) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    const double centre[2] = {w * 0.5, h * 0.5};
    const cs_torch_move move = {.scale = 1, .x = trunc(x), .y = trunc(y)};
    cs_torch_affine(picture, &move, centre, nearest, fill);
}

/* torchvision's _apply_op. `by` has the sign of the strength, if it can have one. */
static void add_operation(cs_picture *picture, operation which, double by, bool nearest, float fill) {
    switch (which) {
    case SHEAR_X:
        shear(picture, by, 0, nearest, fill);
        break;
    case SHEAR_Y:
        shear(picture, 0, by, nearest, fill);
        break;
    case TRANSLATE_X:
        translate(picture, by, 0, nearest, fill);
        break;
    case TRANSLATE_Y:
        translate(picture, 0, by, nearest, fill);
        break;
    case ROTATE:
        cs_torch_rotate(picture, by, nearest, fill);
        break;
    case BRIGHTNESS:
        cs_torch_blend(picture, CS_BLEND_BLACK, 1 + by);
        break;
    case COLOR:
        cs_torch_blend(picture, CS_BLEND_GREY, 1 + by);
        break;
    case CONTRAST:
        cs_torch_blend(picture, CS_BLEND_MEAN, 1 + by);
        break;
    case SHARPNESS:
        cs_picture_add(picture, CS_PASS_SHARPNESS)->factor = (float)(1 + by);
        break;
    case POSTERIZE:
        cs_torch_posterize(picture, (int)by);
        break;
    case SOLARIZE:
    case INVERT:
        cs_torch_solarize(picture, which == INVERT ? 0 : by);
        break;
    case AUTOCONTRAST:
        cs_torch_curve(picture, CS_CURVE_AUTOCONTRAST);
        break;
    case EQUALIZE:
        cs_torch_curve(picture, CS_CURVE_EQUALIZE);
        break;
    default:
        break;
    }
}

/* How the image is sampled: the last two numbers of each rule. */
static const char *const interpolations[] = {"nearest", "bilinear", NULL};
#define SAMPLING                                                                                                       \
    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations}, {                                                 \
        "fill", CS_AUGMENT_NUMBER, .max = 255                                                                          \
    }

/* Adds the operation with the strength of a bin and a sign, which only those from SHEAR_X to SHARPNESS use. */
static void add(cs_picture *picture, operation which, const strengths *most, int bin, double sign,
                const float *sampling) {
    const bool has_sign = which >= SHEAR_X && which <= SHARPNESS;
    const double by = strength(which, most, bin);
    add_operation(picture, which, has_sign ? sign * by : by, sampling[0] == 0, sampling[1]);
}

static double draw_sign(cs_rng *rng) {
    return cs_rng_below(rng, 2) == 0 ? 1 : -1;
}

/* The strengths of RandAugment and AutoAugment. */
static strengths usual_strengths(int bins, const cs_picture *picture) {
    const double translate = 150.0 / 331.0;
    int h, w;
    cs_picture_size(picture, &h, &w);
    return (strengths){.bins = bins,
                       .shear = 0.3f,
                       .rotate = 30,
                       .colour = 0.9f,
                       .translate_width = (float)(translate * w),
                       .translate_height = (float)(translate * h),
                       .posterize = 4};
}

/* The numbers of rand_augment. */
enum { NUM_OPS, MAGNITUDE, RAND_BINS, RAND_SAMPLING, MOST_OPS = 5, MOST_BINS = 1000 };

static cs_status rand_check(const float *number) {
    if (number[MAGNITUDE] >= number[RAND_BINS])
        return cs_fail(CS_ERR_ARG, "magnitude %g is not below num_magnitude_bins, %g", (double)number[MAGNITUDE],
                       (double)number[RAND_BINS]);
    return CS_OK;
}

static void rand_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    for (int i = 0; i < (int)number[NUM_OPS]; i++, drawn += 2) {
        drawn[0] = cs_rng_below(rng, LISTED);
        drawn[1] = draw_sign(rng);
    }
}

static void rand_compose(const float *number, const double *drawn, cs_picture *picture) {
    const strengths most = usual_strengths((int)number[RAND_BINS], picture);
    for (int i = 0; i < (int)number[NUM_OPS]; i++, drawn += 2)
        add(picture, (operation)drawn[0], &most, (int)number[MAGNITUDE], drawn[1], number + RAND_SAMPLING);
}

static void trivial_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_rng_below(rng, LISTED);
    drawn[1] = cs_rng_below(rng, (uint32_t)number[0]);
    drawn[2] = draw_sign(rng);
}

static void trivial_compose(const float *number, const double *drawn, cs_picture *picture) {
    const strengths most = {.bins = (int)number[0],
                            .shear = 0.99f,
                            .rotate = 135,
                            .colour = 0.99f,
                            .translate_width = 32,
                            .translate_height = 32,
                            .posterize = 6};
    add(picture, (operation)drawn[0], &most, (int)drawn[1], drawn[2], number + 1);
}

/* AutoAugment's policies: two operations, each with its probability and its bin of 10. */
typedef struct part {
    operation which;
    float p;
    int bin;
} part;
enum { POLICIES = 25 };
static const char *const policy_names[] = {"imagenet", "cifar10", "svhn", NULL};
static const part policies[3][POLICIES][2] = {
    {{{POSTERIZE, 0.4f, 8}, {ROTATE, 0.6f, 9}},  {{SOLARIZE, 0.6f, 5}, {AUTOCONTRAST, 0.6f, 0}},
     {{EQUALIZE, 0.8f, 0}, {EQUALIZE, 0.6f, 0}}, {{POSTERIZE, 0.6f, 7}, {POSTERIZE, 0.6f, 6}},
     {{EQUALIZE, 0.4f, 0}, {SOLARIZE, 0.2f, 4}}, {{EQUALIZE, 0.4f, 0}, {ROTATE, 0.8f, 8}},
     {{SOLARIZE, 0.6f, 3}, {EQUALIZE, 0.6f, 0}}, {{POSTERIZE, 0.8f, 5}, {EQUALIZE, 1.0f, 0}},
     {{ROTATE, 0.2f, 3}, {SOLARIZE, 0.6f, 8}},   {{EQUALIZE, 0.6f, 0}, {POSTERIZE, 0.4f, 6}},
     {{ROTATE, 0.8f, 8}, {COLOR, 0.4f, 0}},      {{ROTATE, 0.4f, 9}, {EQUALIZE, 0.6f, 0}},
     {{EQUALIZE, 0.0f, 0}, {EQUALIZE, 0.8f, 0}}, {{INVERT, 0.6f, 0}, {EQUALIZE, 1.0f, 0}},
     {{COLOR, 0.6f, 4}, {CONTRAST, 1.0f, 8}},    {{ROTATE, 0.8f, 8}, {COLOR, 1.0f, 2}},
     {{COLOR, 0.8f, 8}, {SOLARIZE, 0.8f, 7}},    {{SHARPNESS, 0.4f, 7}, {INVERT, 0.6f, 0}},
     {{SHEAR_X, 0.6f, 5}, {EQUALIZE, 1.0f, 0}},  {{COLOR, 0.4f, 0}, {EQUALIZE, 0.6f, 0}},
     {{EQUALIZE, 0.4f, 0}, {SOLARIZE, 0.2f, 4}}, {{SOLARIZE, 0.6f, 5}, {AUTOCONTRAST, 0.6f, 0}},
     {{INVERT, 0.6f, 0}, {EQUALIZE, 1.0f, 0}},   {{COLOR, 0.6f, 4}, {CONTRAST, 1.0f, 8}},
     {{EQUALIZE, 0.8f, 0}, {EQUALIZE, 0.6f, 0}}},
    {{{INVERT, 0.1f, 0}, {CONTRAST, 0.2f, 6}},         {{ROTATE, 0.7f, 2}, {TRANSLATE_X, 0.3f, 9}},
     {{SHARPNESS, 0.8f, 1}, {SHARPNESS, 0.9f, 3}},     {{SHEAR_Y, 0.5f, 8}, {TRANSLATE_Y, 0.7f, 9}},
     {{AUTOCONTRAST, 0.5f, 0}, {EQUALIZE, 0.9f, 0}},   {{SHEAR_Y, 0.2f, 7}, {POSTERIZE, 0.3f, 7}},
     {{COLOR, 0.4f, 3}, {BRIGHTNESS, 0.6f, 7}},        {{SHARPNESS, 0.3f, 9}, {BRIGHTNESS, 0.7f, 9}},
     {{EQUALIZE, 0.6f, 0}, {EQUALIZE, 0.5f, 0}},       {{CONTRAST, 0.6f, 7}, {SHARPNESS, 0.6f, 5}},
     {{COLOR, 0.7f, 7}, {TRANSLATE_X, 0.5f, 8}},       {{EQUALIZE, 0.3f, 0}, {AUTOCONTRAST, 0.4f, 0}},
     {{TRANSLATE_Y, 0.4f, 3}, {SHARPNESS, 0.2f, 6}},   {{BRIGHTNESS, 0.9f, 6}, {COLOR, 0.2f, 8}},
     {{SOLARIZE, 0.5f, 2}, {INVERT, 0.0f, 0}},         {{EQUALIZE, 0.2f, 0}, {AUTOCONTRAST, 0.6f, 0}},
     {{EQUALIZE, 0.2f, 0}, {EQUALIZE, 0.6f, 0}},       {{COLOR, 0.9f, 9}, {EQUALIZE, 0.6f, 0}},
     {{AUTOCONTRAST, 0.8f, 0}, {SOLARIZE, 0.2f, 8}},   {{BRIGHTNESS, 0.1f, 3}, {COLOR, 0.7f, 0}},
     {{SOLARIZE, 0.4f, 5}, {AUTOCONTRAST, 0.9f, 0}},   {{TRANSLATE_Y, 0.9f, 9}, {TRANSLATE_Y, 0.7f, 9}},
     {{AUTOCONTRAST, 0.9f, 0}, {SOLARIZE, 0.8f, 3}},   {{EQUALIZE, 0.8f, 0}, {INVERT, 0.1f, 0}},
     {{TRANSLATE_Y, 0.7f, 9}, {AUTOCONTRAST, 0.9f, 0}}},
    {{{SHEAR_X, 0.9f, 4}, {INVERT, 0.2f, 0}},       {{SHEAR_Y, 0.9f, 8}, {INVERT, 0.7f, 0}},
     {{EQUALIZE, 0.6f, 0}, {SOLARIZE, 0.6f, 6}},    {{INVERT, 0.9f, 0}, {EQUALIZE, 0.6f, 0}},
     {{EQUALIZE, 0.6f, 0}, {ROTATE, 0.9f, 3}},      {{SHEAR_X, 0.9f, 4}, {AUTOCONTRAST, 0.8f, 0}},
     {{SHEAR_Y, 0.9f, 8}, {INVERT, 0.4f, 0}},       {{SHEAR_Y, 0.9f, 5}, {SOLARIZE, 0.2f, 6}},
     {{INVERT, 0.9f, 0}, {AUTOCONTRAST, 0.8f, 0}},  {{EQUALIZE, 0.6f, 0}, {ROTATE, 0.9f, 3}},
     {{SHEAR_X, 0.9f, 4}, {SOLARIZE, 0.3f, 3}},     {{SHEAR_Y, 0.8f, 8}, {INVERT, 0.7f, 0}},
     {{EQUALIZE, 0.9f, 0}, {TRANSLATE_Y, 0.6f, 6}}, {{INVERT, 0.9f, 0}, {EQUALIZE, 0.6f, 0}},
     {{CONTRAST, 0.3f, 3}, {ROTATE, 0.8f, 4}},      {{INVERT, 0.8f, 0}, {TRANSLATE_Y, 0.0f, 2}},
     {{SHEAR_Y, 0.7f, 6}, {SOLARIZE, 0.4f, 8}},     {{INVERT, 0.6f, 0}, {ROTATE, 0.8f, 4}},
     {{SHEAR_Y, 0.3f, 7}, {TRANSLATE_X, 0.9f, 3}},  {{SHEAR_X, 0.1f, 6}, {INVERT, 0.6f, 0}},
     {{SOLARIZE, 0.7f, 2}, {TRANSLATE_Y, 0.6f, 7}}, {{SHEAR_Y, 0.8f, 4}, {INVERT, 0.8f, 0}},
     {{SHEAR_X, 0.7f, 9}, {TRANSLATE_Y, 0.8f, 3}},  {{SHEAR_Y, 0.8f, 5}, {AUTOCONTRAST, 0.7f, 0}},
     {{SHEAR_X, 0.7f, 2}, {INVERT, 0.1f, 0}}},
};

/* drawn: the policy, and for each of its operations whether it is applied, and the sign. */
static void auto_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_rng_below(rng, POLICIES);
    const part *parts = policies[(int)number[0]][(int)drawn[0]];
    for (int i = 0; i < 2; i++, drawn += 2) {
        drawn[1] = cs_rng_float(rng) < parts[i].p;
        drawn[2] = draw_sign(rng);
    }
}

static void auto_compose(const float *number, const double *drawn, cs_picture *picture) {
    const strengths most = usual_strengths(10, picture);
    const part *parts = policies[(int)number[0]][(int)drawn[0]];
    for (int i = 0; i < 2; i++, drawn += 2)
        if (drawn[1] != 0)
            add(picture, parts[i].which, &most, parts[i].bin, drawn[2], number + 1);
}

const cs_augment_rule cs_torch_policy_rules[] = {
    {.name = "rand_augment",
     .doc = "applies num_ops operations, drawn from RandAugment's list, with one strength",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"num_ops", CS_AUGMENT_WHOLE, .max = MOST_OPS, .fallback = {2}},
                    {"magnitude", CS_AUGMENT_WHOLE, .max = MOST_BINS - 1, .fallback = {9}},
                    {"num_magnitude_bins", CS_AUGMENT_WHOLE, .min = 2, .max = MOST_BINS, .fallback = {31}},
                    SAMPLING},
     .passes = MOST_OPS,
     .drawn = {"op_1", "sign_1", "op_2", "sign_2", "op_3", "sign_3", "op_4", "sign_4", "op_5", "sign_5"},
     .check = rand_check,
     .draw = rand_draw,
     .compose = rand_compose},
    {.name = "trivial_augment_wide",
     .doc = "applies one operation, drawn from TrivialAugment's list, with a random strength",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"num_magnitude_bins", CS_AUGMENT_WHOLE, .min = 2, .max = MOST_BINS, .fallback = {31}}, SAMPLING},
     .drawn = {"op", "bin", "sign"},
     .draw = trivial_draw,
     .compose = trivial_compose},
    {.name = "auto_augment",
     .doc = "applies one of 25 pairs of operations that AutoAugment found for the data set",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"policy", CS_AUGMENT_CHOICE, .choices = policy_names}, SAMPLING},
     .passes = 2,
     .drawn = {"policy", "apply_1", "sign_1", "apply_2", "sign_2"},
     .draw = auto_draw,
     .compose = auto_compose},
    {0},
};
