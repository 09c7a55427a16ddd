/* SPDX-License-Identifier: Apache-2.0 */
/* The table of augmentation rules, in the order in which they are composed, and the search in it. */
#include "rules.h"

#include <string.h>

static const cs_augment_rule rules[] = {
    {"horizontal_flip", CS_AUGMENT_BOOL, 0, 1, 1, cs_flip_variants, cs_flip_choose, cs_horizontal_flip_compose},
    {"vertical_flip", CS_AUGMENT_BOOL, 0, 1, 1, cs_flip_variants, cs_flip_choose, cs_vertical_flip_compose},
    {"brightness_range", CS_AUGMENT_RANGE, 0, 100, 1, cs_brightness_variants, NULL, cs_brightness_compose},
};
enum { RULES = sizeof rules / sizeof *rules };
_Static_assert((int)RULES <= (int)CS_AUGMENT_MAX, "cs_augment has no place for so many rules: raise CS_AUGMENT_MAX");

const cs_augment_rule *cs_augment_rules(int *n) {
    *n = RULES;
    return rules;
}

int cs_augment_find(const char *name) {
    for (int i = 0; i < RULES; i++)
        if (strcmp(rules[i].name, name) == 0)
            return i;
    return -1;
}

bool cs_rule_is_on(const cs_augment_value *value) {
    for (int i = 0; i < CS_AUGMENT_NUMBERS; i++)
        if (value->number[i] != 0)
            return true;
    return false;
}
