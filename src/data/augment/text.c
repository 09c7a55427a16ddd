/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an augmentation as text, the same for equal augmentations: trial keys are made of it. */
#include "rules.h"

#include "cnnsweep/text.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_TEXT = 24 * CS_AUGMENT_NUMBERS };

static void write_numbers(const float *numbers, int n, char *out, size_t size) {
    size_t used = 0;
    for (int i = 0; i < n && used < size; i++) {
        char number[16];
        cs_float_text(numbers[i], number, sizeof number);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ":" : "", number);
    }
}

static void write_bool(const cs_augment_rule *rule, const cs_augment_value *value, char *out, size_t size) {
    (void)rule;
    snprintf(out, size, "%s", value->number[0] != 0 ? "true" : "false");
}

static void write_number(const cs_augment_rule *rule, const cs_augment_value *value, char *out, size_t size) {
    (void)rule;
    write_numbers(value->number, 1, out, size);
}

static void write_choice(const cs_augment_rule *rule, const cs_augment_value *value, char *out, size_t size) {
    snprintf(out, size, "%s", rule->choices[(int)value->number[0]]);
}

static void write_range(const cs_augment_rule *rule, const cs_augment_value *value, char *out, size_t size) {
    (void)rule;
    write_numbers(value->number, 2, out, size);
}

static void write_shift(const cs_augment_rule *rule, const cs_augment_value *value, char *out, size_t size) {
    static const char *const kinds[] = {
        [CS_SHIFT_UNIFORM] = "", [CS_SHIFT_WHOLE] = "whole:", [CS_SHIFT_LIST] = "list:"};
    const char *kind = kinds[(int)value->number[0]];
    (void)rule;
    snprintf(out, size, "%s", kind);
    write_numbers(value->number + 2, (int)value->number[1], out + strlen(kind), size - strlen(kind));
}

static void (*const writers[CS_AUGMENT_TYPE_COUNT])(const cs_augment_rule *rule, const cs_augment_value *value,
                                                    char *out, size_t size) = {
    [CS_AUGMENT_BOOL] = write_bool,   [CS_AUGMENT_NUMBER] = write_number, [CS_AUGMENT_CHOICE] = write_choice,
    [CS_AUGMENT_RANGE] = write_range, [CS_AUGMENT_ZOOM] = write_range,    [CS_AUGMENT_SHIFT] = write_shift,
};

void cs_augment_takes(const cs_augment_rule *rule, char *out, size_t size) {
    static const char *const forms[CS_AUGMENT_TYPE_COUNT] = {
        [CS_AUGMENT_BOOL] = "true or false",
        [CS_AUGMENT_NUMBER] = "a number from %g to %g",
        [CS_AUGMENT_CHOICE] = "",
        [CS_AUGMENT_RANGE] = "[low, high], each from %g to %g",
        [CS_AUGMENT_ZOOM] = "a number below 1, or [low, high] with low above 0",
        [CS_AUGMENT_SHIFT] = "a number, or a list of numbers",
    };
    size_t used = 0;
    snprintf(out, size, forms[rule->type], (double)rule->min, (double)rule->max);
    for (int i = 0; rule->choices && rule->choices[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", rule->choices[i]);
}

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
        writers[rules[i].type](&rules[i], &augment->rules[i], value, sizeof value);
        used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used > 0 ? " " : "", rules[i].name, value);
    }
}
