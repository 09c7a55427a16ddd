/* SPDX-License-Identifier: Apache-2.0 */
#include "job_reader.h"
#include "cnnsweep/file.h"
#include "expand.h"
#include "phases.h"
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cs_job_reader cs_job_reader_take(cs_job_reader *reader) {
    cs_job_reader taken = *reader;
    reader->given = NULL;
    reader->space = (cs_space){0};
    return taken;
}

void cs_job_reader_clear(cs_job_reader *reader) {
    free(reader->given);
    cs_space_clear(&reader->space);
}

/* The last part of the option's key if the option is in that section, else NULL. */
static const char *name_in_section(const cs_option *option, const char *section) {
    const char *name = cs_option_short_name(option);
    size_t length = strlen(section);
    if (length == 0)
        return name == option->key ? name : NULL;
    bool inside = strncmp(option->key, section, length) == 0 && option->key + length + 1 == name;
    return inside ? name : NULL;
}

const cs_option *cs_job_setting(const char *section, const char *name) {
    size_t n;
    const cs_option *options = cs_job_options(&n);
    for (size_t i = 0; i < n; i++) {
        const char *own = name_in_section(&options[i], section);
        if (own && strcmp(own, name) == 0)
            return &options[i];
    }
    return NULL;
}

/* Prints the section of an option of a trial: the part of its key before the dot. */
static void print_section(const cs_option *option, char *out, size_t size) {
    snprintf(out, size, "%.*s", (int)strcspn(option->key, "."), option->key);
}

static bool is_trial_section(const char *name) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (name_in_section(&options[i], name))
            return true;
    return false;
}

static bool matches(const cs_job_key *key, const char *name) {
    return key->name ? strcmp(key->name, name) == 0 : is_trial_section(name);
}

static void suggest_sections(cs_suggestion *suggestion, char *nearest, size_t size) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        char section[CS_NAME_MAX];
        print_section(&options[i], section, sizeof section);
        cs_suggestion_try(suggestion, section);
        if (suggestion->nearest == section) {
            snprintf(nearest, size, "%s", section);
            suggestion->nearest = nearest;
        }
    }
}

static cs_status fail_unknown(const cs_node *key, const char *where, const char *section, const cs_job_key *keys,
                              size_t n) {
    cs_suggestion suggestion = cs_suggestion_begin(key->text);
    char nearest[CS_NAME_MAX], text[128];
    size_t n_options;
    const cs_option *options = cs_job_options(&n_options);
    for (size_t i = 0; i < n_options; i++)
        if (name_in_section(&options[i], section))
            cs_suggestion_try(&suggestion, cs_option_short_name(&options[i]));
    for (size_t k = 0; k < n; k++) {
        if (keys[k].name)
            cs_suggestion_try(&suggestion, keys[k].name);
        else
            suggest_sections(&suggestion, nearest, sizeof nearest);
    }
    return cs_node_fail(key, CS_ERR_ARG, "unknown key '%s' in %s%s", key->text, where,
                        cs_suggestion_text(&suggestion, text, sizeof text));
}

static cs_status check_keys(const char *where, const cs_node *map, const char *section, const cs_job_key *keys,
                            size_t n) {
    for (int i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        bool known = cs_job_setting(section, name) != NULL;
        for (size_t k = 0; k < n && !known; k++)
            known = matches(&keys[k], name);
        if (!known)
            return fail_unknown(map->keys[i], where, section, keys, n);
    }
    return CS_OK;
}

static const cs_node *key_node(const cs_node *map, const char *name) {
    int i = 0;
    while (i < map->n && strcmp(map->keys[i]->text, name) != 0)
        i++;
    return i < map->n ? map->keys[i] : NULL;
}

