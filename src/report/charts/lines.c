/* SPDX-License-Identifier: Apache-2.0 */
/* Line charts. */
#include "plot.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

enum { LABEL_ROWS = 6 /* rows of labels of marks, at most */ };

static const double page_text = CS_FRAME_TEXT;

static bool is_many(const cs_line_chart *chart) {
    return chart->n > CS_SERIES_COLOURS;
}

/* Widths of lines follow the size of texts. */
static double width_of(const cs_plot *plot, double width) {
    return width * plot->text / page_text;
}

static cs_style line_style(const cs_plot *plot, const cs_line_chart *chart, int i) {
    const cs_line *line = &chart->lines[i];
    const bool many = is_many(chart);
    const cs_role role = line->colour > 0     ? cs_role_series(line->colour - 1)
                         : many && !line->lit ? CS_ROLE_SERIES
                         : many               ? CS_ROLE_MARK
                                              : cs_role_series(i);
    const double width = line->faint ? 1 : many && !line->lit ? 1.2 : 2, veil = 0.5;
    return (cs_style){.stroke = {.role = role},
                      .width = width_of(plot, width),
                      .dash = line->dash,
                      .opacity = line->faint || (many && !line->lit) ? veil : 0};
}

/* Faint lines do not stretch the range of y, unless there are no others. */
static void find_ranges(const cs_line_chart *chart, cs_range *x, cs_range *y) {
    *x = cs_range_empty();
    for (int pass = 0; pass < 2; pass++) {
        *y = cs_range_empty();
        for (int i = 0; i < chart->n; i++) {
            const cs_line *line = &chart->lines[i];
            for (int k = 0; k < line->n; k++) {
                const double spread = line->sd && isfinite(line->sd[k]) ? line->sd[k] : 0;
                cs_range_add(x, chart->x.scale, line->x[k]);
                if (line->faint && pass == 0)
                    continue;
                cs_range_add(y, chart->y.scale, line->y[k] - spread);
                cs_range_add(y, chart->y.scale, line->y[k] + spread);
            }
        }
        if (y->low <= y->high)
            return;
    }
}

static void draw_legend(cs_plot *plot, const cs_line_chart *chart) {
    cs_legend_entry entries[CS_SERIES_COLOURS];
    int n = 0;
    if (is_many(chart))
        return;
    for (int i = 0; i < chart->n; i++)
        if (chart->lines[i].label && chart->lines[i].label[0])
            entries[n++] = (cs_legend_entry){chart->lines[i].label, line_style(plot, chart, i), true};
    if (n > 1)
        cs_plot_legend(plot, entries, n);
}

