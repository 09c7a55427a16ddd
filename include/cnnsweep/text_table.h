/* SPDX-License-Identifier: Apache-2.0 */
/* A table of texts, printed as Markdown (padded, so that the columns also line up in the raw text), CSV or LaTeX. */
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
/* Prints Markdown. The first column is aligned left, the others right. */
void cs_text_table_print(const cs_text_table *table, FILE *out);
void cs_text_table_csv(const cs_text_table *table, FILE *out);
/* Prints a LaTeX tabular that needs no package. Characters that are special in LaTeX are escaped. */
void cs_text_table_latex(const cs_text_table *table, FILE *out);
/* Prints a CSV field, quoted if necessary (RFC 4180). */
void cs_csv_field(const char *text, FILE *out);
/* Prints a comma, and the number with as many digits as it takes to read it back; nothing for NaN. */
void cs_csv_number(double value, FILE *out);

#endif
