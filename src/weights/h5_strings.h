/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: lists of strings in HDF5 attributes, as Keras writes them. */
#ifndef CS_WEIGHTS_H5_STRINGS_H
#define CS_WEIGHTS_H5_STRINGS_H

#include "cnnsweep/status.h"

#include <hdf5.h>

typedef struct cs_strings {
    char **items;
    size_t n, capacity;
} cs_strings;
void cs_strings_clear(cs_strings *strings);
/* Adds a copy of the text; of a text longer than 1 KiB only its beginning. */
CS_MUST_CHECK cs_status cs_strings_append(cs_strings *strings, const char *text);

/* Appends the strings (of fixed or variable length) of the attribute `name`. If it does not exist, appends those of
 * `name`0, `name`1, ..., into which Keras splits long lists. `where` names file and group in errors; if no such
 * attribute exists, that is CS_ERR_FORMAT. */
CS_MUST_CHECK cs_status cs_h5_read_strings(hid_t object, const char *where, const char *name, cs_strings *out);

#endif
