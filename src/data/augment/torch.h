/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: changes that several of torchvision's transforms make. */
#ifndef CNNSWEEP_AUGMENT_TORCH_H
#define CNNSWEEP_AUGMENT_TORCH_H

#include "rules.h"

/* Angles in degrees, counter-clockwise; shifts in pixels. */
typedef struct cs_torch_move {
    double degrees, x, y, scale, shear_x, shear_y;
} cs_torch_move;

/* torch_geometry.c: these sample the nearest pixel, or bilinearly, and have `fill` beyond the edges. */
void cs_torch_rotate(cs_picture *picture, double degrees, bool nearest, float fill);
void cs_torch_affine(cs_picture *picture, const cs_torch_move *move, const double centre[2], bool nearest, float fill);

/* torch_colour.c */
void cs_torch_blend(cs_picture *picture, cs_blend_base base, double factor);
void cs_torch_curve(cs_picture *picture, cs_curve_kind kind);
void cs_torch_posterize(cs_picture *picture, int bits);
void cs_torch_solarize(cs_picture *picture, double threshold);

#endif
