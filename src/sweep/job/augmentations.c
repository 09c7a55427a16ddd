#include "augmentations.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fields of cs_augment, with Keras' ImageDataGenerator names. To add one: a row here, a field and a function in the
 * data room. */
static const struct augment_field {
    const char *name;
    size_t offset;
    bool is_range; /* two floats, low and high; else a bool */
    double min, max;
} fields[] = {
    {"horizontal_flip", offsetof(cs_augment, horizontal_flip), false, 0, 0},
    {"vertical_flip", offsetof(cs_augment, vertical_flip), false, 0, 0},
    {"brightness_range", offsetof(cs_augment, brightness_range), true, 0, 100},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static cs_status read_range(const struct augment_field *field, const cs_node *value, float range[2]) {
    if (value->kind != CS_NODE_LIST || value->n != 2)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes two numbers, [low, high]", field->name);
    for (int i = 0; i < 2; i++) {
        const cs_node *item = value->items[i];
        double number;
        if (item->kind != CS_NODE_SCALAR)
            return cs_node_fail(item, CS_ERR_ARG, "%s takes two numbers, [low, high]", field->name);
        cs_status status = cs_parse_float(item->text, &number);
        if (status != CS_OK)
            return cs_node_context(item, cs_context(status, "%s", field->name));
        if (!(number >= field->min && number <= field->max))
            return cs_node_fail(item, CS_ERR_ARG, "%s: %g is outside %g to %g", field->name, number, field->min,
                                field->max);
        range[i] = (float)number;
    }
    if (range[1] <= range[0])
        return cs_node_fail(value, CS_ERR_ARG, "%s: high %g is not above low %g", field->name, (double)range[1],
                            (double)range[0]);
    return CS_OK;
}

static cs_status read_field(const cs_node *key, const cs_node *value, cs_augment *augment) {
    const char *names[N_FIELDS];
    for (int i = 0; i < N_FIELDS; i++) {
        names[i] = fields[i].name;
        if (strcmp(key->text, names[i]) != 0)
            continue;
        void *member = (char *)augment + fields[i].offset;
        if (fields[i].is_range)
            return read_range(&fields[i], value, member);
        if (value->kind != CS_NODE_SCALAR || cs_parse_bool(value->text, member) != CS_OK)
            return cs_node_fail(value, CS_ERR_ARG, "%s takes true or false", names[i]);
        return CS_OK;
    }
    char guess[128];
    return cs_node_fail(key, CS_ERR_ARG, "unknown augmentation '%s'%s", key->text,
                        cs_did_you_mean(key->text, names, N_FIELDS, guess, sizeof guess));
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
        CS_TRY(read_field(map->keys[i], map->items[i], &out->augment));
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
