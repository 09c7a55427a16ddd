/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep's metric against one option, and against any two. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "sweep_charts.h"

#include <math.h>
#include <stdlib.h>

enum { LABEL = 32 };

static const char *metric_name(const cs_page *page) {
    return page->figures[page->metric].name;
}

/* ---- one option ---- */

int cs_options_count(const cs_page_writer *writer) {
    return writer->options.table.n_options;
}

void cs_options_name(const cs_page_writer *writer, int i, char *out, size_t size) {
    snprintf(out, size, "%s", writer->options.options[i].name);
}

typedef struct place {
    double x, mean, sd;
} place;

static int by_x(const void *a, const void *b) {
    const place *first = a, *second = b;
    return (first->x > second->x) - (first->x < second->x);
}

/* The place of a value on the axis: the number that it is, or its depth. */
static double place_of(const cs_page_option *option, const char *value) {
    for (int i = 0; option->depth && i < option->n; i++)
        if (strcmp(option->values[i], value) == 0)
            return option->depth[i];
    return strtod(value, NULL);
}

/* Marks where whole blocks begin, between the least and the largest depth. */
static int mark_blocks(const cs_page_option *option, double low, double high, cs_line_mark *marks,
                       char (*labels)[LABEL], int most) {
    int n = 0;
    for (int block = option->n_blocks; block >= 1 && n < most; block--) {
        const double depth = option->blocks[block - 1];
        if (depth < low || depth > high)
            continue;
        snprintf(labels[n], LABEL, "block %d", block);
        marks[n] = (cs_line_mark){depth, labels[n]};
        n++;
    }
    return n;
}

static cs_status draw_places(const cs_page *page, const cs_page_option *option, bool is_log, place *places, int n,
                             double *values, cs_drawing **out) {
    enum { MARKS = 24 };
    cs_line_mark marks[MARKS];
    char labels[MARKS][LABEL], title[CS_PAGE_NAME];
    qsort(places, (size_t)n, sizeof *places, by_x);
    for (int i = 0; i < n; i++) {
        values[i] = places[i].x;
        values[n + i] = places[i].mean;
        values[2 * n + i] = places[i].sd;
    }
    snprintf(title, sizeof title, "%s%s", option->name, option->depth ? ": layers that train" : "");
    const cs_line line = {.label = metric_name(page),
                          .x = values,
                          .y = values + n,
                          .sd = values + (size_t)2 * (size_t)n,
                          .n = n,
                          .points = true};
    const int n_marks = option->depth ? mark_blocks(option, places[0].x, places[n - 1].x, marks, labels, MARKS) : 0;
    const cs_line_chart chart = {.frame = CS_SWEEP_FRAME(option->name),
                                 .x = {.label = title, .scale = is_log ? CS_SCALE_LOG : CS_SCALE_LINEAR},
                                 .y = {.label = metric_name(page)},
                                 .lines = &line,
                                 .n = 1,
                                 .marks = marks,
                                 .n_marks = n_marks};
    return cs_line_chart_draw(&chart, out);
}

static cs_status draw_line(const cs_page *page, const cs_page_option *option, bool is_log,
                           const cs_importance_means *means, cs_drawing **out) {
    const size_t n = (size_t)means->n_rows;
    place *places = NULL;
    double *values = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(n, sizeof *places, "a line", &places), done);
    CS_TRY_GOTO(cs_alloc(3 * n, sizeof *values, "a line", &values), done);
    for (size_t i = 0; i < n; i++)
        places[i] = (place){place_of(option, means->rows[i]), means->cells[i].mean, means->cells[i].deviation};
    status = draw_places(page, option, is_log, places, (int)n, values, out);
done:
    free(places);
    free(values);
    return status;
}

/* An option whose values are no numbers: a bar for each. */
static cs_status draw_bars(const cs_page *page, const cs_importance_option *option, const cs_importance_means *means,
                           cs_drawing **out) {
    cs_bar *bars = NULL;
    CS_TRY(cs_alloc((size_t)means->n_rows, sizeof *bars, "bars", &bars));
    for (int i = 0; i < means->n_rows; i++) {
        const cs_importance_cell *cell = &means->cells[i];
        const double sd = isnan(cell->deviation) ? 0 : cell->deviation;
        bars[i] =
            (cs_bar){.label = means->rows[i], .value = cell->mean, .low = cell->mean - sd, .high = cell->mean + sd};
    }
    const cs_bar_chart chart = {.frame = CS_SWEEP_ROWS_FRAME(option->name),
                                .value = {.label = metric_name(page)},
                                .bars = bars,
                                .n = means->n_rows,
                                .decimals = page->figures[page->metric].decimals};
    const cs_status status = cs_bar_chart_draw(&chart, out);
    free(bars);
    return status;
}

