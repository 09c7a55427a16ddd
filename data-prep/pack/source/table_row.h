/* SPDX-License-Identifier: Apache-2.0 */
/* A row of a table, whatever its form. */
#ifndef CNNSWEEP_PACK_TABLE_ROW_H
#define CNNSWEEP_PACK_TABLE_ROW_H

#include "cnnsweep/status.h"

#include <stddef.h>

/* The fields one after another, each NUL-terminated, and where they begin. */
typedef struct pack_row {
    char *bytes;
    size_t n_bytes, bytes_capacity;
    size_t *fields; /* [n] offsets in `bytes` */
    size_t n, fields_capacity;
} pack_row;

CS_MUST_CHECK cs_status pack_row_add(pack_row *row, const char *text, size_t size);
const char *pack_row_field(const pack_row *row, size_t i);
void pack_row_clear(pack_row *row); /* frees its memory */

#endif
