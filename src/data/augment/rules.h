/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the functions that the table in rules.c names (cs_augment_rule describes them). */
#ifndef CNNSWEEP_AUGMENT_RULES_H
#define CNNSWEEP_AUGMENT_RULES_H

#include "cnnsweep/augment.h"

bool cs_rule_is_on(const cs_augment_value *value);

typedef void cs_rule_compose(const cs_augment_value *value, const float *draws, cs_picture *picture);

/* settings.c: rules without draws, which those behind them look at. */
extern const char *const cs_era_choices[], *const cs_fill_choices[], *const cs_interpolation_choices[];
int cs_setting_variants(const cs_augment_value *value);
cs_rule_compose cs_era_compose, cs_fill_compose, cs_cval_compose, cs_interpolation_compose;

/* affine.c */
cs_rule_compose cs_rotation_compose, cs_height_shift_compose, cs_width_shift_compose, cs_shear_compose, cs_zoom_compose;

/* channel_shift.c */
cs_rule_compose cs_channel_shift_compose;

/* flip.c */
int cs_flip_variants(const cs_augment_value *value);
int cs_flip_choose(const cs_augment_value *value, const float *draws);
cs_rule_compose cs_horizontal_flip_compose, cs_vertical_flip_compose;

/* brightness.c */
int cs_brightness_variants(const cs_augment_value *value);
cs_rule_compose cs_brightness_compose;

#endif
