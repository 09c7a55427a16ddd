/* SPDX-License-Identifier: Apache-2.0 */
/* Charts: from numbers and names to a drawing.
 *
 * Each kind is a struct and a function in a file of src/report/charts/. Members that are 0 or NULL have defaults, but
 * names of rows, columns, bars and parts, and the title of a frame, must be there. Texts are UTF-8, but any bytes are
 * allowed; names that are too long for their place end in an ellipsis, and the whole name (of the first 256 bytes) is
 * in the tooltip. Values that are not finite are not drawn (nor those <= 0 on a logarithmic axis).
 *
 * A key (a trial's number such as "t003") becomes data-trial of a group with a tooltip, so that a script finds what
 * belongs to a trial in all charts.
 *
 * Counts are not negative; all functions return CS_ERR_NO_MEMORY and no other error. The caller frees *out. */
#ifndef CNNSWEEP_CHARTS_H
#define CNNSWEEP_CHARTS_H

#include "cnnsweep/drawing.h"

#include <stdint.h>

/* What a chart of any kind has. */
typedef struct cs_frame {
    const char *title;
    const char *description; /* read to those who cannot see the chart; NULL: none */
    double width, height;    /* 0: those of a page. Charts with rows or cells choose their height */
    double text_size;        /* 0: that of a page */
    bool untitled;           /* the title is not drawn, since a heading or a caption says it */
    bool focusable;          /* the groups of trials can be reached by the keyboard */
} cs_frame;

/* A page's chart is 720 pixels wide with text of 12 pixels. A paper's column is 3.4 inches (245 pt) wide: there the
 * text is 9.6 pixels, 7.2 pt. */
enum { CS_FRAME_WIDTH = 720, CS_FRAME_HEIGHT = 400, CS_FRAME_TEXT = 12 };
/* The frame of the same chart for a paper's column. */
cs_frame cs_frame_column(const cs_frame *frame);

typedef enum cs_scale { CS_SCALE_LINEAR, CS_SCALE_LOG } cs_scale;

typedef struct cs_axis {
    const char *label;
    cs_scale scale;
    double low, high; /* equal: found from the values */
    bool whole;       /* ticks only at whole numbers (epochs) */
} cs_axis;

/* ---- lines: curves, accuracy against depth, ROC, precision-recall ---- */

typedef struct cs_line {
    const char *key, *label;
    const double *x, *y; /* [n] */
    const double *sd;    /* [n] bars from y - sd to y + sd; NULL: none */
    int n;
    int colour; /* 1 .. 8: this colour of the series; 0: that of its place in the chart */
    cs_dash dash;
    bool points; /* a dot at each point */
    bool faint;  /* behind the others, and not considered for the range of y */
    bool lit;    /* one of many that stands out */
} cs_line;

typedef struct cs_line_mark {
    double x; /* NaN: no mark */
    const char *label;
} cs_line_mark;

typedef struct cs_line_band {
    double from, to; /* of x */
    const char *label;
} cs_line_band;

/* There is a legend if at least 2 and at most 8 lines have a label. More than 8 lines have one colour, apart from
 * those that are lit. */
typedef struct cs_line_chart {
    cs_frame frame;
    cs_axis x, y;
    const cs_line *lines;
    int n;
    const cs_line_mark *marks; /* vertical lines, x ascending */
    int n_marks;
    const cs_line_band *bands;
    int n_bands;
    bool diagonal; /* the line y = x */
} cs_line_chart;
CS_MUST_CHECK cs_status cs_line_chart_draw(const cs_line_chart *chart, cs_drawing **out);

/* ---- heat maps: pivot, two options, confusion ---- */

/* Cells have their value as text where it fits. Of more than CS_HEAT_CELLS rows or columns
 * the cells are an image without texts; of more than CS_HEAT_PIXELS, a pixel of it is the largest of several cells, so
 * that a rare confusion does not vanish. An image has at most 256 * 256 pixels, whatever the number of classes. */
enum { CS_HEAT_CELLS = 40, CS_HEAT_PIXELS = 256 };

typedef struct cs_heat_map {
    cs_frame frame;
    const char *row_title, *column_title, *value_title;
    const char *const *row_names, *const *column_names; /* [rows], [columns] */
    const double *values;                               /* [rows,columns] NaN: empty */
    const double *sd;                                   /* [rows,columns] printed as ± sd; or NULL */
    const char *const *keys;                            /* [rows,columns] of the cells; or NULL. Not of an image. */
    int rows, columns;
    int decimals;
    cs_colormap map;
    double low, high;  /* of the colours; equal: found from the values */
    bool share_of_row; /* values are shown in per cent of the sum of their row; a row of zeros is empty */
} cs_heat_map;
CS_MUST_CHECK cs_status cs_heat_map_draw(const cs_heat_map *chart, cs_drawing **out);

