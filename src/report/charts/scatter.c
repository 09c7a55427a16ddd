/* SPDX-License-Identifier: Apache-2.0 */
/* Scatter charts. */
#include "plot.h"

#include <math.h>

static cs_range value_range(const cs_scatter_chart *chart) {
    cs_range range = cs_range_empty();
    for (int i = 0; i < chart->n; i++)
        cs_range_add(&range, CS_SCALE_LINEAR, chart->points[i].value);
    return range;
}

/* A point whose value is missing is hollow. */
static void draw_point(const cs_plot *plot, const cs_scatter_chart *chart, const cs_point *point, cs_range values) {
    const double x = cs_map(&plot->x, point->x), y = cs_map(&plot->y, point->y), radius = 0.4 * plot->text;
    cs_style style = {.stroke = {.role = CS_ROLE_BACKGROUND}, .fill = {.role = CS_ROLE_SERIES}, .opacity = 0.85};
    if (!(x >= plot->left && x <= plot->right && y >= plot->top && y <= plot->bottom))
        return;
    if (chart->value_title && isfinite(point->value)) {
        style.fill =
            (cs_paint){CS_ROLE_COLOUR, cs_value_colour(CS_COLORMAP_VIRIDIS, point->value, values.low, values.high)};
        style.stroke.role = CS_ROLE_FAINT;
    } else if (chart->value_title)
        style = (cs_style){.stroke = {.role = CS_ROLE_FAINT}, .fill = {.role = CS_ROLE_BACKGROUND}};
    cs_plot_begin_trial(plot, point->key, "cs-point", point->label);
    cs_drawing_circle(plot->drawing, x, y, radius, &style);
    cs_drawing_end_group(plot->drawing);
}

cs_status cs_scatter_chart_draw(const cs_scatter_chart *chart, cs_drawing **out) {
    const cs_range values = value_range(chart);
    cs_range x = cs_range_empty(), y = cs_range_empty();
    cs_plot plot;
    *out = NULL;
    CS_TRY(cs_plot_open(&chart->frame, cs_frame_height(&chart->frame), &plot));
    for (int i = 0; i < chart->n; i++) {
        cs_range_add(&x, chart->x.scale, chart->points[i].x);
        cs_range_add(&y, chart->y.scale, chart->points[i].y);
    }
    if (chart->value_title && values.low <= values.high)
        cs_plot_colour_bar(&plot, chart->value_title, CS_COLORMAP_VIRIDIS, values.low, values.high);
    cs_plot_axes(&plot, &chart->x, x, CS_FIT_ROUND, &chart->y, y);
    for (int i = 0; i < chart->n; i++)
        draw_point(&plot, chart, &chart->points[i], values);
    return cs_plot_close(&plot, out);
}
