/* SPDX-License-Identifier: Apache-2.0 */
#include "h5_file.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* The data that cs_tensor.read needs. */
typedef struct h5_source {
    hid_t dataset;
    const char *file;
    bool bfloat16;
} h5_source;

/* An H5L_elink_traverse_t. NOLINTBEGIN(readability-non-const-parameter) */
static herr_t refuse_external(const char *parent_file, const char *parent_group, const char *file, const char *object,
                              unsigned *flags, hid_t access, void *context) {
    (void)parent_file, (void)parent_group, (void)file, (void)object, (void)flags, (void)access, (void)context;
    return -1;
}
/* NOLINTEND(readability-non-const-parameter) */

/* Opens an object with `open`, without following links to other files: weights must come from the file that was
 * named. */
static hid_t open_in_file(hid_t parent, const char *name, hid_t kind, hid_t (*open)(hid_t, const char *, hid_t)) {
    hid_t access = H5Pcreate(kind);
    if (access < 0)
        return access;
    H5Pset_elink_cb(access, refuse_external, NULL);
    hid_t object = open(parent, name, access);
    H5Pclose(access);
    return object;
}

hid_t cs_h5_open_group(hid_t parent, const char *name) {
    return open_in_file(parent, name, H5P_GROUP_ACCESS, H5Gopen2);
}

bool cs_h5_has(hid_t group, const char *name) {
    return H5Lexists(group, name, H5P_DEFAULT) > 0;
}

cs_status cs_h5_text(hid_t object, const char *where, const char *name, char *out, size_t size) {
    cs_strings strings = {0};
    cs_status status = CS_OK;
    out[0] = '\0';
    if (H5Aexists(object, name) > 0)
        status = cs_h5_read_strings(object, where, name, &strings);
    if (status == CS_OK && strings.n > 0)
        snprintf(out, size, "%s", strings.items[0]);
    cs_strings_clear(&strings);
    return status;
}

