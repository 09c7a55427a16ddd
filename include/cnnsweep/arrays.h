/* SPDX-License-Identifier: Apache-2.0 */
/* A new HDF5 file of named arrays, whose rows are written in any order. h5py opens it without help. */
#ifndef CNNSWEEP_ARRAYS_H
#define CNNSWEEP_ARRAYS_H

#include "cnnsweep/status.h"

#include <stdint.h>

typedef enum cs_item_type {
    CS_ITEM_FLOAT32,
    CS_ITEM_INT32,
    CS_ITEM_TEXT /* UTF-8, a row of dims[rank] bytes, which end with NUL */
} cs_item_type;

enum { CS_ARRAYS_RANK = 4, CS_ARRAYS_NAME = 64 };
typedef struct cs_array_spec {
    char name[CS_ARRAYS_NAME];
    cs_item_type type;
    int rank;                     /* TEXT: 1 */
    int64_t dims[CS_ARRAYS_RANK]; /* TEXT: the rows, and in dims[1] the bytes of each; dims[0] > 0 */
} cs_array_spec;

/* The file appears under its name when it is committed, and replaces one that is there. */
typedef struct cs_arrays cs_arrays;
CS_MUST_CHECK cs_status cs_arrays_create(const char *path, const cs_array_spec *specs, int n, cs_arrays **out);
/* Adds an attribute to the root group; "" is no attribute. Only before rows are written. */
CS_MUST_CHECK cs_status cs_arrays_describe(cs_arrays *arrays, const char *name, const char *text);
/* Writes n rows of array i from row `first` on. Rows that are never written are undefined. */
CS_MUST_CHECK cs_status cs_arrays_write(cs_arrays *arrays, int i, int64_t first, int64_t n, const void *rows);
CS_MUST_CHECK cs_status cs_arrays_commit(cs_arrays **arrays); /* frees and clears, also on failure */
void cs_arrays_abort(cs_arrays **arrays);                     /* NULL-safe; leaves nothing behind */

#endif
