/* SPDX-License-Identifier: Apache-2.0 */
#include "plot.h"

#include "cnnsweep/text.h"

#include <math.h>
#include <stdio.h>

static const double title_size = 1.15; /* of the size of texts */

double cs_map(const cs_mapping *m, double value) {
    if (m->scale == CS_SCALE_LOG)
        return value > 0 ? m->from + (m->to - m->from) * log(value / m->low) / log(m->high / m->low) : NAN;
    return m->from + (m->to - m->from) * (value - m->low) / (m->high - m->low);
}

double cs_frame_text(const cs_frame *frame) {
    return frame->text_size > 0 ? frame->text_size : CS_FRAME_TEXT;
}

double cs_frame_width(const cs_frame *frame) {
    return frame->width > 0 ? frame->width : CS_FRAME_WIDTH;
}

/* CS_FRAME_HEIGHT on a page. A narrow chart is higher for its width, because its texts are larger for its width. */
double cs_frame_height(const cs_frame *frame) {
    const double lines = (CS_FRAME_HEIGHT - CS_FRAME_WIDTH / 2.0) / CS_FRAME_TEXT;
    return frame->height > 0 ? frame->height : cs_frame_width(frame) / 2 + lines * cs_frame_text(frame);
}

double cs_frame_margin(const cs_frame *frame) {
    return cs_frame_text(frame) * 0.7;
}

double cs_frame_title_height(const cs_frame *frame) {
    const double line = 1.6;
    return cs_frame_margin(frame) + (frame->untitled ? 0 : line * cs_frame_text(frame));
}

cs_frame cs_frame_column(const cs_frame *frame) {
    cs_frame column = *frame;
    column.width = 3.4 * 96;
    column.height = 0.68 * column.width;
    column.text_size = 9.6;
    return column;
}

cs_status cs_plot_open(const cs_frame *frame, double height, cs_plot *plot) {
    const double text = cs_frame_text(frame), width = cs_frame_width(frame), margin = cs_frame_margin(frame);
    *plot = (cs_plot){.text = text,
                      .left = margin,
                      .right = width - margin,
                      .top = cs_frame_title_height(frame),
                      .bottom = height - margin,
                      .focusable = frame->focusable};
    CS_TRY(cs_drawing_create(width, height, text, frame->title, frame->description, &plot->drawing));
    if (!frame->untitled)
        cs_plot_text(plot, margin, margin + text, frame->title, width - 2 * margin,
                     &(cs_text_style){.size = title_size * text, .bold = true});
    return CS_OK;
}

cs_status cs_plot_close(cs_plot *plot, cs_drawing **out) {
    const cs_status status = cs_drawing_check(plot->drawing);
    *out = status == CS_OK ? plot->drawing : NULL;
    if (status != CS_OK)
        cs_drawing_free(plot->drawing);
    plot->drawing = NULL;
    return status;
}

void cs_plot_text(const cs_plot *plot, double x, double y, const char *text, double width, const cs_text_style *style) {
    const double size = style->size > 0 ? style->size : plot->text, bold_wider = 1.08;
    const double room = style->bold ? width / bold_wider : width;
    char shown[CS_CHART_TEXT_MAX];
    if (!text)
        return;
    if (cs_text_width(text, size) <= room) {
        cs_drawing_text(plot->drawing, x, y, text, style);
        return;
    }
    cs_drawing_begin_group(plot->drawing, &(cs_group){.tooltip = text});
    cs_drawing_text(plot->drawing, x, y, cs_text_shorten(text, room, size, shown, sizeof shown), style);
    cs_drawing_end_group(plot->drawing);
}

void cs_plot_text_in_front(const cs_plot *plot, double x, double y, const char *text, double width,
                           const cs_text_style *style) {
    static const double before[] = {[CS_ANCHOR_START] = 0, [CS_ANCHOR_MIDDLE] = 0.5, [CS_ANCHOR_END] = 1};
    const double size = style->size > 0 ? style->size : plot->text, border = 0.15 * size, height = 1.2 * size;
    const double shown = fmin(cs_text_width(cs_label(text), size), width);
    if (shown > 0)
        cs_drawing_rectangle(plot->drawing, x - before[style->anchor] * shown - border, y - 0.95 * size,
                             shown + 2 * border, height,
                             &(cs_style){.fill = {.role = CS_ROLE_BACKGROUND}, .opacity = 0.7});
    cs_plot_text(plot, x, y, text, width, style);
}

const char *cs_label(const char *text) {
    return text ? text : "";
}

int cs_name_bytes(const char *name, int limit) {
    int used = 0;
    while (name[used]) {
        uint32_t code;
        const int n = cs_utf8_read(name + used, &code), bytes = n > 0 ? n : 1;
        if (used + bytes > limit)
            break;
        used += bytes;
    }
    return used;
}

double cs_names_width(const char *const *names, int n, double text, double limit) {
    double width = 0;
    for (int i = 0; i < n; i++)
        width = fmax(width, cs_text_width(names[i], text));
    return fmin(width, limit);
}

