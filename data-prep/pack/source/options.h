/* SPDX-License-Identifier: Apache-2.0 */
/* The options that some sources have and others have not, and the columns of tables that some of them name. */
#ifndef CNNSWEEP_PACK_OPTIONS_H
#define CNNSWEEP_PACK_OPTIONS_H

#include "csv_reader.h"

typedef enum pack_source_option {
    PACK_WEIGHTS, /* a table of weights beside SRC; it has columns of files and of weights, whatever the source */
    PACK_ROOT,
    PACK_FILE_COLUMN,
    PACK_LABEL_COLUMN,
    PACK_SPLIT_COLUMN,
    PACK_GROUP_COLUMN,
    PACK_WEIGHT_COLUMN,
    PACK_LABELS, /* "fine" or "coarse", of CIFAR */
    PACK_SOURCE_OPTIONS
} pack_source_option;

const char *pack_option_name(int option); /* "--root" */

/* Finds the column of the table that the option names. Where `name` is NULL, as the option was not given, it is the
 * first that has a usual name, such as "label" or "class" of the option --label-column. A column that is not there is
 * an error if it is needed or was named; else *column is -1. */
CS_MUST_CHECK cs_status pack_find_column(const pack_csv *table, pack_source_option option, const char *name,
                                         bool needed, int *column);
/* Reads a weight, a number of at least 0, from a column of the current row. */
CS_MUST_CHECK cs_status pack_read_weight(const pack_csv *table, int column, float *out);

#endif
