/* SPDX-License-Identifier: Apache-2.0 */
/* A drawing: a list of rectangles, lines, paths, circles, texts and images, recorded once, that is printed as SVG and
 * written as PDF and PNG.
 *
 * Lengths are in pixels of CSS, 1/96 inch; x goes to the right, y goes down. Colours are roles, so that a page decides
 * what they look like in its light and its dark theme; PDF and PNG have the light theme. Coordinates that are not
 * finite leave a primitive out, and interrupt a path.
 *
 * The functions that record return nothing: where memory ran out, the drawing remembers it, and cs_drawing_check and
 * all functions that print or write return CS_ERR_NO_MEMORY.
 *
 * The next primitive is a value of cs_kind and a struct in src/report/draw/record.h, and a function in svg.c and in
 * cairo.c; the next format is a row of the table in write.c. */
#ifndef CNNSWEEP_DRAWING_H
#define CNNSWEEP_DRAWING_H

#include "cnnsweep/colormap.h"
#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CS_SERIES_COLOURS = 8 };

/* What a colour means. In SVG the stroke and the fill of a primitive are the classes "cs-s-<role>" and "cs-f-<role>"
 * with the names text, muted, axis, grid, mark, faint, background, bad, 0 .. 7. */
typedef enum cs_role {
    CS_ROLE_NONE, /* not stroked, not filled */
    CS_ROLE_TEXT,
    CS_ROLE_MUTED, /* text of less weight: the numbers of an axis */
    CS_ROLE_AXIS,
    CS_ROLE_GRID,
    CS_ROLE_MARK,       /* what the reader is told to look at: the best epoch */
    CS_ROLE_FAINT,      /* what stands behind: bands, raw values behind smoothed ones */
    CS_ROLE_BACKGROUND, /* of the page */
    CS_ROLE_BAD,        /* failures */
    CS_ROLE_COLOUR,     /* the paint's own colour */
    CS_ROLE_SERIES, /* CS_ROLE_SERIES + i, i < CS_SERIES_COLOURS: colours that the colour-blind tell apart (Okabe and
                       Ito, Color Universal Design, 2008) */
    CS_ROLE_COUNT = CS_ROLE_SERIES + CS_SERIES_COLOURS
} cs_role;

/* The role of the i-th series; after the last colour comes the first again. */
cs_role cs_role_series(int i);

typedef struct cs_paint {
    cs_role role;
    cs_rgb rgb; /* of CS_ROLE_COLOUR */
} cs_paint;

typedef enum cs_dash { CS_DASH_NONE, CS_DASH_LONG, CS_DASH_SHORT, CS_DASH_COUNT } cs_dash;

typedef struct cs_style {
    cs_paint stroke, fill;
    double width; /* of the stroke; 0: 1 */
    cs_dash dash;
    double opacity; /* 0: opaque */
} cs_style;

typedef enum cs_anchor { CS_ANCHOR_START, CS_ANCHOR_MIDDLE, CS_ANCHOR_END } cs_anchor;

typedef struct cs_text_style {
    cs_paint paint;   /* of role CS_ROLE_NONE: that of CS_ROLE_TEXT */
    double size;      /* height of the letters, of "font-size"; 0: that of the drawing */
    cs_anchor anchor; /* a text is left to right, or right to left, by its first letter; the anchor is that of LTR */
    bool bold;
    double rotation; /* degrees clockwise around the anchor */
} cs_text_style;

/* A group in SVG: <g class="..." data-trial="t003" tabindex="0"><title>...</title>. PDF and PNG ignore it. */
typedef struct cs_group {
    const char *key;       /* NULL: no data attribute */
    const char *key_name;  /* NULL: "trial"; lower-case letters and '-' */
    const char *css_class; /* NULL: none; letters, digits, '-' and ' ' */
    const char *tooltip;   /* NULL: none; also the name that screen readers say */
    bool focusable;        /* can be reached by the keyboard */
} cs_group;

