/* The root attributes: one function writes them, one reads them back; and what both sides share. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cs_split_name(cs_split split) {
    static const char *const names[CS_SPLIT_COUNT] = {"train", "val", "test"};
    return names[split];
}

void cs_hdf5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
}

/* The innermost error is the one that says something. */
static herr_t keep_first(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0)
        snprintf(text, 256, "%s", error->desc ? error->desc : "unknown");
    return 0;
}

cs_status cs_fail_hdf5(cs_status code, const char *path, const char *what) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return cs_fail_errno("%s: cannot %s", path, what);
    char reason[256] = "unknown";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, reason);
    return cs_fail(code, "%s: cannot %s: %s", path, what, reason);
}

/* Creates attribute `name` of `type` with n values (n = 0: a scalar). */
static cs_status write_attribute(hid_t file, const char *path, const char *name, hid_t type, hsize_t n,
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

/* Fixed-length strings lie in the object header, under HDF5's own checksum. */
hid_t cs_text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static cs_status write_text(hid_t file, const char *path, const char *name, const char *text) {
    hid_t type = cs_text_type(strlen(text) + 1);
    cs_status status = write_attribute(file, path, name, type, 0, text);
    H5Tclose(type);
    return status;
}

static cs_status write_classes(hid_t file, const char *path, const cs_dataset_meta *meta) {
    size_t longest = 0;
    for (int i = 0; i < meta->n_classes; i++)
        if (strlen(meta->classes[i]) > longest)
            longest = strlen(meta->classes[i]);
    char *block = NULL;
    CS_TRY(cs_alloc((size_t)meta->n_classes, longest + 1, "class names", &block));
    for (int i = 0; i < meta->n_classes; i++)
        strcpy(block + (size_t)i * (longest + 1), meta->classes[i]);
    hid_t type = cs_text_type(longest + 1);
    cs_status status = write_attribute(file, path, "classes", type, (hsize_t)meta->n_classes, block);
    H5Tclose(type);
    free(block);
    return status;
}

cs_status cs_meta_write(hid_t file, const char *path, const cs_dataset_meta *meta) {
    const int version = CS_DATASET_VERSION;
    CS_TRY(write_text(file, path, "format", CS_DATASET_FORMAT));
    CS_TRY(write_attribute(file, path, "version", H5T_NATIVE_INT, 0, &version));
    CS_TRY(write_classes(file, path, meta));
    CS_TRY(write_attribute(file, path, "mean", H5T_NATIVE_DOUBLE, 3, meta->mean));
    CS_TRY(write_attribute(file, path, "std", H5T_NATIVE_DOUBLE, 3, meta->std));
    CS_TRY(write_text(file, path, "resize", cs_resize_name(meta->resize)));
    CS_TRY(write_attribute(file, path, "height", H5T_NATIVE_INT, 0, &meta->h));
    CS_TRY(write_attribute(file, path, "width", H5T_NATIVE_INT, 0, &meta->w));
    return write_text(file, path, "checksum", meta->checksum);
}

/* Opens attribute `name` and checks class and number of values (n < 0: any, told in *count). */
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

static cs_status read_numbers(hid_t file, const char *path, const char *name, H5T_class_t class, hid_t type, int n,
                              void *values) {
    hid_t attribute = H5I_INVALID_HID;
    int count;
    CS_TRY(open_attribute(file, path, name, class, n, &count, &attribute));
    herr_t result = H5Aread(attribute, type, values);
    cs_status status = result < 0 ? cs_fail_hdf5(CS_ERR_FORMAT, path, "read an attribute") : CS_OK;
    H5Aclose(attribute);
    return status;
}

/* n texts (n < 0: any number, told in *count), each malloc'ed, in a malloc'ed array. */
static cs_status read_texts(hid_t file, const char *path, const char *name, int n, int *count, char ***out) {
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

static void free_texts(char **texts, int n) {
    for (int i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

void cs_meta_clear(cs_dataset_meta *meta) {
    free_texts(meta->classes, meta->n_classes);
    meta->classes = NULL;
    meta->n_classes = 0;
}

static cs_status read_text(hid_t file, const char *path, const char *name, char *text, size_t size) {
    char **texts = NULL;
    int count = 0;
    cs_status status = read_texts(file, path, name, 1, &count, &texts);
    if (status == CS_OK)
        snprintf(text, size, "%s", texts[0]);
    free_texts(texts, count);
    return status;
}

static cs_status check_format(hid_t file, const char *path) {
    char format[32];
    int version = 0;
    cs_status status = read_text(file, path, "format", format, sizeof format);
    if (status != CS_OK || strcmp(format, CS_DATASET_FORMAT) != 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not a cnnsweep dataset", path), "cnnsweep-pack makes one");
    CS_TRY(read_numbers(file, path, "version", H5T_INTEGER, H5T_NATIVE_INT, 1, &version));
    if (version != CS_DATASET_VERSION)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "%s: format version %d, this program reads %d", path, version,
                               CS_DATASET_VERSION),
                       "pack the images again");
    return CS_OK;
}

static cs_status parse_resize(const char *path, const char *text, cs_resize *out) {
    for (int i = 0; i < CS_RESIZE_COUNT; i++)
        if (strcmp(text, cs_resize_name((cs_resize)i)) == 0) {
            *out = (cs_resize)i;
            return CS_OK;
        }
    return cs_fail(CS_ERR_FORMAT, "%s: unknown resize rule \"%s\"", path, text);
}

cs_status cs_meta_read(hid_t file, const char *path, cs_dataset_meta *meta) {
    *meta = (cs_dataset_meta){0};
    char resize[32];
    CS_TRY(check_format(file, path));
    CS_TRY(read_numbers(file, path, "mean", H5T_FLOAT, H5T_NATIVE_DOUBLE, 3, meta->mean));
    CS_TRY(read_numbers(file, path, "std", H5T_FLOAT, H5T_NATIVE_DOUBLE, 3, meta->std));
    CS_TRY(read_numbers(file, path, "height", H5T_INTEGER, H5T_NATIVE_INT, 1, &meta->h));
    CS_TRY(read_numbers(file, path, "width", H5T_INTEGER, H5T_NATIVE_INT, 1, &meta->w));
    if (meta->h < 0 || meta->w < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: images of %d x %d", path, meta->h, meta->w);
    CS_TRY(read_text(file, path, "resize", resize, sizeof resize));
    CS_TRY(parse_resize(path, resize, &meta->resize));
    CS_TRY(read_text(file, path, "checksum", meta->checksum, sizeof meta->checksum));
    return read_texts(file, path, "classes", -1, &meta->n_classes, &meta->classes);
}

void cs_split_checksum(const cs_split_data splits[CS_SPLIT_COUNT], const uint64_t images[CS_SPLIT_COUNT],
                       char text[CS_CHECKSUM_TEXT]) {
    enum { COLUMNS = 4 };
    uint64_t sums[CS_SPLIT_COUNT * COLUMNS];
    size_t count = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        const cs_split_data *split = &splits[s];
        size_t n = (size_t)split->n;
        sums[count++] = images[s];
        if (split->offset)
            sums[count++] = cs_checksum(split->offset, (n + 1) * sizeof *split->offset);
        sums[count++] = cs_checksum(split->label, n * sizeof *split->label);
        sums[count++] = cs_checksum(split->id, n * split->id_size);
    }
    snprintf(text, CS_CHECKSUM_TEXT, "%016llx", (unsigned long long)cs_checksum(sums, count * sizeof *sums));
}
