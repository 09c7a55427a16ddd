/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of torchvision that act on tensors of values in 0..1, of the images of every split. */
#include "rules.h"

#include <string.h>

/* The numbers of normalize. */
enum { MEAN, STD = 3 };

static void normalize_standardize(const float *number, cs_standardize *settings) {
    settings->normalize = true;
    memcpy(settings->mean, number + MEAN, sizeof settings->mean);
    memcpy(settings->std, number + STD, sizeof settings->std);
}

const cs_augment_rule cs_torch_standardize_rules[] = {
    {.name = "normalize",
     .doc = "subtracts the mean of each channel from values in 0..1, as after `ToTensor`, and divides by std, in the "
            "images of every split; if not given, both are ImageNet's, [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225]",
     .family = CS_FAMILY_TORCHVISION,
     .parameters = {{"mean", CS_AUGMENT_CHANNELS, .max = 1, .fallback = {0.485f, 0.456f, 0.406f}},
                    {"std", CS_AUGMENT_CHANNELS, .min = 1e-6f, .max = 1000, .fallback = {0.229f, 0.224f, 0.225f}}},
     .variants = cs_one_variant,
     .standardize = normalize_standardize},
    {0},
};
