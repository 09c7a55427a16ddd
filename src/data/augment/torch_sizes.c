/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of torchvision that take a part of an image or change its size, as they act on Pillow images. */
#include "rules.h"

#include <math.h>

static const char *const paddings[] = {"constant", "edge", "symmetric", NULL};

/* The size that a crop makes: one number is both sides, none is the image's own size. */
static void crop_size(const float *number, int *h, int *w) {
    if (number[0] > 0) {
        *h = (int)number[0];
        *w = (int)(number[1] > 0 ? number[1] : number[0]);
    }
}

static cs_status fail_larger(const char *step, int crop_h, int crop_w, int h, int w) {
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: %dx%d is larger than the image, which is %dx%d (height x width)", step,
                           crop_h, crop_w, h, w),
                   "take a smaller part, pad the image, or put {resize: ...} in front");
}

cs_warp *cs_add_part(cs_picture *picture, double top, double left, int h, int w) {
    cs_pass *pass = cs_picture_add(picture, CS_PASS_WARP);
    pass->warp = (cs_warp){.map = {{1, 0, left}, {0, 1, top}, {0, 0, 1}}, .fill = CS_FILL_CONSTANT, .nearest = true};
    pass->h = h;
    pass->w = w;
    return &pass->warp;
}

/* The numbers of random_crop. */
enum { CROP_SIZE = 0, PADDING = 2, PADDING_MODE, CROP_FILL };

static cs_status crop_resize(const float *number, int *h, int *w) {
    const int padding = 2 * (int)number[PADDING], padded_h = *h + padding, padded_w = *w + padding;
    crop_size(number + CROP_SIZE, h, w);
    if (*h > padded_h || *w > padded_w)
        return fail_larger("random_crop", *h, *w, padded_h, padded_w);
    return CS_OK;
}

static void crop_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    const int padding = 2 * (int)number[PADDING];
    int crop_h = h, crop_w = w;
    crop_size(number + CROP_SIZE, &crop_h, &crop_w);
    drawn[0] = cs_rng_below(rng, (uint32_t)(h + padding - crop_h) + 1);
    drawn[1] = cs_rng_below(rng, (uint32_t)(w + padding - crop_w) + 1);
}

static void crop_compose(const float *number, const double *drawn, cs_picture *picture) {
    static const cs_fill fills[] = {CS_FILL_CONSTANT, CS_FILL_NEAREST, CS_FILL_REFLECT}; /* of `paddings` */
    const double padding = (double)number[PADDING];
    int h, w;
    cs_picture_size(picture, &h, &w);
    crop_size(number + CROP_SIZE, &h, &w);
    cs_warp *warp = cs_add_part(picture, drawn[0] - padding, drawn[1] - padding, h, w);
    warp->fill = fills[(int)number[PADDING_MODE]];
    for (int c = 0; c < 3; c++)
        warp->fill_value[c] = number[CROP_FILL];
}

static cs_status centre_resize(const float *number, int *h, int *w) {
    const int own_h = *h, own_w = *w;
    crop_size(number, h, w);
    if (*h > own_h || *w > own_w)
        return fail_larger("center_crop", *h, *w, own_h, own_w);
    return CS_OK;
}

/* torchvision rounds half a pixel to an even number. */
static void centre_compose(const float *number, const double *drawn, cs_picture *picture) {
    int own_h, own_w;
    (void)drawn;
    cs_picture_size(picture, &own_h, &own_w);
    int h = own_h, w = own_w;
    crop_size(number, &h, &w);
    cs_add_part(picture, rint((own_h - h) / 2.0), rint((own_w - w) / 2.0), h, w);
}

/* One number is the shorter side; the longer one keeps the ratio. */
static cs_status resize_resize(const float *number, int *h, int *w) {
    const int first = (int)number[0], second = (int)number[1], own_h = *h, own_w = *w;
    if (second > 0) {
        *h = first;
        *w = second;
    } else if (own_h <= own_w) {
        *h = first;
        *w = (int)((double)first * own_w / own_h);
    } else {
        *w = first;
        *h = (int)((double)first * own_h / own_w);
    }
    if (*h > CS_AUGMENT_SIDE || *w > CS_AUGMENT_SIDE)
        return cs_fail(CS_ERR_ARG, "resize: an image of %dx%d would become one of %dx%d", own_h, own_w, *h, *w);
    return CS_OK;
}

static void add_resample(cs_picture *picture, cs_box box, int h, int w) {
    cs_pass *pass = cs_picture_add(picture, CS_PASS_RESAMPLE);
    pass->box = box;
    pass->h = h;
    pass->w = w;
}

