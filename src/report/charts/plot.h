/* SPDX-License-Identifier: Apache-2.0 */
/* What charts have in common: the title, axes, legends, colour bars. */
#ifndef CNNSWEEP_CHARTS_PLOT_H
#define CNNSWEEP_CHARTS_PLOT_H

#include "ticks.h"

enum { CS_CHART_TEXT_MAX = 512 /* bytes of a name on a chart, or of a tooltip */ };

/* From values to a coordinate. */
typedef struct cs_mapping {
    cs_scale scale;
    double low, high; /* of the axis */
    double from, to;  /* their coordinates */
} cs_mapping;
/* NaN for a value that the scale cannot show. */
double cs_map(const cs_mapping *mapping, double value);

/* A drawing with a title, and the part of it that is free. */
typedef struct cs_plot {
    cs_drawing *drawing;
    double text;                     /* size of texts */
    double left, right, top, bottom; /* what is not used yet; in the end, the rectangle of the data */
    double labels;                   /* height that cs_plot_axes keeps free above the data */
    cs_mapping x, y;
    bool focusable;
} cs_plot;

/* The size of texts, and the width, that a frame has or gets by default. */
double cs_frame_text(const cs_frame *frame);
double cs_frame_width(const cs_frame *frame);
/* The default height of a chart without rows. */
double cs_frame_height(const cs_frame *frame);
/* What the title takes of the height, with the margin above. */
double cs_frame_title_height(const cs_frame *frame);
/* The margin at all sides. */
double cs_frame_margin(const cs_frame *frame);

/* Makes the drawing. Then the chart records into it, and closes it; *out is NULL after a failure. */
CS_MUST_CHECK cs_status cs_plot_open(const cs_frame *frame, double height, cs_plot *plot);
CS_MUST_CHECK cs_status cs_plot_close(cs_plot *plot, cs_drawing **out);

/* Draws a text that is at most `width` wide; a longer one ends in an ellipsis and has a tooltip. */
void cs_plot_text(const cs_plot *plot, double x, double y, const char *text, double width, const cs_text_style *style);

/* The same on a ground that makes it legible in front of lines. */
void cs_plot_text_in_front(const cs_plot *plot, double x, double y, const char *text, double width,
                           const cs_text_style *style);

/* A text that may be missing, which then is "". */
const char *cs_label(const char *text);
/* How many bytes of a name, at most `limit`, are whole characters. */
int cs_name_bytes(const char *name, int limit);

/* How wide the names are, at most `limit`. */
double cs_names_width(const char *const *names, int n, double text, double limit);

typedef struct cs_legend_entry {
    const char *label;
    cs_style style;
    bool is_line; /* a line, else a square */
} cs_legend_entry;
/* Draws a legend at the top and takes its place from there. */
void cs_plot_legend(cs_plot *plot, const cs_legend_entry *entries, int n);

/* Draws a colour bar at the right and takes its place from there. The ticks are those of the values. */
void cs_plot_colour_bar(cs_plot *plot, const char *title, cs_colormap map, double low, double high);
/* The colour of a value: NaN and infinite ones are not drawn, so that they have any. */
cs_rgb cs_value_colour(cs_colormap map, double value, double low, double high);

/* Draws both axes around what is left, with grid lines, and sets plot->x and y. */
void cs_plot_axes(cs_plot *plot, const cs_axis *x, cs_range x_found, cs_fit x_fit, const cs_axis *y, cs_range y_found);
/* Draws the horizontal axis alone, at the bottom, for charts with rows: the grid is as high as what is left. */
void cs_plot_x_axis(cs_plot *plot, const cs_axis *x, cs_range found);
/* The height that the horizontal axis takes. */
double cs_x_axis_height(double text, bool labelled);

/* The group of a trial, or of what has a tooltip but no key. */
void cs_plot_begin_trial(const cs_plot *plot, const char *key, const char *css_class, const char *tooltip);

/* Draws a path of the values x, y [n], cut off at the rectangle of the data. `buffer` [6*n] is room for coordinates. */
void cs_plot_path(const cs_plot *plot, const double *x, const double *y, int n, const cs_style *style, double *buffer);

#endif
