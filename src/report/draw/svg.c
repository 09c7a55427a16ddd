/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings as SVG 1.1. */
#include "record.h"

#include "cnnsweep/html.h"
#include "cnnsweep/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Coordinates have one decimal, and none where that is 0, which makes pages smaller. A page has some ten thousand of
 * them, for which printf takes several times as long. */
static void print_number(double value, FILE *out) {
    char text[32];
    size_t at = sizeof text;
    unsigned long long tenths = (unsigned long long)llround(fabs(value) * 10);
    const bool is_negative = value < 0 && tenths > 0;
    if (tenths % 10 > 0) {
        text[--at] = (char)('0' + tenths % 10);
        text[--at] = '.';
    }
    do {
        tenths /= 10;
        text[--at] = (char)('0' + tenths % 10);
    } while (tenths >= 10);
    if (is_negative)
        text[--at] = '-';
    fwrite(text + at, 1, sizeof text - at, out);
}

static void print_coordinate(const char *name, double value, FILE *out) {
    fputc(' ', out);
    fputs(name, out);
    fputs("=\"", out);
    print_number(value, out);
    fputc('"', out);
}

static void print_colour(const char *name, cs_rgb colour, FILE *out) {
    fprintf(out, " %s=\"#%02x%02x%02x\"", name, colour.r, colour.g, colour.b);
}

/* Roles are classes, which have rules; a colour of its own is an attribute. */
static void print_paint(const cs_style *style, FILE *out) {
    const cs_paint *stroke = &style->stroke, *fill = &style->fill;
    const bool stroke_class = stroke->role != CS_ROLE_NONE && stroke->role != CS_ROLE_COLOUR;
    const bool fill_class = fill->role != CS_ROLE_NONE && fill->role != CS_ROLE_COLOUR;
    if (stroke_class || fill_class)
        fprintf(out, " class=\"%s%s%s%s%s\"", stroke_class ? "cs-s-" : "",
                stroke_class ? cs_role_name(stroke->role) : "", stroke_class && fill_class ? " " : "",
                fill_class ? "cs-f-" : "", fill_class ? cs_role_name(fill->role) : "");
    if (stroke->role == CS_ROLE_COLOUR)
        print_colour("stroke", stroke->rgb, out);
    if (fill->role == CS_ROLE_COLOUR)
        print_colour("fill", fill->rgb, out);
    else if (fill->role == CS_ROLE_NONE && !stroke_class)
        fputs(" fill=\"none\"", out);
}

static void print_style(const cs_style *style, FILE *out) {
    double dash[2];
    print_paint(style, out);
    if (style->stroke.role != CS_ROLE_NONE && cs_style_width(style) != 1)
        print_coordinate("stroke-width", style->width, out);
    if (cs_dash_lengths(style->dash, dash))
        fprintf(out, " stroke-dasharray=\"%g %g\"", dash[0], dash[1]);
    if (cs_style_opacity(style) < 1)
        fprintf(out, " opacity=\"%.2g\"", style->opacity);
}

static cs_status print_rectangle(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    static const char *const names[] = {"x", "y", "width", "height"};
    (void)drawing;
    fputs("<rect", out);
    for (int i = 0; i < 4; i++)
        print_coordinate(names[i], p->at[i], out);
    print_style(&p->style, out);
    fputs("/>\n", out);
    return CS_OK;
}

static cs_status print_line(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    static const char *const names[] = {"x1", "y1", "x2", "y2"};
    (void)drawing;
    fputs("<line", out);
    for (int i = 0; i < 4; i++)
        print_coordinate(names[i], p->at[i], out);
    print_style(&p->style, out);
    fputs("/>\n", out);
    return CS_OK;
}

static cs_status print_path(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    bool inside = false;
    (void)drawing;
    fputs("<path d=\"", out);
    for (int i = 0; i < p->n; i++) {
        const double *point = &p->points[2 * (size_t)i];
        const bool was_inside = inside;
        inside = isfinite(point[0]) && isfinite(point[1]);
        if (!inside)
            continue;
        fputc(was_inside ? 'L' : 'M', out);
        print_number(point[0], out);
        fputc(' ', out);
        print_number(point[1], out);
    }
    fputc('"', out);
    print_style(&p->style, out);
    fputs("/>\n", out);
    return CS_OK;
}

