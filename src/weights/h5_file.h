/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: opens HDF5 files of any layout and reads their datasets. */
#ifndef CS_WEIGHTS_H5_FILE_H
#define CS_WEIGHTS_H5_FILE_H

#include "h5_strings.h"
#include "tensor.h"

#include <hdf5.h>

/* An open file and its root group; negative ids are not open. It must be closed even if opening failed. */
typedef struct cs_h5_file {
    hid_t file, root;
} cs_h5_file;
CS_MUST_CHECK cs_status cs_h5_open(const char *path, cs_h5_file *out);
void cs_h5_close(const cs_h5_file *file);

/* Opens a group or a dataset of this file; links to other files are not followed. Negative if it cannot be opened. */
hid_t cs_h5_open_group(hid_t parent, const char *name);
bool cs_h5_has(hid_t group, const char *name);
/* Passes the dataset `name` of `group` to the visitor. In `tensor` naming, layer, place, weight and path must be
 * set. */
CS_MUST_CHECK cs_status cs_h5_visit(hid_t group, const char *name, cs_tensor *tensor, const char *file,
                                    const cs_visitor *visitor);

/* Copies an attribute's first string into `out` ("" when there is no such attribute or it is no string). */
CS_MUST_CHECK cs_status cs_h5_text(hid_t object, const char *where, const char *name, char *out, size_t size);

#endif