static double clamp(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

static void draw_bands(const cs_plot *plot, const cs_line_chart *chart) {
    const double strong = 0.16, weak = 0.07, gap = 0.4 * plot->text;
    for (int i = 0; i < chart->n_bands; i++) {
        const cs_line_band *band = &chart->bands[i];
        const double left = clamp(cs_map(&plot->x, band->from), plot->left, plot->right);
        const double right = clamp(cs_map(&plot->x, band->to), plot->left, plot->right);
        if (!(right > left))
            continue;
        cs_drawing_rectangle(plot->drawing, left, plot->top, right - left, plot->bottom - plot->top,
                             &(cs_style){.fill = {.role = CS_ROLE_FAINT}, .opacity = i % 2 == 0 ? strong : weak});
        cs_plot_text(plot, left + gap, plot->bottom - gap, band->label, right - left - 2 * gap,
                     &(cs_text_style){.paint = {.role = CS_ROLE_MUTED}});
    }
}

/* Where the labels of the marks stand: above the data, in as many rows as are needed so that none overlaps another. */
typedef struct label_rows {
    double ends[LABEL_ROWS]; /* where the last label of a row ends */
    int n;
} label_rows;

/* The row of a label from `left` on; the last one where all are full. */
static int find_row(label_rows *rows, double left, double right) {
    int row = 0;
    while (row < rows->n && rows->ends[row] > left && row < LABEL_ROWS - 1)
        row++;
    rows->n = row + 1 > rows->n ? row + 1 : rows->n;
    rows->ends[row] = right;
    return row;
}

/* The x of a label's middle: that of its mark, as far as the label then is in the chart. */
static double label_middle(const cs_plot *plot, double x, double width) {
    return clamp(x, plot->left + width / 2, fmax(plot->right - width / 2, plot->left + width / 2));
}

/* Finds the row of the i-th mark's label, and its place; marks are in ascending order. False: there is no label. */
static bool place_label(const cs_plot *plot, const cs_line_chart *chart, int i, label_rows *rows, int *row,
                        double *middle) {
    const double x = cs_map(&plot->x, chart->marks[i].x), gap = plot->text;
    if (!chart->marks[i].label || !(x >= plot->left && x <= plot->right))
        return false;
    const double width = fmin(cs_text_width(chart->marks[i].label, plot->text), plot->right - plot->left);
    *middle = label_middle(plot, x, width);
    *row = find_row(rows, *middle - width / 2, *middle + width / 2 + gap);
    return true;
}

/* Takes the place of the labels from the top. How wide the data will be is known later, but about. */
static void reserve_labels(cs_plot *plot, const cs_line_chart *chart, cs_range x) {
    const double numbers = 3 * plot->text, line = 1.3 * plot->text;
    const bool is_fixed = chart->x.low < chart->x.high;
    label_rows rows = {.n = 0};
    cs_plot guess = *plot;
    int row;
    double middle;
    guess.left += numbers;
    guess.x = (cs_mapping){chart->x.scale, is_fixed ? chart->x.low : x.low, is_fixed ? chart->x.high : x.high,
                           guess.left, guess.right};
    for (int i = 0; i < chart->n_marks; i++)
        place_label(&guess, chart, i, &rows, &row, &middle);
    plot->labels = rows.n * line;
}

static void draw_marks(const cs_plot *plot, const cs_line_chart *chart) {
    const double line = 1.3 * plot->text, above = 0.5 * plot->text;
    label_rows rows = {.n = 0};
    for (int i = 0; i < chart->n_marks; i++) {
        const double x = cs_map(&plot->x, chart->marks[i].x);
        double middle, top = plot->top;
        int row;
        if (place_label(plot, chart, i, &rows, &row, &middle)) {
            const double y = plot->top - above - row * line;
            cs_plot_text(plot, middle, y, chart->marks[i].label, plot->right - plot->left,
                         &(cs_text_style){.anchor = CS_ANCHOR_MIDDLE});
            top = y + above / 2;
        }
        if (x >= plot->left && x <= plot->right)
            cs_drawing_line(
                plot->drawing, x, top, x, plot->bottom,
                &(cs_style){.stroke = {.role = CS_ROLE_MARK}, .dash = CS_DASH_LONG, .width = width_of(plot, 1.3)});
    }
}

/* The line y = x, in the part of the plane that is drawn. */
static void draw_diagonal(const cs_plot *plot, double *buffer) {
    enum { POINTS = 33 }; /* it is curved where one axis is logarithmic */
    double at[POINTS];
    const double low = fmax(plot->x.low, plot->y.low), high = fmin(plot->x.high, plot->y.high);
    for (int i = 0; i < POINTS; i++)
        at[i] = plot->x.scale == CS_SCALE_LOG && low > 0 ? low * pow(high / low, i / (POINTS - 1.0))
                                                         : low + (high - low) * i / (POINTS - 1);
    if (low < high)
        cs_plot_path(plot, at, at, POINTS, &(cs_style){.stroke = {.role = CS_ROLE_FAINT}, .dash = CS_DASH_LONG},
                     buffer);
}

/* Bars from y - sd to y + sd, with caps; all of a line are one path. */
static void draw_errors(const cs_plot *plot, const cs_line *line, const cs_style *style, double *buffer) {
    const double cap = 0.25 * plot->text;
    double *x = buffer, *y = buffer + 9 * (ptrdiff_t)line->n;
    int n = 0;
    for (int k = 0; k < line->n; k++) {
        const double at = cs_map(&plot->x, line->x[k]);
        const double low = fmin(cs_map(&plot->y, line->y[k] - line->sd[k]), plot->bottom);
        const double high = fmax(cs_map(&plot->y, line->y[k] + line->sd[k]), plot->top);
        if (!isfinite(at) || !isfinite(low) || !isfinite(high) || !(low > high))
            continue;
        const double xs[] = {at - cap, at + cap, NAN, at, at, NAN, at - cap, at + cap, NAN};
        const double ys[] = {low, low, NAN, low, high, NAN, high, high, NAN};
        for (int i = 0; i < 9; i++) {
            x[n] = xs[i];
            y[n++] = ys[i];
        }
    }
    cs_drawing_path(plot->drawing, x, y, n,
                    &(cs_style){.stroke = style->stroke, .width = width_of(plot, 1), .opacity = style->opacity});
}

static void draw_points(const cs_plot *plot, const cs_line *line, const cs_style *style) {
    const double radius = 0.25 * plot->text;
    for (int k = 0; k < line->n; k++) {
        const double x = cs_map(&plot->x, line->x[k]), y = cs_map(&plot->y, line->y[k]);
        if (x >= plot->left && x <= plot->right && y >= plot->top && y <= plot->bottom)
            cs_drawing_circle(plot->drawing, x, y, radius,
                              &(cs_style){.fill = style->stroke, .opacity = style->opacity});
    }
}

static void draw_line(const cs_plot *plot, const cs_line_chart *chart, int i, double *buffer) {
    const cs_line *line = &chart->lines[i];
    const cs_style style = line_style(plot, chart, i);
    cs_plot_begin_trial(plot, line->key,
                        line->faint ? "cs-line cs-faint"
                        : line->lit ? "cs-line cs-lit"
                                    : "cs-line",
                        line->label);
    cs_plot_path(plot, line->x, line->y, line->n, &style, buffer);
    if (line->sd)
        draw_errors(plot, line, &style, buffer);
    if (line->points || line->n == 1) /* a single point has no line */
        draw_points(plot, line, &style);
    cs_drawing_end_group(plot->drawing);
}

/* Faint lines are behind the others, and lit ones in front. */
static void draw_lines(const cs_plot *plot, const cs_line_chart *chart, double *buffer) {
    for (int layer = 0; layer < 3; layer++)
        for (int i = 0; i < chart->n; i++)
            if (layer == (chart->lines[i].faint ? 0 : chart->lines[i].lit ? 2 : 1))
                draw_line(plot, chart, i, buffer);
}

/* Room for the coordinates of the longest line: 9 points a value. */
static cs_status allocate(const cs_line_chart *chart, double **buffer) {
    size_t most = 64;
    for (int i = 0; i < chart->n; i++)
        most = (size_t)chart->lines[i].n > most ? (size_t)chart->lines[i].n : most;
    return cs_alloc(most * 9 * 2, sizeof **buffer, "chart", buffer);
}

cs_status cs_line_chart_draw(const cs_line_chart *chart, cs_drawing **out) {
    cs_range x, y;
    cs_plot plot;
    double *buffer = NULL;
    *out = NULL;
    CS_TRY(allocate(chart, &buffer));
    const cs_status status = cs_plot_open(&chart->frame, cs_frame_height(&chart->frame), &plot);
    if (status != CS_OK) {
        free(buffer);
        return status;
    }
    find_ranges(chart, &x, &y);
    draw_legend(&plot, chart);
    reserve_labels(&plot, chart, x);
    cs_plot_axes(&plot, &chart->x, x, CS_FIT_TIGHT, &chart->y, y);
    draw_bands(&plot, chart);
    if (chart->diagonal)
        draw_diagonal(&plot, buffer);
    draw_lines(&plot, chart, buffer);
    draw_marks(&plot, chart);
    free(buffer);
    return cs_plot_close(&plot, out);
}
