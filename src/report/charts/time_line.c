/* SPDX-License-Identifier: Apache-2.0 */
/* Time lines. */
#include "plot.h"

#include <math.h>

static const struct {
    const char *label;
    cs_style style;
} states[CS_SPAN_STATE_COUNT] = {
    [CS_SPAN_OK] = {"finished", {.fill = {.role = CS_ROLE_SERIES}}},
    [CS_SPAN_FAILED] = {"failed", {.fill = {.role = CS_ROLE_BAD}}},
    [CS_SPAN_RUNNING] =
        {"running", {.stroke = {.role = CS_ROLE_SERIES}, .fill = {.role = CS_ROLE_BACKGROUND}, .dash = CS_DASH_LONG}},
};

static const struct {
    const char *label;
    double seconds, from; /* for times from so many seconds on */
} units[] = {{"hours", 3600, 7200}, {"minutes", 60, 180}, {"seconds", 1, 0}};

/* The range of time, in the unit that suits it. */
static cs_range find_time(const cs_time_line *chart, size_t *unit) {
    cs_range range = {0, 0};
    for (int i = 0; i < chart->n; i++) {
        cs_range_add(&range, CS_SCALE_LINEAR, chart->spans[i].start);
        cs_range_add(&range, CS_SCALE_LINEAR, chart->spans[i].end);
    }
    for (*unit = 0; range.high < units[*unit].from;)
        ++*unit;
    return (cs_range){range.low / units[*unit].seconds, range.high / units[*unit].seconds};
}

static bool occurs(const cs_time_line *chart, cs_span_state state) {
    for (int i = 0; i < chart->n; i++)
        if (chart->spans[i].state == state)
            return true;
    return false;
}

/* That all are finished needs no legend. */
static int find_legend(const cs_time_line *chart, cs_legend_entry *entries) {
    int n = 0;
    if (!occurs(chart, CS_SPAN_FAILED) && !occurs(chart, CS_SPAN_RUNNING))
        return 0;
    for (int state = 0; state < CS_SPAN_STATE_COUNT; state++)
        if (occurs(chart, (cs_span_state)state))
            entries[n++] = (cs_legend_entry){.label = states[state].label, .style = states[state].style};
    return n;
}

/* The label is in the bar if it fits; a failure is also crossed out, for those who cannot tell the colours apart. */
static void draw_span(const cs_plot *plot, const cs_span *span, double seconds, double pitch) {
    const double text = plot->text, left = cs_map(&plot->x, span->start / seconds), gap = 0.3 * text;
    const double width = fmax(cs_map(&plot->x, span->end / seconds) - left, 1);
    const double height = fmax(pitch * 0.8, 1), top = plot->top + span->row * pitch + (pitch - height) / 2;
    const cs_rgb white = {255, 255, 255};
    const bool is_filled = span->state != CS_SPAN_RUNNING;
    if (!isfinite(width))
        return;
    cs_plot_begin_trial(plot, span->key, "cs-span", span->label);
    cs_drawing_rectangle(plot->drawing, left, top, width, height, &states[span->state].style);
    if (is_filled) /* spans that follow each other are told apart */
        cs_drawing_rectangle(plot->drawing, left, top, width, height,
                             &(cs_style){.stroke = {.role = CS_ROLE_BACKGROUND}});
    if (span->state == CS_SPAN_FAILED)
        cs_drawing_line(plot->drawing, left, top + height, left + width, top,
                        &(cs_style){.stroke = {.role = CS_ROLE_BACKGROUND}});
    if (span->key && height >= 1.1 * text && width >= cs_text_width(span->key, text) + 2 * gap)
        cs_drawing_text(
            plot->drawing, left + width / 2, top + height / 2 + 0.35 * text, span->key,
            &(cs_text_style){.paint = {is_filled ? CS_ROLE_COLOUR : CS_ROLE_TEXT, white}, .anchor = CS_ANCHOR_MIDDLE});
    cs_drawing_end_group(plot->drawing);
}

static void draw_rows(const cs_plot *plot, const cs_time_line *chart, double names, double pitch) {
    const double text = plot->text, line = 1.15 * text;
    const int stride = (int)ceil(line / pitch);
    for (int row = 0; row < chart->n_rows; row += stride)
        cs_plot_text(plot, plot->left - 0.6 * text, plot->top + (row + 0.5) * pitch + 0.35 * text, chart->rows[row],
                     names, &(cs_text_style){.anchor = CS_ANCHOR_END});
}

/* Rows are 1.8 lines high; of more than 40 all together are as high as 40. */
cs_status cs_time_line_draw(const cs_time_line *chart, cs_drawing **out) {
    enum { ROWS = 40 };
    const double text = cs_frame_text(&chart->frame), margin = cs_frame_margin(&chart->frame);
    const double pitch = 1.8 * text * fmin(1, (double)ROWS / chart->n_rows), above = 2 * text;
    const double names = cs_names_width(chart->rows, chart->n_rows, text, cs_frame_width(&chart->frame) * 0.3);
    cs_legend_entry entries[CS_SPAN_STATE_COUNT];
    const int n_entries = find_legend(chart, entries);
    const double height = cs_frame_title_height(&chart->frame) + (n_entries > 0 ? 1.7 * text : 0) + above +
                          chart->n_rows * pitch + cs_x_axis_height(text, true) + margin;
    size_t unit;
    const cs_range time = find_time(chart, &unit);
    cs_plot plot;
    *out = NULL;
    CS_TRY(cs_plot_open(&chart->frame, height, &plot));
    cs_plot_legend(&plot, entries, n_entries);
    cs_plot_text(&plot, plot.left, plot.top + text, chart->row_title, plot.right - plot.left,
                 &(cs_text_style){.size = 0});
    plot.top = height - margin - cs_x_axis_height(text, true) - chart->n_rows * pitch;
    plot.left += names + 0.6 * text;
    cs_plot_x_axis(&plot, &(cs_axis){.label = units[unit].label}, time);
    draw_rows(&plot, chart, names, pitch);
    for (int i = 0; i < chart->n; i++)
        draw_span(&plot, &chart->spans[i], units[unit].seconds, pitch);
    return cs_plot_close(&plot, out);
}
