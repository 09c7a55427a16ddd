/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the functions that the table in rules.c names (cs_augment_rule describes them). */
#ifndef CNNSWEEP_AUGMENT_RULES_H
#define CNNSWEEP_AUGMENT_RULES_H

#include "cnnsweep/augment.h"

bool cs_rule_is_on(const cs_augment_value *value);

typedef void cs_rule_draw(const cs_augment_value *value, const float *draws, int h, int w, double *drawn);
typedef void cs_rule_compose(const double *drawn, cs_picture *picture);

/* settings.c: rules without draws, which change what later rules do. */
extern const char *const cs_era_choices[], *const cs_fill_choices[], *const cs_interpolation_choices[];
int cs_setting_variants(const cs_augment_value *value);
cs_rule_compose cs_era_compose, cs_fill_compose, cs_cval_compose, cs_interpolation_compose;

/* affine.c */
cs_rule_draw cs_symmetric_draw, cs_height_shift_draw, cs_width_shift_draw, cs_zoom_draw;
cs_rule_compose cs_rotation_compose, cs_height_shift_compose, cs_width_shift_compose, cs_shear_compose, cs_zoom_compose;

/* flip.c */
int cs_flip_variants(const cs_augment_value *value);
cs_rule_draw cs_flip_draw;
cs_rule_compose cs_horizontal_flip_compose, cs_vertical_flip_compose;

/* levels.c */
int cs_brightness_variants(const cs_augment_value *value);
cs_rule_draw cs_brightness_draw;
cs_rule_compose cs_channel_shift_compose, cs_brightness_compose;

#endif
