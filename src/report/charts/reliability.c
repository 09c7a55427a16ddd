/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability diagrams. */
#include "plot.h"

#include <math.h>
#include <stdio.h>

static double total_of(const cs_reliability_chart *chart) {
    double total = 0;
    for (int i = 0; i < chart->n; i++)
        total += chart->bins[i].count;
    return total;
}

/* The bar is the accuracy; the dashed box from there to the confidence is what is missing, or too much. */
static void draw_bin(const cs_plot *plot, const cs_reliability_chart *chart, int i, double total) {
    const cs_reliability_bar *bin = &chart->bins[i];
    const double left = cs_map(&plot->x, (double)i / chart->n), right = cs_map(&plot->x, (i + 1.0) / chart->n);
    const double zero = cs_map(&plot->y, 0), accuracy = cs_map(&plot->y, bin->accuracy);
    const double confidence = cs_map(&plot->y, bin->confidence), radius = 0.28 * plot->text;
    char tooltip[CS_CHART_TEXT_MAX];
    if (!(bin->count > 0))
        return;
    snprintf(tooltip, sizeof tooltip, "confidence %.3f, accuracy %.3f, %.10g images (%.1f %%)", bin->confidence,
             bin->accuracy, bin->count, 100 * bin->count / total);
    cs_drawing_begin_group(plot->drawing, &(cs_group){.css_class = "cs-bin", .tooltip = tooltip});
    cs_drawing_rectangle(plot->drawing, left, accuracy, right - left, zero - accuracy,
                         &(cs_style){.stroke = {.role = CS_ROLE_BACKGROUND}, .fill = {.role = CS_ROLE_SERIES}});
    cs_drawing_rectangle(plot->drawing, left, confidence, right - left, accuracy - confidence,
                         &(cs_style){.stroke = {.role = CS_ROLE_BAD}, .dash = CS_DASH_SHORT});
    cs_drawing_circle(plot->drawing, cs_map(&plot->x, bin->confidence), accuracy, radius,
                      &(cs_style){.stroke = {.role = CS_ROLE_BACKGROUND}, .fill = {.role = CS_ROLE_TEXT}});
    cs_drawing_end_group(plot->drawing);
}

/* The share of the images that each bin has, in a strip above the diagram. */
static void draw_counts(const cs_plot *plot, const cs_reliability_chart *chart, double top, double bottom,
                        double total) {
    double most = 0;
    for (int i = 0; i < chart->n; i++)
        most = fmax(most, chart->bins[i].count);
    for (int i = 0; i < chart->n && most > 0; i++) {
        const double left = cs_map(&plot->x, (double)i / chart->n), right = cs_map(&plot->x, (i + 1.0) / chart->n);
        const double height = (bottom - top) * chart->bins[i].count / most;
        char tooltip[CS_CHART_TEXT_MAX];
        if (!(chart->bins[i].count > 0))
            continue;
        snprintf(tooltip, sizeof tooltip, "%.10g images (%.1f %%)", chart->bins[i].count,
                 100 * chart->bins[i].count / total);
        cs_drawing_begin_group(plot->drawing, &(cs_group){.tooltip = tooltip});
        cs_drawing_rectangle(plot->drawing, left, bottom - height, right - left, height,
                             &(cs_style){.stroke = {.role = CS_ROLE_BACKGROUND}, .fill = {.role = CS_ROLE_FAINT}});
        cs_drawing_end_group(plot->drawing);
    }
}

cs_status cs_reliability_chart_draw(const cs_reliability_chart *chart, cs_drawing **out) {
    const double text = cs_frame_text(&chart->frame), strip = 3 * text, total = total_of(chart);
    const cs_axis unit = {.label = "confidence", .low = 0, .high = 1},
                  accuracy = {.label = "accuracy", .low = 0, .high = 1};
    const double diagonal[] = {0, 1};
    double buffer[12];
    cs_plot plot;
    *out = NULL;
    CS_TRY(cs_plot_open(&chart->frame, cs_frame_height(&chart->frame), &plot));
    cs_plot_text(&plot, plot.left, plot.top + text, "images", plot.right - plot.left, &(cs_text_style){.size = 0});
    const double top = plot.top + 0.3 * text;
    plot.top += strip;
    cs_plot_axes(&plot, &unit, cs_range_empty(), CS_FIT_TIGHT, &accuracy, cs_range_empty());
    draw_counts(&plot, chart, top, top + strip - 0.3 * text, total);
    for (int i = 0; i < chart->n; i++)
        draw_bin(&plot, chart, i, total);
    cs_plot_path(&plot, diagonal, diagonal, 2, &(cs_style){.stroke = {.role = CS_ROLE_TEXT}, .dash = CS_DASH_LONG},
                 buffer);
    return cs_plot_close(&plot, out);
}