void cs_plot_legend(cs_plot *plot, const cs_legend_entry *entries, int n) {
    const double text = plot->text, swatch = 1.6 * text, gap = 0.5 * text, between = 1.4 * text, line = 1.5 * text;
    double x = plot->left, y = plot->top + text;
    for (int i = 0; i < n; i++) {
        const double room = plot->right - plot->left - swatch - gap;
        const double width = fmin(cs_text_width(entries[i].label, text), room);
        if (x > plot->left && x + swatch + gap + width > plot->right) {
            x = plot->left;
            y += line;
        }
        const double middle = y - 0.35 * text, half = 0.45 * text;
        if (entries[i].is_line)
            cs_drawing_line(plot->drawing, x, middle, x + swatch, middle, &entries[i].style);
        else
            cs_drawing_rectangle(plot->drawing, x + swatch - 2 * half, middle - half, 2 * half, 2 * half,
                                 &entries[i].style);
        cs_plot_text(plot, x + swatch + gap, y, entries[i].label, room, &(cs_text_style){.size = 0});
        x += swatch + gap + width + between;
    }
    if (n > 0)
        plot->top = y + 0.7 * text;
}

cs_rgb cs_value_colour(cs_colormap map, double value, double low, double high) {
    const double middle = 0.5;
    return cs_colormap_at(map, high > low ? (value - low) / (high - low) : middle);
}

void cs_plot_colour_bar(cs_plot *plot, const char *title, cs_colormap map, double low, double high) {
    enum { STEPS = 64, PARTS = 5 };
    const double text = plot->text, width = 0.9 * text, gap = 0.4 * text, before = 1.2 * text;
    const double top = plot->top + 1.6 * text, bottom = plot->bottom - 0.4 * text;
    double widest = 0, title_width = cs_text_width(cs_label(title), text);
    cs_rgb pixels[STEPS];
    cs_ticks ticks;
    char label[CS_TICK_TEXT];
    cs_ticks_find(&(cs_axis){.low = low, .high = high}, (cs_range){low, high}, CS_FIT_TIGHT, PARTS, &ticks);
    for (int i = 0; i < ticks.n; i++) {
        cs_ticks_text(&ticks, i, label);
        widest = fmax(widest, cs_text_width(label, text));
    }
    const double x = plot->right - widest - gap - width;
    const double room = (plot->right - plot->left) / 3;
    const cs_mapping mapping = {.low = ticks.low, .high = ticks.high, .from = bottom, .to = top};
    for (int i = 0; i < STEPS; i++)
        pixels[i] = cs_colormap_at(map, 1 - (i + 0.5) / STEPS);
    cs_plot_text(plot, plot->right, plot->top + text * 0.8, title, room, &(cs_text_style){.anchor = CS_ANCHOR_END});
    cs_drawing_image(plot->drawing, x, top, width, bottom - top, pixels, STEPS, 1);
    for (int i = 0; i < ticks.n; i++) {
        cs_ticks_text(&ticks, i, label);
        cs_drawing_text(plot->drawing, x + width + gap, cs_map(&mapping, ticks.at[i]) + 0.35 * text, label,
                        &(cs_text_style){.paint = {.role = CS_ROLE_MUTED}});
    }
    plot->right = fmin(x, plot->right - fmin(title_width, room)) - before;
}

void cs_plot_begin_trial(const cs_plot *plot, const char *key, const char *css_class, const char *tooltip) {
    cs_drawing_begin_group(plot->drawing, &(cs_group){.key = key,
                                                      .css_class = css_class,
                                                      .tooltip = tooltip,
                                                      .focusable = plot->focusable && key != NULL});
}

/* The part of a segment that is in the rectangle (Liang and Barsky, 1984); false: none is. */
static bool clip_segment(const cs_plot *plot, double *x1, double *y1, double *x2, double *y2) {
    const double dx = *x2 - *x1, dy = *y2 - *y1;
    const double steps[] = {-dx, dx, -dy, dy};
    const double rooms[] = {*x1 - plot->left, plot->right - *x1, *y1 - plot->top, plot->bottom - *y1};
    double from = 0, to = 1;
    for (int i = 0; i < 4; i++) {
        if (steps[i] == 0 && rooms[i] < 0)
            return false;
        if (steps[i] < 0)
            from = fmax(from, rooms[i] / steps[i]);
        else if (steps[i] > 0)
            to = fmin(to, rooms[i] / steps[i]);
    }
    if (!(from <= to)) /* also where a number is not finite */
        return false;
    if (to < 1) {
        *x2 = *x1 + to * dx;
        *y2 = *y1 + to * dy;
    }
    if (from > 0) {
        *x1 += from * dx;
        *y1 += from * dy;
    }
    return true;
}

/* Coordinates that are not finite separate the parts. */
static int clip_path(const cs_plot *plot, const double *x, const double *y, int n, double *to_x, double *to_y) {
    int count = 0;
    for (int i = 1; i < n; i++) {
        double x1 = cs_map(&plot->x, x[i - 1]), y1 = cs_map(&plot->y, y[i - 1]);
        double x2 = cs_map(&plot->x, x[i]), y2 = cs_map(&plot->y, y[i]);
        if (!(isfinite(x1) && isfinite(y1) && isfinite(x2) && isfinite(y2)) || !clip_segment(plot, &x1, &y1, &x2, &y2))
            continue;
        if (count == 0 || to_x[count - 1] != x1 || to_y[count - 1] != y1) {
            to_x[count] = to_y[count] = NAN;
            count++;
            to_x[count] = x1;
            to_y[count++] = y1;
        }
        to_x[count] = x2;
        to_y[count++] = y2;
    }
    return count;
}

void cs_plot_path(const cs_plot *plot, const double *x, const double *y, int n, const cs_style *style, double *buffer) {
    double *to_x = buffer, *to_y = buffer + 3 * (ptrdiff_t)n;
    cs_drawing_path(plot->drawing, to_x, to_y, clip_path(plot, x, y, n, to_x, to_y), style);
}
