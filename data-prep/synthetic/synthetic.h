/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep-synthetic: drawings that look a little like skin lesions, for demos and tests. Not medical data. */
#ifndef CNNSWEEP_SYNTHETIC_H
#define CNNSWEEP_SYNTHETIC_H

#include "cnnsweep/image.h"
#include "cnnsweep/random.h"

/* What a class looks like on average, in the terms of the ABCD rule of dermatoscopy; 0 none .. 1 much. An image's own
 * values are normal around these, with a spread that makes the classes overlap. */
typedef struct lesion_class {
    const char *name;
    float asymmetry, border, colours;
    float tone; /* 0 light brown .. 1 nearly black */
} lesion_class;

const lesion_class *lesion_classes(int *n);

/* Draws one image; every decision comes from `rng`. `image` has its size set already. */
void lesion_draw(const lesion_class *class, cs_rng *rng, cs_image *image);

#endif
