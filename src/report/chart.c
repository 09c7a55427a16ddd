/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/chart.h"

#include <math.h>
#include <stdbool.h>

enum { WIDTH = 720, HEIGHT = 420, LEFT = 70, RIGHT = 20, TOP = 60, BOTTOM = 60 };

/* The part of the plane that is drawn: logarithms to base 10 of x, and y. */
typedef struct range {
    double left, right, low, high;
} range;

static double x_at(const range *r, double x) {
    return LEFT + (WIDTH - LEFT - RIGHT) * (log10(x) - r->left) / (r->right - r->left);
}

static double y_at(const range *r, double y) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - r->low) / (r->high - r->low);
}

/* A step of 1, 2 or 5 times a power of ten that divides the span into at most `most` parts. */
static double nice_step(double span, int most) {
    const double rough = span / most, power = pow(10, floor(log10(rough)));
    const double steps[] = {1, 2, 5};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power >= rough)
            return steps[i] * power;
    return 10 * power;
}

static range find_range(const cs_chart *chart, double *step) {
    enum { PARTS = 6 };
    const double least = 1e-12;
    range r = {log10(chart->x[0]), log10(chart->x[chart->n - 1]), chart->y[0], chart->y[0]};
    for (int i = 1; i < chart->n; i++) {
        r.low = fmin(r.low, chart->y[i]);
        r.high = fmax(r.high, chart->y[i]);
    }
    if (r.right <= r.left)
        r.right = r.left + 1;
    *step = nice_step(fmax(r.high - r.low, least * fmax(fabs(r.high), 1)), PARTS);
    r.low = floor(r.low / *step) * *step;
    r.high = fmax(ceil(r.high / *step) * *step, r.low + *step);
    return r;
}

static void print_text(const char *text, FILE *out) {
    for (; *text; text++) {
        const char *entity = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
        if (entity)
            fputs(entity, out);
        else
            fputc(*text, out);
    }
}

static void print_label(double x, double y, const char *class, const char *text, FILE *out) {
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    print_text(text, out);
    fputs("</text>\n", out);
}

static void print_line(const char *class, double x1, double y1, double x2, double y2, FILE *out) {
    fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2);
}

static void print_x_axis(const range *r, FILE *out) {
    const double bottom = HEIGHT - BOTTOM, gap = 18;
    char text[32];
    for (int power = (int)ceil(r->left - 1e-9); power <= (int)floor(r->right + 1e-9); power++) {
        double x = x_at(r, pow(10, power));
        snprintf(text, sizeof text, "1e%d", power);
        print_line("grid", x, TOP, x, bottom, out);
        print_label(x, bottom + gap, "middle", text, out);
    }
}

static void print_y_axis(const range *r, double step, FILE *out) {
    const double gap = 8, half_letter = 4;
    char text[32];
    for (int i = 0; r->low + i * step <= r->high + step / 2; i++) {
        double value = r->low + i * step, y = y_at(r, value);
        snprintf(text, sizeof text, "%.6g", fabs(value) < step / 2 ? 0 : value);
        print_line("grid", LEFT, y, WIDTH - RIGHT, y, out);
        print_label(LEFT - gap, y + half_letter, "end", text, out);
    }
}

/* Points outside the range interrupt the line. */
static void print_curve(const cs_chart *chart, const double *values, const range *r, const char *class, FILE *out) {
    bool inside = false;
    fprintf(out, "<path class=\"%s\" d=\"", class);
    for (int i = 0; i < chart->n; i++) {
        bool was_inside = inside;
        inside = values[i] >= r->low && values[i] <= r->high;
        if (inside)
            fprintf(out, "%s%.1f %.1f", was_inside ? "L" : "M", x_at(r, chart->x[i]), y_at(r, values[i]));
    }
    fputs("\"/>\n", out);
}

static void print_marks(const cs_chart *chart, const range *r, FILE *out) {
    const double gap = 8, line = 16;
    for (int i = 0, shown = 0; i < chart->n_marks; i++) {
        const cs_chart_mark *mark = &chart->marks[i];
        if (isnan(mark->x))
            continue;
        double x = x_at(r, mark->x);
        bool is_left = x < (LEFT + WIDTH - RIGHT) / 2.0;
        print_line("mark", x, TOP, x, HEIGHT - BOTTOM, out);
        print_label(is_left ? x + gap : x - gap, TOP + line * ++shown, is_left ? "start" : "end", mark->label, out);
    }
}

static const char style[] =
    "<style>\n"
    "svg { color: #222; background: #fff; font: 13px sans-serif }\n"
    "text { fill: currentColor } .title { font-size: 15px; font-weight: bold }\n"
    ".middle { text-anchor: middle } .end { text-anchor: end }\n"
    ".grid { stroke: currentColor; opacity: .15 } .mark { stroke: #d55e00; stroke-dasharray: 5 4 }\n"
    "path { fill: none; stroke: #0072b2; stroke-width: 2 } .faint { stroke-width: 1; opacity: .4 }\n"
    "@media (prefers-color-scheme: dark) { svg { color: #ddd; background: #1b1b1b } path { stroke: #56b4e9 } }\n"
    "</style>\n";

void cs_chart_print(const cs_chart *chart, FILE *out) {
    const double middle = (LEFT + WIDTH - RIGHT) / 2.0, title = 24, label = 44, below = 14;
    double step;
    range r = find_range(chart, &step);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n"
            "<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    print_text(chart->title, out);
    fprintf(out, "</title>\n%s", style);
    print_label(LEFT, title, "title", chart->title, out);
    print_label(LEFT, label, "start", chart->y_label, out);
    print_label(middle, HEIGHT - below, "middle", chart->x_label, out);
    print_x_axis(&r, out);
    print_y_axis(&r, step, out);
    if (chart->faint)
        print_curve(chart, chart->faint, &r, "faint", out);
    print_curve(chart, chart->y, &r, "curve", out);
    print_marks(chart, &r, out);
    fputs("</svg>\n", out);
}
