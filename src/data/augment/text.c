/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an augmentation as text, the same for equal augmentations: trial keys are made of it. */
#include "rules.h"

#include "cnnsweep/text.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_TEXT = 48 };

static void write_bool(const cs_augment_value *value, char *out, size_t size) {
    snprintf(out, size, "%s", value->number[0] != 0 ? "true" : "false");
}

static void write_range(const cs_augment_value *value, char *out, size_t size) {
    char low[16], high[16];
    cs_float_text(value->number[0], low, sizeof low);
    cs_float_text(value->number[1], high, sizeof high);
    snprintf(out, size, "%s:%s", low, high);
}

static void (*const writers[])(const cs_augment_value *value, char *out, size_t size) = {
    [CS_AUGMENT_BOOL] = write_bool,
    [CS_AUGMENT_RANGE] = write_range,
};

/* The rule that is on and comes next after the name `after`; -1 if there is none. */
static int next_by_name(const cs_augment *augment, const char *after) {
    int n, next = -1;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    for (int i = 0; i < n; i++)
        if (cs_rule_is_on(&augment->rules[i]) && strcmp(rules[i].name, after) > 0 &&
            (next < 0 || strcmp(rules[i].name, rules[next].name) < 0))
            next = i;
    return next;
}

void cs_augment_text(const cs_augment *augment, char *out, size_t size) {
    int n;
    size_t used = 0;
    const cs_augment_rule *rules = cs_augment_rules(&n);
    snprintf(out, size, "%s", "");
    for (int i = next_by_name(augment, ""); i >= 0 && used < size; i = next_by_name(augment, rules[i].name)) {
        char value[VALUE_TEXT];
        writers[rules[i].type](&augment->rules[i], value, sizeof value);
        used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used > 0 ? " " : "", rules[i].name, value);
    }
}
