/* SPDX-License-Identifier: Apache-2.0 */
#include "cairo.h"

#include <assert.h>
#include <math.h>

static const double full_circle = 6.283185307179586, degree = 0.017453292519943295;

/* Makes the paint the current colour. False: there is nothing to paint. */
static bool set_paint(cairo_t *cairo, cs_paint paint, double opacity) {
    const double full = 255;
    if (paint.role == CS_ROLE_NONE)
        return false;
    const cs_rgb rgb = paint.role == CS_ROLE_COLOUR ? paint.rgb : cs_role_colour(paint.role, false);
    cairo_set_source_rgba(cairo, rgb.r / full, rgb.g / full, rgb.b / full, opacity);
    return true;
}

/* Fills and strokes the current path. */
static void paint_path(cairo_t *cairo, const cs_style *style) {
    double dash[2];
    if (set_paint(cairo, style->fill, cs_style_opacity(style)))
        cairo_fill_preserve(cairo);
    if (set_paint(cairo, style->stroke, cs_style_opacity(style))) {
        cairo_set_line_width(cairo, cs_style_width(style));
        cairo_set_dash(cairo, dash, cs_dash_lengths(style->dash, dash) ? 2 : 0, 0);
        cairo_stroke_preserve(cairo);
    }
    cairo_new_path(cairo);
}

static void paint_rectangle(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    (void)drawing;
    cairo_rectangle(cairo, p->at[0], p->at[1], p->at[2], p->at[3]);
    paint_path(cairo, &p->style);
}

static void paint_line(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    (void)drawing;
    cairo_move_to(cairo, p->at[0], p->at[1]);
    cairo_line_to(cairo, p->at[2], p->at[3]);
    paint_path(cairo, &p->style);
}

static void paint_points(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    bool inside = false;
    (void)drawing;
    for (int i = 0; i < p->n; i++) {
        const double *point = &p->points[2 * (size_t)i];
        const bool was_inside = inside;
        inside = isfinite(point[0]) && isfinite(point[1]);
        if (inside && was_inside)
            cairo_line_to(cairo, point[0], point[1]);
        else if (inside)
            cairo_move_to(cairo, point[0], point[1]);
    }
    paint_path(cairo, &p->style);
}

static void paint_circle(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    (void)drawing;
    cairo_arc(cairo, p->at[0], p->at[1], p->at[2], 0, full_circle);
    cairo_close_path(cairo);
    paint_path(cairo, &p->style);
}

static void paint_text(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    const cs_text_style *style = &p->text_style;
    cairo_save(cairo);
    set_paint(cairo, cs_primitive_text_paint(p), 1);
    cairo_translate(cairo, p->at[0], p->at[1]);
    cairo_rotate(cairo, style->rotation * degree);
    cairo_move_to(cairo, 0, 0);
    cs_font_paint(cairo, p->text, cs_primitive_text_size(drawing, p), style->bold, style->anchor);
    cairo_restore(cairo);
    cairo_new_path(cairo);
}

static void paint_image(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) {
    enum { GREEN = 8, RED = 16 };
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, p->columns, p->rows);
    unsigned char *rows = cairo_image_surface_get_data(surface);
    (void)drawing;
    if (rows) { /* else the surface has an error, which cairo keeps */
        const int stride = cairo_image_surface_get_stride(surface);
        for (int r = 0; r < p->rows; r++) {
            uint32_t *row = (uint32_t *)(void *)(rows + (size_t)r * (size_t)stride);
            for (int c = 0; c < p->columns; c++) {
                const cs_rgb *pixel = &p->pixels[(size_t)r * (size_t)p->columns + (size_t)c];
                row[c] = (uint32_t)pixel->r << RED | (uint32_t)pixel->g << GREEN | pixel->b;
            }
        }
        cairo_surface_mark_dirty(surface);
    }
    cairo_save(cairo);
    cairo_translate(cairo, p->at[0], p->at[1]);
    cairo_scale(cairo, p->at[2] / p->columns, p->at[3] / p->rows);
    cairo_set_source_surface(cairo, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    cairo_rectangle(cairo, 0, 0, p->columns, p->rows);
    cairo_fill(cairo);
    cairo_restore(cairo);
    cairo_surface_destroy(surface);
}

static void (*const painters[CS_KIND_COUNT])(const cs_drawing *drawing, const cs_primitive *p, cairo_t *cairo) = {
    [CS_KIND_RECTANGLE] = paint_rectangle, [CS_KIND_LINE] = paint_line, [CS_KIND_PATH] = paint_points,
    [CS_KIND_CIRCLE] = paint_circle,       [CS_KIND_TEXT] = paint_text, [CS_KIND_IMAGE] = paint_image,
};

void cs_drawing_paint(const cs_drawing *drawing, cairo_t *cairo) {
    assert(drawing->depth == 0);
    set_paint(cairo, (cs_paint){.role = CS_ROLE_BACKGROUND}, 1);
    cairo_paint(cairo);
    for (size_t i = 0; i < drawing->n; i++)
        if (painters[drawing->primitives[i].kind]) /* groups are not painted */
            painters[drawing->primitives[i].kind](drawing, &drawing->primitives[i], cairo);
}
