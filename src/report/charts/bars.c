/* SPDX-License-Identifier: Apache-2.0 */
/* Horizontal bars. */
#include "plot.h"

#include <math.h>
#include <stdio.h>

static const double pitch = 1.9, thickness = 1.15; /* of a row, in sizes of text */

static double longest_label(const cs_bar_chart *chart, double text, double limit) {
    double width = 0;
    for (int i = 0; i < chart->n; i++)
        width = fmax(width, cs_text_width(chart->bars[i].label, text));
    return fmin(width, limit);
}

static bool has_interval(const cs_bar *bar) {
    return isfinite(bar->low) && isfinite(bar->high) && bar->low < bar->high;
}

static cs_range find_range(const cs_bar_chart *chart) {
    cs_range range = {0, 0}; /* bars begin at 0 */
    for (int i = 0; i < chart->n; i++) {
        cs_range_add(&range, CS_SCALE_LINEAR, chart->bars[i].value);
        if (has_interval(&chart->bars[i])) {
            cs_range_add(&range, CS_SCALE_LINEAR, chart->bars[i].low);
            cs_range_add(&range, CS_SCALE_LINEAR, chart->bars[i].high);
        }
    }
    return range;
}

static void draw_interval(const cs_plot *plot, const cs_bar *bar, double y) {
    const double low = cs_map(&plot->x, bar->low), high = cs_map(&plot->x, bar->high), cap = 0.3 * plot->text;
    const double xs[] = {low, low, NAN, low, high, NAN, high, high},
                 ys[] = {y - cap, y + cap, NAN, y, y, NAN, y - cap, y + cap};
    cs_drawing_path(plot->drawing, xs, ys, 8, &(cs_style){.stroke = {.role = CS_ROLE_TEXT}});
}

static void draw_bar(const cs_plot *plot, const cs_bar_chart *chart, int i, double names) {
    const cs_bar *bar = &chart->bars[i];
    const double text = plot->text, y = plot->top + (i + 0.5) * pitch * text;
    const double zero = cs_map(&plot->x, fmax(plot->x.low, fmin(0, plot->x.high))), end = cs_map(&plot->x, bar->value);
    double right = fmax(zero, end);
    char value[CS_TICK_TEXT], tooltip[CS_CHART_TEXT_MAX];
    snprintf(value, sizeof value, "%.*f", chart->decimals, bar->value);
    snprintf(tooltip, sizeof tooltip, "%.*s: %s", cs_name_bytes(bar->label, CS_CHART_TEXT_MAX - CS_TICK_TEXT - 4),
             bar->label, value);
    cs_plot_begin_trial(plot, bar->key, "cs-bar", tooltip);
    cs_plot_text(plot, plot->left - 0.6 * text, y + 0.35 * text, bar->label, names,
                 &(cs_text_style){.anchor = CS_ANCHOR_END});
    if (isfinite(end))
        cs_drawing_rectangle(plot->drawing, zero, y - thickness * text / 2, end - zero, thickness * text,
                             &(cs_style){.fill = {.role = bar->noise ? CS_ROLE_FAINT : CS_ROLE_SERIES}});
    if (has_interval(bar)) {
        draw_interval(plot, bar, y);
        right = fmax(right, cs_map(&plot->x, bar->high));
    }
    if (isfinite(end))
        cs_drawing_text(plot->drawing, right + 0.5 * text, y + 0.35 * text, value, NULL);
    cs_drawing_end_group(plot->drawing);
}

cs_status cs_bar_chart_draw(const cs_bar_chart *chart, cs_drawing **out) {
    const double text = cs_frame_text(&chart->frame), margin = cs_frame_margin(&chart->frame);
    const bool labelled = chart->value.label && chart->value.label[0];
    const double height = cs_frame_title_height(&chart->frame) + 0.4 * text + chart->n * pitch * text +
                          cs_x_axis_height(text, labelled) + margin;
    const double names = longest_label(chart, text, cs_frame_width(&chart->frame) * 0.35);
    char widest[CS_TICK_TEXT];
    cs_plot plot;
    *out = NULL;
    CS_TRY(cs_plot_open(&chart->frame, height, &plot));
    snprintf(widest, sizeof widest, "%.*f", chart->decimals, find_range(chart).high);
    plot.top += 0.4 * text;
    plot.left += names + 0.6 * text;
    plot.right -= cs_text_width(widest, text); /* the text of the longest bar */
    cs_plot_x_axis(&plot, &chart->value, find_range(chart));
    for (int i = 0; i < chart->n; i++)
        draw_bar(&plot, chart, i, names);
    const double zero = cs_map(&plot.x, fmax(plot.x.low, fmin(0, plot.x.high)));
    cs_drawing_line(plot.drawing, zero, plot.top, zero, plot.bottom, &(cs_style){.stroke = {.role = CS_ROLE_AXIS}});
    return cs_plot_close(&plot, out);
}
