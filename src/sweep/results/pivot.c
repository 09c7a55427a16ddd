/* SPDX-License-Identifier: Apache-2.0 */
#include "pivot.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of a swept option; -1: `key` is empty. */
static int find_swept(const cs_job *job, const char *key) {
    for (int i = 0; i < job->n_swept; i++)
        if (strcmp(job->swept[i].option->key, key) == 0)
            return i;
    return -1;
}

static cs_cell *cell_at(const cs_pivot *p, int row, int column) {
    return &p->cells[(size_t)row * (size_t)p->n_columns + (size_t)column];
}

/* Trials that have none of the option's values are in a row or column of their own, the last. */
static int place_of(const cs_pivot *p, int trial, int option) {
    const cs_job *job = p->job;
    if (option < 0)
        return 0;
    return cs_job_has_value(job, trial, option)
               ? job->value_indices[(size_t)trial * (size_t)job->n_swept + (size_t)option]
               : job->swept[option].n;
}

static cs_cell *cell_of(const cs_pivot *p, int trial) {
    return cell_at(p, place_of(p, trial, p->rows), place_of(p, trial, p->columns));
}

/* Is it an inner option, and not the rows or columns of the table? */
static bool is_averaged(const cs_pivot *p, int i) {
    return i >= p->job->n_swept - cs_job_inner_options(p->job) && i != p->rows && i != p->columns;
}

static void keep_better(const cs_pivot *p, const cs_cell *combination, cs_cell *cell) {
    int failed = cell->failed + combination->failed;
    if (combination->finished && (!cell->finished || cs_column_better(combination->mean, cell->mean, p->maximize)))
        *cell = *combination;
    cell->failed = failed;
}

/* Where a table shows an inner option, each of its values is a combination by itself. */
static int count_averaged(const cs_pivot *p) {
    for (int i = p->job->n_swept - cs_job_inner_options(p->job); i < p->job->n_swept; i++)
        if (!is_averaged(p, i))
            return 1;
    return cs_job_cell_trials(p->job);
}

/* The trials of a cell are consecutive. */
static void fill_best(const cs_pivot *p, const cs_outcome *outcomes) {
    int n = p->job->n_last, each = count_averaged(p);
    for (int first = 0; first < n; first += each) {
        cs_cell combination = {0};
        for (int t = first; t < n && t < first + each; t++)
            cs_cell_add(&combination, p->metric, &outcomes[t]);
        keep_better(p, &combination, cell_of(p, first));
    }
}

cs_status cs_pivot_open(const cs_job *job, const cs_outcome *outcomes, cs_pivot *out) {
    cs_pivot p = {.job = job};
    CS_TRY(cs_column_find(job->table_value, &p.metric));
    p.maximize = strcmp(job->table_value, job->metric) == 0 ? job->maximize : p.metric->maximize;
    p.rows = find_swept(job, job->table_rows);
    p.columns = find_swept(job, job->table_columns);
    p.n_rows = p.rows < 0 ? 1 : cs_job_count_values(job, p.rows);
    p.n_columns = p.columns < 0 ? 1 : cs_job_count_values(job, p.columns);
    CS_TRY(cs_alloc((size_t)p.n_rows * (size_t)p.n_columns, sizeof *p.cells, "table", &p.cells));
    if (job->table_best)
        fill_best(&p, outcomes);
    for (int t = 0; t < job->n_last && !job->table_best; t++)
        cs_cell_add(cell_of(&p, t), p.metric, &outcomes[t]);
    *out = p;
    return CS_OK;
}

void cs_pivot_close(cs_pivot *pivot) {
    free(pivot->cells);
    pivot->cells = NULL;
}

const char *cs_pivot_heading(const cs_pivot *p, int option, int index) {
    if (option < 0)
        return p->metric->name;
    return index < p->job->swept[option].n ? p->job->swept[option].values[index] : "-";
}

static void print_corner(const cs_pivot *p, char *out, size_t size) {
    const char *rows = p->rows < 0 ? "" : cs_option_short_name(p->job->swept[p->rows].option);
    const char *columns = p->columns < 0 ? "" : cs_option_short_name(p->job->swept[p->columns].option);
    snprintf(out, size, "%s%s%s", rows, rows[0] && columns[0] ? " \\ " : "", columns);
}

