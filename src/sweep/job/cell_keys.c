/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a job file says about the cells of a sweep: the conditions of parameters (when:), exclude: and include:.
 */
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "job_reader.h"
#include "phases.h"

#include <stdlib.h>
#include <string.h>

/* The values of an option in such a map: one, or a list of several. Where a value is itself a list, as that of head,
 * several are a list of lists. */
static bool is_single(const cs_option *option, const cs_node *value) {
    bool value_is_list = option->type == CS_OPTION_LIST || option->type == CS_OPTION_SIZE || option->takes_steps;
    if (value->kind != CS_NODE_LIST)
        return true;
    return value_is_list && (value->n == 0 || value->items[0]->kind != CS_NODE_LIST);
}

static int count_choices(const cs_option *option, const cs_node *value) {
    return is_single(option, value) ? 1 : value->n;
}

static const cs_node *choice_at(const cs_option *option, const cs_node *value, int i) {
    return is_single(option, value) ? value : value->items[i];
}

static cs_status find_option(const cs_job_reader *reader, const cs_node *key, const cs_option **out) {
    cs_status status = cs_job_find_option(reader->job, key->text, out);
    return status == CS_OK ? CS_OK : cs_node_context(key, status);
}

static cs_status check_map(const char *where, const cs_node *map) {
    if (map->kind == CS_NODE_MAP && map->n > 0)
        return CS_OK;
    return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: takes maps of options and values", where),
                   "such as {optimizer: sgd, batch: [16, 32]}");
}

/* Lists the values that an option has, for a hint. */
static void list_values(const cs_swept_option *swept, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < swept->n; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", swept->values[i]);
    }
}

/* A value that no trial has is a mistake: the map would match nothing. */
static cs_status fail_never(const char *where, const cs_node *at, const cs_option *option, const char *text) {
    return cs_node_fail(at, CS_ERR_ARG, "%s: %s is never %s", where, option->key, text);
}

/* Reads the values that a swept option must have. */
static cs_status read_term(cs_job_reader *reader, const char *where, const cs_node *value, cs_term *term) {
    const cs_swept_option *swept = &reader->job->swept[term->option];
    const cs_option *option = swept->option;
    int n = count_choices(option, value);
    if (reader->space.ranges[term->option].kind != CS_RANGE_LISTED)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s: %s is drawn from a range", where, option->key),
                       "list its values, or give the range a step:");
    CS_TRY(cs_alloc((size_t)n, sizeof *term->values, "sweep", &term->values));
    for (; term->n < n; term->n++) {
        char text[CS_VALUE_MAX * 2], values[256];
        const cs_node *choice = choice_at(option, value, term->n);
        CS_TRY(cs_job_read_value(reader, option, choice, text, sizeof text));
        int index = cs_job_find_value(swept, text);
        if (index < 0) {
            list_values(swept, values, sizeof values);
            return cs_hint(fail_never(where, choice, option, text), "its values are: %s", values);
        }
        term->values[term->n] = index;
    }
    return CS_OK;
}

/* Checks a term about an option that is not swept: all trials have the job's value. */
static cs_status check_fixed(cs_job_reader *reader, const char *where, const cs_option *option, const cs_node *value) {
    char fixed[CS_VALUE_MAX * 2], text[CS_VALUE_MAX * 2];
    cs_trial_config trial = reader->job->base;
    if (cs_option_phase(option) > 0)
        CS_TRY(cs_phase_apply(reader, cs_option_phase(option), &trial));
    cs_option_get(option, &trial, fixed, sizeof fixed);
    for (int i = 0; i < count_choices(option, value); i++) {
        CS_TRY(cs_job_read_value(reader, option, choice_at(option, value, i), text, sizeof text));
        if (strcmp(text, fixed) == 0)
            return CS_OK;
    }
    return cs_hint(fail_never(where, value, option, text), "it is not swept: all trials have %s", fixed);
}

static cs_status read_match(cs_job_reader *reader, const char *where, const cs_node *map, cs_match *match) {
    CS_TRY(check_map(where, map));
    CS_TRY(cs_alloc((size_t)map->n, sizeof *match->terms, "sweep", &match->terms));
    for (int i = 0; i < map->n; i++) {
        const cs_option *option = NULL;
        CS_TRY(find_option(reader, map->keys[i], &option));
        int swept = cs_job_find_swept(reader->job, option);
        if (swept < 0) {
            CS_TRY(check_fixed(reader, where, option, map->items[i]));
            continue;
        }
        cs_term *term = &match->terms[match->n++];
        term->option = swept;
        CS_TRY(read_term(reader, where, map->items[i], term));
    }
    return CS_OK;
}

cs_status cs_job_read_conditions(cs_job_reader *reader) {
    cs_space *space = &reader->space;
    bool circular;
    for (int a = 0; a < space->n_axes; a++) {
        const cs_node *when = space->axes[a].when_node;
        if (when)
            CS_TRY(read_match(reader, "when", when, &space->axes[a].when));
    }
    CS_TRY(cs_space_sort(space, &circular));
    for (int a = 0; a < space->n_axes && circular; a++)
        if (space->axes[a].when_node)
            return cs_node_fail(space->axes[a].when_node, CS_ERR_ARG,
                                "when: conditions refer to each other in a circle");
    return CS_OK;
}