cs_status cs_options_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_page_option *option = &writer->page->options[writer->options.at[i]];
    const cs_importance_option *kind = &writer->options.options[i];
    cs_importance_means means = {0};
    cs_status status = cs_importance_means_make(&writer->options.table, i, -1, &means);
    if (status == CS_OK && (kind->is_number || option->depth))
        status = draw_line(writer->page, option, kind->is_log && !option->depth, &means, out);
    else if (status == CS_OK)
        status = draw_bars(writer->page, kind, &means, out);
    cs_importance_means_free(&means);
    return status;
}

static void print_cell(const cs_importance_cell *cell, FILE *out) {
    cs_csv_number(cell->mean, out);
    cs_csv_number(cell->deviation, out);
    fprintf(out, ",%d\n", cell->n);
}

cs_status cs_options_csv(const cs_page_writer *writer, int i, FILE *out) {
    cs_importance_means means = {0};
    CS_TRY(cs_importance_means_make(&writer->options.table, i, -1, &means));
    cs_csv_field(writer->options.options[i].name, out);
    fprintf(out, ",%s,sd,trials\n", metric_name(writer->page));
    for (int row = 0; row < means.n_rows; row++) {
        cs_csv_field(means.rows[row], out);
        print_cell(&means.cells[row], out);
    }
    cs_importance_means_free(&means);
    return CS_OK;
}

/* ---- two options ---- */

/* Pairs are numbered (0,1), (0,2), (1,2), (0,3), ... */
static void pair_at(int i, int *first, int *second) {
    *second = 1;
    while (i >= *second)
        i -= (*second)++;
    *first = i;
}

int cs_pairs_count(const cs_page_writer *writer) {
    enum { MOST = 28 }; /* of eight options */
    const int n = writer->options.table.n_options, pairs = n * (n - 1) / 2;
    return pairs < MOST ? pairs : MOST;
}

void cs_pairs_name(const cs_page_writer *writer, int i, char *out, size_t size) {
    int first, second;
    pair_at(i, &first, &second);
    snprintf(out, size, "%s and %s", writer->options.options[first].name, writer->options.options[second].name);
}

static cs_status draw_pair(const cs_page *page, const char *row_title, const char *column_title,
                           const cs_importance_means *means, cs_drawing **out) {
    const size_t cells = (size_t)means->n_rows * (size_t)means->n_columns;
    double *values = NULL;
    CS_TRY(cs_alloc(2 * cells, sizeof *values, "a heat map", &values));
    for (size_t i = 0; i < cells; i++) {
        values[i] = means->cells[i].mean;
        values[cells + i] = means->cells[i].deviation;
    }
    const cs_heat_map chart = {.frame = CS_SWEEP_ROWS_FRAME("two options"),
                               .row_title = row_title,
                               .column_title = column_title,
                               .value_title = metric_name(page),
                               .row_names = means->rows,
                               .column_names = means->columns,
                               .values = values,
                               .sd = values + cells,
                               .rows = means->n_rows,
                               .columns = means->n_columns,
                               .decimals = page->figures[page->metric].decimals,
                               .map = CS_COLORMAP_VIRIDIS};
    const cs_status status = cs_heat_map_draw(&chart, out);
    free(values);
    return status;
}

cs_status cs_pairs_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_importance_option *options = writer->options.options;
    cs_importance_means means = {0};
    int first, second;
    pair_at(i, &first, &second);
    cs_status status = cs_importance_means_make(&writer->options.table, first, second, &means);
    if (status == CS_OK)
        status = draw_pair(writer->page, options[first].name, options[second].name, &means, out);
    cs_importance_means_free(&means);
    return status;
}

cs_status cs_pairs_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_importance_option *options = writer->options.options;
    cs_importance_means means = {0};
    int first, second;
    pair_at(i, &first, &second);
    CS_TRY(cs_importance_means_make(&writer->options.table, first, second, &means));
    cs_csv_field(options[first].name, out);
    fputc(',', out);
    cs_csv_field(options[second].name, out);
    fprintf(out, ",%s,sd,trials\n", metric_name(writer->page));
    for (int cell = 0; cell < means.n_rows * means.n_columns; cell++) {
        cs_csv_field(means.rows[cell / means.n_columns], out);
        fputc(',', out);
        cs_csv_field(means.columns[cell % means.n_columns], out);
        print_cell(&means.cells[cell], out);
    }
    cs_importance_means_free(&means);
    return CS_OK;
}
