/* SPDX-License-Identifier: Apache-2.0 */
/* What a drawing has recorded, for the files that print it. */
#ifndef CNNSWEEP_DRAW_RECORD_H
#define CNNSWEEP_DRAW_RECORD_H

#include "cnnsweep/drawing.h"

typedef enum cs_kind {
    CS_KIND_RECTANGLE,
    CS_KIND_LINE,
    CS_KIND_PATH,
    CS_KIND_CIRCLE,
    CS_KIND_TEXT,
    CS_KIND_IMAGE,
    CS_KIND_BEGIN_GROUP,
    CS_KIND_END_GROUP,
    CS_KIND_COUNT
} cs_kind;

typedef struct cs_primitive {
    cs_kind kind;
    double at[4]; /* x, y, width, height; x1, y1, x2, y2 of a line; x, y, radius of a circle; x, y of a text */
    cs_style style;
    double *points; /* [n,2] of a path */
    int n;
    char *text; /* of a text: valid UTF-8 of one line */
    cs_text_style text_style;
    cs_rgb *pixels; /* [rows,columns] of an image */
    int rows, columns;
    char *key, *key_name, *css_class, *tooltip; /* of a group */
    bool focusable;
} cs_primitive;

struct cs_drawing {
    double width, height, text_size;
    char *title, *description;
    cs_primitive *primitives;
    size_t n, capacity;
    int depth;         /* groups that are open */
    bool focusable;    /* a group is */
    cs_status problem; /* CS_ERR_NO_MEMORY: something was left out */
};

/* The size of a text, and what it is painted with, of which the style may say nothing. */
double cs_primitive_text_size(const cs_drawing *drawing, const cs_primitive *text);
cs_paint cs_primitive_text_paint(const cs_primitive *text);
/* Width of a stroke. */
double cs_style_width(const cs_style *style);
double cs_style_opacity(const cs_style *style);

/* Roles: their names in CSS, and their colours in the light and the dark theme. */
const char *cs_role_name(cs_role role);
cs_rgb cs_role_colour(cs_role role, bool dark);
/* The lengths of a dash and of the gap after it. False: the line is solid. */
bool cs_dash_lengths(cs_dash dash, double lengths[2]);

#endif
