/* SPDX-License-Identifier: Apache-2.0 */
/* Stacked horizontal bars. */
#include "plot.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double pitch = 1.5, thickness = 1.1; /* of a row, in sizes of text */

/* What is drawn: of many rows, the last is the mean of the others. Their sum would make the bars of all others short.
 */
typedef struct stacked {
    const cs_stacked_chart *chart;
    cs_plot plot;
    int rows;
    double *rest; /* [n_parts] */
    char rest_name[CS_TICK_TEXT];
} stacked;

static const char *name_of(const stacked *s, int row) {
    return row == s->rows - 1 && s->rest_name[0] ? s->rest_name : s->chart->names[row];
}

static const double *values_of(const stacked *s, int row) {
    return row == s->rows - 1 && s->rest_name[0] ? s->rest : s->chart->values + (size_t)row * (size_t)s->chart->n_parts;
}

static void aggregate(stacked *s) {
    const cs_stacked_chart *chart = s->chart;
    s->rows = chart->n <= CS_STACKED_ROWS ? chart->n : CS_STACKED_ROWS;
    if (chart->n <= CS_STACKED_ROWS)
        return;
    const int others = chart->n - CS_STACKED_ROWS + 1;
    snprintf(s->rest_name, sizeof s->rest_name, "mean of %d others", others);
    for (int row = CS_STACKED_ROWS - 1; row < chart->n; row++)
        for (int part = 0; part < chart->n_parts; part++)
            s->rest[part] += chart->values[(size_t)row * (size_t)chart->n_parts + (size_t)part] / others;
}

static double sum_of(const stacked *s, int row) {
    double sum = 0;
    for (int part = 0; part < s->chart->n_parts; part++)
        sum += values_of(s, row)[part];
    return sum;
}

/* Counts are whole, and means have a decimal. */
static void number_text(double value, char *out) {
    snprintf(out, CS_TICK_TEXT, value == floor(value) ? "%.0f" : "%.1f", value);
}

static void row_tooltip(const stacked *s, int row, char *out, size_t size) {
    size_t used =
        (size_t)snprintf(out, size, "%.*s:", cs_name_bytes(name_of(s, row), CS_CHART_TEXT_MAX / 2), name_of(s, row));
    char number[CS_TICK_TEXT];
    for (int part = 0; part < s->chart->n_parts && used < size; part++) {
        number_text(values_of(s, row)[part], number);
        used +=
            (size_t)snprintf(out + used, size - used, "%s %s %s", part > 0 ? "," : "", s->chart->parts[part], number);
    }
}

static void draw_row(const stacked *s, int row, double names) {
    const cs_plot *plot = &s->plot;
    const double text = plot->text, y = plot->top + (row + 0.5) * pitch * text;
    double from = 0;
    char tooltip[CS_CHART_TEXT_MAX], total[CS_TICK_TEXT];
    row_tooltip(s, row, tooltip, sizeof tooltip);
    cs_drawing_begin_group(plot->drawing, &(cs_group){.css_class = "cs-bar", .tooltip = tooltip});
    cs_plot_text(plot, plot->left - 0.6 * text, y + 0.35 * text, name_of(s, row), names,
                 &(cs_text_style){.anchor = CS_ANCHOR_END});
    for (int part = 0; part < s->chart->n_parts; part++) {
        const double value = values_of(s, row)[part], x = cs_map(&plot->x, from);
        if (value > 0)
            cs_drawing_rectangle(plot->drawing, x, y - thickness * text / 2, cs_map(&plot->x, from + value) - x,
                                 thickness * text, &(cs_style){.fill = {.role = cs_role_series(part)}});
        from += value;
    }
    number_text(from, total);
    cs_drawing_text(plot->drawing, cs_map(&plot->x, from) + 0.5 * text, y + 0.35 * text, total, NULL);
    cs_drawing_end_group(plot->drawing);
}

static void draw_legend(stacked *s) {
    cs_legend_entry entries[CS_SERIES_COLOURS];
    for (int part = 0; part < s->chart->n_parts; part++)
        entries[part] =
            (cs_legend_entry){.label = s->chart->parts[part], .style = {.fill = {.role = cs_role_series(part)}}};
    cs_plot_legend(&s->plot, entries, s->chart->n_parts);
}

/* The legend has one line on a page, and may have more in a column; the drawing is as high as needed for the former. */
static cs_status draw(stacked *s, cs_drawing **out) {
    const cs_stacked_chart *chart = s->chart;
    const double text = cs_frame_text(&chart->frame), legend = 2.3 * text;
    const double height = cs_frame_title_height(&chart->frame) + legend + s->rows * pitch * text +
                          cs_x_axis_height(text, true) + cs_frame_margin(&chart->frame);
    const double limit = cs_frame_width(&chart->frame) * 0.35;
    double names = 0;
    cs_range range = {0, 0};
    char total[CS_TICK_TEXT];
    for (int row = 0; row < s->rows; row++) {
        names = fmax(names, cs_text_width(name_of(s, row), text));
        cs_range_add(&range, CS_SCALE_LINEAR, sum_of(s, row));
    }
    names = fmin(names, limit);
    CS_TRY(cs_plot_open(&chart->frame, height, &s->plot));
    number_text(range.high, total);
    draw_legend(s);
    s->plot.top = height - cs_frame_margin(&chart->frame) - cs_x_axis_height(text, true) - s->rows * pitch * text;
    s->plot.left += names + 0.6 * text;
    s->plot.right -= cs_text_width(total, text);
    cs_plot_x_axis(&s->plot, &(cs_axis){.label = chart->value_title, .whole = true}, range);
    for (int row = 0; row < s->rows; row++)
        draw_row(s, row, names);
    return cs_plot_close(&s->plot, out);
}

cs_status cs_stacked_chart_draw(const cs_stacked_chart *chart, cs_drawing **out) {
    stacked s = {.chart = chart};
    *out = NULL;
    CS_TRY(cs_alloc((size_t)chart->n_parts, sizeof *s.rest, "chart", &s.rest));
    aggregate(&s);
    const cs_status status = draw(&s, out);
    free(s.rest);
    return status;
}
