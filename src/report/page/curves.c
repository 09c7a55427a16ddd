/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of all trials, a chart for each value of an epoch. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "sweep_charts.h"

#include <math.h>
#include <stdlib.h>

static bool has_curve(const cs_page *page, const cs_page_trial *trial, int curve) {
    for (int e = 0; e < trial->n_epochs; e++)
        if (isfinite(trial->epochs[e * page->n_curves + curve]))
            return true;
    return false;
}

/* The index in page->curves of the i-th curve that any trial has; -1: there are fewer. The one that belongs to the
 * sweep's metric is the first. */
static int curve_at(const cs_page *page, int i) {
    for (int at = -1; at < page->n_curves; at++) {
        const int curve = at < 0 ? page->monitor : at;
        bool has = false;
        if (curve < 0 || (at >= 0 && curve == page->monitor))
            continue;
        for (int t = 0; t < page->n_trials && !has; t++)
            has = has_curve(page, &page->trials[t], curve);
        if (has && i-- == 0)
            return curve;
    }
    return -1;
}

int cs_curves_count(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    int n = 0;
    while (curve_at(page, n) >= 0)
        n++;
    return n;
}

void cs_curves_name(const cs_page_writer *writer, int i, char *out, size_t size) {
    const cs_page *page = writer->page;
    snprintf(out, size, "%s", page->curves[curve_at(page, i)]);
}

/* All curves together take at most so many bytes of the page, as far as that leaves the best trials. */
enum { BYTES = 3 << 20, LINE_BYTES = 300, POINT_BYTES = 14, LEAST = 10, POINTS = 120 };

/* How many trials are drawn. */
static int count_drawn(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    int longest = 0;
    for (int t = 0; t < page->n_trials; t++)
        longest = page->trials[t].n_epochs > longest ? page->trials[t].n_epochs : longest;
    const int line = LINE_BYTES + POINT_BYTES * (longest < POINTS ? longest : POINTS);
    const int charts = cs_curves_count(writer), drawn = charts > 0 ? BYTES / (charts * line) : 0;
    return drawn < LEAST ? LEAST : drawn < CS_PAGE_DRAWN ? drawn : CS_PAGE_DRAWN;
}

typedef struct course {
    double *x, *y; /* [n] */
    int n;
} course;

/* The values of a curve, of many epochs each second one, or third, and so on; the last one is among them. The caller
 * frees x, of which y is a part. */
static cs_status make_course(const cs_page *page, const cs_page_trial *trial, int curve, course *out) {
    const int n = trial->n_epochs, step = (n + POINTS - 1) / POINTS;
    CS_TRY(cs_alloc(2 * (size_t)n, sizeof *out->x, "a curve", &out->x));
    out->y = out->x + n;
    for (int e = (n - 1) % step; e < n; e += step) {
        out->x[out->n] = e + 1;
        out->y[out->n++] = trial->epochs[e * page->n_curves + curve];
    }
    return CS_OK;
}

static cs_status draw_lines(const cs_page_writer *writer, int curve, cs_line *lines, course *courses,
                            cs_drawing **out) {
    const cs_page *page = writer->page;
    const int drawn = count_drawn(writer);
    int n = 0;
    for (int i = 0; i < page->n_trials && n < drawn; i++) {
        const cs_page_trial *trial = &page->trials[writer->order[i]];
        if (!has_curve(page, trial, curve))
            continue;
        CS_TRY(make_course(page, trial, curve, &courses[n]));
        lines[n] = (cs_line){.key = trial->name,
                             .label = trial->describe[0] ? trial->describe : trial->name,
                             .x = courses[n].x,
                             .y = courses[n].y,
                             .n = courses[n].n,
                             .lit = n == 0 && writer->n_ok > 0};
        n++;
    }
    const cs_line_chart chart = {.frame = CS_SWEEP_FRAME(page->curves[curve]),
                                 .x = {.label = "epoch", .whole = true},
                                 .y = {.label = page->curves[curve]},
                                 .lines = lines,
                                 .n = n};
    return cs_line_chart_draw(&chart, out);
}

cs_status cs_curves_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    cs_line *lines = NULL;
    course *courses = NULL;
    cs_status status = cs_alloc(CS_PAGE_DRAWN, sizeof *lines, "curves", &lines);
    if (status == CS_OK)
        status = cs_alloc(CS_PAGE_DRAWN, sizeof *courses, "curves", &courses);
    if (status == CS_OK)
        status = draw_lines(writer, curve_at(writer->page, i), lines, courses, out);
    for (int n = 0; courses && n < CS_PAGE_DRAWN; n++)
        free(courses[n].x);
    free(courses);
    free(lines);
    return status;
}

cs_status cs_curves_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_page *page = writer->page;
    const int curve = curve_at(page, i);
    fprintf(out, "trial,epoch,%s\n", page->curves[curve]);
    for (int t = 0; t < page->n_trials; t++)
        for (int e = 0; e < page->trials[t].n_epochs; e++) {
            fprintf(out, "%s,%d", page->trials[t].name, e + 1);
            cs_csv_number(page->trials[t].epochs[e * page->n_curves + curve], out);
            fputc('\n', out);
        }
    return CS_OK;
}
