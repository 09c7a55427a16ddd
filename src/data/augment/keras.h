/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: the laws of the draws of Keras 3's layers. Where the code of a layer does not do what the layer's
 * documentation says, the rule follows the documentation, and with `keras3: literal` the code. */
#ifndef CNNSWEEP_AUGMENT_KERAS_H
#define CNNSWEEP_AUGMENT_KERAS_H

#include "rules.h"

/* The choices of the parameter keras3; {1} is literal. */
extern const char *const cs_keras_meanings[];

/* Uniform in [low, high), a float as Keras draws it. */
double cs_keras_uniform(cs_rng *rng, double low, double high);

/* The range that a BOUNDS parameter means, where one number v alone is [least * v, v]. */
void cs_keras_range(const float *bounds, float least, double range[2]);

/* Draws from that range. */
double cs_keras_draw(cs_rng *rng, const float *bounds, float least);

/* Draws whether a layer is applied. A range of probabilities has one drawn from it first, and so has, literally, one
 * number v: from [0, v]. */
bool cs_keras_is_applied(cs_rng *rng, const float *factor, bool is_literal);

/* keras_geometry.c: adds a warp by a map of floats, {xx, xy, x, yx, yy, y}, with TensorFlow's arithmetic. */
cs_warp *cs_keras_add_warp(cs_picture *picture, const float map[6], cs_fill fill, bool nearest, float value);

#endif
