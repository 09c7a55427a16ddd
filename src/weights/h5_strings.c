/* SPDX-License-Identifier: Apache-2.0 */
#include "h5_strings.h"

#include "cnnsweep/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LIST = 1 << 16, LONGEST_STRING = 1 << 10 }; /* far above those of any network */

void cs_strings_clear(cs_strings *strings) {
    for (size_t i = 0; i < strings->n; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (cs_strings){0};
}

/* Appends a string of at most `length` bytes; a fixed-length string need not end with NUL. */
static cs_status append(cs_strings *strings, const char *text, size_t length) {
    char *copy;
    CS_TRY(cs_grow(&strings->items, &strings->capacity, strings->n + 1, sizeof *strings->items, "names"));
    length = strnlen(text, length);
    CS_TRY(cs_alloc(length + 1, 1, "name", &copy));
    memcpy(copy, text, length);
    strings->items[strings->n++] = copy;
    return CS_OK;
}

cs_status cs_strings_append(cs_strings *strings, const char *text) {
    return append(strings, text, LONGEST_STRING);
}

static cs_status read_fixed(hid_t attribute, hid_t type, size_t n, size_t size, const char *where, const char *name,
                            cs_strings *out) {
    char *block;
    CS_TRY(cs_alloc(n, size, "names", &block));
    cs_status status = CS_OK;
    if (H5Aread(attribute, type, block) < 0)
        status = cs_fail(CS_ERR_FORMAT, "%s: attribute %s cannot be read", where, name);
    for (size_t i = 0; i < n && status == CS_OK; i++)
        status = append(out, block + i * size, size);
    free(block);
    return status;
}

static cs_status read_variable(hid_t attribute, hid_t type, hid_t space, size_t n, const char *where, const char *name,
                               cs_strings *out) {
    char **block;
    CS_TRY(cs_alloc(n, sizeof *block, "names", &block));
    cs_status status = CS_OK;
    if (H5Aread(attribute, type, block) < 0)
        status = cs_fail(CS_ERR_FORMAT, "%s: attribute %s cannot be read", where, name);
    for (size_t i = 0; i < n && status == CS_OK; i++)
        status = cs_strings_append(out, block[i] ? block[i] : "");
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, block);
    free(block);
    return status;
}

static cs_status read_list(hid_t object, const char *where, const char *name, cs_strings *out) {
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    size_t size = type < 0 ? 0 : H5Tget_size(type);
    bool text = type >= 0 && H5Tget_class(type) == H5T_STRING;
    cs_status status = CS_OK;
    bool empty = n == 0; /* h5py writes an empty list as an empty list of float64 */
    if (!empty && (!text || n < 0 || n > LONGEST_LIST || size == 0 || size > LONGEST_STRING))
        status = cs_fail(CS_ERR_FORMAT, "%s: attribute %s is no list of names", where, name);
    else if (!empty && H5Tis_variable_str(type) > 0)
        status = read_variable(attribute, type, space, (size_t)n, where, name, out);
    else if (!empty)
        status = read_fixed(attribute, type, (size_t)n, size, where, name, out);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    return status;
}

cs_status cs_h5_read_strings(hid_t object, const char *where, const char *name, cs_strings *out) {
    if (H5Aexists(object, name) > 0)
        return read_list(object, where, name, out);
    for (int chunk = 0;; chunk++) {
        char numbered[64];
        snprintf(numbered, sizeof numbered, "%s%d", name, chunk);
        if (H5Aexists(object, numbered) > 0)
            CS_TRY(read_list(object, where, numbered, out));
        else if (chunk > 0)
            return CS_OK;
        else
            return cs_hint(cs_fail(CS_ERR_FORMAT, "%s has no attribute %s", where, name),
                           "Keras' legacy layout is wanted: Keras 3 writes it with model.save(\"model.h5\")");
    }
}
