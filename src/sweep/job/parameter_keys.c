/* SPDX-License-Identifier: Apache-2.0 */
/* Reads parameters: and zip: under sweep: of a job file. */
#include "cnnsweep/memory.h"
#include "job_reader.h"
#include "phases.h"

#include <stdlib.h>
#include <string.h>

/* Finds an option that may be swept. A fixed value is a contradiction, unless it is that of the trials for which the
 * condition does not hold. */
static cs_status find_option(const cs_job_reader *reader, const cs_node *key, bool conditional, const cs_option **out) {
    cs_status status = cs_job_find_option(reader->job, key->text, out);
    if (status != CS_OK)
        return cs_node_context(key, status);
    const cs_option *option = *out;
    if (cs_job_find_swept(reader->job, option) >= 0)
        return cs_node_fail(key, CS_ERR_ARG, "%s is swept twice", option->key);
    if (!option->sweepable)
        return cs_node_fail(key, CS_ERR_ARG, "%s cannot be swept: it is one for the whole sweep", option->key);
    int phase = cs_option_phase(option);
    bool fixed = phase > 0 ? cs_phase_given(reader, phase, option) != NULL : *cs_job_given_slot(reader, option) != NULL;
    if (fixed && !conditional)
        return cs_hint(cs_node_fail(key, CS_ERR_ARG, "%s is swept here and also has a fixed value", option->key),
                       "remove one of them; a single value in the sweep is %s: [value]", key->text);
    return CS_OK;
}

static cs_status check_list(const cs_option *option, const cs_node *list) {
    if (list->kind != CS_NODE_LIST)
        return cs_hint(cs_node_fail(list, CS_ERR_ARG, "%s: the values to try are a list", option->key),
                       "write %s: [a, b, c]", cs_option_short_name(option));
    if (list->n == 0)
        return cs_node_fail(list, CS_ERR_ARG, "%s: the list of values is empty", option->key);
    return CS_OK;
}

static cs_status read_values(cs_job_reader *reader, const cs_node *list, cs_swept_option *swept) {
    CS_TRY(check_list(swept->option, list));
    for (int i = 0; i < list->n; i++) {
        char text[CS_VALUE_MAX * 2];
        CS_TRY(cs_job_read_value(reader, swept->option, list->items[i], text, sizeof text));
        if (cs_job_find_value(swept, text) >= 0)
            return cs_node_fail(list->items[i], CS_ERR_ARG, "%s: %s appears twice", swept->option->key, text);
        CS_TRY(cs_job_append_value(swept, text));
    }
    return CS_OK;
}

/* Adds the axis of the options from `first` on. `n` is its number of positions. */
static cs_status add_axis(cs_job_reader *reader, int first, int n, const cs_node *when, cs_axis **out) {
    cs_space *space = &reader->space;
    size_t capacity = (size_t)space->n_axes;
    cs_axis axis = {.first = first, .n_options = space->n_options - first, .n = n, .when_node = when};
    CS_TRY(cs_grow(&space->axes, &capacity, capacity + 1, sizeof *space->axes, "sweep"));
    CS_TRY(cs_alloc((size_t)n * (size_t)axis.n_options, sizeof *axis.values, "sweep", &axis.values));
    for (int i = first; i < space->n_options; i++)
        space->axis_of[i] = space->n_axes;
    *out = &space->axes[space->n_axes++];
    **out = axis;
    return CS_OK;
}

static cs_status read_parameter(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_option *option = NULL;
    const cs_node *when = value->kind == CS_NODE_MAP ? cs_node_get(value, "when") : NULL, *list = value;
    int first = reader->job->n_swept;
    CS_TRY(find_option(reader, key, when != NULL, &option));
    CS_TRY(cs_job_add_swept(reader, option, value));
    cs_swept_option *swept = &reader->job->swept[first];
    cs_range *range = &reader->space.ranges[first];
    if (value->kind == CS_NODE_MAP && value->n > 0)
        CS_TRY(cs_job_read_range(reader, option, value, range, swept, &list));
    if (list)
        CS_TRY(read_values(reader, list, swept));
    if (range->kind != CS_RANGE_LISTED && !reader->job->method->draws)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s: a grid takes a list of values, not a range", option->key),
                       "give the range a step:, or draw from it: --set sweep.method=random --set "
                       "sweep.budget.trials=20");
    cs_axis *axis = NULL;
    CS_TRY(add_axis(reader, first, swept->n, when, &axis));
    for (int i = 0; i < axis->n; i++)
        axis->values[i] = i;
    return CS_OK;
}