cs_status cs_job_read_exclude(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    cs_space *space = &reader->space;
    int n = cs_node_is_null(value) ? 0 : cs_job_count_items(value);
    (void)key;
    CS_TRY(cs_alloc((size_t)n, sizeof *space->excluded, "sweep", &space->excluded));
    while (space->n_excluded < n) {
        cs_match *match = &space->excluded[space->n_excluded];
        const cs_node *map = cs_job_item(value, space->n_excluded++);
        CS_TRY(read_match(reader, "exclude", map, match));
        if (match->n == 0)
            return cs_node_fail(map, CS_ERR_ARG, "exclude: this map leaves out all trials");
    }
    return CS_OK;
}

/* Adds the options and the values that the map has and the sweep has not. */
static cs_status add_options(cs_job_reader *reader, const cs_node *map) {
    CS_TRY(check_map("include", map));
    for (int k = 0; k < map->n; k++) {
        const cs_option *option = NULL;
        CS_TRY(find_option(reader, map->keys[k], &option));
        int index = cs_job_find_swept(reader->job, option);
        if (!option->sweepable)
            return cs_node_fail(map->keys[k], CS_ERR_ARG, "include: %s is one for the whole sweep", option->key);
        if (index < 0) {
            index = reader->job->n_swept;
            CS_TRY(cs_job_add_swept(reader, option, map->items[k]));
        }
        cs_swept_option *swept = &reader->job->swept[index];
        for (int i = 0; i < count_choices(option, map->items[k]); i++) {
            char text[CS_VALUE_MAX * 2];
            CS_TRY(cs_job_read_value(reader, option, choice_at(option, map->items[k], i), text, sizeof text));
            if (cs_job_find_value(swept, text) < 0)
                CS_TRY(cs_job_append_value(swept, text));
        }
    }
    return CS_OK;
}

/* Fills the cell with the `choice`-th combination of the map's values. */
static cs_status fill_cell(cs_job_reader *reader, const cs_node *map, int choice, int *cell) {
    for (int i = 0; i < reader->space.n_options; i++)
        cell[i] = CS_NO_VALUE;
    for (int k = map->n - 1; k >= 0; k--) {
        const cs_option *option = NULL;
        char text[CS_VALUE_MAX * 2];
        CS_TRY(find_option(reader, map->keys[k], &option));
        int n = count_choices(option, map->items[k]), swept = cs_job_find_swept(reader->job, option);
        CS_TRY(cs_job_read_value(reader, option, choice_at(option, map->items[k], choice % n), text, sizeof text));
        cell[swept] = cs_job_find_value(&reader->job->swept[swept], text);
        choice /= n;
    }
    return CS_OK;
}

static cs_status count_cells(const cs_job_reader *reader, const cs_node *map, int *n) {
    double product = 1;
    for (int k = 0; k < map->n; k++) {
        const cs_option *option = NULL;
        CS_TRY(find_option(reader, map->keys[k], &option));
        product *= count_choices(option, map->items[k]);
    }
    if (product < 1 || product > CS_MAX_TRIALS)
        return cs_node_fail(map, CS_ERR_ARG, "include: this map adds %.0f trials; it may add 1 to %d", product,
                            CS_MAX_TRIALS);
    *n = (int)product;
    return CS_OK;
}

static cs_status add_cells(cs_job_reader *reader, const cs_node *map, int map_index) {
    cs_space *space = &reader->space;
    size_t each = (size_t)space->n_options, before = (size_t)space->n_included, cells = before * each, by = before;
    int n = 0;
    CS_TRY(count_cells(reader, map, &n));
    CS_TRY(cs_grow(&space->included, &cells, (before + (size_t)n) * each, sizeof *space->included, "sweep"));
    CS_TRY(cs_grow(&space->included_by, &by, before + (size_t)n, sizeof *space->included_by, "sweep"));
    for (int i = 0; i < n; i++, space->n_included++) {
        CS_TRY(fill_cell(reader, map, i, space->included + (size_t)space->n_included * each));
        space->included_by[space->n_included] = map_index;
    }
    return CS_OK;
}

cs_status cs_job_read_include(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    int n = cs_node_is_null(value) ? 0 : cs_job_count_items(value);
    if (n > 0 && reader->job->method->draws)
        return cs_hint(cs_node_fail(key, CS_ERR_ARG, "include: adds trials to a grid, but the method is %s",
                                    reader->job->method->name),
                       "leave it out, or train those trials as a grid of their own");
    for (int i = 0; i < n; i++)
        CS_TRY(add_options(reader, cs_job_item(value, i)));
    for (int i = 0; i < n; i++)
        CS_TRY(add_cells(reader, cs_job_item(value, i), i));
    return CS_OK;
}
