/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the rules of each family, which end with a row without a name, and what their functions share. */
#ifndef CNNSWEEP_AUGMENT_RULES_H
#define CNNSWEEP_AUGMENT_RULES_H

#include "cnnsweep/augment.h"

extern const cs_augment_rule cs_generator_rules[];
extern const cs_augment_rule cs_torch_geometry_rules[];
extern const cs_augment_rule cs_torch_size_rules[];
extern const cs_augment_rule cs_torch_colour_rules[];
extern const cs_augment_rule cs_torch_local_rules[];
extern const cs_augment_rule cs_torch_policy_rules[];
extern const cs_augment_rule cs_torch_standardize_rules[];
extern const cs_augment_rule cs_albumentations_rules[];
extern const cs_augment_rule cs_albumentations_geometry_rules[];
extern const cs_augment_rule cs_batch_rules[]; /* a row for each cs_mix_kind, in that order */
extern const cs_augment_rule cs_keras_geometry_rules[];
extern const cs_augment_rule cs_keras_size_rules[];
extern const cs_augment_rule cs_keras_colour_rules[];
extern const cs_augment_rule cs_keras_local_rules[];
extern const cs_augment_rule cs_keras_policy_rules[];
extern const cs_augment_rule cs_group_rules[];

enum { CS_PARAMETER_TEXT = 24 * 8 }; /* bytes that hold a parameter's text */
/* Writes the numbers of a parameter, in types.c. */
void cs_augment_write(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size);

/* The functions of the generator's rules, whose rows are in generator.c. */
typedef int cs_rule_variants(const float *number);
typedef void cs_rule_draw(const float *number, cs_rng *rng, int h, int w, double *drawn);
typedef void cs_rule_compose(const float *number, const double *drawn, cs_picture *picture);

typedef void cs_rule_standardize(const float *number, cs_standardize *settings);

/* The probability of a step if the job file does not say. */
float cs_rule_p(const cs_augment_rule *rule);
/* Of a rule that does the same each time. */
cs_rule_variants cs_one_variant;
/* Uniform in [low, high). */
double cs_uniform(cs_rng *rng, double low, double high);
/* Draws one number, uniform in the range of the rule's first two numbers. */
cs_rule_draw cs_range_draw;

/* homography.c: (x, y) of `from` goes to ((m0 x + m1 y + m2) / q, (m3 x + m4 y + m5) / q) with q = m6 x + m7 y + 1. */
void cs_homography(const double from[4][2], const double to[4][2], double map[8]);

/* torch_sizes.c: adds a pass that shows the image from (left, top) on, in another size. */
cs_warp *cs_add_part(cs_picture *picture, double top, double left, int h, int w);

/* generator_settings.c: rules without draws, which change what later rules do. */
extern const char *const cs_era_choices[], *const cs_fill_choices[], *const cs_interpolation_choices[];
cs_rule_compose cs_era_compose, cs_fill_compose, cs_cval_compose, cs_interpolation_compose;

/* generator_affine.c */
cs_rule_draw cs_symmetric_draw, cs_height_shift_draw, cs_width_shift_draw, cs_zoom_draw;
cs_rule_compose cs_rotation_compose, cs_height_shift_compose, cs_width_shift_compose, cs_shear_compose, cs_zoom_compose;

/* generator_flip.c */
cs_rule_variants cs_flip_variants;
cs_rule_draw cs_flip_draw;
cs_rule_compose cs_horizontal_flip_compose, cs_vertical_flip_compose;

/* generator_levels.c */
cs_rule_variants cs_brightness_variants;
cs_rule_draw cs_brightness_draw;
cs_rule_compose cs_channel_shift_compose, cs_brightness_compose;

/* generator_standardize.c */
cs_rule_standardize cs_era_standardize, cs_rescale_standardize, cs_samplewise_center_standardize,
    cs_samplewise_std_standardize, cs_featurewise_center_standardize, cs_featurewise_std_standardize,
    cs_zca_standardize, cs_zca_epsilon_standardize;

#endif