cs_status cs_job_read_map(cs_job_reader *reader, const char *where, const cs_node *map, const char *section,
                          const cs_job_key *keys, size_t n) {
    size_t n_options;
    const cs_option *options = cs_job_options(&n_options);
    if (cs_node_is_null(map))
        return CS_OK;
    if (map->kind != CS_NODE_MAP)
        return cs_node_fail(map, CS_ERR_ARG, "%s is not a map of keys", where);
    CS_TRY(check_keys(where, map, section, keys, n));
    for (size_t i = 0; i < n_options; i++) {
        const char *name = name_in_section(&options[i], section);
        const cs_node *key = name ? key_node(map, name) : NULL;
        if (key)
            CS_TRY(cs_job_read_setting(reader, &options[i], key, cs_node_get(map, name)));
    }
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < map->n; i++)
            if (matches(&keys[k], map->keys[i]->text))
                CS_TRY(keys[k].read(reader, map->keys[i], map->items[i]));
    return CS_OK;
}

cs_status cs_job_read_text(const cs_node *key, const cs_node *value, char *out, size_t size) {
    if (value->kind != CS_NODE_SCALAR)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", key->text);
    if (!value->text[0] || cs_node_is_null(value))
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s has no value", key->text), "leave it out for its default");
    if (strlen(value->text) >= size)
        return cs_node_fail(value, CS_ERR_ARG, "%s is longer than %zu characters", key->text, size - 1);
    snprintf(out, size, "%s", value->text);
    return CS_OK;
}

cs_status cs_job_read_choice(const cs_node *key, const cs_node *value, const char *const *choices, size_t n, int *out) {
    char text[32], guess[64];
    CS_TRY(cs_job_read_text(key, value, text, sizeof text));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *out = (int)i;
            return CS_OK;
        }
    }
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s is '%s'%s", key->text, text,
                                cs_did_you_mean(text, choices, n, guess, sizeof guess)),
                   "%s is %s or %s", key->text, choices[0], choices[1]);
}

cs_status cs_job_read_metric(const cs_node *key, const cs_node *value, char *out, size_t size,
                             const cs_column **metric) {
    CS_TRY(cs_job_read_text(key, value, out, size));
    cs_status status = cs_column_find(out, metric);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

/* Python writes None, which YAML takes for a text. */
static bool is_none(const cs_node *value) {
    return value->kind == CS_NODE_SCALAR && value->plain && strcmp(value->text, "None") == 0;
}

/* Prints a scalar as the text that cs_option_set reads. Null is the default, if that is nothing. */
static cs_status scalar_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    bool takes_null = cs_option_takes_null(option);
    if (cs_node_is_null(value) && !takes_null) {
        cs_status status = cs_node_fail(value, CS_ERR_ARG, "%s has no value", option->key);
        return option->required ? cs_hint(status, "%s", option->doc)
                                : cs_hint(status, "leave it out for its default, %s", option->fallback);
    }
    if (takes_null && is_none(value))
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s is None, which is a text to YAML", option->key),
                       "write null or none");
    if (takes_null && (cs_node_is_null(value) || (option->is_path && strcmp(value->text, "none") == 0)))
        return cs_path(out, size, "%s", option->fallback);
    if (!option->is_path)
        return cs_path(out, size, "%s", value->text);
    cs_status status = cs_expand_path(value->text, out, size);
    return status == CS_OK ? CS_OK : cs_node_context(value, cs_context(status, "%s", option->key));
}

cs_status cs_job_read_setting(cs_job_reader *reader, const cs_option *option, const cs_node *key,
                              const cs_node *value) {
    char text[CS_VALUE_MAX];
    if (value->kind != CS_NODE_SCALAR)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", key->text);
    CS_TRY(scalar_text(option, value, text, sizeof text));
    cs_status status = cs_option_set(option, text, reader->job);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

/* Prints a map as text: a layer of a head, {dense: 400, activation: relu} in any order, as dense:400:relu, and {blocks:
 * 2} as blocks:2. */
static cs_status map_text(const cs_option *option, const cs_node *map, char *out, size_t size) {
    const cs_node *second = option->map_second ? cs_node_get(map, option->map_second) : NULL;
    int first = map->n == 2 && map->items[0] == second ? 1 : 0;
    bool known = map->n == 1 || (map->n == 2 && second);
    for (int i = 0; i < map->n && known; i++)
        known = map->items[i]->kind == CS_NODE_SCALAR;
    if (!known)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: this map is not understood", option->key),
                       option->type == CS_OPTION_LIST ? "a layer with settings is {dropout: 0.5} or {dense: 400, "
                                                        "activation: relu}"
                                                      : "such as {blocks: 2}");
    CS_TRY(cs_path(out, size, "%s:", map->keys[first]->text));
    size_t used = strlen(out);
    CS_TRY(cs_node_text(map->items[first], out + used, size - used));
    used = strlen(out);
    return map->n == 1 ? CS_OK : cs_path(out + used, size - used, ":%s", second->text);
}

