/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { USUAL = 6 };

static const struct option_row {
    const char *name;
    const char *usual[USUAL]; /* names of the column, for an option that names one */
} rows[PACK_SOURCE_OPTIONS] = {
    [PACK_WEIGHTS] = {"--weights", {0}},
    [PACK_ROOT] = {"--root", {0}},
    [PACK_FILE_COLUMN] = {"--file-column", {"path", "file", "file_name", "filename", "image"}},
    [PACK_LABEL_COLUMN] = {"--label-column", {"label", "class"}},
    [PACK_SPLIT_COLUMN] = {"--split-column", {"split"}},
    [PACK_GROUP_COLUMN] = {"--group-column", {"group"}},
    [PACK_WEIGHT_COLUMN] = {"--weight-column", {"weight"}},
    [PACK_LABELS] = {"--labels", {0}},
};

const char *pack_option_name(int option) {
    return rows[option].name;
}

static cs_status fail_without_column(const pack_csv *table, const struct option_row *row) {
    char usual[128], columns[256];
    size_t used = 0;
    for (int i = 0; i < USUAL && row->usual[i] && used < sizeof usual; i++)
        used += (size_t)snprintf(usual + used, sizeof usual - used, "%s%s", i == 0 ? "" : " or ", row->usual[i]);
    pack_csv_list_columns(table, columns, sizeof columns);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: there is no column %s; it has %s", pack_csv_path(table), usual, columns),
                   "the first line names the columns; %s says which one it is", row->name);
}

cs_status pack_find_column(const pack_csv *table, pack_source_option option, const char *name, bool needed,
                           int *column) {
    const struct option_row *row = &rows[option];
    if (name)
        return pack_csv_find(table, name, row->name, column);
    *column = -1;
    for (int i = 0; i < USUAL && row->usual[i] && *column < 0; i++)
        *column = pack_csv_column(table, row->usual[i]);
    return *column < 0 && needed ? fail_without_column(table, row) : CS_OK;
}

cs_status pack_read_weight(const pack_csv *table, int column, float *out) {
    const char *text = pack_csv_field(table, column);
    char *end;
    const double value = strtod(text, &end);
    *out = (float)value;
    if (end == text || *end || !(value >= 0) || !isfinite(*out))
        return cs_hint(pack_csv_context(table, column, cs_fail(CS_ERR_FORMAT, "the weight is '%s'", text)),
                       "a weight is a number of at least 0, such as 2.5");
    return CS_OK;
}
