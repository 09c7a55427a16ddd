/* SPDX-License-Identifier: Apache-2.0 */
/* Heat maps. */
#include "plot.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOOLTIPS = 400 /* charts of at most so many cells have tooltips */ };

typedef struct heat {
    const cs_heat_map *chart;
    cs_plot plot;
    const double *values; /* [rows,columns] as they are shown */
    double low, high;
    double cell_width, cell_height;
    double names; /* width of the names of rows */
    bool upright; /* the names of columns are turned by 90 degrees */
    bool has_names;
} heat;

static bool is_image(const cs_heat_map *chart) {
    return chart->rows > CS_HEAT_CELLS || chart->columns > CS_HEAT_CELLS;
}

static double value_at(const heat *h, int row, int column) {
    return h->values[(size_t)row * (size_t)h->chart->columns + (size_t)column];
}

/* In per cent. A row of zeros has no shares. */
static void share_rows(const cs_heat_map *chart, double *shares) {
    for (int r = 0; r < chart->rows; r++) {
        const double *row = chart->values + (size_t)r * (size_t)chart->columns;
        double sum = 0;
        for (int c = 0; c < chart->columns; c++)
            sum += isfinite(row[c]) ? row[c] : 0;
        for (int c = 0; c < chart->columns; c++)
            shares[(size_t)r * (size_t)chart->columns + (size_t)c] = sum > 0 ? 100 * row[c] / sum : NAN;
    }
}

static void find_range(heat *h) {
    const cs_heat_map *chart = h->chart;
    cs_range range = cs_range_empty();
    for (size_t i = 0; i < (size_t)chart->rows * (size_t)chart->columns; i++)
        cs_range_add(&range, CS_SCALE_LINEAR, h->values[i]);
    if (chart->low < chart->high)
        range = (cs_range){chart->low, chart->high};
    else if (chart->share_of_row)
        range = (cs_range){0, 100};
    h->low = range.low <= range.high ? range.low : 0;
    h->high = range.low <= range.high ? range.high : 1;
    if (h->low == 0 && h->high == 0) /* nothing was counted */
        h->high = 1;
}

/* The text of a cell without its deviation, and with it. */
static void cell_text(const heat *h, int row, int column, char *plain, char *full) {
    const cs_heat_map *chart = h->chart;
    const size_t i = (size_t)row * (size_t)chart->columns + (size_t)column;
    snprintf(plain, CS_TICK_TEXT, "%.*f", chart->decimals, h->values[i]);
    if (chart->sd && isfinite(chart->sd[i]))
        snprintf(full, (size_t)CS_TICK_TEXT * 2, "%s \xC2\xB1 %.*f", plain, chart->decimals, chart->sd[i]);
    else
        snprintf(full, (size_t)CS_TICK_TEXT * 2, "%s", plain);
}

/* Draws the text where it fits, on one line or two. */
static void draw_cell_text(const heat *h, int row, int column, double x, double y) {
    const double text = h->plot.text, room = h->cell_width - 0.4 * text, line = 1.15 * text;
    const double middle = x + h->cell_width / 2, base = y + h->cell_height / 2 + 0.35 * text;
    const double value = value_at(h, row, column);
    const bool is_dark = cs_rgb_is_dark(cs_value_colour(h->chart->map, value, h->low, h->high));
    const cs_rgb white = {255, 255, 255}, black = {0, 0, 0};
    const cs_text_style style = {.paint = {CS_ROLE_COLOUR, is_dark ? white : black}, .anchor = CS_ANCHOR_MIDDLE};
    char plain[CS_TICK_TEXT], full[CS_TICK_TEXT * 2];
    cell_text(h, row, column, plain, full);
    if (h->cell_height < line || cs_text_width(plain, text) > room)
        return;
    if (cs_text_width(full, text) <= room)
        cs_drawing_text(h->plot.drawing, middle, base, full, &style);
    else if (cs_text_width(full + strlen(plain) + 1, text) <= room && h->cell_height >= 2 * line) {
        cs_drawing_text(h->plot.drawing, middle, base - line / 2, plain, &style);
        cs_drawing_text(h->plot.drawing, middle, base + line / 2, full + strlen(plain) + 1, &style);
    } else
        cs_drawing_text(h->plot.drawing, middle, base, plain, &style);
}

static void begin_cell(const heat *h, int row, int column) {
    const cs_heat_map *chart = h->chart;
    char plain[CS_TICK_TEXT], full[CS_TICK_TEXT * 2], tooltip[CS_CHART_TEXT_MAX * 2];
    cell_text(h, row, column, plain, full);
    const char *row_name = chart->row_names[row], *column_name = chart->column_names[column];
    snprintf(tooltip, sizeof tooltip, "%.*s, %.*s: %s%s", cs_name_bytes(row_name, CS_CHART_TEXT_MAX / 2), row_name,
             cs_name_bytes(column_name, CS_CHART_TEXT_MAX / 2), column_name, full, chart->share_of_row ? " %" : "");
    cs_plot_begin_trial(&h->plot,
                        chart->keys ? chart->keys[(size_t)row * (size_t)chart->columns + (size_t)column] : NULL,
                        "cs-cell", tooltip);
}

