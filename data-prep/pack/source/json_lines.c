/* SPDX-License-Identifier: Apache-2.0 */
#include "json_lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool pack_is_json_lines(const char *path) {
    const char *ending = strrchr(path, '.');
    return ending && (strcasecmp(ending, ".jsonl") == 0 || strcasecmp(ending, ".ndjson") == 0);
}

static cs_status parse(const char *line, size_t size, json_t **out) {
    json_error_t error;
    *out = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return cs_fail(CS_ERR_FORMAT, "at character %d: %s", error.column, error.text);
    if (json_is_object(*out))
        return CS_OK;
    json_decref(*out);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "not an object"),
                   "each line is an object such as {\"file_name\": \"1.png\", \"label\": \"cat\"}");
}

cs_status pack_json_names(const char *line, size_t size, pack_row *out) {
    json_t *object, *value;
    const char *name;
    CS_TRY(parse(line, size, &object));
    cs_status status = CS_OK;
    json_object_foreach(object, name, value) {
        if (status == CS_OK)
            status = pack_row_add(out, name, strlen(name));
    }
    json_decref(object);
    return status;
}

static cs_status add_value(const json_t *value, pack_row *out) {
    if (!value || json_is_null(value))
        return pack_row_add(out, "", 0);
    if (json_is_string(value))
        return pack_row_add(out, json_string_value(value), json_string_length(value));
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a value");
    cs_status status = pack_row_add(out, text, strlen(text));
    free(text);
    return status;
}

cs_status pack_json_values(const char *line, size_t size, const pack_row *names, pack_row *out) {
    json_t *object;
    CS_TRY(parse(line, size, &object));
    cs_status status = CS_OK;
    for (size_t i = 0; i < names->n && status == CS_OK; i++)
        status = add_value(json_object_get(object, pack_row_field(names, i)), out);
    json_decref(object);
    return status;
}
