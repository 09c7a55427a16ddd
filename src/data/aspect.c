/* SPDX-License-Identifier: Apache-2.0 */
/* What part of an image becomes what part of the resized image, if their sides have different ratios. */
#include "image_impl.h"

#include <math.h>

static void stretch(int in_h, int in_w, int h, int w, cs_placement *place) {
    (void)in_h, (void)in_w, (void)h, (void)w, (void)place; /* the whole becomes the whole */
}

/* Pillow's ImageOps.fit: the largest part in the middle with the ratio of the target. */
static void crop(int in_h, int in_w, int h, int w, cs_placement *place) {
    const double ratio = (double)in_w / in_h, wanted = (double)w / h;
    double crop_h = in_h, crop_w = in_w;
    if (ratio > wanted)
        crop_w = wanted * in_h;
    else if (ratio < wanted)
        crop_h = in_w / wanted;
    place->top = (float)((in_h - crop_h) * 0.5);
    place->left = (float)((in_w - crop_w) * 0.5);
    place->bottom = (float)fmin((in_h - crop_h) * 0.5 + crop_h, in_h);
    place->right = (float)fmin((in_w - crop_w) * 0.5 + crop_w, in_w);
}

static int at_least_1(double pixels) {
    return pixels < 1 ? 1 : (int)nearbyint(pixels);
}

/* Pillow's ImageOps.pad: the whole image in the middle, as large as fits. */
static void pad(int in_h, int in_w, int h, int w, cs_placement *place) {
    const double ratio = (double)in_w / in_h, wanted = (double)w / h;
    if (ratio > wanted)
        place->h = at_least_1((double)in_h / in_w * w);
    else if (ratio < wanted)
        place->w = at_least_1((double)in_w / in_h * h);
    place->x = (int)nearbyint((w - place->w) * 0.5);
    place->y = (int)nearbyint((h - place->h) * 0.5);
}

static int clamp(int64_t pixels, int most) {
    return pixels < 1 ? 1 : pixels < most ? (int)pixels : most;
}

/* Keras' load_img(keep_aspect_ratio=True): as crop, but in whole pixels. */
static void keep_aspect_ratio(int in_h, int in_w, int h, int w, cs_placement *place) {
    const int crop_h = clamp((int64_t)in_w * h / w, in_h), crop_w = clamp((int64_t)in_h * w / h, in_w);
    const int top = (in_h - crop_h) / 2, left = (in_w - crop_w) / 2;
    place->top = (float)top;
    place->left = (float)left;
    place->bottom = place->top + (float)crop_h;
    place->right = place->left + (float)crop_w;
}

static const struct {
    const char *name;
    void (*place)(int in_h, int in_w, int h, int w, cs_placement *place);
} aspects[CS_ASPECT_COUNT] = {[CS_ASPECT_STRETCH] = {"stretch", stretch},
                              [CS_ASPECT_CROP] = {"crop", crop},
                              [CS_ASPECT_PAD] = {"pad", pad},
                              [CS_ASPECT_KEEP_ASPECT_RATIO] = {"keep_aspect_ratio", keep_aspect_ratio}};

const char *cs_aspect_name(cs_aspect aspect) {
    return aspects[aspect].name;
}

cs_placement cs_aspect_place(cs_aspect aspect, int in_h, int in_w, int h, int w) {
    cs_placement place = {.bottom = (float)in_h, .right = (float)in_w, .h = h, .w = w};
    aspects[aspect].place(in_h, in_w, h, w, &place);
    return place;
}
