/* SPDX-License-Identifier: Apache-2.0 */
/* Parallel coordinates. */
#include "plot.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct coordinate {
    cs_mapping mapping;
    cs_ticks ticks; /* of a numeric axis */
    double x;
} coordinate;

typedef struct parallel {
    const cs_parallel_chart *chart;
    cs_plot plot;
    coordinate *axes; /* [n_axes] */
    double *x, *y;    /* [n_axes] of a line */
    double spacing;   /* between axes */
    bool staggered;   /* every second title is a line higher, because they have no room beside each other */
    cs_range values;
} parallel;

/* Names keep half a step from the ends of their axis. */
static void settle_axis(parallel *p, int axis) {
    enum { MOST = 7 };
    const cs_parallel_axis *a = &p->chart->axes[axis];
    const double middle = 0.5, part = p->chart->n_axes > 1 ? axis / (p->chart->n_axes - 1.0) : middle;
    coordinate *to = &p->axes[axis];
    cs_range range = cs_range_empty();
    to->x = p->plot.left + part * (p->plot.right - p->plot.left);
    to->mapping = (cs_mapping){CS_SCALE_LINEAR, -0.5, a->n_names - 0.5, p->plot.bottom, p->plot.top};
    if (a->names)
        return;
    for (int i = 0; i < p->chart->n; i++)
        cs_range_add(&range, a->axis.scale, p->chart->lines[i].at[axis]);
    cs_ticks_find(&a->axis, range, CS_FIT_TIGHT, MOST, &to->ticks);
    to->mapping = (cs_mapping){a->axis.scale, to->ticks.low, to->ticks.high, p->plot.bottom, p->plot.top};
}

static void draw_tick(const parallel *p, const coordinate *axis, double value, const char *label) {
    const double text = p->plot.text, length = 0.35 * text, y = cs_map(&axis->mapping, value);
    cs_drawing_line(p->plot.drawing, axis->x - length, y, axis->x, y, &(cs_style){.stroke = {.role = CS_ROLE_AXIS}});
    cs_plot_text_in_front(&p->plot, axis->x - length - 0.2 * text, y + 0.35 * text, label, p->spacing - text,
                          &(cs_text_style){.paint = {.role = CS_ROLE_MUTED}, .anchor = CS_ANCHOR_END});
}

/* Of more names than have room, some are left out. */
static void draw_ticks(const parallel *p, int axis) {
    const cs_parallel_axis *a = &p->chart->axes[axis];
    const coordinate *at = &p->axes[axis];
    const double line = 1.2 * p->plot.text;
    const int stride = (int)ceil(a->n_names * line / (p->plot.bottom - p->plot.top));
    char label[CS_TICK_TEXT];
    for (int i = 0; i < a->n_names; i += stride)
        draw_tick(p, at, i, a->names[i]);
    for (int i = 0; i < at->ticks.n; i++) {
        cs_ticks_text(&at->ticks, i, label);
        draw_tick(p, at, at->ticks.at[i], label);
    }
}

static void draw_axis(const parallel *p, int axis) {
    const cs_parallel_axis *a = &p->chart->axes[axis];
    const double x = p->axes[axis].x, text = p->plot.text;
    char key[CS_TICK_TEXT];
    snprintf(key, sizeof key, "%d", axis);
    cs_drawing_begin_group(
        p->plot.drawing, &(cs_group){.key = key, .key_name = "axis", .css_class = "cs-axis", .tooltip = a->axis.label});
    cs_drawing_line(p->plot.drawing, x, p->plot.top, x, p->plot.bottom, &(cs_style){.stroke = {.role = CS_ROLE_TEXT}});
    draw_ticks(p, axis);
    cs_plot_text(&p->plot, x, p->plot.top - (p->staggered && axis % 2 ? 2.1 : 0.8) * text, a->axis.label,
                 p->spacing * (p->staggered ? 2 : 1) - 0.5 * text,
                 &(cs_text_style){.anchor = CS_ANCHOR_MIDDLE, .bold = true});
    cs_drawing_end_group(p->plot.drawing);
}

