/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: how Keras arranges a network in HDF5. h5_layouts.c has the table of the layouts.
 *
 * To add a layout, add a file that defines a cs_h5_layout, and its name in that table. */
#ifndef CS_WEIGHTS_H5_LAYOUT_H
#define CS_WEIGHTS_H5_LAYOUT_H

#include "h5_file.h"

typedef struct cs_h5_layout {
    const char *name; /* name of the layout, for people */
    bool (*recognises)(hid_t root);
    cs_status (*walk)(hid_t root, const char *path, const cs_visitor *visitor);
} cs_h5_layout;

#endif