cs_status cs_job_read_parameters(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    if (cs_node_is_null(map))
        return CS_OK;
    if (map->kind != CS_NODE_MAP || map->n == 0)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: is not a map of options", key->text),
                       "write lr: [0.01, 0.001]");
    for (int i = 0; i < map->n; i++)
        CS_TRY(read_parameter(reader, map->keys[i], map->items[i]));
    return CS_OK;
}

static bool is_when(const cs_node *key) {
    return strcmp(key->text, "when") == 0;
}

/* Adds the options of a map of zip:, whose lists must be equally long. */
static cs_status add_zipped_options(cs_job_reader *reader, const cs_node *map, int *n) {
    const cs_node *first = NULL;
    for (int i = 0; i < map->n; i++) {
        const cs_node *list = map->items[i];
        const cs_option *option = NULL;
        if (is_when(map->keys[i]))
            continue;
        CS_TRY(find_option(reader, map->keys[i], cs_node_get(map, "when") != NULL, &option));
        CS_TRY(check_list(option, list));
        if (first && *n != list->n)
            return cs_hint(cs_node_fail(list, CS_ERR_ARG, "zip: %s has %d values, but %s has %d", map->keys[i]->text,
                                        list->n, first->text, *n),
                           "lists that go together are equally long");
        first = first ? first : map->keys[i];
        *n = list->n;
        CS_TRY(cs_job_add_swept(reader, option, list));
    }
    return CS_OK;
}

static cs_status check_positions(const cs_axis *axis, const cs_node *map) {
    size_t n = (size_t)axis->n_options;
    for (int p = 0; p < axis->n; p++)
        for (int earlier = 0; earlier < p; earlier++)
            if (memcmp(&axis->values[(size_t)p * n], &axis->values[(size_t)earlier * n], n * sizeof *axis->values) == 0)
                return cs_node_fail(map, CS_ERR_ARG, "zip: the values at %d and %d are equal in all lists", earlier + 1,
                                    p + 1);
    return CS_OK;
}

static cs_status read_zipped(cs_job_reader *reader, const cs_node *map) {
    int first = reader->job->n_swept, n = 0, o = 0;
    cs_axis *axis = NULL;
    if (map->kind != CS_NODE_MAP || map->n == 0)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "zip: takes maps of options"),
                       "write zip: [{batch: [16, 32], lr: [1e-3, 2e-3]}]");
    CS_TRY(add_zipped_options(reader, map, &n));
    if (n == 0)
        return cs_node_fail(map, CS_ERR_ARG, "zip: a condition, but no options");
    CS_TRY(add_axis(reader, first, n, cs_node_get(map, "when"), &axis));
    for (int i = 0; i < map->n; i++) {
        cs_swept_option *swept = &reader->job->swept[first + o];
        if (is_when(map->keys[i]))
            continue;
        for (int p = 0; p < n; p++) {
            char text[CS_VALUE_MAX * 2];
            CS_TRY(cs_job_read_value(reader, swept->option, map->items[i]->items[p], text, sizeof text));
            int *index = &axis->values[p * axis->n_options + o];
            *index = cs_job_find_value(swept, text);
            if (*index >= 0)
                continue;
            *index = swept->n;
            CS_TRY(cs_job_append_value(swept, text));
        }
        o++;
    }
    return check_positions(axis, map);
}

cs_status cs_job_read_zip(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    for (int i = 0; i < cs_job_count_items(value) && !cs_node_is_null(value); i++)
        CS_TRY(read_zipped(reader, cs_job_item(value, i)));
    return CS_OK;
}