static void resize_compose(const float *number, const double *drawn, cs_picture *picture) {
    cs_box box = {0};
    (void)drawn;
    cs_picture_size(picture, &box.h, &box.w);
    int h = box.h, w = box.w;
    if (resize_resize(number, &h, &w) == CS_OK && (h != box.h || w != box.w))
        add_resample(picture, box, h, w);
}

/* The numbers of random_resized_crop. */
enum { RESIZED_SIZE = 0, SCALE = 2, RATIO = 4 };

static cs_status resized_crop_resize(const float *number, int *h, int *w) {
    crop_size(number + RESIZED_SIZE, h, w);
    return CS_OK;
}

/* The largest part in the middle whose ratio lies in the range. */
static void draw_central(const float *ratio, int h, int w, double *drawn) {
    const double own = (double)w / h, low = (double)ratio[0], high = (double)ratio[1];
    drawn[2] = own < low ? rint(w / low) : h;
    drawn[3] = own > high ? rint(h * high) : w;
    drawn[0] = floor((h - drawn[2]) / 2);
    drawn[1] = floor((w - drawn[3]) / 2);
}

/* Draws top, left, height and width; after ten parts that do not fit into the image, takes a central one. */
static void resized_crop_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    enum { TRIES = 10 };
    const float *scale = number + SCALE, *ratio = number + RATIO;
    for (int i = 0; i < TRIES; i++) {
        const double area = (double)h * w * cs_uniform(rng, (double)scale[0], (double)scale[1]);
        const double shape = exp(cs_uniform(rng, log((double)ratio[0]), log((double)ratio[1])));
        drawn[2] = rint(sqrt(area / shape));
        drawn[3] = rint(sqrt(area * shape));
        if (drawn[2] > 0 && drawn[2] <= h && drawn[3] > 0 && drawn[3] <= w) {
            drawn[0] = cs_rng_below(rng, (uint32_t)(h - drawn[2]) + 1);
            drawn[1] = cs_rng_below(rng, (uint32_t)(w - drawn[3]) + 1);
            return;
        }
    }
    draw_central(ratio, h, w, drawn);
}

static void resized_crop_compose(const float *number, const double *drawn, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    crop_size(number + RESIZED_SIZE, &h, &w);
    add_resample(picture, (cs_box){(int)drawn[0], (int)drawn[1], (int)drawn[2], (int)drawn[3]}, h, w);
}

const cs_augment_rule cs_torch_size_rules[] = {
    {.name = "random_crop",
     .doc = "pads all sides by so many pixels and takes a part; without a size, of the image's own size",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"size", CS_AUGMENT_SIZE, .max = CS_AUGMENT_SIDE},
                    {"padding", CS_AUGMENT_WHOLE, .max = CS_AUGMENT_SIDE},
                    {"padding_mode", CS_AUGMENT_CHOICE, .choices = paddings},
                    {"fill", CS_AUGMENT_NUMBER, .max = 255}},
     .drawn = {"top", "left"},
     .draw = crop_draw,
     .resize = crop_resize,
     .compose = crop_compose},
    {.name = "random_resized_crop",
     .doc =
         "takes a part of so much of the area, with a ratio of width to height, and resizes it; without a size, to the "
         "image's own",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"size", CS_AUGMENT_SIZE, .max = CS_AUGMENT_SIDE},
                    {"scale", CS_AUGMENT_RANGE, .min = 0.0001f, .max = 1, .fallback = {0.08f, 1}},
                    {"ratio", CS_AUGMENT_RANGE, .min = 0.01f, .max = 100, .fallback = {0.75f, 4.0f / 3}}},
     .drawn = {"top", "left", "height", "width"},
     .draw = resized_crop_draw,
     .resize = resized_crop_resize,
     .compose = resized_crop_compose},
    {.name = "resize",
     .doc = "to [height, width], or so that the shorter side has so many pixels",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"size", CS_AUGMENT_SIZE, .min = 1, .max = CS_AUGMENT_SIDE, .fallback = {256}}},
     .variants = cs_one_variant,
     .resize = resize_resize,
     .compose = resize_compose},
    {.name = "center_crop",
     .doc = "takes the middle part of this size",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"size", CS_AUGMENT_SIZE, .min = 1, .max = CS_AUGMENT_SIDE, .fallback = {224}}},
     .variants = cs_one_variant,
     .resize = centre_resize,
     .compose = centre_compose},
    {0},
};
