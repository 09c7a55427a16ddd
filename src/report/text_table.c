/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/text_table.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_WIDTH = 6 };

static char **cell_of(const cs_text_table *table, int row, int column) {
    return &table->cells[(size_t)row * (size_t)table->columns + (size_t)column];
}

cs_status cs_text_table_open(cs_text_table *table, int rows, int columns) {
    table->rows = rows;
    table->columns = columns;
    CS_TRY(cs_alloc((size_t)columns, sizeof *table->widths, "table", &table->widths));
    for (int c = 0; c < columns; c++)
        table->widths[c] = LEAST_WIDTH;
    return cs_alloc((size_t)rows * (size_t)columns, sizeof *table->cells, "table", &table->cells);
}

void cs_text_table_close(cs_text_table *table) {
    for (int r = 0; table->cells && r < table->rows; r++)
        for (int c = 0; c < table->columns; c++)
            free(*cell_of(table, r, c));
    free(table->cells);
    free(table->widths);
    table->cells = NULL;
    table->widths = NULL;
}

/* The width in characters of UTF-8 text, with the backslash that is printed before a bar. */
static int width_of(const char *text) {
    int width = 0;
    for (; text && *text; text++)
        width += (((unsigned char)*text & 0xC0) != 0x80) + (*text == '|');
    return width;
}

cs_status cs_text_table_set(cs_text_table *table, int row, int column, const char *text) {
    int width = width_of(text);
    if (width > table->widths[column])
        table->widths[column] = width;
    return cs_strdup(text, cell_of(table, row, column));
}

static void repeat(char mark, int n, FILE *out) {
    for (int i = 0; i < n; i++)
        fputc(mark, out);
}

static void print_cell(const char *text, int width, bool left, FILE *out) {
    int space = width - width_of(text);
    fputc(' ', out);
    if (!left)
        repeat(' ', space, out);
    for (; text && *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    if (left)
        repeat(' ', space, out);
    fputs(" |", out);
}

static void print_rule(const cs_text_table *table, FILE *out) {
    fputc('|', out);
    for (int c = 0; c < table->columns; c++) {
        fputs(c == 0 ? ":" : "-", out);
        repeat('-', table->widths[c], out);
        fputs(c == 0 ? "-|" : ":|", out);
    }
    fputc('\n', out);
}

void cs_text_table_print(const cs_text_table *table, FILE *out) {
    for (int r = 0; r < table->rows; r++) {
        fputc('|', out);
        for (int c = 0; c < table->columns; c++)
            print_cell(*cell_of(table, r, c), table->widths[c], c == 0, out);
        fputc('\n', out);
        if (r == 0)
            print_rule(table, out);
    }
}

void cs_csv_field(const char *text, FILE *out) {
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void cs_csv_number(double value, FILE *out) {
    char text[32] = "";
    if (!isnan(value))
        cs_double_text(value, text, sizeof text);
    fprintf(out, ",%s", text);
}

void cs_text_table_csv(const cs_text_table *table, FILE *out) {
    for (int r = 0; r < table->rows; r++) {
        for (int c = 0; c < table->columns; c++) {
            const char *text = *cell_of(table, r, c);
            if (c > 0)
                fputc(',', out);
            cs_csv_field(text ? text : "", out);
        }
        fputc('\n', out);
    }
}

static void print_latex(const char *text, FILE *out) {
    /* LaTeX would take a [ or * at the beginning of a row for an argument of the line break before it. */
    static const char *const escapes[][2] = {{"±", "$\\pm$"},
                                             {"[", "{[}"},
                                             {"*", "{*}"},
                                             {"<", "\\textless{}"},
                                             {">", "\\textgreater{}"},
                                             {"|", "\\textbar{}"},
                                             {"\\", "\\textbackslash{}"},
                                             {"~", "\\textasciitilde{}"},
                                             {"^", "\\textasciicircum{}"},
                                             {"_", "\\_"},
                                             {"&", "\\&"},
                                             {"%", "\\%"},
                                             {"$", "\\$"},
                                             {"#", "\\#"},
                                             {"{", "\\{"},
                                             {"}", "\\}"}};
    enum { N_ESCAPES = sizeof escapes / sizeof *escapes };
    while (*text) {
        size_t i = 0;
        while (i < N_ESCAPES && strncmp(text, escapes[i][0], strlen(escapes[i][0])) != 0)
            i++;
        if (i < N_ESCAPES)
            fputs(escapes[i][1], out);
        else
            fputc(*text, out);
        text += i < N_ESCAPES ? strlen(escapes[i][0]) : 1;
    }
}

void cs_text_table_latex(const cs_text_table *table, FILE *out) {
    fputs("\\begin{tabular}{l", out);
    repeat('r', table->columns - 1, out);
    fputs("}\n\\hline\n", out);
    for (int r = 0; r < table->rows; r++) {
        for (int c = 0; c < table->columns; c++) {
            const char *text = *cell_of(table, r, c);
            if (c > 0)
                fputs(" & ", out);
            print_latex(text ? text : "", out);
        }
        fputs(" \\\\\n", out);
        if (r == 0)
            fputs("\\hline\n", out);
    }
    fputs("\\hline\n\\end{tabular}\n", out);
}
