/* SPDX-License-Identifier: Apache-2.0 */
/* Makes augmentations from texts such as cs_augment_text writes. */
#ifndef CNNSWEEP_TESTS_AUGMENTS_H
#define CNNSWEEP_TESTS_AUGMENTS_H

#include "cnnsweep/augment.h"

/* `text` is, for example, "horizontal_flip=true brightness_range=0.5:0.9"; "" is no augmentation. The rules may be in
 * any order; an unknown name fails the test. */
cs_augment test_augment(const char *text);

/* Adds the steps that mix batches so. */
void test_augment_mix(cs_augment *augment, const cs_mix *mix);

/* Adds a step with these numbers of its parameters, the first n. */
void test_augment_set(cs_augment *augment, const char *name, const float *numbers, int n);

/* Applies a picture, and copies the image that it makes to `to`. */
void test_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to);

#endif
