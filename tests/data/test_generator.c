/* SPDX-License-Identifier: Apache-2.0 */
/* The augmentations of Keras' ImageDataGenerator against Keras itself, on random transforms of images of random sizes.
 */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/augment.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 24, BYTES = LARGEST * LARGEST * 3, SEED = 5, EPOCH = 2 };

/* A transform: the parameters in the form in which Keras takes them, and the image before and after it. */
typedef struct transform {
    int32_t era, fill, order, h, w, hflip, vflip, pad;
    double cval, theta, tx, ty, shear, zx, zy, channel, brightness; /* zx, brightness 0: not on */
    uint8_t before[BYTES], after[BYTES];
} transform;

/* The rule's draws for a sample, as augment.h says. */
static void draws_of(const char *rule, uint32_t sample, float draws[2]) {
    cs_rng rng = cs_rng_at(SEED + ((uint64_t)cs_hash_name(rule) << 32), CS_PURPOSE_AUGMENT, EPOCH, sample);
    for (int i = 0; i < 2; i++)
        draws[i] = cs_rng_float(&rng);
}

/* Sets a rule with one number. */
static void set(cs_augment *augment, const char *rule, double number) {
    test_augment_set(augment, rule, &(float){(float)number}, 1);
}

/* Sets the rule to +-range with probability 2/3; returns what is drawn. */
static double symmetric(cs_augment *augment, const char *rule, cs_rng *rng, double range, uint32_t sample) {
    float draws[2];
    if (cs_rng_below(rng, 3) == 0)
        return 0;
    set(augment, rule, range);
    draws_of(rule, sample, draws);
    return range * (2 * (double)draws[0] - 1);
}

/* Each kind of a shift's parameter. */
static double shift(cs_augment *augment, const char *rule, cs_rng *rng, int side, uint32_t sample) {
    static const float kinds[5][7] = {{CS_SHIFT_NONE},
                                      {CS_SHIFT_UNIFORM, 1, 0.3f},
                                      {CS_SHIFT_UNIFORM, 1, 2.5f},
                                      {CS_SHIFT_WHOLE, 1, 4},
                                      {CS_SHIFT_LIST, 3, -0.25f, 0.125f, 0.5f}};
    const float *kind = kinds[cs_rng_below(rng, 5)];
    float draws[2];
    test_augment_set(augment, rule, kind, sizeof kinds[0] / sizeof *kind);
    draws_of(rule, sample, draws);
    const double value = (double)kind[2], sign = draws[1] < 0.5f ? -1 : 1;
    if (kind[0] == CS_SHIFT_UNIFORM)
        return (2 * value * (double)draws[0] - value) * (value < 1 ? side : 1);
    if (kind[0] == CS_SHIFT_WHOLE)
        return sign * floor(4 * (double)draws[0]);
    return kind[0] == CS_SHIFT_LIST ? sign * (double)kind[2 + (int)(3 * (double)draws[0])] * side : 0;
}

static bool flip(cs_augment *augment, const char *rule, cs_rng *rng, uint32_t sample) {
    float draws[2];
    bool on = cs_rng_below(rng, 2) == 0;
    set(augment, rule, on);
    draws_of(rule, sample, draws);
    return on && draws[0] < 0.5f;
}

static void zoom(cs_augment *augment, cs_rng *rng, uint32_t sample, transform *t) {
    float draws[2];
    if (cs_rng_below(rng, 3) == 0)
        return;
    test_augment_set(augment, "zoom_range", (float[]){0.5f, 1.75f}, 2);
    draws_of("zoom_range", sample, draws);
    t->zx = 0.5 + 1.25 * (double)draws[0];
    t->zy = 0.5 + 1.25 * (double)draws[1];
}

static void brightness(cs_augment *augment, cs_rng *rng, uint32_t sample, transform *t) {
    float draws[2];
    if (cs_rng_below(rng, 2) == 0)
        return;
    const float number[] = {0.5f, cs_rng_below(rng, 2) ? 0.5f : 1.5f};
    test_augment_set(augment, "brightness_range", number, 2);
    draws_of("brightness_range", sample, draws);
    t->brightness = (double)(number[0] + (number[1] - number[0]) * draws[0]);
}

static void make_transform(uint32_t sample, transform *t) {
    cs_augment augment = {0};
    cs_picture picture;
    cs_rng rng = cs_rng_at(SEED, CS_PURPOSE_TEST, EPOCH, sample);
    const cs_augment_address at = {SEED, EPOCH, sample};
    t->h = 8 + (int)cs_rng_below(&rng, LARGEST - 7);
    t->w = 8 + (int)cs_rng_below(&rng, LARGEST - 7);
    t->order = cs_rng_below(&rng, 4) > 0;
    t->cval = t->fill == CS_FILL_CONSTANT ? 77 : 0;
    set(&augment, "era", t->era);
    set(&augment, "fill_mode", t->fill);
    set(&augment, "interpolation_order", (1 - t->order));
    set(&augment, "cval", t->cval);
    t->theta = symmetric(&augment, "rotation_range", &rng, 60, sample);
    t->tx = shift(&augment, "height_shift_range", &rng, t->h, sample);
    t->ty = shift(&augment, "width_shift_range", &rng, t->w, sample);
    t->shear = symmetric(&augment, "shear_range", &rng, 30, sample);
    zoom(&augment, &rng, sample, t);
    t->channel = (double)(float)symmetric(&augment, "channel_shift_range", &rng, 64, sample);
    t->hflip = flip(&augment, "horizontal_flip", &rng, sample);
    t->vflip = flip(&augment, "vertical_flip", &rng, sample);
    brightness(&augment, &rng, sample, t);
    for (int i = 0; i < BYTES; i++) /* not all of 0..255, for a stretch to do something */
        t->before[i] = (uint8_t)(20 + cs_rng_below(&rng, 200));
    cs_augment_sort(&augment);
    cs_augment_draw(&augment, &at, t->h, t->w, &picture, NULL, NULL);
    test_augment_apply(&picture, t->before, t->after);
}

static void transforms_are_those_of_keras(void **state) {
    (void)state;
    const char *path = fixture_path("transforms.bin");
    FILE *file = fopen(path, "wb");
    const char *many = getenv("CNNSWEEP_TEST_TRANSFORMS");
    const int each = many ? (int)strtol(many, NULL, 10) : 250;
    uint32_t sample = 0;
    assert_non_null(file);
    for (int era = 0; era < 2; era++)
        for (int fill = 0; fill <= CS_FILL_WRAP; fill++)
            for (int i = 0; i < each; i++) {
                transform t = {.era = era, .fill = fill};
                make_transform(sample++, &t);
                assert_int_equal(fwrite(&t, sizeof t, 1, file), 1);
            }
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_generator.py", path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transforms_are_those_of_keras),
    };
    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