/* Prints "; best over lr, seed": the swept options that are neither rows nor columns. */
static void print_over(const cs_pivot *p, const char *what, bool best, FILE *out) {
    const char *separator = what;
    for (int i = 0; i < p->job->n_swept; i++) {
        bool is_best = p->job->table_best && !is_averaged(p, i);
        if (i == p->rows || i == p->columns || cs_job_count_values(p->job, i) == 1 || is_best != best)
            continue;
        fprintf(out, "%s%s", separator, cs_option_short_name(p->job->swept[i].option));
        separator = ", ";
    }
}

static cs_status fill_heads(const cs_pivot *p, int each, cs_text_table *table) {
    char text[CS_VALUE_MAX];
    print_corner(p, text, sizeof text);
    CS_TRY(cs_text_table_set(table, 0, 0, text));
    for (int c = 0; c < p->n_columns; c++)
        CS_TRY(cs_text_table_set(table, 0, 1 + c * each, cs_pivot_heading(p, p->columns, c)));
    for (int r = 0; r < p->n_rows; r++)
        CS_TRY(cs_text_table_set(table, r + 1, 0, cs_pivot_heading(p, p->rows, r)));
    return CS_OK;
}

static cs_status fill_texts(const cs_pivot *p, cs_text_table *table) {
    char text[CS_VALUE_MAX];
    CS_TRY(fill_heads(p, 1, table));
    for (int r = 0; r < p->n_rows; r++) {
        for (int c = 0; c < p->n_columns; c++) {
            cs_cell_print(cell_at(p, r, c), p->metric, text, sizeof text);
            CS_TRY(cs_text_table_set(table, r + 1, c + 1, text));
        }
    }
    return CS_OK;
}

static cs_status fill_numbers(const cs_pivot *p, int each, cs_text_table *table) {
    char text[CS_VALUE_MAX];
    CS_TRY(fill_heads(p, each, table));
    for (int c = 0; c < p->n_columns; c++) {
        snprintf(text, sizeof text, "%s sd", cs_pivot_heading(p, p->columns, c));
        if (each > 1)
            CS_TRY(cs_text_table_set(table, 0, 1 + c * each + 1, text));
        for (int r = 0; r < p->n_rows; r++) {
            const cs_cell *cell = cell_at(p, r, c);
            snprintf(text, sizeof text, "%.9g", cell->mean);
            if (cell->finished > 0)
                CS_TRY(cs_text_table_set(table, r + 1, 1 + c * each, text));
            snprintf(text, sizeof text, "%.9g", cs_cell_deviation(cell));
            if (cell->finished > 1)
                CS_TRY(cs_text_table_set(table, r + 1, 1 + c * each + 1, text));
        }
    }
    return CS_OK;
}

static cs_status print_texts(const cs_pivot *p, void (*print)(const cs_text_table *table, FILE *out), FILE *out) {
    cs_text_table table = {0};
    cs_status status = cs_text_table_open(&table, p->n_rows + 1, p->n_columns + 1);
    if (status == CS_OK)
        status = fill_texts(p, &table);
    if (status == CS_OK)
        print(&table, out);
    cs_text_table_close(&table);
    return status;
}

cs_status cs_pivot_markdown(const cs_pivot *pivot, FILE *out) {
    fprintf(out, "%s: %s", pivot->job->name, pivot->metric->name);
    print_over(pivot, "; best over ", true, out);
    print_over(pivot, "; mean ± sd over ", false, out);
    fputs("\n\n", out);
    return print_texts(pivot, cs_text_table_print, out);
}

cs_status cs_pivot_latex(const cs_pivot *pivot, FILE *out) {
    return print_texts(pivot, cs_text_table_latex, out);
}

cs_status cs_pivot_csv(const cs_pivot *pivot, FILE *out) {
    cs_text_table table = {0};
    int each = 1;
    for (int i = 0; i < pivot->n_rows * pivot->n_columns; i++)
        if (pivot->cells[i].finished > 1)
            each = 2;
    cs_status status = cs_text_table_open(&table, pivot->n_rows + 1, 1 + pivot->n_columns * each);
    if (status == CS_OK)
        status = fill_numbers(pivot, each, &table);
    if (status == CS_OK)
        cs_text_table_csv(&table, out);
    cs_text_table_close(&table);
    return status;
}