static cs_status print_circle(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    static const char *const names[] = {"cx", "cy", "r"};
    (void)drawing;
    fputs("<circle", out);
    for (int i = 0; i < 3; i++)
        print_coordinate(names[i], p->at[i], out);
    print_style(&p->style, out);
    fputs("/>\n", out);
    return CS_OK;
}

/* The <svg> element has the size and the colour of most texts. */
static cs_status print_text(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    static const char *const anchors[] = {[CS_ANCHOR_MIDDLE] = "middle", [CS_ANCHOR_END] = "end"};
    const cs_text_style *style = &p->text_style;
    const cs_paint paint = cs_primitive_text_paint(p);
    fputs("<text", out);
    print_coordinate("x", p->at[0], out);
    print_coordinate("y", p->at[1], out);
    if (paint.role == CS_ROLE_COLOUR)
        print_colour("fill", paint.rgb, out);
    else if (paint.role != CS_ROLE_TEXT)
        fprintf(out, " class=\"cs-f-%s\"", cs_role_name(paint.role));
    if (cs_primitive_text_size(drawing, p) != drawing->text_size)
        print_coordinate("font-size", style->size, out);
    if (style->anchor != CS_ANCHOR_START)
        fprintf(out, " text-anchor=\"%s\"", anchors[style->anchor]);
    if (style->bold)
        fputs(" font-weight=\"bold\"", out);
    if (style->rotation != 0) {
        fputs(" transform=\"rotate(", out);
        print_number(style->rotation, out);
        fputc(' ', out);
        print_number(p->at[0], out);
        fputc(' ', out);
        print_number(p->at[1], out);
        fputs(")\"", out);
    }
    fputc('>', out);
    cs_html_text(out, p->text);
    fputs("</text>\n", out);
    return CS_OK;
}

static cs_status print_image(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    const cs_image image = {.h = p->rows, .w = p->columns, .pixels = (uint8_t *)p->pixels};
    uint8_t *bytes = NULL;
    size_t size;
    (void)drawing;
    CS_TRY(cs_encode_png(&image, &bytes, &size));
    fputs("<image", out);
    print_coordinate("x", p->at[0], out);
    print_coordinate("y", p->at[1], out);
    print_coordinate("width", p->at[2], out);
    print_coordinate("height", p->at[3], out);
    fputs(" preserveAspectRatio=\"none\" image-rendering=\"pixelated\" xlink:href=\"data:image/png;base64,", out);
    cs_html_base64(out, bytes, size);
    fputs("\"/>\n", out);
    free(bytes);
    return CS_OK;
}

static void print_attribute(const char *name, const char *value, FILE *out) {
    if (!value)
        return;
    fprintf(out, " %s=\"", name);
    cs_html_attribute(out, value);
    fputc('"', out);
}

/* A group that can be focused has the role of an image, whose name is its title, because an element without a role has
 * no name. */
static cs_status print_begin_group(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    (void)drawing;
    fputs("<g", out);
    print_attribute("class", p->css_class, out);
    if (p->key) {
        fprintf(out, " data-%s=\"", p->key_name ? p->key_name : "trial");
        cs_html_attribute(out, p->key);
        fputc('"', out);
    }
    if (p->focusable)
        fputs(" tabindex=\"0\" role=\"img\"", out);
    fputc('>', out);
    if (p->tooltip) {
        fputs("<title>", out);
        cs_html_text(out, p->tooltip);
        fputs("</title>", out);
    }
    fputc('\n', out);
    return CS_OK;
}

static cs_status print_end_group(const cs_drawing *drawing, const cs_primitive *p, FILE *out) {
    (void)drawing;
    (void)p;
    fputs("</g>\n", out);
    return CS_OK;
}

static cs_status (*const printers[CS_KIND_COUNT])(const cs_drawing *drawing, const cs_primitive *p, FILE *out) = {
    [CS_KIND_RECTANGLE] = print_rectangle,     [CS_KIND_LINE] = print_line,           [CS_KIND_PATH] = print_path,
    [CS_KIND_CIRCLE] = print_circle,           [CS_KIND_TEXT] = print_text,           [CS_KIND_IMAGE] = print_image,
    [CS_KIND_BEGIN_GROUP] = print_begin_group, [CS_KIND_END_GROUP] = print_end_group,
};

/* A role's colour: a variable of the page, or the colour itself, because other programs than browsers know no
 * variables. */
