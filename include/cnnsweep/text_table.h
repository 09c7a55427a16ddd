/* SPDX-License-Identifier: Apache-2.0 */
/* A table of texts: in Markdown, whose columns line up where it is read as it is, in CSV and in LaTeX. */
#ifndef CNNSWEEP_TEXT_TABLE_H
#define CNNSWEEP_TEXT_TABLE_H

#include "cnnsweep/status.h"

#include <stdio.h>

typedef struct cs_text_table {
    int rows, columns; /* row 0 is the header */
    char **cells;      /* [rows,columns]; NULL: empty */
    int *widths;       /* [columns] characters of the widest text */
} cs_text_table;

CS_MUST_CHECK cs_status cs_text_table_open(cs_text_table *table, int rows, int columns);
void cs_text_table_close(cs_text_table *table);
CS_MUST_CHECK cs_status cs_text_table_set(cs_text_table *table, int row, int column, const char *text);
/* The first column to the left, the others to the right. */
void cs_text_table_print(const cs_text_table *table, FILE *out);
void cs_text_table_csv(const cs_text_table *table, FILE *out);
/* A tabular that needs no package; what LaTeX would take for its own is escaped. */
void cs_text_table_latex(const cs_text_table *table, FILE *out);
/* A field of CSV, quoted where it must be (RFC 4180). */
void cs_csv_field(const char *text, FILE *out);

#endif
