/* SPDX-License-Identifier: Apache-2.0 */
#include "augmentations.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/scalar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the rule of that name among those of the generator, or among the others. */
static cs_status find_rule(const cs_node *name, bool of_generator, const cs_augment_rule **out) {
    enum { MOST = 128 };
    const char *names[MOST], *what = of_generator ? "augmentation" : "step";
    const cs_augment_rule *rule;
    size_t n = 0;
    char guess[128];
    *out = cs_augment_find(name->text);
    if (*out && ((*out)->family == CS_FAMILY_GENERATOR) == of_generator)
        return CS_OK;
    if (*out)
        return cs_hint(cs_node_fail(name, CS_ERR_ARG, "unknown %s '%s'", what, name->text),
                       of_generator ? "it is a step of a list: [{%s: ...}, ...]"
                                    : "it is a parameter of Keras' generator: write the mapping {%s: ...}, not a list",
                       name->text);
    for (int i = 0; (rule = cs_augment_rule_at(i)) && n < MOST; i++)
        if ((rule->family == CS_FAMILY_GENERATOR) == of_generator)
            names[n++] = rule->name;
    return cs_node_fail(name, CS_ERR_ARG, "unknown %s '%s'%s", what, name->text,
                        cs_did_you_mean(name->text, names, n, guess, sizeof guess));
}

static cs_status add_step(const cs_node *name, const cs_augment_rule *rule, cs_augment *augment,
                          cs_augment_step **out) {
    cs_status status = cs_augment_add(augment, rule, out);
    return status == CS_OK ? CS_OK : cs_node_context(name, status);
}

/* The parameters of Keras' generator; null, Keras' None, is the default of many. */
static cs_status read_mapping(const cs_node *map, cs_augment *augment) {
    for (int i = 0; i < map->n; i++) {
        const cs_augment_rule *rule;
        cs_augment_step *step;
        CS_TRY(find_rule(map->keys[i], true, &rule));
        if (cs_node_is_null(map->items[i]))
            continue;
        CS_TRY(add_step(map->keys[i], rule, augment, &step));
        CS_TRY(cs_augment_read_parameter(map->items[i], 0, step));
    }
    cs_augment_sort(augment);
    return CS_OK;
}

static cs_status read_list(const cs_node *list, cs_augment *augment);

/* The steps inside a group. `index` is the group's, since the array of steps grows. */
static cs_status read_inside(const cs_node *list, int index, cs_augment *augment) {
    if (list->kind != CS_NODE_LIST || list->n == 0)
        return cs_node_fail(list, CS_ERR_ARG, "%s takes a list of steps", augment->steps[index].rule->name);
    CS_TRY(read_list(list, augment));
    augment->steps[index].inside = augment->n - 1 - index;
    return CS_OK;
}

static cs_status read_named(const cs_node *key, const cs_node *value, int index, cs_augment *augment) {
    cs_augment_step *step = &augment->steps[index];
    const char *names[CS_AUGMENT_PARAMETERS + 2];
    size_t n = 0;
    char guess[128];
    if (strcmp(key->text, "p") == 0)
        return cs_augment_read_p(value, step);
    if (step->rule->choose && strcmp(key->text, "steps") == 0)
        return read_inside(value, index, augment);
    for (; step->rule->parameters[n].type != CS_AUGMENT_END; n++) {
        if (strcmp(key->text, step->rule->parameters[n].name) == 0)
            return cs_augment_read_parameter(value, (int)n, step);
        names[n] = step->rule->parameters[n].name;
    }
    names[n++] = "p";
    if (step->rule->choose)
        names[n++] = "steps";
    return cs_node_fail(key, CS_ERR_ARG, "%s has no parameter '%s'%s", step->rule->name, key->text,
                        cs_did_you_mean(key->text, names, n, guess, sizeof guess));
}

/* A step: its name alone, or with its first parameter, or with a mapping of parameters. `value` may be NULL. */
static cs_status read_step(const cs_node *name, const cs_node *value, cs_augment *augment) {
    const cs_augment_rule *rule;
    cs_augment_step *step;
    const int index = augment->n;
    CS_TRY(find_rule(name, false, &rule));
    CS_TRY(add_step(name, rule, augment, &step));
    if (value && cs_node_is_null(value))
        value = NULL;
    if (value && value->kind == CS_NODE_MAP)
        for (int i = 0; i < value->n; i++)
            CS_TRY(read_named(value->keys[i], value->items[i], index, augment));
    else if (value && rule->choose)
        CS_TRY(read_inside(value, index, augment));
    else if (value && rule->parameters[0].type == CS_AUGMENT_END)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s has no parameter that stands alone", rule->name),
                       "write %s, or {%s: {p: %g}}", rule->name, rule->name, (double)step->p);
    else if (value)
        CS_TRY(cs_augment_read_parameter(value, 0, step));
    if (rule->choose && augment->steps[index].inside == 0)
        return cs_node_fail(name, CS_ERR_ARG, "%s has no steps", rule->name);
    cs_status status = rule->check ? rule->check(augment->steps[index].number) : CS_OK;
    return status == CS_OK ? CS_OK : cs_node_context(name, cs_context(status, "%s", rule->name));
}

static cs_status read_list(const cs_node *list, cs_augment *augment) {
    for (int i = 0; i < list->n; i++) {
        const cs_node *item = list->items[i];
        if (item->kind == CS_NODE_SCALAR)
            CS_TRY(read_step(item, NULL, augment));
        else if (item->kind == CS_NODE_MAP && item->n == 1)
            CS_TRY(read_step(item->keys[0], item->items[0], augment));
        else
            return cs_hint(cs_node_fail(item, CS_ERR_ARG, "a step is a name or a mapping with one name"),
                           "write [random_horizontal_flip, {random_rotation: 15}, {color_jitter: {contrast: 0.2}}]");
    }
    return CS_OK;
}

static cs_status read_one(const cs_node *key, const cs_node *value, struct cs_named_augment *out) {
    if (strcmp(key->text, "none") == 0)
        return cs_node_fail(key, CS_ERR_ARG, "'none' is always there and cannot be defined");
    if (strlen(key->text) >= sizeof out->name)
        return cs_node_fail(key, CS_ERR_ARG, "a name of more than %zu characters", sizeof out->name - 1);
    snprintf(out->name, sizeof out->name, "%s", key->text);
    if (cs_node_is_null(value))
        return CS_OK;
    if (value->kind == CS_NODE_MAP)
        return read_mapping(value, &out->augment);
    if (value->kind == CS_NODE_LIST) {
        CS_TRY(read_list(value, &out->augment));
        cs_status status = cs_augment_check(&out->augment);
        return status == CS_OK ? CS_OK : cs_node_context(value, status);
    }
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "augmentation '%s' is neither a mapping nor a list", key->text),
                   "write {horizontal_flip: true, brightness_range: [0.5, 0.7]}, or [random_horizontal_flip, "
                   "{random_rotation: 15}]");
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

static cs_status find(const cs_augmentations *augmentations, const char *name, cs_augment *out) {
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

cs_status cs_augmentations_resolve(const cs_augmentations *augmentations, cs_trial_config *trial) {
    const char *name = trial->val_augment_name;
    bool as_train;
    CS_TRY(find(augmentations, trial->augment_name, &trial->augment));
    if (cs_parse_bool(name, &as_train) == CS_OK)
        name = as_train ? trial->augment_name : "none";
    CS_TRY(find(augmentations, name, &trial->val_augment));
    cs_augment_remove_mix(&trial->val_augment);
    return CS_OK;
}
