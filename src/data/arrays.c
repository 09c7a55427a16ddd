/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/arrays.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "hdf5_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct array {
    cs_array_spec spec;
    size_t row; /* bytes */
    haddr_t at;
} array;

struct cs_arrays {
    char path[CS_PATH_MAX], temporary[CS_PATH_MAX];
    int file; /* -1: not open */
    array *arrays;
    int n;
};

static size_t row_bytes(const cs_array_spec *spec) {
    size_t bytes = spec->type == CS_ITEM_TEXT ? (size_t)spec->dims[1] : sizeof(float);
    for (int d = 1; d < spec->rank; d++)
        bytes *= (size_t)spec->dims[d];
    return bytes;
}

static cs_status place(hid_t file, const char *path, array *a) {
    hsize_t dims[CS_ARRAYS_RANK];
    const cs_array_spec *spec = &a->spec;
    for (int d = 0; d < spec->rank; d++)
        dims[d] = (hsize_t)spec->dims[d];
    if (spec->type != CS_ITEM_TEXT)
        return cs_hdf5_place(file, path, spec->name, spec->type == CS_ITEM_INT32 ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT,
                             spec->rank, dims, &a->at);
    hid_t text = cs_text_type((size_t)spec->dims[1]);
    cs_status status = cs_hdf5_place(file, path, spec->name, text, 1, dims, &a->at);
    H5Tclose(text);
    return status;
}

static cs_status create(cs_arrays *arrays, const cs_array_spec *specs) {
    hid_t file = H5I_INVALID_HID;
    size_t bytes = 0;
    for (int i = 0; i < arrays->n; i++) {
        arrays->arrays[i] = (array){.spec = specs[i], .row = row_bytes(&specs[i])};
        bytes += (size_t)specs[i].dims[0] * arrays->arrays[i].row;
    }
    CS_TRY(cs_remove_all(arrays->temporary));
    CS_TRY(cs_hdf5_create(arrays->temporary, bytes, &file));
    cs_status status = CS_OK;
    for (int i = 0; i < arrays->n && status == CS_OK; i++)
        status = place(file, arrays->path, &arrays->arrays[i]);
    CS_TRY(cs_hdf5_finish(file, arrays->path, status));
    arrays->file = open(arrays->temporary, O_WRONLY | O_CLOEXEC);
    return arrays->file < 0 ? cs_fail_errno("%s: cannot open", arrays->temporary) : CS_OK;
}

cs_status cs_arrays_create(const char *path, const cs_array_spec *specs, int n, cs_arrays **out) {
    cs_arrays *arrays = NULL;
    cs_status status;
    CS_TRY(cs_alloc(1, sizeof *arrays, "arrays", &arrays));
    arrays->file = -1;
    arrays->n = n;
    CS_TRY_GOTO(cs_path(arrays->path, sizeof arrays->path, "%s", path), failed);
    CS_TRY_GOTO(cs_path(arrays->temporary, sizeof arrays->temporary, "%s.tmp.%ld", path, (long)getpid()), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *arrays->arrays, "arrays", &arrays->arrays), failed);
    CS_TRY_GOTO(create(arrays, specs), failed);
    *out = arrays;
    return CS_OK;
failed:
    cs_arrays_abort(&arrays);
    return status;
}

cs_status cs_arrays_describe(cs_arrays *arrays, const char *name, const char *text) {
    hid_t file = H5I_INVALID_HID;
    if (!text[0])
        return CS_OK;
    CS_TRY(cs_hdf5_reopen(arrays->temporary, 0, &file));
    return cs_hdf5_finish(file, arrays->path, cs_hdf5_write_text(file, arrays->path, name, text));
}

cs_status cs_arrays_write(cs_arrays *arrays, int i, int64_t first, int64_t n, const void *rows) {
    const array *a = &arrays->arrays[i];
    if (first < 0 || n < 0 || first + n > a->spec.dims[0])
        return cs_fail(CS_ERR_ARG, "%s: rows %lld to %lld of %s, which has %lld", arrays->path, (long long)first,
                       (long long)(first + n), a->spec.name, (long long)a->spec.dims[0]);
    return cs_write_at(arrays->file, arrays->path, rows, (size_t)n * a->row, a->at + (haddr_t)first * a->row);
}

cs_status cs_arrays_commit(cs_arrays **arrays) {
    cs_arrays *self = *arrays;
    const int file = self->file;
    self->file = -1;
    cs_status status = close(file) == 0 ? CS_OK : cs_fail_errno("%s: cannot write", self->path);
    if (status == CS_OK)
        status = cs_file_move(self->temporary, self->path);
    cs_arrays_abort(arrays);
    return status;
}

void cs_arrays_abort(cs_arrays **arrays) {
    cs_arrays *self = *arrays;
    if (!self)
        return;
    if (self->file >= 0)
        close(self->file);
    unlink(self->temporary); /* a committed file no longer has that name */
    free(self->arrays);
    free(self);
    *arrays = NULL;
}