typedef struct cs_drawing cs_drawing;

/* `title` is the name that screen readers say, `description` (NULL: none) what they add. `text_size` is that of texts
 * whose style has none. */
CS_MUST_CHECK cs_status cs_drawing_create(double width, double height, double text_size, const char *title,
                                          const char *description, cs_drawing **out);
void cs_drawing_free(cs_drawing *drawing); /* NULL-safe */
double cs_drawing_width(const cs_drawing *drawing);
double cs_drawing_height(const cs_drawing *drawing);
/* CS_ERR_NO_MEMORY if something could not be recorded. */
CS_MUST_CHECK cs_status cs_drawing_check(const cs_drawing *drawing);

void cs_drawing_rectangle(cs_drawing *drawing, double x, double y, double width, double height, const cs_style *style);
void cs_drawing_line(cs_drawing *drawing, double x1, double y1, double x2, double y2, const cs_style *style);
/* x, y [n]. A point that is not finite interrupts the path. Where style->fill has a role, the path is an area. */
void cs_drawing_path(cs_drawing *drawing, const double *x, const double *y, int n, const cs_style *style);
void cs_drawing_circle(cs_drawing *drawing, double x, double y, double radius, const cs_style *style);
/* y is the baseline. */
void cs_drawing_text(cs_drawing *drawing, double x, double y, const char *text, const cs_text_style *style);
/* `pixels` [rows,columns], drawn as rectangles of one colour each: nothing is smoothed. */
void cs_drawing_image(cs_drawing *drawing, double x, double y, double width, double height, const cs_rgb *pixels,
                      int rows, int columns);
/* What is recorded until the matching end is in the group. Groups nest. */
void cs_drawing_begin_group(cs_drawing *drawing, const cs_group *group);
void cs_drawing_end_group(cs_drawing *drawing);

/* The width of a text in a sans-serif font, estimated from its letters alone, so that a layout is the same on every
 * machine. */
double cs_text_width(const char *text, double size);
/* Copies as much of the text as is at most `width` wide; a longer one ends in an ellipsis. Never cuts within a
 * character. Returns `out`. */
const char *cs_text_shorten(const char *text, double width, double text_size, char *out, size_t size);

typedef enum cs_svg_kind {
    CS_SVG_INLINE,    /* an element of an HTML page that has the rules of cs_drawing_print_css */
    CS_SVG_STANDALONE /* a file, with its own rules, light or dark as the reader prefers */
} cs_svg_kind;

/* Prints <svg role="img">, or role="group" if groups in it are focusable, with <title> and <desc>. Its ids begin with
 * `prefix` (letters, digits and '-'), which must be another for each drawing of a page. */
CS_MUST_CHECK cs_status cs_drawing_print_svg(const cs_drawing *drawing, cs_svg_kind kind, const char *prefix,
                                             FILE *out);
/* Prints the CSS rules (without <style>) that inline SVGs need: the colours as variables "--cs-<role>" of :root, in
 * light and, by prefers-color-scheme or :root[data-theme=dark], in dark; and the classes. */
void cs_drawing_print_css(FILE *out);

/* Writes a file that is complete or absent, without syncing it (cs_atomic_publish). PDF: 1 pixel is 0.75 pt. PNG:
 * `scale` pixels of the file are a pixel of the drawing (2: 192 dpi). Without any font on the machine, letters are
 * drawn by strokes of a built-in font of ASCII. */
CS_MUST_CHECK cs_status cs_drawing_write_svg(const cs_drawing *drawing, const char *path);
CS_MUST_CHECK cs_status cs_drawing_write_pdf(const cs_drawing *drawing, const char *path);
CS_MUST_CHECK cs_status cs_drawing_write_png(const cs_drawing *drawing, double scale, const char *path);
/* Writes "<stem>.svg", "<stem>.pdf" and "<stem>.png" (192 dpi). */
CS_MUST_CHECK cs_status cs_drawing_write_all(const cs_drawing *drawing, const char *stem);

#endif
