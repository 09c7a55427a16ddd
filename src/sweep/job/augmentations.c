/* SPDX-License-Identifier: Apache-2.0 */
#include "augmentations.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cs_status read_bool(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    bool is_true;
    if (value->kind != CS_NODE_SCALAR || cs_parse_bool(value->text, &is_true) != CS_OK)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes true or false", rule->name);
    out->number[0] = is_true;
    return CS_OK;
}

static cs_status read_number(const cs_augment_rule *rule, const cs_node *item, float *out) {
    double number;
    cs_status status = cs_parse_float(item->text, &number);
    if (status != CS_OK)
        return cs_node_context(item, cs_context(status, "%s", rule->name));
    if (!(number >= (double)rule->min && number <= (double)rule->max))
        return cs_node_fail(item, CS_ERR_ARG, "%s: %g is outside %g to %g", rule->name, number, (double)rule->min,
                            (double)rule->max);
    *out = (float)number;
    return CS_OK;
}

static cs_status read_one_number(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    if (value->kind != CS_NODE_SCALAR)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a number", rule->name);
    return read_number(rule, value, &out->number[0]);
}

static cs_status read_choice(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    size_t n = 0;
    char guess[128], all[128] = "";
    for (; rule->choices[n]; n++) {
        if (value->kind == CS_NODE_SCALAR && strcmp(value->text, rule->choices[n]) == 0) {
            out->number[0] = (float)n;
            return CS_OK;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n > 0 ? ", " : "", rule->choices[n]);
    }
    const char *text = value->kind == CS_NODE_SCALAR ? value->text : "";
    return cs_node_fail(value, CS_ERR_ARG, "%s takes one of %s%s", rule->name, all,
                        cs_did_you_mean(text, rule->choices, n, guess, sizeof guess));
}

static cs_status read_range(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    if (value->kind != CS_NODE_LIST || value->n != 2)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes two numbers, [low, high]", rule->name);
    for (int i = 0; i < 2; i++) {
        if (value->items[i]->kind != CS_NODE_SCALAR)
            return cs_node_fail(value->items[i], CS_ERR_ARG, "%s takes two numbers, [low, high]", rule->name);
        CS_TRY(read_number(rule, value->items[i], &out->number[i]));
    }
    if (out->number[1] < out->number[0])
        return cs_node_fail(value, CS_ERR_ARG, "%s: high %g is below low %g", rule->name, (double)out->number[1],
                            (double)out->number[0]);
    return CS_OK;
}

static cs_status read_zoom(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    if (value->kind == CS_NODE_LIST) {
        CS_TRY(read_range(rule, value, out));
    } else {
        CS_TRY(read_one_number(rule, value, out));
        if (out->number[0] == 0)
            return CS_OK;
        const float z = out->number[0];
        out->number[0] = 1 - z;
        out->number[1] = 1 + z;
    }
    if (out->number[0] <= 0)
        return cs_hint(
            cs_node_fail(value, CS_ERR_ARG, "%s: the smallest factor is %g", rule->name, (double)out->number[0]),
            "one number z below 1 means factors from 1-z to 1+z; a pair is [low, high] with low above 0");
    return CS_OK;
}

static bool is_whole(const char *text) {
    return text[strcspn(text, ".eEnN")] == '\0';
}

static cs_status read_shift(const cs_augment_rule *rule, const cs_node *value, cs_augment_value *out) {
    enum { MOST = CS_AUGMENT_NUMBERS - 2 };
    if (value->kind == CS_NODE_LIST) {
        if (value->n < 1 || value->n > MOST)
            return cs_node_fail(value, CS_ERR_ARG, "%s takes a number or a list of 1 to %d numbers", rule->name, MOST);
        for (int i = 0; i < value->n; i++) {
            cs_augment_value item = {0};
            CS_TRY(read_one_number(rule, value->items[i], &item));
            out->number[2 + i] = item.number[0];
        }
        out->number[0] = CS_SHIFT_LIST;
        out->number[1] = (float)value->n;
        return CS_OK;
    }
    CS_TRY(read_one_number(rule, value, out));
    const float number = out->number[0];
    if (number < 0)
        return cs_node_fail(value, CS_ERR_ARG, "%s: %g is negative; it is shifted to both sides", rule->name,
                            (double)number);
    out->number[0] = 0;
    if (number == 0)
        return CS_OK;
    out->number[0] = (float)(is_whole(value->text) ? CS_SHIFT_WHOLE : CS_SHIFT_UNIFORM);
    out->number[1] = 1;
    out->number[2] = number;
    return CS_OK;
}

