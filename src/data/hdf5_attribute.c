/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the root group: numbers and strings. */
#include "hdf5_file.h"

#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes a fixed-length string: it is stored in the object header and covered by HDF5's own checksum. */
hid_t cs_text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

cs_status cs_hdf5_write_numbers(hid_t file, const char *path, const char *name, hid_t type, hsize_t n,
                                const void *values) {
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t result = attribute < 0 ? -1 : H5Awrite(attribute, type, values);
    cs_status status = result < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "write an attribute") : CS_OK;
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    return status;
}

cs_status cs_hdf5_write_text(hid_t file, const char *path, const char *name, const char *text) {
    hid_t type = cs_text_type(strlen(text) + 1);
    cs_status status = cs_hdf5_write_numbers(file, path, name, type, 0, text);
    H5Tclose(type);
    return status;
}

/* Opens attribute `name` and checks its class and the number of values. n < 0 allows any number, which is stored in
 * *count. */
static cs_status open_attribute(hid_t file, const char *path, const char *name, H5T_class_t class, int n, int *count,
                                hid_t *out) {
    if (H5Aexists(file, name) <= 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the attribute \"%s\" is missing", path, name);
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    if (attribute < 0)
        return cs_fail_hdf5(CS_ERR_FORMAT, path, "open an attribute");
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t values = H5Sget_simple_extent_npoints(space);
    bool right = H5Tget_class(type) == class && H5Tis_variable_str(type) <= 0 && values > 0 && values <= INT32_MAX &&
                 (n < 0 || values == n);
    H5Sclose(space);
    H5Tclose(type);
    if (!right) {
        H5Aclose(attribute);
        return cs_fail(CS_ERR_FORMAT, "%s: the attribute \"%s\" has another type or size", path, name);
    }
    *count = (int)values;
    *out = attribute;
    return CS_OK;
}

cs_status cs_hdf5_rewrite_numbers(hid_t file, const char *path, const char *name, hid_t type, const void *values) {
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    herr_t result = attribute < 0 ? -1 : H5Awrite(attribute, type, values);
    cs_status status = result < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "write an attribute again") : CS_OK;
    if (attribute >= 0)
        H5Aclose(attribute);
    return status;
}

cs_status cs_hdf5_read_numbers(hid_t file, const char *path, const char *name, H5T_class_t class, hid_t type, int n,
                               void *values) {
    hid_t attribute = H5I_INVALID_HID;
    int count;
    CS_TRY(open_attribute(file, path, name, class, n, &count, &attribute));
    herr_t result = H5Aread(attribute, type, values);
    cs_status status = result < 0 ? cs_fail_hdf5(CS_ERR_FORMAT, path, "read an attribute") : CS_OK;
    H5Aclose(attribute);
    return status;
}

cs_status cs_hdf5_read_texts(hid_t file, const char *path, const char *name, int n, int *count, char ***out) {
    hid_t attribute = H5I_INVALID_HID;
    CS_TRY(open_attribute(file, path, name, H5T_STRING, n, count, &attribute));
    hid_t type = H5Aget_type(attribute);
    size_t size = H5Tget_size(type);
    char *block = NULL, **texts = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)*count, size, "attribute", &block), done);
    CS_TRY_GOTO(cs_alloc((size_t)*count, sizeof *texts, "attribute", &texts), done);
    *out = texts;
    if (H5Aread(attribute, type, block) < 0) {
        status = cs_fail_hdf5(CS_ERR_FORMAT, path, "read an attribute");
        goto done;
    }
    for (int i = 0; i < *count; i++) {
        const char *text = block + (size_t)i * size;
        size_t length = strnlen(text, size);
        CS_TRY_GOTO(cs_alloc(length + 1, 1, "attribute", &texts[i]), done);
        memcpy(texts[i], text, length);
    }
done:
    free(block);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

void cs_free_texts(char **texts, int n) {
    for (int i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

cs_status cs_hdf5_read_text(hid_t file, const char *path, const char *name, char *text, size_t size) {
    char **texts = NULL;
    int count = 0;
    cs_status status = cs_hdf5_read_texts(file, path, name, 1, &count, &texts);
    if (status == CS_OK)
        snprintf(text, size, "%s", texts[0]);
    cs_free_texts(texts, count);
    return status;
}