/* Prints a map of any number of scalars, {melanoma: 5, 2: 0.5}, as melanoma:5,2:0.5. */
static cs_status entries_text(const cs_option *option, const cs_node *map, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < map->n; i++) {
        size_t used = strlen(out);
        if (map->items[i]->kind != CS_NODE_SCALAR)
            return cs_node_fail(map->items[i], CS_ERR_ARG, "%s: %s takes a single value", option->key,
                                map->keys[i]->text);
        CS_TRY(cs_path(out + used, size - used, "%s%s:%s", i ? "," : "", map->keys[i]->text, map->items[i]->text));
    }
    return CS_OK;
}

/* Prints a single value as text: a scalar, or a map if the option takes one. */
static cs_status item_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    if (value->kind == CS_NODE_SCALAR && option->type == CS_OPTION_SIZE && !cs_node_is_null(value))
        return cs_node_text(value, out, size);
    if (value->kind == CS_NODE_SCALAR)
        return scalar_text(option, value, out, size);
    if (value->kind == CS_NODE_MAP && option->takes_map)
        return map_text(option, value, out, size);
    if (value->kind == CS_NODE_MAP && option->takes_entries)
        return entries_text(option, value, out, size);
    if (value->kind == CS_NODE_LIST && (option->type == CS_OPTION_LIST || option->type == CS_OPTION_SIZE))
        return cs_node_fail(value, CS_ERR_ARG, "%s: nested too deep", option->key);
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", option->key),
                   "lists of values to try belong under sweep: parameters:");
}

/* Prints a node as the text that cs_option_set reads. */
static cs_status option_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    if (option->takes_steps && !cs_node_is_null(value) && !is_none(value))
        return cs_steps_text(option, value, out, size);
    if (value->kind != CS_NODE_LIST || (option->type != CS_OPTION_SIZE && option->type != CS_OPTION_LIST))
        return item_text(option, value, out, size);
    out[0] = '\0';
    for (int i = 0; i < value->n; i++) {
        const char *separator = i == 0 ? "" : option->type == CS_OPTION_SIZE ? "x" : ",";
        size_t used = strlen(out);
        CS_TRY(cs_path(out + used, size - used, "%s", separator));
        used = strlen(out);
        CS_TRY(item_text(option, value->items[i], out + used, size - used));
    }
    return CS_OK;
}

cs_status cs_job_set_option(const cs_job_reader *reader, const cs_option *option, const cs_node *value,
                            cs_trial_config *trial) {
    char text[CS_VALUE_MAX * 4];
    CS_TRY(option_text(option, value, text, sizeof text));
    cs_status status = cs_option_set(option, text, trial);
    if (status == CS_OK)
        status = cs_augmentations_resolve(&reader->job->augmentations, trial);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

const cs_node **cs_job_given_slot(const cs_job_reader *reader, const cs_option *option) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (int i = 0; i < reader->job->n_phase_options; i++)
        if (&reader->job->phase_options[i]->option == option)
            return &reader->job->phase_options[i]->given;
    return &reader->given[option - options];
}

const cs_node *cs_job_given(const cs_job_reader *reader, const char *key) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i].key, key) == 0)
            return reader->given[i];
    return NULL;
}