/* ---- horizontal bars: importance ---- */

typedef struct cs_bar {
    const char *key, *label;
    double value;
    double low, high; /* an interval around the value; equal: none */
    bool noise;       /* in the colour of what is no effect */
} cs_bar;

typedef struct cs_bar_chart {
    cs_frame frame;
    cs_axis value;
    const cs_bar *bars;
    int n;
    int decimals; /* of the value's text */
} cs_bar_chart;
CS_MUST_CHECK cs_status cs_bar_chart_draw(const cs_bar_chart *chart, cs_drawing **out);

/* ---- stacked bars: classes by split ---- */

/* Of more than CS_STACKED_ROWS rows, the last bar has the means of all rows from that one on, in the scale of the
 * others. */
enum { CS_STACKED_ROWS = 60 };

typedef struct cs_stacked_chart {
    cs_frame frame;
    const char *value_title;
    const char *const *names; /* [n] of the bars */
    int n;
    const char *const *parts; /* [n_parts] of the legend, at most 8 */
    int n_parts;
    const double *values; /* [n,n_parts] */
} cs_stacked_chart;
CS_MUST_CHECK cs_status cs_stacked_chart_draw(const cs_stacked_chart *chart, cs_drawing **out);

/* ---- scatter: cost against accuracy ---- */

typedef struct cs_point {
    const char *key, *label;
    double x, y;
    double value; /* the colour, where the chart has a value_title */
} cs_point;

typedef struct cs_scatter_chart {
    cs_frame frame;
    cs_axis x, y;
    const cs_point *points;
    int n;
    const char *value_title; /* NULL: all points have one colour */
} cs_scatter_chart;
CS_MUST_CHECK cs_status cs_scatter_chart_draw(const cs_scatter_chart *chart, cs_drawing **out);

/* ---- parallel coordinates ---- */

typedef struct cs_parallel_axis {
    cs_axis axis;
    const char *const *names; /* [n_names] of a categorical axis, whose values are 0 .. n_names - 1; NULL: numeric */
    int n_names;
} cs_parallel_axis;

typedef struct cs_parallel_line {
    const char *key, *label;
    const double *at; /* [n_axes] NaN: the line is interrupted */
    double value;     /* the colour */
} cs_parallel_line;

/* Each axis is a group of class "cs-axis" with data-axis = its number; the vertices of a trial's path are at the axes.
 */
typedef struct cs_parallel_chart {
    cs_frame frame;
    const cs_parallel_axis *axes; /* [n_axes] at least 1 */
    int n_axes;
    const cs_parallel_line *lines;
    int n;
    const char *value_title;
} cs_parallel_chart;
CS_MUST_CHECK cs_status cs_parallel_chart_draw(const cs_parallel_chart *chart, cs_drawing **out);

/* ---- time line of ranks ---- */

typedef enum cs_span_state { CS_SPAN_OK, CS_SPAN_FAILED, CS_SPAN_RUNNING, CS_SPAN_STATE_COUNT } cs_span_state;

typedef struct cs_span {
    const char *key, *label;
    int row;
    double start, end; /* seconds */
    cs_span_state state;
} cs_span;

typedef struct cs_time_line {
    cs_frame frame;
    const char *row_title;
    const char *const *rows; /* [n_rows] names of the ranks */
    int n_rows;
    const cs_span *spans;
    int n;
} cs_time_line;
CS_MUST_CHECK cs_status cs_time_line_draw(const cs_time_line *chart, cs_drawing **out);

/* ---- reliability diagram ---- */

/* Guo and others, "On Calibration of Modern Neural Networks", 2017, figure 1. */
typedef struct cs_reliability_bar {
    double confidence, accuracy; /* means of the bin's images */
    double count;                /* 0: the bin is empty */
} cs_reliability_bar;

typedef struct cs_reliability_chart {
    cs_frame frame;
    const cs_reliability_bar *bins; /* [n] of equal width from 0 to 1 */
    int n;
} cs_reliability_chart;
CS_MUST_CHECK cs_status cs_reliability_chart_draw(const cs_reliability_chart *chart, cs_drawing **out);

#endif
