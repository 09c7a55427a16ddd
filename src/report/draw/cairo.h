/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings on surfaces of the library cairo. */
#ifndef CNNSWEEP_DRAW_CAIRO_H
#define CNNSWEEP_DRAW_CAIRO_H

#include "record.h"

#include <cairo.h>

/* Paints the drawing in the light theme. One unit of the user's space is a pixel of the drawing. */
void cs_drawing_paint(const cs_drawing *drawing, cairo_t *cairo);

/* Paints a text, valid UTF-8, whose anchor is the current point, in the current colour. */
void cs_font_paint(cairo_t *cairo, const char *text, double size, bool bold, cs_anchor anchor);

/* The same in strokes of a font of ASCII that needs no fonts on the machine; other characters are boxes. */
void cs_strokes_paint(cairo_t *cairo, const char *text, double size, bool bold, cs_anchor anchor);

/* Prints a surface of CAIRO_FORMAT_RGB24 as PNG, `scale` pixels of which are 1/96 inch. */
CS_MUST_CHECK cs_status cs_png_print(cairo_surface_t *surface, double scale, FILE *out);

#endif
