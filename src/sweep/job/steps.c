/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"
#include "cnnsweep/file.h"

#include <string.h>

/* Sets the option to a part of the text, in a trial that is thrown away. */
static cs_status try_text(const cs_option *option, const cs_node *at, const char *text) {
    cs_trial_config trial = {0};
    cs_status status = cs_option_set(option, text, &trial);
    return status == CS_OK ? CS_OK : cs_node_context(at, status);
}

static cs_status fail_step(const cs_option *option, const cs_node *at) {
    return cs_hint(cs_node_fail(at, CS_ERR_ARG, "%s: this is no step", option->key),
                   "a step is a name, {name: first parameter} or {name: {parameter: value}}");
}

/* Adds ":parameter=value" for each parameter of the step `name`. */
static cs_status add_parameters(const cs_option *option, const cs_node *name, const cs_node *map, char *out,
                                size_t size) {
    for (int i = 0; i < map->n; i++) {
        char alone[CS_VALUE_MAX];
        size_t used = strlen(out);
        if (map->items[i]->kind != CS_NODE_SCALAR)
            return cs_node_fail(map->items[i], CS_ERR_ARG, "%s: %s takes a single value", option->key,
                                map->keys[i]->text);
        CS_TRY(cs_path(alone, sizeof alone, "%s:%s=", name->text, map->keys[i]->text));
        CS_TRY(cs_node_text(map->items[i], alone + strlen(alone), sizeof alone - strlen(alone)));
        CS_TRY(try_text(option, map->keys[i], alone));
        CS_TRY(cs_path(out + used, size - used, "%s", alone + strlen(name->text)));
    }
    return CS_OK;
}

static cs_status step_text(const cs_option *option, const cs_node *step, char *out, size_t size) {
    if (step->kind == CS_NODE_SCALAR) {
        CS_TRY(cs_path(out, size, "%s", step->text));
        return try_text(option, step, out);
    }
    if (step->kind != CS_NODE_MAP || step->n != 1 || step->items[0]->kind == CS_NODE_LIST)
        return fail_step(option, step);
    const cs_node *name = step->keys[0], *value = step->items[0];
    CS_TRY(cs_path(out, size, "%s", name->text));
    CS_TRY(try_text(option, name, out));
    if (value->kind == CS_NODE_MAP)
        return add_parameters(option, name, value, out, size);
    CS_TRY(cs_path(out, size, "%s:", name->text));
    CS_TRY(cs_node_text(value, out + strlen(out), size - strlen(out)));
    return try_text(option, value, out);
}

cs_status cs_steps_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    if (value->kind != CS_NODE_LIST)
        return step_text(option, value, out, size);
    out[0] = '\0';
    for (int i = 0; i < value->n; i++) {
        size_t used = strlen(out);
        CS_TRY(cs_path(out + used, size - used, "%s", i > 0 ? "," : ""));
        used += i > 0;
        CS_TRY(step_text(option, value->items[i], out + used, size - used));
    }
    return CS_OK;
}
