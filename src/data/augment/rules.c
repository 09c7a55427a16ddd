/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of all families, and the search among them. */
#include "rules.h"

#include <string.h>

static const cs_augment_rule *const families[] = {
    cs_generator_rules,
    cs_torch_geometry_rules,
    cs_torch_size_rules,
    cs_torch_colour_rules,
    cs_torch_local_rules,
    cs_torch_policy_rules,
    cs_torch_standardize_rules,
    cs_albumentations_rules,
    cs_albumentations_geometry_rules,
    cs_keras_geometry_rules,
    cs_keras_size_rules,
    cs_keras_colour_rules,
    cs_keras_local_rules,
    cs_keras_policy_rules,
    cs_batch_rules,
    cs_group_rules,
};
enum { FAMILIES = sizeof families / sizeof *families };

const cs_augment_rule *cs_augment_rule_at(int i) {
    for (int f = 0; f < FAMILIES; f++)
        for (const cs_augment_rule *rule = families[f]; rule->name; rule++)
            if (i-- == 0)
                return rule;
    return NULL;
}

const cs_augment_rule *cs_augment_find(const char *name) {
    const cs_augment_rule *rule;
    for (int i = 0; (rule = cs_augment_rule_at(i)); i++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}

const char *cs_augment_family_name(cs_augment_family family) {
    static const char *const names[CS_FAMILY_COUNT] = {
        [CS_FAMILY_GENERATOR] = "Keras' ImageDataGenerator",
        [CS_FAMILY_TORCHVISION] = "torchvision",
        [CS_FAMILY_KERAS] = "Keras 3",
        [CS_FAMILY_ALBUMENTATIONS] = "albumentations",
        [CS_FAMILY_BATCH] = "mixing of batches",
        [CS_FAMILY_GROUP] = "groups of steps",
    };
    return names[family];
}
