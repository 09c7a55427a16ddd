/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep-synthetic draws images that look a little like skin lesions, for demos and tests. They are not medical
 * data. */
#ifndef CNNSWEEP_SYNTHETIC_H
#define CNNSWEEP_SYNTHETIC_H

#include "cnnsweep/image.h"
#include "cnnsweep/random.h"

/* The mean appearance of a class, in the terms of the ABCD rule of dermatoscopy, from 0 (none) to 1 (much). The values
 * of an image are normally distributed around these, with a spread that makes the classes overlap. */
typedef struct lesion_class {
    const char *name;
    float asymmetry, border, colours;
    float tone; /* from 0, light brown, to 1, nearly black */
} lesion_class;

const lesion_class *lesion_classes(int *n);

/* Draws one image, whose size is set already in `image`. All random numbers come from `rng`. */
void lesion_draw(const lesion_class *class, cs_rng *rng, cs_image *image);

#endif
