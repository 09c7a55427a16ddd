/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of Keras 3 that blur or erase. */
#include "keras.h"

#include <math.h>

/* The numbers of random_gaussian_blur. */
enum { BLUR_FACTOR, KERNEL_SIZE = 3, SIGMA, BLUR_LITERAL = 7 };

static cs_status blur_check(const float *number) {
    if ((int)number[KERNEL_SIZE] % 2 == 1)
        return CS_OK;
    return cs_fail(CS_ERR_ARG, "keras.random_gaussian_blur: kernel_size %d is even", (int)number[KERNEL_SIZE]);
}

/* One sigma; Keras' code has one for each direction, and takes it of one number s from 0 to s. */
static void blur_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const bool is_literal = number[BLUR_LITERAL] != 0;
    (void)h, (void)w;
    drawn[0] = cs_keras_is_applied(rng, number + BLUR_FACTOR, is_literal);
    drawn[1] = cs_keras_draw(rng, number + SIGMA, is_literal ? 0 : 1);
    drawn[2] = is_literal ? cs_keras_draw(rng, number + SIGMA, 0) : drawn[1];
}

static void set_weights(int size, double sigma, float *weights) {
    const int middle = size / 2;
    double sum = 0;
    for (int i = 0; i < size; i++) {
        const double distance = (i - middle) / (sigma + 1e-6);
        weights[i] = (float)exp(-0.5 * distance * distance);
        sum += (double)weights[i];
    }
    for (int i = 0; i < size; i++)
        weights[i] = (float)((double)weights[i] / sum);
}

static void blur_compose(const float *number, const double *drawn, cs_picture *picture) {
    const int size = (int)number[KERNEL_SIZE];
    if (drawn[0] == 0)
        return;
    cs_blur *blur = &cs_picture_add(picture, CS_PASS_BLUR)->blur;
    blur->across = blur->down = size / 2;
    blur->black_edges = true;
    set_weights(size, drawn[1], blur->weight_across);
    set_weights(size, drawn[2], blur->weight_down);
}

/* The numbers of random_erasing, and what is drawn. */
enum { ERASING_FACTOR, SCALE = 3, FILL = 5, ERASING_LITERAL = 9 };
enum { APPLIED, WIDTH, HEIGHT, LEFT, TOP, KEY };

static void erasing_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[APPLIED] = cs_keras_is_applied(rng, number + ERASING_FACTOR, number[ERASING_LITERAL] != 0);
    drawn[WIDTH] = cs_keras_uniform(rng, (double)number[SCALE], (double)number[SCALE + 1]);
    drawn[HEIGHT] = cs_keras_uniform(rng, (double)number[SCALE], (double)number[SCALE + 1]);
    drawn[LEFT] = cs_keras_uniform(rng, 0, 1);
    drawn[TOP] = cs_keras_uniform(rng, 0, 1);
    drawn[KEY] = cs_rng_u32(rng);
}

/* Sets the whole numbers from `start` on in the range that Keras computes in floats: its length is the root of a part.
 */
static void set_range(int side, double part, double place, int *start, int *length) {
    const float extent = sqrtf((float)part) * (float)side, first = (float)place * ((float)side - extent);
    *start = (int)ceilf(first);
    *length = (int)fminf(ceilf(first + extent), (float)side) - *start;
}

static void erasing_compose(const float *number, const double *drawn, cs_picture *picture) {
    const bool is_noise = number[FILL] != 0;
    int h, w;
    if (drawn[APPLIED] == 0)
        return;
    cs_picture_size(picture, &h, &w);
    cs_patches *patches = &cs_picture_add(picture, CS_PASS_PATCHES)->patches;
    cs_box *box = &patches->boxes[0];
    patches->n = 1;
    set_range(w, drawn[WIDTH], drawn[LEFT], &box->left, &box->w);
    set_range(h, drawn[HEIGHT], drawn[TOP], &box->top, &box->h);
    for (int c = 0; c < 3; c++)
        patches->value[0][c] = is_noise ? 0 : (uint8_t)lroundf(number[FILL + 1 + c]);
    if (!is_noise)
        return;
    const cs_box noisy = *box;
    cs_noise *noise = &cs_picture_add(picture, CS_PASS_NOISE)->noise;
    noise->key = (uint32_t)drawn[KEY];
    noise->box = noisy;
    cs_noise_normal(255, noise->table);
}

static const char *const erasing_values[] = {"noise", NULL};

const cs_augment_rule cs_keras_local_rules[] = {
    {.name = "keras.random_gaussian_blur",
     .doc =
         "blurs the image with probability factor, where pixels beyond the edges are black; one number sigma is meant; "
         "literally, the probability is drawn from [0, factor] and two sigmas from [0, sigma]",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 1}},
                    {"kernel_size", CS_AUGMENT_WHOLE, .min = 1, .max = 2 * CS_BLUR_RADIUS + 1, .fallback = {3}},
                    {"sigma", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 1}},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .drawn = {"applied", "sigma_across", "sigma_down"},
     .check = blur_check,
     .draw = blur_draw,
     .compose = blur_compose},
    {.name = "keras.random_erasing",
     .doc = "with probability factor, fills a rectangle whose width and height are each the root of a part of the "
            "image's; "
            "literally, the probability is drawn from [0, factor]; the noise is normal, with a deviation of 255",
     .family = CS_FAMILY_KERAS,
     .parameters = {{"factor", CS_AUGMENT_BOUNDS, .max = 1, .fallback = {1, 1}},
                    {"scale", CS_AUGMENT_RANGE, .max = 1, .fallback = {0.02f, 0.33f}},
                    {"fill_value", CS_AUGMENT_FILL, .max = 255, .choices = erasing_values, .fallback = {1}},
                    {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .passes = 2,
     .drawn = {"applied", "width", "height", "left", "top", "key"},
     .draw = erasing_draw,
     .compose = erasing_compose},
    {0},
};
