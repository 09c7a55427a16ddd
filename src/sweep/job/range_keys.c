/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the ranges under sweep: parameters:. */
#include "cnnsweep/scalar.h"
#include "job_reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {[CS_RANGE_LISTED] = "values",
                                    [CS_RANGE_UNIFORM] = "uniform",
                                    [CS_RANGE_LOG_UNIFORM] = "log_uniform",
                                    [CS_RANGE_INT] = "int",
                                    [CS_RANGE_LOG_INT] = "log_int"};

/* Reads a bound of a range, or its step. */
static cs_status read_number(const cs_option *option, const cs_node *node, bool whole, const char *what, double *out) {
    const double exact = 9007199254740992.0;
    if (node->kind != CS_NODE_SCALAR)
        return cs_node_fail(node, CS_ERR_ARG, "%s: a %s is a number", option->key, what);
    cs_status status = cs_parse_float(node->text, out);
    if (status != CS_OK)
        return cs_node_context(node, status);
    if (whole && (*out != floor(*out) || fabs(*out) > exact))
        return cs_node_fail(node, CS_ERR_ARG, "%s: '%s' is not a whole number", option->key, node->text);
    return CS_OK;
}

/* Reads a bound and checks that the option takes it. */
static cs_status read_bound(cs_job_reader *reader, const cs_option *option, const cs_node *node, bool whole,
                            double *out) {
    cs_trial_config trial = reader->job->base;
    CS_TRY(read_number(option, node, whole, "bound of a range", out));
    return cs_job_set_option(reader, option, node, &trial);
}

static bool is_log(cs_range_kind kind) {
    return kind == CS_RANGE_LOG_UNIFORM || kind == CS_RANGE_LOG_INT;
}

static cs_status check_bounds(const cs_option *option, const cs_node *bounds, const cs_range *range) {
    const double widest = UINT32_MAX - 1.0;
    if (!(range->high > range->low))
        return cs_node_fail(bounds, CS_ERR_ARG, "%s: the range ends at %g, which is not above %g where it begins",
                            option->key, range->high, range->low);
    if (is_log(range->kind) && range->low <= 0)
        return cs_hint(cs_node_fail(bounds, CS_ERR_ARG, "%s: a %s range begins at %g; it must be above 0", option->key,
                                    names[range->kind], range->low),
                       "0 has no logarithm: begin at a small number, or use %s",
                       range->kind == CS_RANGE_LOG_INT ? names[CS_RANGE_INT] : names[CS_RANGE_UNIFORM]);
    if (cs_range_is_whole(range) && range->high - range->low > widest)
        return cs_node_fail(bounds, CS_ERR_ARG, "%s: the range is wider than %.0f", option->key, widest);
    return CS_OK;
}

/* Options of text have no range, but some also take a number. */
static bool takes_range(const cs_option *option, const cs_range *range) {
    return option->type == CS_OPTION_FLOAT ||
           (cs_range_is_whole(range) && (option->type == CS_OPTION_INT || option->takes_count));
}

/* Makes a list of the numbers low, low + step, and so on up to high. As in Optuna, high is not among them where the
 * steps do not hit it. */
static cs_status list_steps(cs_job_reader *reader, const cs_option *option, const cs_node *node, cs_range *range,
                            cs_swept_option *swept) {
    const double rounding = 1e-9; /* 0.3 / 0.1 is a little below 3 */
    double step = 0;
    if (is_log(range->kind))
        return cs_hint(cs_node_fail(node, CS_ERR_ARG, "%s: a %s range has no step", option->key, names[range->kind]),
                       "list the values: %s", range->kind == CS_RANGE_LOG_INT ? "[8, 16, 32]" : "[1e-4, 1e-3, 1e-2]");
    CS_TRY(read_number(option, node, range->kind == CS_RANGE_INT, "step", &step));
    double steps = floor((range->high - range->low) / step * (1 + rounding));
    if (!(step > 0) || steps < 1)
        return cs_node_fail(node, CS_ERR_ARG, "%s: the step is %g, which is not between 0 and the width %g",
                            option->key, step, range->high - range->low);
    if (steps >= CS_MAX_TRIALS)
        return cs_node_fail(node, CS_ERR_ARG, "%s: a step of %g makes more than %d values", option->key, step,
                            CS_MAX_TRIALS);
    for (int i = 0; i <= (int)steps; i++) {
        char number[64], text[CS_VALUE_MAX * 2];
        cs_trial_config trial = reader->job->base;
        snprintf(number, sizeof number, range->kind == CS_RANGE_INT ? "%.0f" : "%.9g", range->low + i * step);
        cs_status status = cs_option_set(option, number, &trial);
        if (status != CS_OK)
            return cs_node_context(node, status);
        cs_option_get(option, &trial, text, sizeof text);
        if (i > 0 && strcmp(text, swept->values[swept->n - 1]) == 0)
            return cs_node_fail(node, CS_ERR_ARG, "%s: a step of %g is too small to be seen at %s", option->key, step,
                                text);
        CS_TRY(cs_job_append_value(swept, text));
    }
    range->kind = CS_RANGE_LISTED;
    range->step = step;
    return CS_OK;
}

