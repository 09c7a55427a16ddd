/* SPDX-License-Identifier: Apache-2.0 */
/* Axes with ticks and grid lines. */
#include "plot.h"

#include <math.h>

enum { LEAST_TICKS = 3, MOST_Y = 7, MOST_X = 12 };

static const double tick_gap = 0.5, digit_width = 0.6; /* of the size of texts */

static const cs_style axis_style = {.stroke = {.role = CS_ROLE_AXIS}}, grid_style = {.stroke = {.role = CS_ROLE_GRID}};

double cs_x_axis_height(double text, bool labelled) {
    return (labelled ? 2.9 : 1.5) * text;
}

/* As many ticks as have room for texts of `each` with gaps. */
static int tick_count(double length, double each, int most) {
    const int fit = (int)(length / each);
    return fit < LEAST_TICKS ? LEAST_TICKS : fit > most ? most : fit;
}

static double widest_tick(const cs_ticks *ticks, double text) {
    char label[CS_TICK_TEXT];
    double widest = 0;
    for (int i = 0; i < ticks->n; i++) {
        cs_ticks_text(ticks, i, label);
        widest = fmax(widest, cs_text_width(label, text));
    }
    return widest;
}

static void draw_x_ticks(const cs_plot *plot, const cs_ticks *ticks) {
    char label[CS_TICK_TEXT];
    for (int i = 0; i < ticks->n; i++) {
        const double x = cs_map(&plot->x, ticks->at[i]);
        cs_ticks_text(ticks, i, label);
        cs_drawing_line(plot->drawing, x, plot->top, x, plot->bottom, &grid_style);
        cs_drawing_text(plot->drawing, x, plot->bottom + (tick_gap + 0.8) * plot->text, label,
                        &(cs_text_style){.paint = {.role = CS_ROLE_MUTED}, .anchor = CS_ANCHOR_MIDDLE});
    }
}

static void draw_y_ticks(const cs_plot *plot, const cs_ticks *ticks) {
    const double half_letter = 0.35;
    char label[CS_TICK_TEXT];
    for (int i = 0; i < ticks->n; i++) {
        const double y = cs_map(&plot->y, ticks->at[i]);
        cs_ticks_text(ticks, i, label);
        cs_drawing_line(plot->drawing, plot->left, y, plot->right, y, &grid_style);
        cs_drawing_text(plot->drawing, plot->left - tick_gap * plot->text, y + half_letter * plot->text, label,
                        &(cs_text_style){.paint = {.role = CS_ROLE_MUTED}, .anchor = CS_ANCHOR_END});
    }
}

/* Chooses the ticks of the horizontal axis, and again where their texts turn out to be wide. */
static void find_x_ticks(const cs_plot *plot, const cs_axis *x, cs_range found, cs_fit fit, cs_ticks *ticks) {
    const double length = plot->right - plot->left, between = 1.2 * plot->text;
    double each = 4 * digit_width * plot->text + between;
    cs_ticks_find(x, found, fit, tick_count(length, each, MOST_X), ticks);
    each = widest_tick(ticks, plot->text) + between;
    cs_ticks_find(x, found, fit, tick_count(length, each, MOST_X), ticks);
}

/* Takes the place of the horizontal axis and its label from the bottom, and draws it. The place at the right is for
 * half the text of the last tick. */
static void place_x_axis(cs_plot *plot, const cs_axis *x, cs_range found, cs_fit fit) {
    const bool labelled = x->label && x->label[0];
    const double height = cs_x_axis_height(plot->text, labelled);
    cs_ticks ticks;
    find_x_ticks(plot, x, found, fit, &ticks);
    plot->right -= fmax(widest_tick(&ticks, plot->text) / 2 - plot->text * 0.3, 0);
    plot->x = (cs_mapping){x->scale, ticks.low, ticks.high, plot->left, plot->right};
    if (labelled)
        cs_plot_text(plot, (plot->left + plot->right) / 2, plot->bottom - 0.2 * plot->text, x->label,
                     plot->right - plot->left, &(cs_text_style){.anchor = CS_ANCHOR_MIDDLE});
    plot->bottom -= height;
    draw_x_ticks(plot, &ticks);
}

void cs_plot_axes(cs_plot *plot, const cs_axis *x, cs_range x_found, cs_fit x_fit, const cs_axis *y, cs_range y_found) {
    const double line = 2 * plot->text, above = 0.5 * plot->text;
    const double x_height = cs_x_axis_height(plot->text, x->label && x->label[0]);
    cs_ticks ticks;
    if (y->label && y->label[0]) {
        cs_plot_text(plot, plot->left, plot->top + plot->text, y->label, plot->right - plot->left,
                     &(cs_text_style){.size = 0});
        plot->top += line;
    } else
        plot->top += above;
    plot->top += plot->labels;
    cs_ticks_find(y, y_found, CS_FIT_ROUND, tick_count(plot->bottom - x_height - plot->top, line, MOST_Y), &ticks);
    plot->left += widest_tick(&ticks, plot->text) + tick_gap * plot->text;
    place_x_axis(plot, x, x_found, x_fit);
    plot->y = (cs_mapping){y->scale, ticks.low, ticks.high, plot->bottom, plot->top};
    draw_y_ticks(plot, &ticks);
    cs_drawing_line(plot->drawing, plot->left, plot->bottom, plot->right, plot->bottom, &axis_style);
    cs_drawing_line(plot->drawing, plot->left, plot->top, plot->left, plot->bottom, &axis_style);
}

void cs_plot_x_axis(cs_plot *plot, const cs_axis *x, cs_range found) {
    place_x_axis(plot, x, found, CS_FIT_ROUND);
    cs_drawing_line(plot->drawing, plot->left, plot->bottom, plot->right, plot->bottom, &axis_style);
}
