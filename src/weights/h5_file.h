/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: files of HDF5, whatever the layout of what is in them. */
#ifndef CS_WEIGHTS_H5_FILE_H
#define CS_WEIGHTS_H5_FILE_H

#include "h5_strings.h"
#include "tensor.h"

#include <hdf5.h>

/* An open file and its root group; negative: not open. Close it whether it could be opened or not. */
typedef struct cs_h5_file {
    hid_t file, root;
} cs_h5_file;
CS_MUST_CHECK cs_status cs_h5_open(const char *path, cs_h5_file *out);
void cs_h5_close(const cs_h5_file *file);

/* Opens a group, or a dataset, of this very file: links into others are not followed. Negative: it cannot. */
hid_t cs_h5_open_group(hid_t parent, const char *name);
bool cs_h5_has(hid_t group, const char *name);
/* Shows the dataset `name` of `group` to the visitor. `tensor` has naming, layer, place, weight and path. */
CS_MUST_CHECK cs_status cs_h5_visit(hid_t group, const char *name, cs_tensor *tensor, const char *file,
                                    const cs_visitor *visitor);

/* Puts an attribute's first string into `out` ("" when it is absent or no string). */
CS_MUST_CHECK cs_status cs_h5_text(hid_t object, const char *where, const char *name, char *out, size_t size);

#endif
