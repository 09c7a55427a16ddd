/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentations of tests, written as cs_augment_text writes them. */
#ifndef CNNSWEEP_TESTS_AUGMENTS_H
#define CNNSWEEP_TESTS_AUGMENTS_H

#include "cnnsweep/augment.h"

/* "horizontal_flip=true brightness_range=0.5:0.9"; "" is none. Rules in any order; a name that there is not fails the
 * test. */
cs_augment test_augment(const char *text);

#endif
