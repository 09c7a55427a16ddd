/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char what[] = "drawing";

/* Copies a text as one line of valid UTF-8. */
static cs_status copy_line(const char *text, char **out) {
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t used = 0;
    CS_TRY(cs_alloc(strlen(text) * (sizeof replacement - 1) + 1, 1, what, out));
    while (*text) {
        uint32_t code;
        const int n = cs_utf8_read(text, &code);
        const bool is_space = *text == '\t' || *text == '\n', is_text = n > 0 && cs_utf8_is_text(code);
        const char *copied = is_space ? " " : is_text ? text : replacement;
        const size_t size = copied == text ? (size_t)n : strlen(copied);
        memcpy(*out + used, copied, size);
        used += size;
        text += n > 0 ? n : 1;
    }
    return CS_OK;
}

static cs_status copy_optional(const char *text, char **out) {
    *out = NULL;
    return text ? cs_strdup(text, out) : CS_OK;
}

cs_status cs_drawing_create(double width, double height, double text_size, const char *title, const char *description,
                            cs_drawing **out) {
    CS_TRY(cs_alloc(1, sizeof **out, what, out));
    **out = (cs_drawing){.width = width, .height = height, .text_size = text_size};
    cs_status status = copy_line(title, &(*out)->title);
    if (status == CS_OK)
        status = copy_optional(description, &(*out)->description);
    if (status != CS_OK) {
        cs_drawing_free(*out);
        *out = NULL;
    }
    return status;
}

static void clear_primitive(cs_primitive *p) {
    void *const owned[] = {p->points, p->text, p->pixels, p->key, p->key_name, p->css_class, p->tooltip};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

void cs_drawing_free(cs_drawing *drawing) {
    if (!drawing)
        return;
    for (size_t i = 0; i < drawing->n; i++)
        clear_primitive(&drawing->primitives[i]);
    free(drawing->primitives);
    free(drawing->title);
    free(drawing->description);
    free(drawing);
}

double cs_drawing_width(const cs_drawing *drawing) {
    return drawing->width;
}

double cs_drawing_height(const cs_drawing *drawing) {
    return drawing->height;
}

cs_status cs_drawing_check(const cs_drawing *drawing) {
    return drawing->problem == CS_OK ? CS_OK : cs_fail(drawing->problem, "no memory for \"%s\"", drawing->title);
}

/* A new primitive at the end of the list; NULL where memory ran out. */
static cs_primitive *add(cs_drawing *drawing, cs_kind kind, const cs_style *style) {
    const cs_status status =
        cs_grow(&drawing->primitives, &drawing->capacity, drawing->n + 1, sizeof *drawing->primitives, what);
    if (status != CS_OK) {
        drawing->problem = status;
        return NULL;
    }
    cs_primitive *added = &drawing->primitives[drawing->n++];
    *added = (cs_primitive){.kind = kind};
    if (style)
        added->style = *style;
    return added;
}

/* Adds a primitive that has a place; NULL also where one of its numbers is not finite. */
static cs_primitive *add_at(cs_drawing *drawing, cs_kind kind, const double at[4], const cs_style *style) {
    for (int i = 0; i < 4; i++)
        if (!isfinite(at[i]))
            return NULL;
    cs_primitive *added = add(drawing, kind, style);
    if (added)
        memcpy(added->at, at, sizeof added->at);
    return added;
}

static void note(cs_drawing *drawing, cs_status status) {
    if (status != CS_OK)
        drawing->problem = status;
}

void cs_drawing_rectangle(cs_drawing *drawing, double x, double y, double width, double height, const cs_style *style) {
    add_at(drawing, CS_KIND_RECTANGLE, (double[4]){fmin(x, x + width), fmin(y, y + height), fabs(width), fabs(height)},
           style);
}

void cs_drawing_line(cs_drawing *drawing, double x1, double y1, double x2, double y2, const cs_style *style) {
    add_at(drawing, CS_KIND_LINE, (double[4]){x1, y1, x2, y2}, style);
}

void cs_drawing_path(cs_drawing *drawing, const double *x, const double *y, int n, const cs_style *style) {
    cs_primitive *path = n > 0 ? add(drawing, CS_KIND_PATH, style) : NULL;
    if (!path)
        return;
    note(drawing, cs_alloc((size_t)n * 2, sizeof *path->points, what, &path->points));
    if (!path->points)
        return;
    path->n = n;
    for (int i = 0; i < n; i++) {
        path->points[2 * (size_t)i] = x[i];
        path->points[2 * (size_t)i + 1] = y[i];
    }
}

void cs_drawing_circle(cs_drawing *drawing, double x, double y, double radius, const cs_style *style) {
    add_at(drawing, CS_KIND_CIRCLE, (double[4]){x, y, radius}, style);
}

void cs_drawing_text(cs_drawing *drawing, double x, double y, const char *text, const cs_text_style *style) {
    cs_primitive *added = *text ? add_at(drawing, CS_KIND_TEXT, (double[4]){x, y}, NULL) : NULL;
    if (!added)
        return;
    if (style)
        added->text_style = *style;
    note(drawing, copy_line(text, &added->text));
}

void cs_drawing_image(cs_drawing *drawing, double x, double y, double width, double height, const cs_rgb *pixels,
                      int rows, int columns) {
    const size_t n = (size_t)rows * (size_t)columns;
    cs_primitive *image = add_at(drawing, CS_KIND_IMAGE, (double[4]){x, y, width, height}, NULL);
    if (!image)
        return;
    note(drawing, cs_alloc(n, sizeof *pixels, what, &image->pixels));
    if (!image->pixels)
        return;
    memcpy(image->pixels, pixels, n * sizeof *pixels);
    image->rows = rows;
    image->columns = columns;
}

void cs_drawing_begin_group(cs_drawing *drawing, const cs_group *group) {
    cs_primitive *added = add(drawing, CS_KIND_BEGIN_GROUP, NULL);
    drawing->depth++;
    if (!added)
        return;
    note(drawing, copy_optional(group->key, &added->key));
    note(drawing, copy_optional(group->key_name, &added->key_name));
    note(drawing, copy_optional(group->css_class, &added->css_class));
    note(drawing, copy_optional(group->tooltip, &added->tooltip));
    added->focusable = group->focusable;
    drawing->focusable = drawing->focusable || group->focusable;
}

void cs_drawing_end_group(cs_drawing *drawing) {
    assert(drawing->depth > 0);
    drawing->depth--;
    add(drawing, CS_KIND_END_GROUP, NULL);
}

double cs_primitive_text_size(const cs_drawing *drawing, const cs_primitive *text) {
    return text->text_style.size > 0 ? text->text_style.size : drawing->text_size;
}

cs_paint cs_primitive_text_paint(const cs_primitive *text) {
    const cs_paint paint = text->text_style.paint;
    return paint.role == CS_ROLE_NONE ? (cs_paint){.role = CS_ROLE_TEXT} : paint;
}

double cs_style_width(const cs_style *style) {
    return style->width > 0 ? style->width : 1;
}

double cs_style_opacity(const cs_style *style) {
    return style->opacity > 0 ? style->opacity : 1;
}