/* Most cells of a confusion matrix are 0. One rectangle behind all gives them their colour, and they have no tooltip,
 * so that pages with many matrices stay small; but not where cells are missing or have keys. */
static bool draw_ground(const heat *h) {
    const cs_heat_map *chart = h->chart;
    bool has_ground = !chart->keys && h->low == 0;
    for (size_t i = 0; i < (size_t)chart->rows * (size_t)chart->columns; i++)
        has_ground = has_ground && isfinite(h->values[i]);
    if (has_ground)
        cs_drawing_rectangle(h->plot.drawing, h->plot.left, h->plot.top, chart->columns * h->cell_width,
                             chart->rows * h->cell_height,
                             &(cs_style){.fill = {CS_ROLE_COLOUR, cs_colormap_at(chart->map, 0)}});
    return has_ground;
}

static void draw_cell(const heat *h, int row, int column, double x, double y) {
    const cs_heat_map *chart = h->chart;
    const bool has_tooltip = chart->keys || (size_t)chart->rows * (size_t)chart->columns <= TOOLTIPS;
    const cs_rgb colour = cs_value_colour(chart->map, value_at(h, row, column), h->low, h->high);
    if (has_tooltip)
        begin_cell(h, row, column);
    cs_drawing_rectangle(h->plot.drawing, x, y, h->cell_width, h->cell_height,
                         &(cs_style){.fill = {CS_ROLE_COLOUR, colour}});
    draw_cell_text(h, row, column, x, y);
    if (has_tooltip)
        cs_drawing_end_group(h->plot.drawing);
}

static void draw_cells(const heat *h) {
    const cs_heat_map *chart = h->chart;
    const bool has_ground = draw_ground(h), are_few = (size_t)chart->rows * (size_t)chart->columns <= TOOLTIPS;
    for (int r = 0; r < chart->rows; r++)
        for (int c = 0; c < chart->columns; c++) {
            const double x = h->plot.left + c * h->cell_width, y = h->plot.top + r * h->cell_height;
            const double value = value_at(h, r, c);
            if (isfinite(value) && !(has_ground && value == 0))
                draw_cell(h, r, c, x, y);
            else if (isfinite(value) && are_few)
                draw_cell_text(h, r, c, x, y);
        }
}

/* The largest value of the cells that a pixel covers; NaN: they are empty. */
static double largest(const heat *h, int first_row, int last_row, int first_column, int last_column) {
    double most = NAN;
    for (int r = first_row; r < last_row; r++)
        for (int c = first_column; c < last_column; c++)
            most = fmax(most, value_at(h, r, c)); /* of NaN and a number, the number */
    return most;
}

static int pixel_edge(int pixel, int pixels, int cells) {
    return (int)((int64_t)pixel * cells / pixels);
}

static cs_status draw_image(const heat *h) {
    const cs_heat_map *chart = h->chart;
    const int rows = chart->rows < CS_HEAT_PIXELS ? chart->rows : CS_HEAT_PIXELS;
    const int columns = chart->columns < CS_HEAT_PIXELS ? chart->columns : CS_HEAT_PIXELS;
    const cs_rgb white = {255, 255, 255};
    cs_rgb *pixels;
    CS_TRY(cs_alloc((size_t)rows * (size_t)columns, sizeof *pixels, "heat map", &pixels));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const double value =
                largest(h, pixel_edge(r, rows, chart->rows), pixel_edge(r + 1, rows, chart->rows),
                        pixel_edge(c, columns, chart->columns), pixel_edge(c + 1, columns, chart->columns));
            pixels[r * columns + c] = isfinite(value) ? cs_value_colour(chart->map, value, h->low, h->high) : white;
        }
    cs_drawing_image(h->plot.drawing, h->plot.left, h->plot.top, h->cell_width * chart->columns,
                     h->cell_height * chart->rows, pixels, rows, columns);
    free(pixels);
    return CS_OK;
}

/* Where names would overlap, only every second, fifth, tenth ... is drawn. */
static int stride_of(double pitch, double needed) {
    static const int factors[] = {1, 2, 5};
    for (int power = 1;; power *= 10)
        for (int i = 0; i < 3; i++)
            if (pitch * factors[i] * power >= needed)
                return factors[i] * power;
}

static void draw_row_names(const heat *h) {
    const double text = h->plot.text, line = 1.15 * text;
    const int stride = stride_of(h->cell_height, line);
    for (int r = 0; r < h->chart->rows; r += stride)
        cs_plot_text(&h->plot, h->plot.left - 0.4 * text, h->plot.top + (r + 0.5) * h->cell_height + 0.35 * text,
                     h->chart->row_names[r], h->names, &(cs_text_style){.anchor = CS_ANCHOR_END});
}

