/* SPDX-License-Identifier: Apache-2.0 */
/* The table of augmentation rules, in the order in which they are composed, and the search in it. */
#include "rules.h"

#include <string.h>

enum { SIDE = 4096 }; /* pixels: farther than any image reaches */
static const cs_augment_rule rules[] = {
    {.name = "era",
     .doc = "which Keras computes the others: `keras` as from TensorFlow 2.9 on, `keras2.8` until then",
     .type = CS_AUGMENT_CHOICE,
     .choices = cs_era_choices,
     .variants = cs_setting_variants,
     .compose = cs_era_compose},
    {.name = "fill_mode",
     .doc = "what lies beyond the edges of the image",
     .type = CS_AUGMENT_CHOICE,
     .choices = cs_fill_choices,
     .variants = cs_setting_variants,
     .compose = cs_fill_compose},
    {.name = "cval",
     .doc = "the value beyond the edges with `fill_mode: constant`",
     .type = CS_AUGMENT_NUMBER,
     .max = 255,
     .variants = cs_setting_variants,
     .compose = cs_cval_compose},
    {.name = "interpolation_order",
     .doc = "1: bilinear, 0: the nearest pixel",
     .type = CS_AUGMENT_CHOICE,
     .choices = cs_interpolation_choices,
     .variants = cs_setting_variants,
     .compose = cs_interpolation_compose},
    {.name = "rotation_range",
     .doc = "degrees to either side",
     .type = CS_AUGMENT_NUMBER,
     .max = 360,
     .draws = 1,
     .drawn = {"rotation_degrees"},
     .draw = cs_symmetric_draw,
     .compose = cs_rotation_compose},
    {.name = "height_shift_range",
     .doc = "shift by a fraction of the height (below 1), by pixels, or by one of a list, to either side",
     .type = CS_AUGMENT_SHIFT,
     .min = -SIDE,
     .max = SIDE,
     .draws = 2,
     .drawn = {"height_shift_pixels"},
     .draw = cs_height_shift_draw,
     .compose = cs_height_shift_compose},
    {.name = "width_shift_range",
     .doc = "shift by a fraction of the width (below 1), by pixels, or by one of a list, to either side",
     .type = CS_AUGMENT_SHIFT,
     .min = -SIDE,
     .max = SIDE,
     .draws = 2,
     .drawn = {"width_shift_pixels"},
     .draw = cs_width_shift_draw,
     .compose = cs_width_shift_compose},
    {.name = "shear_range",
     .doc = "shear angle in degrees to either side",
     .type = CS_AUGMENT_NUMBER,
     .max = 360,
     .draws = 1,
     .drawn = {"shear_degrees"},
     .draw = cs_symmetric_draw,
     .compose = cs_shear_compose},
    {.name = "zoom_range",
     .doc = "one factor for each direction; above 1 the image becomes smaller; a number z means from 1-z to 1+z",
     .type = CS_AUGMENT_ZOOM,
     .max = 100,
     .draws = 2,
     .drawn = {"zoom_first", "zoom_second"},
     .draw = cs_zoom_draw,
     .compose = cs_zoom_compose},
    {.name = "channel_shift_range",
     .doc = "one number to either side is added to all values, which stay in the range that the image had",
     .type = CS_AUGMENT_NUMBER,
     .max = 255,
     .draws = 1,
     .drawn = {"channel_shift"},
     .draw = cs_symmetric_draw,
     .compose = cs_channel_shift_compose},
    {.name = "horizontal_flip",
     .doc = "half of the images are mirrored left to right",
     .type = CS_AUGMENT_BOOL,
     .draws = 1,
     .drawn = {"horizontal_flip"},
     .variants = cs_flip_variants,
     .draw = cs_flip_draw,
     .compose = cs_horizontal_flip_compose},
    {.name = "vertical_flip",
     .doc = "half of the images are mirrored top to bottom",
     .type = CS_AUGMENT_BOOL,
     .draws = 1,
     .drawn = {"vertical_flip"},
     .variants = cs_flip_variants,
     .draw = cs_flip_draw,
     .compose = cs_vertical_flip_compose},
    {.name = "brightness_range",
     .doc = "factor of all values",
     .type = CS_AUGMENT_RANGE,
     .max = 100,
     .draws = 1,
     .drawn = {"brightness"},
     .variants = cs_brightness_variants,
     .draw = cs_brightness_draw,
     .compose = cs_brightness_compose},
};
enum { RULES = sizeof rules / sizeof *rules };
_Static_assert((int)RULES <= (int)CS_AUGMENT_MAX, "cs_augment has no place for so many rules: raise CS_AUGMENT_MAX");

const cs_augment_rule *cs_augment_rules(int *n) {
    *n = RULES;
    return rules;
}

int cs_augment_find(const char *name) {
    for (int i = 0; i < RULES; i++)
        if (strcmp(rules[i].name, name) == 0)
            return i;
    return -1;
}

bool cs_rule_is_on(const cs_augment_value *value) {
    for (int i = 0; i < CS_AUGMENT_NUMBERS; i++)
        if (value->number[i] != 0)
            return true;
    return false;
}