static void print_role(cs_role role, bool variables, bool dark, FILE *out) {
    const cs_rgb colour = cs_role_colour(role, dark);
    if (variables)
        fprintf(out, "var(--cs-%s)", cs_role_name(role));
    else
        fprintf(out, "#%02x%02x%02x", colour.r, colour.g, colour.b);
}

static bool is_coloured(cs_role role) {
    return role != CS_ROLE_NONE && role != CS_ROLE_COLOUR;
}

/* The rules of the classes. Those of fills come last, so that they have precedence over "fill: none". */
static void print_rules(bool variables, bool dark, FILE *out) {
    fputs(".cs-drawing{font-family:sans-serif;fill:", out);
    print_role(CS_ROLE_TEXT, variables, dark, out);
    fputs("}\n", out);
    for (int pass = 0; pass < 2; pass++)
        for (int role = 0; role < CS_ROLE_COUNT; role++) {
            if (!is_coloured((cs_role)role))
                continue;
            fprintf(out, pass == 0 ? ".cs-s-%s{fill:none;stroke:" : ".cs-f-%s{fill:", cs_role_name((cs_role)role));
            print_role((cs_role)role, variables, dark, out);
            fputs("}\n", out);
        }
}

static void print_variables(bool dark, FILE *out) {
    for (int role = 0; role < CS_ROLE_COUNT; role++)
        if (is_coloured((cs_role)role)) {
            fprintf(out, "--cs-%s:", cs_role_name((cs_role)role));
            print_role((cs_role)role, false, dark, out);
            fputs(";", out);
        }
    fputs("}\n", out);
}

void cs_drawing_print_css(FILE *out) {
    fputs(":root{", out);
    print_variables(false, out);
    fputs("@media (prefers-color-scheme:dark){:root:not([data-theme=light]){", out);
    print_variables(true, out);
    fputs("}\n:root[data-theme=dark]{", out);
    print_variables(true, out);
    print_rules(true, false, out);
    fputs(".cs-drawing{max-width:100%;height:auto}\n", out);
}

static void print_own_rules(FILE *out) {
    fputs("<style>\n", out);
    print_rules(false, false, out);
    fputs("@media (prefers-color-scheme:dark){\n", out);
    print_rules(false, true, out);
    fputs("}\n</style>\n", out);
}

/* The children of an image are not told to those who cannot see it, so that a drawing in which some are reached by the
 * keyboard is a group. */
static void print_head(const cs_drawing *drawing, cs_svg_kind kind, const char *prefix, FILE *out) {
    if (kind == CS_SVG_STANDALONE)
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" class=\"cs-drawing\" "
          "viewBox=\"0 0 ",
          out);
    print_number(drawing->width, out);
    fputc(' ', out);
    print_number(drawing->height, out);
    fputc('"', out);
    print_coordinate("width", drawing->width, out);
    print_coordinate("height", drawing->height, out);
    print_coordinate("font-size", drawing->text_size, out);
    fprintf(out, " role=\"%s\" aria-labelledby=\"%s-title\"", drawing->focusable ? "group" : "img", prefix);
    if (drawing->description)
        fprintf(out, " aria-describedby=\"%s-desc\"", prefix);
    fprintf(out, ">\n<title id=\"%s-title\">", prefix);
    cs_html_text(out, drawing->title);
    fputs("</title>\n", out);
    if (drawing->description) {
        fprintf(out, "<desc id=\"%s-desc\">", prefix);
        cs_html_text(out, drawing->description);
        fputs("</desc>\n", out);
    }
    if (kind == CS_SVG_STANDALONE)
        print_own_rules(out);
}

cs_status cs_drawing_print_svg(const cs_drawing *drawing, cs_svg_kind kind, const char *prefix, FILE *out) {
    CS_TRY(cs_drawing_check(drawing));
    assert(drawing->depth == 0);
    print_head(drawing, kind, prefix, out);
    if (kind == CS_SVG_STANDALONE)
        fputs("<rect width=\"100%\" height=\"100%\" class=\"cs-f-background\"/>\n", out);
    for (size_t i = 0; i < drawing->n; i++)
        CS_TRY(printers[drawing->primitives[i].kind](drawing, &drawing->primitives[i], out));
    fputs("</svg>\n", out);
    return CS_OK;
}