static void draw_column_names(const heat *h, double room) {
    const double text = h->plot.text, line = 1.15 * text, bottom = h->plot.top + h->chart->rows * h->cell_height;
    const int stride = h->upright ? stride_of(h->cell_width, line) : 1;
    for (int c = 0; c < h->chart->columns; c += stride) {
        const double x = h->plot.left + (c + 0.5) * h->cell_width;
        if (h->upright)
            cs_plot_text(&h->plot, x + 0.35 * text, bottom + 0.4 * text, h->chart->column_names[c], room,
                         &(cs_text_style){.anchor = CS_ANCHOR_END, .rotation = -90});
        else
            cs_plot_text(&h->plot, x, bottom + 1.3 * text, h->chart->column_names[c], room,
                         &(cs_text_style){.anchor = CS_ANCHOR_MIDDLE});
    }
}

/* The height below the cells: names of the columns, and the title of the axis. */
static double below_height(const heat *h, double *room) {
    const double text = h->plot.text, title = 1.7 * text;
    *room = h->upright ? cs_names_width(h->chart->column_names, h->chart->columns, text, 9 * text)
                       : h->cell_width - 0.5 * text;
    return (h->upright ? *room + 0.6 * text : 1.5 * text) + title;
}

/* Columns share what is left beside the names and the colour bar; cells of few columns do not become wider than needed.
 * Rows are as high as columns are wide, but not higher than three lines, and high enough for a line where they are few.
 */
static void lay_out_cells(heat *h, double width) {
    const cs_heat_map *chart = h->chart;
    const double text = cs_frame_text(&chart->frame), widest = 9 * text;
    const double highest = 3 * text, lowest = is_image(chart) ? 0 : 1.3 * text;
    h->cell_width = fmin(width / chart->columns, widest);
    h->cell_height = is_image(chart) ? width / (chart->columns > chart->rows ? chart->columns : chart->rows)
                                     : fmax(fmin(h->cell_width, highest), lowest);
    if (is_image(chart) && chart->rows > chart->columns) /* square cells in a square of the width */
        h->cell_width = fmax(h->cell_height, width / chart->columns / 3);
    if (!is_image(chart)) { /* whole pixels: no seams between cells */
        h->cell_width = fmax(floor(h->cell_width), 1);
        h->cell_height = round(h->cell_height);
    }
    h->upright = cs_names_width(chart->column_names, chart->columns, text, INFINITY) > h->cell_width - 0.5 * text;
}

static cs_status draw(heat *h, cs_drawing **out) {
    const cs_heat_map *chart = h->chart;
    const double text = cs_frame_text(&chart->frame), margin = cs_frame_margin(&chart->frame);
    const double width = cs_frame_width(&chart->frame) - 2 * margin,
                 bar = fmax(5.5 * text, cs_text_width(cs_label(chart->value_title), text) + 1.5 * text);
    double room;
    h->plot.text = text;
    h->names = cs_names_width(chart->row_names, chart->rows, text, width * 0.25);
    lay_out_cells(h, width - h->names - 0.5 * text - fmin(bar, width / 3));
    const double above = 1.8 * text, below = below_height(h, &room);
    const double height = cs_frame_title_height(&chart->frame) + above + h->cell_height * chart->rows + below + margin;
    CS_TRY(cs_plot_open(&chart->frame, height, &h->plot));
    cs_plot *plot = &h->plot;
    plot->left = round(plot->left + h->names + 0.5 * text);
    plot->bottom -= below;
    plot->right = plot->left + chart->columns * h->cell_width + fmin(bar, width / 3);
    cs_plot_colour_bar(plot, chart->value_title, chart->map, h->low, h->high);
    cs_plot_text(plot, margin, plot->top + text, chart->row_title, plot->left - margin + chart->columns * h->cell_width,
                 &(cs_text_style){.size = 0});
    plot->top = round(plot->top + above);
    draw_row_names(h);
    draw_column_names(h, room);
    cs_plot_text(plot, plot->left + chart->columns * h->cell_width / 2, height - margin - 0.2 * text,
                 chart->column_title, chart->columns * h->cell_width, &(cs_text_style){.anchor = CS_ANCHOR_MIDDLE});
    cs_status status = CS_OK;
    if (is_image(chart))
        status = draw_image(h);
    else
        draw_cells(h);
    cs_drawing_rectangle(plot->drawing, plot->left, plot->top, chart->columns * h->cell_width,
                         chart->rows * h->cell_height, &(cs_style){.stroke = {.role = CS_ROLE_AXIS}});
    if (status == CS_OK)
        return cs_plot_close(plot, out);
    cs_drawing_free(plot->drawing);
    return status;
}

cs_status cs_heat_map_draw(const cs_heat_map *chart, cs_drawing **out) {
    heat h = {.chart = chart, .values = chart->values};
    double *shares = NULL;
    *out = NULL;
    if (chart->share_of_row) {
        CS_TRY(cs_alloc((size_t)chart->rows * (size_t)chart->columns, sizeof *shares, "heat map", &shares));
        share_rows(chart, shares);
        h.values = shares;
    }
    find_range(&h);
    const cs_status status = draw(&h, out);
    free(shares);
    return status;
}
