/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of Keras 3 that change the size of images. They sample as tf.image.resize does, bilinearly and without a
 * filter against aliasing. */
#include "keras.h"

/* The numbers of both rules. */
enum { HEIGHT, WIDTH, LITERAL = 2, CROPS = 2 };

static cs_status check_size(const float *number) {
    if (number[HEIGHT] == 0 || number[WIDTH] == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "it needs a height and a width"), "write {height: 224, width: 224}");
    return CS_OK;
}

static cs_status set_size(const float *number, int *h, int *w) {
    *h = (int)number[HEIGHT];
    *w = (int)number[WIDTH];
    return CS_OK;
}

static int at_most(double size, int most) {
    return size < 1 ? 1 : size < most ? (int)size : most;
}

/* The largest part in the middle of an image of h x w that has the ratio of the size. */
static cs_box find_middle(const float *number, int h, int w) {
    const double height = (double)number[HEIGHT], width = (double)number[WIDTH];
    cs_box box = {.h = at_most(w * height / width, h), .w = at_most(h * width / height, w)};
    box.top = (h - box.h) / 2;
    box.left = (w - box.w) / 2;
    return box;
}

/* Takes the part and resizes it to the rule's size. Its edges continue beyond it. */
static void add_resized(cs_picture *picture, cs_box box, const float *number) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    if (box.h != h || box.w != w)
        cs_add_part(picture, box.top, box.left, box.h, box.w);
    (void)set_size(number, &h, &w);
    if (box.h == h && box.w == w)
        return;
    const float down = (float)box.h / (float)h, across = (float)box.w / (float)w;
    cs_keras_add_warp(picture, (const float[]){across, 0, 0, 0, down, 0}, CS_FILL_NEAREST, false, 0)->resizes = true;
    picture->passes[picture->n - 1].h = h;
    picture->passes[picture->n - 1].w = w;
}

/* Is there room for a part that is not resized? Literally, not in an image that has the size in one direction. */
static bool has_room(const float *number, int h, int w) {
    const int least = number[LITERAL] != 0;
    return h - (int)number[HEIGHT] >= least && w - (int)number[WIDTH] >= least;
}

static void crop_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const cs_box middle = find_middle(number, h, w);
    const bool is_random = has_room(number, h, w);
    drawn[0] = is_random ? cs_rng_below(rng, (uint32_t)(h - (int)number[HEIGHT]) + 1) : (uint32_t)middle.top;
    drawn[1] = is_random ? cs_rng_below(rng, (uint32_t)(w - (int)number[WIDTH]) + 1) : (uint32_t)middle.left;
}

/* Literally, what is resized is as large as the size, as far as the image reaches, and only begins where the part in
 * the middle does. */
static void crop_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    cs_box box = {(int)drawn[0], (int)drawn[1], (int)number[HEIGHT], (int)number[WIDTH]};
    if (!has_room(number, h, w) && number[LITERAL] == 0)
        box = find_middle(number, h, w);
    box.h = at_most(box.h, h - box.top);
    box.w = at_most(box.w, w - box.left);
    add_resized(picture, box, number);
}

static void resizing_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_box box = {0};
    (void)drawn;
    cs_picture_size(picture, &box.h, &box.w);
    if (number[CROPS] != 0)
        box = find_middle(number, box.h, box.w);
    add_resized(picture, box, number);
}

#define SIZE_PARAMETERS                                                                                                \
    {"height", CS_AUGMENT_WHOLE, .min = 1, .max = CS_AUGMENT_SIDE}, {                                                  \
        "width", CS_AUGMENT_WHOLE, .min = 1, .max = CS_AUGMENT_SIDE                                                    \
    }

const cs_augment_rule cs_keras_size_rules[] = {
    {.name = "keras.random_crop",
     .doc = "takes a part of this size; of an image that is smaller in one direction, the largest part in the middle "
            "with this ratio, which it resizes; literally, that is also done where a side is equal, and the part has "
            "the size as far as the image reaches and begins where that in the middle does",
     .family = CS_FAMILY_KERAS,
     .parameters = {SIZE_PARAMETERS, {"keras3", CS_AUGMENT_CHOICE, .choices = cs_keras_meanings}},
     .passes = 2,
     .drawn = {"top", "left"},
     .check = check_size,
     .draw = crop_draw,
     .resize = set_size,
     .compose = crop_compose},
    {.name = "keras.resizing",
     .doc = "resizes the image bilinearly; with crop_to_aspect_ratio, the largest part in the middle with this ratio",
     .family = CS_FAMILY_KERAS,
     .parameters = {SIZE_PARAMETERS, {.name = "crop_to_aspect_ratio", .type = CS_AUGMENT_BOOL}},
     .passes = 2,
     .check = check_size,
     .variants = cs_one_variant,
     .resize = set_size,
     .compose = resizing_compose},
    {0},
};
