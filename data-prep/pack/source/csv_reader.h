/* SPDX-License-Identifier: Apache-2.0 */
/* Reads tables of text: CSV (RFC 4180), TSV and lines of JSON (json_lines.h), one row at a time. The first row names
 * the columns. The separator is the one of comma, tab and semicolon that this row has most often. A byte order mark,
 * lines that end in CR LF, and empty rows, which spreadsheets write, are skipped; spaces around a field that is not in
 * quotes are no part of it. libcsv splits the rows; this reader adds the names of columns and the lines for messages.
 */
#ifndef CNNSWEEP_PACK_CSV_READER_H
#define CNNSWEEP_PACK_CSV_READER_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct pack_csv pack_csv;

/* Reads the file and its header. A mistake in the text is CS_ERR_FORMAT, here and in pack_csv_next, and names the
 * file, the line and, where it is one of quotes, the position in the line. */
CS_MUST_CHECK cs_status pack_csv_open(const char *path, pack_csv **out);
void pack_csv_close(pack_csv *csv); /* NULL-safe */

const char *pack_csv_path(const pack_csv *csv);
int64_t pack_csv_line(const pack_csv *csv); /* where the current row begins; the first line is 1 */

/* The column of that name, whether in capitals or not; -1: there is none. */
int pack_csv_column(const pack_csv *csv, const char *name);
/* The same, but to have no such column is an error with the hint that `option` says which column it is. */
CS_MUST_CHECK cs_status pack_csv_find(const pack_csv *csv, const char *name, const char *option, int *column);

const char *pack_csv_column_name(const pack_csv *csv, int column);
/* Writes the names of the columns, as many as fit: "image, level". */
void pack_csv_list_columns(const pack_csv *csv, char *out, size_t size);

/* Reads the next row, which has as many fields as the header; *more is false after the last. */
CS_MUST_CHECK cs_status pack_csv_next(pack_csv *csv, bool *more);
/* A field of the current row, without its quotes; valid until the next row is read. */
const char *pack_csv_field(const pack_csv *csv, int column);

/* Puts "<path>:<line>: column '<name>': " in front of this thread's last error and returns `code`, as cs_context does.
 */
cs_status pack_csv_context(const pack_csv *csv, int column, cs_status code);

#endif