static void draw_line(const parallel *p, const cs_parallel_line *line) {
    const bool has_value = isfinite(line->value);
    const cs_rgb colour = cs_value_colour(CS_COLORMAP_VIRIDIS, line->value, p->values.low, p->values.high);
    for (int axis = 0; axis < p->chart->n_axes; axis++) {
        p->x[axis] = p->axes[axis].x;
        p->y[axis] = cs_map(&p->axes[axis].mapping, line->at[axis]);
    }
    cs_plot_begin_trial(&p->plot, line->key, "cs-line", line->label);
    cs_drawing_path(p->plot.drawing, p->x, p->y, p->chart->n_axes,
                    &(cs_style){.stroke = {has_value ? CS_ROLE_COLOUR : CS_ROLE_FAINT, colour},
                                .width = 1.5 * p->plot.text / CS_FRAME_TEXT,
                                .opacity = 0.75});
    cs_drawing_end_group(p->plot.drawing);
}

/* The width of the texts left of the first axis. */
static double first_names(const parallel *p, double limit) {
    const cs_parallel_axis *a = &p->chart->axes[0];
    const double number = 3.5 * p->plot.text;
    return fmin(a->names ? cs_names_width(a->names, a->n_names, p->plot.text, limit) + p->plot.text : number, limit);
}

static void draw(parallel *p) {
    const cs_parallel_chart *chart = p->chart;
    cs_plot *plot = &p->plot;
    if (chart->value_title && p->values.low <= p->values.high)
        cs_plot_colour_bar(plot, chart->value_title, CS_COLORMAP_VIRIDIS, p->values.low, p->values.high);
    plot->left += fmax(first_names(p, (plot->right - plot->left) * 0.2),
                       fmin(cs_text_width(cs_label(chart->axes[0].axis.label), plot->text) / 2, 4 * plot->text));
    plot->right -=
        fmin(cs_text_width(cs_label(chart->axes[chart->n_axes - 1].axis.label), plot->text) / 2, 4 * plot->text);
    p->spacing = (plot->right - plot->left) / (chart->n_axes > 1 ? chart->n_axes - 1 : 1);
    for (int axis = 0; axis < chart->n_axes; axis++)
        p->staggered =
            p->staggered || cs_text_width(cs_label(chart->axes[axis].axis.label), plot->text) * 1.1 > p->spacing;
    plot->top += (p->staggered ? 3.7 : 2.4) * plot->text;
    for (int axis = 0; axis < chart->n_axes; axis++)
        settle_axis(p, axis);
    for (int i = 0; i < chart->n; i++)
        draw_line(p, &chart->lines[i]);
    for (int axis = 0; axis < chart->n_axes; axis++) /* in front, where their texts are legible */
        draw_axis(p, axis);
}

cs_status cs_parallel_chart_draw(const cs_parallel_chart *chart, cs_drawing **out) {
    parallel p = {.chart = chart, .values = cs_range_empty()};
    *out = NULL;
    for (int i = 0; i < chart->n; i++)
        cs_range_add(&p.values, CS_SCALE_LINEAR, chart->lines[i].value);
    cs_status status = cs_alloc((size_t)chart->n_axes, sizeof *p.axes, "chart", &p.axes);
    if (status == CS_OK)
        status = cs_alloc((size_t)chart->n_axes * 2, sizeof *p.x, "chart", &p.x);
    if (status == CS_OK)
        status = cs_plot_open(&chart->frame, cs_frame_height(&chart->frame), &p.plot);
    if (status == CS_OK) {
        p.y = p.x + chart->n_axes;
        draw(&p);
        status = cs_plot_close(&p.plot, out);
    }
    free(p.axes);
    free(p.x);
    return status;
}
