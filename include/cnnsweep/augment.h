/* Augmentation of one training image, with Keras' ImageDataGenerator semantics and order.
 * To add one: a field here, a row and a function in src/data/augment/augment.c, a row in the option table. */
#ifndef CNNSWEEP_AUGMENT_H
#define CNNSWEEP_AUGMENT_H

#include "cnnsweep/picture.h"
#include "cnnsweep/random.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cs_augment {
    bool horizontal_flip;      /* mirrored with probability 1/2 */
    bool vertical_flip;        /* likewise */
    float brightness_range[2]; /* factor uniform in [low, high); {0, 0} = off. Pixel = trunc(min(255, pixel*factor)) */
} cs_augment;

bool cs_augment_is_off(const cs_augment *augment);

/* The rules that are on, in the order of their names: "brightness_range=0.5:0.9 horizontal_flip=true"; "" when off. */
void cs_augment_text(const cs_augment *augment, char *out, size_t size);

/* Different pictures that one image can become: 1 when off; 0: too many to count. */
int cs_augment_variants(const cs_augment *augment);

/* Which of them, from 0, cs_augment_apply makes with that stream; the draws are the same. Where they are too many to
 * count it means nothing. */
int cs_augment_variant(const cs_augment *augment, cs_rng *rng);

/* All decisions from `rng`, one draw a field in their order, also for those that are off, so that switching one on
 * leaves the others' decisions alone. They are added to what `picture` says already. */
void cs_augment_draw(const cs_augment *augment, cs_rng *rng, cs_picture *picture);

/* Makes of `from` [h,w,3] what `picture` says, in `to` [h,w,3], which is other memory. */
void cs_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to);

#endif