/* Keras stores a bfloat16 as two opaque bytes, the upper half of a float32. */
static cs_status read_bfloat16(const h5_source *source, size_t count, float *out) {
    uint16_t *halves;
    CS_TRY(cs_alloc(count, sizeof *halves, "bfloat16 values", &halves));
    hid_t type = H5Dget_type(source->dataset);
    bool failed = type < 0 || H5Dread(source->dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves) < 0;
    if (type >= 0)
        H5Tclose(type);
    for (size_t i = 0; i < count && !failed; i++) {
        uint32_t bits = (uint32_t)halves[i] << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
    free(halves);
    return failed ? CS_ERR_FORMAT : CS_OK;
}

static cs_status read_values(const cs_tensor *tensor, float *out) {
    const h5_source *source = tensor->source;
    cs_status status = CS_OK;
    if (source->bfloat16)
        status = read_bfloat16(source, (size_t)cs_tensor_count(tensor), out);
    else if (H5Dread(source->dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        status = CS_ERR_FORMAT;
    if (status != CS_ERR_FORMAT)
        return status;
    return cs_hint(cs_fail(status, "%s: dataset %s cannot be read", source->file, tensor->path), "%s", cs_damaged_hint);
}

static void describe_type(hid_t type, cs_tensor *tensor, h5_source *source) {
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    size_t size = type < 0 ? 0 : H5Tget_size(type);
    char mark[16] = "";
    tensor->type = CS_TENSOR_OTHER;
    snprintf(tensor->type_name, sizeof tensor->type_name, "other");
    if (class == H5T_OPAQUE && size == 2 &&
        cs_h5_text(source->dataset, tensor->path, "dtype", mark, sizeof mark) == CS_OK)
        source->bfloat16 = strcmp(mark, "bfloat16") == 0;
    if (class == H5T_FLOAT || source->bfloat16) {
        tensor->type = CS_TENSOR_FLOAT;
        snprintf(tensor->type_name, sizeof tensor->type_name, "%sF%zu", source->bfloat16 ? "B" : "", 8 * size);
    } else if (class == H5T_INTEGER) {
        bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
        tensor->type = CS_TENSOR_INTEGER;
        snprintf(tensor->type_name, sizeof tensor->type_name, "%c%zu", is_signed ? 'I' : 'U', 8 * size);
    }
}

/* Whether the values are stored in other files or composed from other datasets. */
static bool is_stored_elsewhere(hid_t dataset) {
    hid_t creation = H5Dget_create_plist(dataset);
    bool elsewhere = creation < 0 || H5Pget_external_count(creation) != 0 || H5Pget_layout(creation) == H5D_VIRTUAL;
    if (creation >= 0)
        H5Pclose(creation);
    return elsewhere;
}

static cs_status visit_open(hid_t dataset, cs_tensor *tensor, const char *file, const cs_visitor *visitor) {
    h5_source source = {.dataset = dataset, .file = file};
    hsize_t dims[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    tensor->rank =
        space < 0 || H5Sget_simple_extent_type(space) == H5S_NULL ? -1 : H5Sget_simple_extent_dims(space, dims, NULL);
    if (space >= 0)
        H5Sclose(space);
    if (tensor->rank < 0 || tensor->rank > CS_TENSOR_MAX_RANK)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %s has no shape", file, tensor->path), "%s",
                       cs_damaged_hint);
    if (is_stored_elsewhere(dataset))
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %s has its values elsewhere", file, tensor->path),
                       "weights are read from one file alone");
    for (int i = 0; i < tensor->rank; i++)
        tensor->dims[i] = dims[i];
    hid_t type = H5Dget_type(dataset);
    describe_type(type, tensor, &source);
    if (type >= 0)
        H5Tclose(type);
    tensor->read = read_values;
    tensor->source = &source;
    return visitor->tensor(visitor->context, tensor);
}

cs_status cs_h5_visit(hid_t group, const char *name, cs_tensor *tensor, const char *file, const cs_visitor *visitor) {
    hid_t dataset = open_in_file(group, name, H5P_DATASET_ACCESS, H5Dopen2);
    if (dataset < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %s is listed but cannot be opened", file, tensor->path),
                       "%s", cs_damaged_hint);
    cs_status status = visit_open(dataset, tensor, file, visitor);
    H5Dclose(dataset);
    return status;
}

/* An H5E_walk2_t: keeps the innermost of HDF5's errors. */
static herr_t keep_reason(unsigned depth, const H5E_error2_t *error, void *context) {
    if (depth == 0 && error->desc)
        cs_printable(error->desc, context);
    return 0;
}

static cs_status fail_open(const char *path, const char *reason) {
    cs_status status = cs_fail(CS_ERR_FORMAT, "%s: HDF5 cannot open it: %s", path, reason);
    if (strstr(reason, "lock file") || strstr(reason, "already open"))
        return cs_hint(status, "another program writes it: wait for that; where the disk has no locks, do not set "
                               "HDF5_USE_FILE_LOCKING; after a crash, h5clear -s");
    return cs_hint(status, "%s", cs_damaged_hint);
}

/* Reading needs no lock, and some network disks have none. The environment variable HDF5_USE_FILE_LOCKING overrides
 * this setting. */
static hid_t open_file(const char *path, char reason[CS_TENSOR_NAME_MAX]) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, false, true);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0)
        H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason); /* the next call of HDF5 discards it */
    H5Pclose(access);
    return file;
}

cs_status cs_h5_open(const char *path, cs_h5_file *out) {
    char reason[CS_TENSOR_NAME_MAX] = "it has no root";
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* our own errors name the reason */
    out->file = open_file(path, reason);
    out->root = out->file < 0 ? H5I_INVALID_HID : cs_h5_open_group(out->file, "/");
    return out->root < 0 ? fail_open(path, reason) : CS_OK;
}

void cs_h5_close(const cs_h5_file *file) {
    if (file->root >= 0)
        H5Gclose(file->root);
    if (file->file >= 0)
        H5Fclose(file->file);
}