static cs_status fail_unknown(const cs_option *option, const cs_node *key) {
    static const char *const all[] = {"values", "choice", "uniform", "log_uniform", "int", "log_int", "step", "when"};
    char guess[64];
    return cs_hint(
        cs_node_fail(key, CS_ERR_ARG, "%s: values cannot be drawn from '%s'%s", option->key, key->text,
                     cs_did_you_mean(key->text, all, sizeof all / sizeof *all, guess, sizeof guess)),
        "write {values: [a, b, c]}, {uniform: [a, b]}, {log_uniform: [a, b]}, {int: [a, b]} or {log_int: [a, "
        "b]}; uniform and int may have a step:, and all of them a when:");
}

/* Finds the value of the one key that says what the values are drawn from; NULL: `wrong` is no such key, or a second
 * one. "choice", Ray's word, is the same as "values". */
static const cs_node *find_kind(const cs_node *map, cs_range_kind *kind, const cs_node **wrong) {
    const cs_node *found = NULL;
    *wrong = map->keys[0];
    for (int i = 0; i < map->n; i++) {
        const char *name = strcmp(map->keys[i]->text, "choice") == 0 ? names[CS_RANGE_LISTED] : map->keys[i]->text;
        size_t k = 0;
        if (strcmp(name, "when") == 0 || strcmp(name, "step") == 0)
            continue;
        *wrong = map->keys[i];
        while (k < sizeof names / sizeof *names && strcmp(name, names[k]) != 0)
            k++;
        if (k == sizeof names / sizeof *names || found)
            return NULL;
        *kind = (cs_range_kind)k;
        found = map->items[i];
    }
    return found;
}

cs_status cs_job_read_range(cs_job_reader *reader, const cs_option *option, const cs_node *map, cs_range *range,
                            cs_swept_option *swept, const cs_node **list) {
    const cs_node *wrong, *step = cs_node_get(map, "step"), *bounds = find_kind(map, &range->kind, &wrong);
    if (!bounds)
        return fail_unknown(option, wrong);
    *list = range->kind == CS_RANGE_LISTED ? bounds : NULL;
    if (*list && step)
        return cs_node_fail(step, CS_ERR_ARG, "%s: listed values have no step", option->key);
    if (*list)
        return CS_OK;
    const char *name = names[range->kind];
    if (!takes_range(option, range))
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s cannot be drawn from %s", option->key, name),
                       option->type == CS_OPTION_INT ? "a whole number takes {int: [a, b]} or {log_int: [a, b]}"
                                                     : "it takes a list of values");
    if (bounds->kind != CS_NODE_LIST || bounds->n != 2)
        return cs_hint(cs_node_fail(bounds, CS_ERR_ARG, "%s: %s takes two numbers", option->key, name),
                       "write %s: {%s: [a, b]}", cs_option_short_name(option), name);
    bool whole = cs_range_is_whole(range);
    CS_TRY(read_bound(reader, option, bounds->items[0], whole, &range->low));
    CS_TRY(read_bound(reader, option, bounds->items[1], whole, &range->high));
    CS_TRY(check_bounds(option, bounds, range));
    return step ? list_steps(reader, option, step, range, swept) : CS_OK;
}
