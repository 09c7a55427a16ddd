/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep's metric against one option, and against any two. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "option_axis.h"
#include "sweep_charts.h"

#include <math.h>
#include <stdlib.h>

/* An option counts if trials with at least two of its values have finished. */
static bool is_varied(const cs_page *page, int option) {
    int first = -1;
    for (int t = 0; t < page->n_trials; t++) {
        const int value = page->trials[t].values[option];
        if (isnan(cs_page_value(page, &page->trials[t])) || value < 0)
            continue;
        if (first >= 0 && value != first)
            return true;
        first = value;
    }
    return false;
}

/* The index of the i-th such option; -1: there are fewer. */
static int option_at(const cs_page *page, int i) {
    for (int option = 0; option < page->n_options; option++)
        if (is_varied(page, option) && i-- == 0)
            return option;
    return -1;
}

static int count_options(const cs_page *page) {
    int n = 0;
    while (option_at(page, n) >= 0)
        n++;
    return n;
}

int cs_options_count(const cs_page *page) {
    return count_options(page);
}

void cs_options_name(const cs_page *page, int i, char *out, size_t size) {
    snprintf(out, size, "%s", page->options[option_at(page, i)].name);
}

static const char *metric_name(const cs_page *page) {
    return page->figures[page->metric].name;
}

static cs_status draw_line(const cs_page *page, const cs_option_axis *axis, const cs_option_means *means,
                           cs_drawing **out) {
    const cs_line line = {
        .label = metric_name(page), .x = means->at, .y = means->mean, .sd = means->sd, .n = means->n, .points = true};
    const cs_line_chart chart = {.frame = CS_SWEEP_FRAME(axis->option->name),
                                 .x = {.label = axis->option->name, .scale = axis->scale},
                                 .y = {.label = metric_name(page)},
                                 .lines = &line,
                                 .n = 1};
    return cs_line_chart_draw(&chart, out);
}

/* An option whose values are no numbers: a bar for each, in the order of the job. */
static cs_status draw_bars(const cs_page *page, const cs_option_axis *axis, const cs_option_means *means,
                           cs_drawing **out) {
    cs_bar *bars = NULL;
    CS_TRY(cs_alloc((size_t)means->n, sizeof *bars, "bars", &bars));
    for (int i = 0; i < means->n; i++) {
        const double sd = isnan(means->sd[i]) ? 0 : means->sd[i];
        bars[i] = (cs_bar){.label = axis->option->values[(int)means->at[i]],
                           .value = means->mean[i],
                           .low = means->mean[i] - sd,
                           .high = means->mean[i] + sd};
    }
    const cs_bar_chart chart = {.frame = CS_SWEEP_ROWS_FRAME(axis->option->name),
                                .value = {.label = metric_name(page)},
                                .bars = bars,
                                .n = means->n,
                                .decimals = page->figures[page->metric].decimals};
    const cs_status status = cs_bar_chart_draw(&chart, out);
    free(bars);
    return status;
}

cs_status cs_options_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_page *page = writer->page;
    const int option = option_at(page, i);
    cs_option_axis axis;
    cs_option_means means = {0};
    cs_status status = cs_option_axis_open(&page->options[option], &axis);
    if (status == CS_OK)
        status = cs_option_means_make(page, option, &means);
    if (status == CS_OK)
        status = axis.is_numeric ? draw_line(page, &axis, &means, out) : draw_bars(page, &axis, &means, out);
    cs_option_means_free(&means);
    cs_option_axis_close(&axis);
    return status;
}

void cs_options_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_page *page = writer->page;
    const int option = option_at(page, i);
    cs_csv_field(page->options[option].name, out);
    fprintf(out, ",%s,sd,trials\n", metric_name(page));
    for (int value = 0; value < page->options[option].n; value++) {
        double mean, sd;
        const int n = cs_option_mean(page, option, value, -1, 0, &mean, &sd);
        cs_csv_field(page->options[option].values[value], out);
        fprintf(out, ",%.9g,%.9g,%d\n", mean, sd, n);
    }
}

/* Pairs are numbered (0,1), (0,2), (1,2), (0,3), ... */
static void pair_at(const cs_page *page, int i, int *row, int *column) {
    int second = 1;
    while (i >= second)
        i -= second++;
    *row = option_at(page, i);
    *column = option_at(page, second);
}

int cs_pairs_count(const cs_page *page) {
    enum { MOST = 28 }; /* of eight options */
    const int n = count_options(page), pairs = n * (n - 1) / 2;
    return pairs < MOST ? pairs : MOST;
}

void cs_pairs_name(const cs_page *page, int i, char *out, size_t size) {
    int row, column;
    pair_at(page, i, &row, &column);
    snprintf(out, size, "%s and %s", page->options[row].name, page->options[column].name);
}

cs_status cs_pairs_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_page *page = writer->page;
    int row, column;
    pair_at(page, i, &row, &column);
    const cs_page_option *rows = &page->options[row], *columns = &page->options[column];
    const size_t cells = (size_t)rows->n * (size_t)columns->n;
    double *means = NULL;
    CS_TRY(cs_alloc(2 * cells, sizeof *means, "a heat map", &means));
    for (int r = 0; r < rows->n; r++)
        for (int c = 0; c < columns->n; c++) {
            const size_t at = (size_t)r * (size_t)columns->n + (size_t)c;
            cs_option_mean(page, row, r, column, c, &means[at], &means[cells + at]);
        }
    const cs_heat_map chart = {.frame = CS_SWEEP_ROWS_FRAME("two options"),
                               .row_title = rows->name,
                               .column_title = columns->name,
                               .value_title = metric_name(page),
                               .row_names = rows->values,
                               .column_names = columns->values,
                               .values = means,
                               .sd = means + cells,
                               .rows = rows->n,
                               .columns = columns->n,
                               .decimals = page->figures[page->metric].decimals,
                               .map = CS_COLORMAP_VIRIDIS};
    const cs_status status = cs_heat_map_draw(&chart, out);
    free(means);
    return status;
}

void cs_pairs_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_page *page = writer->page;
    int row, column;
    pair_at(page, i, &row, &column);
    cs_csv_field(page->options[row].name, out);
    fputc(',', out);
    cs_csv_field(page->options[column].name, out);
    fprintf(out, ",%s,sd,trials\n", metric_name(page));
    for (int r = 0; r < page->options[row].n; r++)
        for (int c = 0; c < page->options[column].n; c++) {
            double mean, sd;
            const int n = cs_option_mean(page, row, r, column, c, &mean, &sd);
            cs_csv_field(page->options[row].values[r], out);
            fputc(',', out);
            cs_csv_field(page->options[column].values[c], out);
            fprintf(out, ",%.9g,%.9g,%d\n", mean, sd, n);
        }
}
