/* SPDX-License-Identifier: Apache-2.0 */
#include "table_row.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

cs_status pack_row_add(pack_row *row, const char *text, size_t size) {
    CS_TRY(cs_grow(&row->bytes, &row->bytes_capacity, row->n_bytes + size + 1, 1, "row of a table"));
    CS_TRY(cs_grow(&row->fields, &row->fields_capacity, row->n + 1, sizeof *row->fields, "row of a table"));
    if (size > 0)
        memcpy(row->bytes + row->n_bytes, text, size);
    row->bytes[row->n_bytes + size] = '\0';
    row->fields[row->n++] = row->n_bytes;
    row->n_bytes += size + 1;
    return CS_OK;
}

const char *pack_row_field(const pack_row *row, size_t i) {
    return row->bytes + row->fields[i];
}

void pack_row_clear(pack_row *row) {
    free(row->bytes);
    free(row->fields);
}
