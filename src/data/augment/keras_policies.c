/* SPDX-License-Identifier: Apache-2.0 */
/* RandAugment of Keras 3: some of its other layers, all of which get its factor. Keras draws once for a batch which
 * they are; here each image has its own. Between them the image is rounded to bytes. */
#include "keras.h"

#include <string.h>

/* In Keras' order. */
static const char *const operations[] = {
    "keras.random_shear",
    "keras.random_translation",
    "keras.random_rotation",
    "keras.random_brightness",
    "keras.random_color_degeneration",
    "keras.random_contrast",
    "keras.random_sharpness",
    "keras.random_posterization",
    "keras.solarization",
    "keras.auto_contrast",
    "keras.equalization",
};
enum { OPERATIONS = sizeof operations / sizeof *operations, MOST_OPERATIONS = 4 };

static const char *const interpolations[] = {"bilinear", "nearest", NULL};

/* The numbers of rand_augment. */
enum { NUM_OPS, FACTOR, INTERPOLATION = 4, LITERAL };

/* The rule with that name, which is in one of the two tables. */
static const cs_augment_rule *find(const char *name) {
    const cs_augment_rule *rule = cs_keras_geometry_rules;
    while (strcmp(rule->name, name) != 0)
        rule = rule[1].name ? rule + 1 : cs_keras_colour_rules;
    return rule;
}

/* Sets a parameter of an operation. */
static void set_parameter(const float *number, const cs_augment_parameter *parameter, float *out) {
    double range[2];
    cs_keras_range(number + FACTOR, 0, range);
    const float low = (float)range[0], high = (float)range[1];
    memcpy(out, parameter->fallback, (size_t)cs_augment_width(parameter->type) * sizeof *out);
    if (parameter->type == CS_AUGMENT_SYMMETRIC)
        memcpy(out, (float[]){low, high}, 2 * sizeof *out);
    else if (parameter->type == CS_AUGMENT_BOUNDS)
        memcpy(out, (float[]){2, low, high}, 3 * sizeof *out);
    else if (strcmp(parameter->name, "interpolation") == 0)
        out[0] = number[INTERPOLATION];
    else if (strcmp(parameter->name, "keras3") == 0)
        out[0] = number[LITERAL];
    else if (strcmp(parameter->name, "factor") == 0) /* bits of posterization */
        out[0] = high < 0.25f ? 1 : (float)(int)(8 * high);
}

static const cs_augment_rule *set_operation(const float *number, int which, float numbers[CS_AUGMENT_NUMBERS]) {
    const cs_augment_rule *rule = find(operations[which]);
    for (const cs_augment_parameter *p = rule->parameters; p->type != CS_AUGMENT_END; p++) {
        set_parameter(number, p, numbers);
        numbers += cs_augment_width(p->type);
    }
    return rule;
}

static int count_drawn(const cs_augment_rule *rule) {
    int n = 0;
    while (n < CS_AUGMENT_DRAWN && rule->drawn[n])
        n++;
    return n;
}

/* drawn: the operations as pairs of digits, 01 to 11 in the order above, and the numbers of all operations. */
static void rand_augment_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    double *next = drawn + 1;
    drawn[0] = 0;
    for (int i = 0; i < (int)number[NUM_OPS]; i++)
        drawn[0] = 100 * drawn[0] + 1 + cs_rng_below(rng, OPERATIONS);
    for (int which = 0; which < OPERATIONS; which++) {
        float numbers[CS_AUGMENT_NUMBERS];
        const cs_augment_rule *rule = set_operation(number, which, numbers);
        if (rule->draw)
            rule->draw(numbers, rng, h, w, next);
        next += count_drawn(rule);
    }
}

static void add_operation(const float *number, int which, const double *drawn, cs_picture *picture) {
    float numbers[CS_AUGMENT_NUMBERS];
    for (int before = 0; before < which; before++)
        drawn += count_drawn(find(operations[before]));
    const cs_augment_rule *rule = set_operation(number, which, numbers);
    rule->compose(numbers, drawn, picture);
}

static void rand_augment_compose(const float *number, const double *drawn, cs_picture *picture) {
    int64_t place = 1;
    for (int i = 1; i < (int)number[NUM_OPS]; i++)
        place *= 100;
    for (; place > 0; place /= 100)
        add_operation(number, (int)((int64_t)drawn[0] / place % 100) - 1, drawn + 1, picture);
}

const cs_augment_rule cs_keras_policy_rules[] = {
    {.name = "keras.rand_augment",
     .doc =
         "num_ops of shear, translation, rotation, brightness, degeneration, contrast, sharpness, posterization, "
         "solarization, auto contrast and equalization, with factors of [0, factor]; Keras draws which ones once for a "
         "batch, and here it is done for each image",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"num_ops", CS_AUGMENT_WHOLE, .min = 1, .max = MOST_OPERATIONS, .fallback = {2}},
                    {"factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 0.5f}},
                    {"interpolation", CS_AUGMENT_CHOICE, .choices = interpolations},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .passes = MOST_OPERATIONS,
     .drawn = {"operations", "shear_x", "shear_y", "down", "right", "degrees", "brightness", "degeneration", "contrast",
               "sharpness", "bits", "addition", "threshold"},
     .draw = rand_augment_draw,
     .compose = rand_augment_compose},
    {0},
};
