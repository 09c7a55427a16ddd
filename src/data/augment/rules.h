/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the functions that the table in rules.c names (cs_augment_rule describes them). */
#ifndef CNNSWEEP_AUGMENT_RULES_H
#define CNNSWEEP_AUGMENT_RULES_H

#include "cnnsweep/augment.h"

bool cs_rule_is_on(const cs_augment_value *value);

/* flip.c */
int cs_flip_variants(const cs_augment_value *value);
int cs_flip_choose(const cs_augment_value *value, const float *draws);
void cs_horizontal_flip_compose(const cs_augment_value *value, const float *draws, cs_picture *picture);
void cs_vertical_flip_compose(const cs_augment_value *value, const float *draws, cs_picture *picture);

/* brightness.c */
int cs_brightness_variants(const cs_augment_value *value);
void cs_brightness_compose(const cs_augment_value *value, const float *draws, cs_picture *picture);

#endif
