/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of nothing, and of values that cannot be drawn: a sweep whose trials all failed has a page too. */
#include "test.h"

#include "cnnsweep/charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3 };

static const double missing[] = {NAN, INFINITY, -INFINITY, NAN, NAN, NAN, NAN, NAN, NAN}, zeros[9] = {0};
static const char *const names[] = {"a", "", "\xFF"};
static const cs_frame frame = {.title = ""};

/* Each draws n things, whose values are `values` [9]. */
static cs_status draw_lines(int n, const double *values, cs_drawing **out) {
    const cs_line line = {.x = zeros, .y = values, .sd = values, .n = n, .points = true};
    const cs_line_mark mark = {values[0], NULL};
    const cs_line_band band = {values[0], values[1], NULL};
    return cs_line_chart_draw(&(cs_line_chart){.frame = frame,
                                               .lines = &line,
                                               .n = n > 0,
                                               .marks = &mark,
                                               .n_marks = n > 0,
                                               .bands = &band,
                                               .n_bands = n > 0,
                                               .diagonal = true},
                              out);
}

static cs_status draw_log_lines(int n, const double *values, cs_drawing **out) {
    const cs_line line = {.x = values, .y = values, .n = n};
    return cs_line_chart_draw(
        &(cs_line_chart){
            .frame = frame, .x = {.scale = CS_SCALE_LOG}, .y = {.scale = CS_SCALE_LOG}, .lines = &line, .n = n > 0},
        out);
}

static cs_status draw_heat_map(int n, const double *values, cs_drawing **out) {
    return cs_heat_map_draw(&(cs_heat_map){.frame = frame,
                                           .row_names = names,
                                           .column_names = names,
                                           .values = values,
                                           .sd = values,
                                           .rows = n,
                                           .columns = n},
                            out);
}

static cs_status draw_shares(int n, const double *values, cs_drawing **out) {
    return cs_heat_map_draw(&(cs_heat_map){.frame = frame,
                                           .row_names = names,
                                           .column_names = names,
                                           .values = values,
                                           .rows = n,
                                           .columns = n,
                                           .share_of_row = true},
                            out);
}

static cs_status draw_bars(int n, const double *values, cs_drawing **out) {
    cs_bar bars[N];
    for (int i = 0; i < N; i++)
        bars[i] = (cs_bar){.label = names[i], .value = values[i], .low = values[i], .high = values[i]};
    return cs_bar_chart_draw(&(cs_bar_chart){.frame = frame, .bars = bars, .n = n}, out);
}

static cs_status draw_stacked(int n, const double *values, cs_drawing **out) {
    return cs_stacked_chart_draw(
        &(cs_stacked_chart){.frame = frame, .names = names, .n = n, .parts = names, .n_parts = n, .values = values},
        out);
}

static cs_status draw_scatter(int n, const double *values, cs_drawing **out) {
    cs_point points[N];
    for (int i = 0; i < N; i++)
        points[i] = (cs_point){.x = values[i], .y = values[i], .value = values[i]};
    return cs_scatter_chart_draw(&(cs_scatter_chart){.frame = frame, .points = points, .n = n, .value_title = ""}, out);
}

static cs_status draw_parallel(int n, const double *values, cs_drawing **out) {
    const cs_parallel_axis axes[] = {
        {.names = names, .n_names = N}, {.axis = {.scale = CS_SCALE_LOG}}, {.names = NULL}};
    cs_parallel_line lines[N];
    for (int i = 0; i < N; i++)
        lines[i] = (cs_parallel_line){.at = values, .value = values[i]};
    return cs_parallel_chart_draw(
        &(cs_parallel_chart){.frame = frame, .axes = axes, .n_axes = n > 0 ? n : 1, .lines = lines, .n = n}, out);
}

static cs_status draw_time_line(int n, const double *values, cs_drawing **out) {
    cs_span spans[N];
    for (int i = 0; i < N; i++)
        spans[i] = (cs_span){.row = i, .start = values[i], .end = values[i], .state = (cs_span_state)i};
    return cs_time_line_draw(&(cs_time_line){.frame = frame, .rows = names, .n_rows = n, .spans = spans, .n = n}, out);
}

static cs_status draw_reliability(int n, const double *values, cs_drawing **out) {
    cs_reliability_bar bins[N];
    for (int i = 0; i < N; i++)
        bins[i] = (cs_reliability_bar){.confidence = values[i], .accuracy = values[i], .count = i};
    return cs_reliability_chart_draw(&(cs_reliability_chart){.frame = frame, .bins = bins, .n = n}, out);
}

static void every_chart_of_nothing_is_drawn(void **state) {
    static cs_status (*const draw[])(int n, const double *values, cs_drawing **out) = {
        draw_lines,   draw_log_lines, draw_heat_map, draw_shares,    draw_bars,
        draw_stacked, draw_scatter,   draw_parallel, draw_time_line, draw_reliability};
    static const char digits[] = "0123456789";
    (void)state;
    for (size_t i = 0; i < sizeof draw / sizeof *draw; i++)
        for (int n = 0; n <= N; n++)
            for (int kind = 0; kind < 2; kind++) {
                cs_drawing *drawing;
                char *text = NULL;
                size_t size;
                FILE *out = open_memstream(&text, &size);
                assert_ok(draw[i](n, kind ? missing : zeros, &drawing));
                assert_ok(cs_drawing_print_svg(drawing, CS_SVG_INLINE, "c", out));
                fclose(out);
                assert_true(cs_drawing_width(drawing) > 0 && cs_drawing_height(drawing) > 0);
                /* A coordinate that is not finite would be printed as a number of 18 digits. */
                for (const char *at = text; (at = strpbrk(at, digits)); at += strspn(at, digits))
                    assert_true(strspn(at, digits) < 8);
                free(text);
                cs_drawing_free(drawing);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_chart_of_nothing_is_drawn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