static cs_status (*const readers[CS_AUGMENT_TYPE_COUNT])(const cs_augment_rule *rule, const cs_node *value,
                                                         cs_augment_value *out) = {
    [CS_AUGMENT_BOOL] = read_bool,   [CS_AUGMENT_NUMBER] = read_one_number, [CS_AUGMENT_CHOICE] = read_choice,
    [CS_AUGMENT_RANGE] = read_range, [CS_AUGMENT_ZOOM] = read_zoom,         [CS_AUGMENT_SHIFT] = read_shift,
};

static cs_status read_rule(const cs_node *key, const cs_node *value, cs_augment *augment) {
    int n, index = cs_augment_find(key->text);
    const cs_augment_rule *rules = cs_augment_rules(&n);
    const char *names[CS_AUGMENT_MAX];
    char guess[128];
    if (index >= 0)
        return readers[rules[index].type](&rules[index], value, &augment->rules[index]);
    for (int i = 0; i < n; i++)
        names[i] = rules[i].name;
    return cs_node_fail(key, CS_ERR_ARG, "unknown augmentation '%s'%s", key->text,
                        cs_did_you_mean(key->text, names, (size_t)n, guess, sizeof guess));
}

static cs_status read_one(const cs_node *key, const cs_node *map, struct cs_named_augment *out) {
    if (strcmp(key->text, "none") == 0)
        return cs_node_fail(key, CS_ERR_ARG, "'none' is always there and cannot be defined");
    if (strlen(key->text) >= sizeof out->name)
        return cs_node_fail(key, CS_ERR_ARG, "a name of more than %zu characters", sizeof out->name - 1);
    if (map->kind != CS_NODE_MAP)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "augmentation '%s' is not a map", key->text),
                       "write {horizontal_flip: true, brightness_range: [0.5, 0.7]}");
    snprintf(out->name, sizeof out->name, "%s", key->text);
    for (int i = 0; i < map->n; i++)
        CS_TRY(read_rule(map->keys[i], map->items[i], &out->augment));
    return CS_OK;
}

cs_status cs_augmentations_read(const cs_node *map, cs_augmentations *out) {
    int named = map ? map->n : 0;
    CS_TRY(cs_alloc((size_t)named + 1, sizeof *out->items, "augmentations", &out->items));
    snprintf(out->items[0].name, sizeof out->items[0].name, "none");
    out->n = 1;
    for (int i = 0; i < named; i++, out->n++)
        CS_TRY(read_one(map->keys[i], map->items[i], &out->items[out->n]));
    return CS_OK;
}

void cs_augmentations_clear(cs_augmentations *augmentations) {
    free(augmentations->items);
    *augmentations = (cs_augmentations){0};
}

cs_status cs_augmentations_find(const cs_augmentations *augmentations, const char *name, cs_augment *out) {
    const char **names = NULL;
    for (int i = 0; i < augmentations->n; i++) {
        if (strcmp(augmentations->items[i].name, name) == 0) {
            *out = augmentations->items[i].augment;
            return CS_OK;
        }
    }
    CS_TRY(cs_alloc((size_t)augmentations->n, sizeof *names, "augmentations", &names));
    for (int i = 0; i < augmentations->n; i++)
        names[i] = augmentations->items[i].name;
    char guess[128];
    cs_did_you_mean(name, names, (size_t)augmentations->n, guess, sizeof guess);
    free(names);
    return cs_hint(cs_fail(CS_ERR_ARG, "augmentation '%s' is not defined%s", name, guess),
                   "define it under augmentations:");
}
