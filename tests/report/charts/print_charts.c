/* SPDX-License-Identifier: Apache-2.0 */
/* print_charts FOLDER [CHART]: writes each chart of fixed data (or the one that is named), for a page and for a paper's
 * column, as FOLDER/<chart>.svg, .pdf and .png and FOLDER/<chart>_column.*, all of them in FOLDER/page.html, and the
 * colours of the colour maps in FOLDER/colours.csv. tests/report/test_charts.py reads them. The next chart is a
 * function and a row of `charts`. */
#include "cnnsweep/charts.h"
#include "cnnsweep/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 20, TRIALS = 40, MANY = 3000, NAME = 32 };

/* A tag, quotes, an ampersand, Hebrew, Chinese, a line feed, Latin-1, controls, an emoji, a long name. */
static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"double\" 'single' & ]]>",
    "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA2\xD7\x95\xD7\x9C\xD7\x9D",
    "\xE9\xBB\x91\xE8\x89\xB2\xE7\xB4\xA0\xE7\x98\xA4",
    "two\nlines\tand a tab",
    "caf\xE9 cr\xE8me",
    "\x01\x1B[31mred\x7F",
    "\xF0\x9F\x94\xAC microscope",
    "a name that is so long that it has no place on any chart and must end in an ellipsis, melanocytic nevi"};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

static cs_status draw_lines(const cs_frame *frame, cs_drawing **out) {
    double x[EPOCHS], y[4][EPOCHS];
    static const char *const labels[] = {"train accuracy", "val accuracy", "train loss", "val loss"};
    const cs_line_mark marks[] = {{4, "lr 1e-4 to 1e-5"}, {NAN, "nowhere"}, {14, "best epoch 14"}};
    const cs_line_band bands[] = {{1, 6, "head"}, {6, 20, "fine-tuning"}};
    cs_line lines[4];
    for (int i = 0; i < EPOCHS; i++) {
        x[i] = i + 1;
        y[0][i] = 1 - 0.5 * exp(-x[i] / 6);
        y[1][i] = 0.9 - 0.4 * exp(-x[i] / 5) + 0.01 * sin(3 * x[i]);
        y[2][i] = 0.8 * exp(-x[i] / 7);
        y[3][i] = i == 9 ? NAN : 0.3 + 0.5 * exp(-x[i] / 4) + 0.005 * x[i];
    }
    for (int i = 0; i < 4; i++)
        lines[i] = (cs_line){.key = "t003", .label = labels[i], .x = x, .y = y[i], .n = EPOCHS, .points = i == 1};
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame,
                                               .x = {.label = "epoch", .whole = true},
                                               .y = {.label = "accuracy, loss"},
                                               .lines = lines,
                                               .n = 4,
                                               .marks = marks,
                                               .n_marks = 3,
                                               .bands = bands,
                                               .n_bands = 2},
                              out);
}

static cs_status draw_many_lines(const cs_frame *frame, cs_drawing **out) {
    double x[EPOCHS], y[TRIALS][EPOCHS];
    char keys[TRIALS][NAME];
    cs_line lines[TRIALS];
    for (int i = 0; i < EPOCHS; i++)
        x[i] = i + 1;
    for (int t = 0; t < TRIALS; t++) {
        snprintf(keys[t], NAME, "t%03d", t);
        for (int i = 0; i < EPOCHS; i++)
            y[t][i] = 0.6 + 0.008 * t - 0.3 * exp(-x[i] / (2 + t * 0.2)) + 0.01 * sin(x[i] * t);
        lines[t] = (cs_line){.key = keys[t], .label = keys[t], .x = x, .y = y[t], .n = EPOCHS, .lit = t == 33};
    }
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame,
                                               .x = {.label = "epoch", .whole = true},
                                               .y = {.label = "val accuracy"},
                                               .lines = lines,
                                               .n = TRIALS},
                              out);
}

static cs_status draw_depth(const cs_frame *frame, cs_drawing **out) {
    static const double depths[] = {2, 4, 6, 8, 10, 14, 20, 28}, none[] = {.81, .82, .825, .83, .828, .84, .845, .85},
                        flips[] = {.82, .828, .835, .845, .85, .853, .86, .871},
                        sd[] = {.01, .008, .012, .005, .01, .007, .006, .004};
    const cs_line_mark marks[] = {{6, "block 13"}, {12, "block 12"}, {18, "block 11"}, {24, "block 10"}};
    const cs_line lines[] = {
        {.label = "none", .x = depths, .y = none, .sd = sd, .n = 8, .points = true},
        {.label = "flip_hv", .x = depths, .y = flips, .sd = sd, .n = 8, .points = true, .dash = CS_DASH_LONG}};
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame,
                                               .x = {.label = "layers that are trained", .whole = true},
                                               .y = {.label = "test accuracy, mean \xC2\xB1 sd of 3 seeds"},
                                               .lines = lines,
                                               .n = 2,
                                               .marks = marks,
                                               .n_marks = 4},
                              out);
}

static cs_status draw_roc(const cs_frame *frame, cs_drawing **out) {
    static const double fpr[] = {0, 0, .1, .1, .3, .3, .6, 1}, tpr[] = {0, .4, .4, .7, .7, .9, 1, 1};
    const cs_line line = {.label = "melanoma, AUC 0.86", .x = fpr, .y = tpr, .n = 8};
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame,
                                               .x = {.label = "false positive rate", .low = 0, .high = 1},
                                               .y = {.label = "true positive rate", .low = 0, .high = 1},
                                               .lines = &line,
                                               .n = 1,
                                               .diagonal = true},
                              out);
}

static cs_status draw_log(const cs_frame *frame, cs_drawing **out) {
    double x[100], y[100], raw[100];
    const cs_line lines[] = {{.label = "loss", .x = x, .y = raw, .n = 100, .faint = true, .colour = 1},
                             {.label = "smoothed", .x = x, .y = y, .n = 100, .colour = 1}};
    for (int i = 0; i < 100; i++) {
        x[i] = 1e-7 * pow(10, i * 7 / 99.0);
        y[i] = 0.7 - 0.5 / (1 + exp(-(i - 60) / 6.0)) + (i > 85 ? 0.01 * pow(i - 85, 2) : 0);
        raw[i] = y[i] + 0.2 * sin(7.0 * i) + (i == 50 ? 9 : 0);
    }
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame,
                                               .x = {.label = "learning rate", .scale = CS_SCALE_LOG},
                                               .y = {.label = "training loss"},
                                               .lines = lines,
                                               .n = 2},
                              out);
}

static cs_status draw_pivot(const cs_frame *frame, cs_drawing **out) {
    static const char *const rows[] = {"none", "flip_hv", "brightness", "flip_hv_brightness"};
    static const char *const columns[] = {"2", "4", "6", "8", "10"};
    double values[20], sd[20];
    for (int i = 0; i < 20; i++) {
        values[i] = i == 7 ? NAN : 0.78 + 0.004 * (i * 7 % 20);
        sd[i] = 0.003 + 0.0005 * i;
    }
    return cs_heat_map_draw(&(cs_heat_map){.frame = *frame,
                                           .row_title = "augment",
                                           .column_title = "fine_tune",
                                           .value_title = "test accuracy",
                                           .row_names = rows,
                                           .column_names = columns,
                                           .values = values,
                                           .sd = sd,
                                           .rows = 4,
                                           .columns = 5,
                                           .decimals = 3},
                            out);
}

/* Each class is mistaken for the next three; cell (i, i) has 50 images less i. */
static cs_status draw_confusion(const cs_frame *frame, const char *const *names, int n, bool share, cs_drawing **out) {
    double *values = calloc((size_t)n * (size_t)n, sizeof *values);
    if (!values)
        return CS_ERR_NO_MEMORY;
    for (int i = 0; i < n; i++) {
        values[(size_t)i * (size_t)n + (size_t)i] = 50 - i % 40;
        for (int k = 1; k < 4 && k < n; k++)
            values[(size_t)i * (size_t)n + (size_t)((i + k * k) % n)] = (i * k) % 7;
    }
    const cs_status status = cs_heat_map_draw(&(cs_heat_map){.frame = *frame,
                                                             .row_title = "true class",
                                                             .column_title = "predicted class",
                                                             .value_title = share ? "% of true" : "images",
                                                             .row_names = names,
                                                             .column_names = names,
                                                             .values = values,
                                                             .rows = n,
                                                             .columns = n,
                                                             .map = CS_COLORMAP_BLUES,
                                                             .share_of_row = share},
                                              out);
    free(values);
    return status;
}

static cs_status draw_confusion_hostile(const cs_frame *frame, cs_drawing **out) {
    return draw_confusion(frame, hostile, HOSTILE, false, out);
}

static cs_status draw_confusion_share(const cs_frame *frame, cs_drawing **out) {
    static const char *const names[] = {"akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"};
    return draw_confusion(frame, names, 7, true, out);
}

static char class_names[MANY][NAME];
static const char *class_list[MANY];

static cs_status draw_confusion_30(const cs_frame *frame, cs_drawing **out) {
    return draw_confusion(frame, class_list, 30, false, out);
}

static cs_status draw_confusion_100(const cs_frame *frame, cs_drawing **out) {
    return draw_confusion(frame, class_list, 100, false, out);
}

static cs_status draw_confusion_3000(const cs_frame *frame, cs_drawing **out) {
    return draw_confusion(frame, class_list, MANY, true, out);
}

static cs_status draw_bars(const cs_frame *frame, cs_drawing **out) {
    static const cs_bar bars[] = {{.label = "fine_tune", .value = 0.52, .low = 0.44, .high = 0.61},
                                  {.label = "augment", .value = 0.21, .low = 0.15, .high = 0.25},
                                  {.label = "fine_tune \xC3\x97 augment", .value = 0.08},
                                  {.label = "noise (seeds)", .value = 0.19, .noise = true}};
    return cs_bar_chart_draw(&(cs_bar_chart){.frame = *frame,
                                             .value = {.label = "share of the variance of test accuracy"},
                                             .bars = bars,
                                             .n = 4,
                                             .decimals = 2},
                             out);
}

static cs_status draw_stacked(const cs_frame *frame, const char *const *names, int n, cs_drawing **out) {
    static const char *const splits[] = {"train", "val", "test"};
    double *values = calloc((size_t)n * 3, sizeof *values);
    if (!values)
        return CS_ERR_NO_MEMORY;
    for (int i = 0; i < n; i++) {
        static const double largest[] = {700, 100, 200};
        for (int part = 0; part < 3; part++)
            values[3 * (size_t)i + (size_t)part] = floor(largest[part] / (1 + i % 50));
    }
    const cs_status status = cs_stacked_chart_draw(&(cs_stacked_chart){.frame = *frame,
                                                                       .value_title = "images",
                                                                       .names = names,
                                                                       .n = n,
                                                                       .parts = splits,
                                                                       .n_parts = 3,
                                                                       .values = values},
                                                   out);
    free(values);
    return status;
}

static cs_status draw_stacked_hostile(const cs_frame *frame, cs_drawing **out) {
    return draw_stacked(frame, hostile, HOSTILE, out);
}

static cs_status draw_stacked_3000(const cs_frame *frame, cs_drawing **out) {
    return draw_stacked(frame, class_list, MANY, out);
}

static cs_status draw_scatter(const cs_frame *frame, cs_drawing **out) {
    cs_point points[TRIALS];
    for (int t = 0; t < TRIALS; t++)
        points[t] = (cs_point){.key = class_names[t],
                               .label = hostile[t % HOSTILE],
                               .x = 8 * pow(1.12, t * 11 % TRIALS),
                               .y = 0.75 + 0.003 * (t * 7 % TRIALS),
                               .value = t == 5 ? (double)NAN : t % 11};
    return cs_scatter_chart_draw(&(cs_scatter_chart){.frame = *frame,
                                                     .x = {.label = "seconds", .scale = CS_SCALE_LOG},
                                                     .y = {.label = "test accuracy"},
                                                     .points = points,
                                                     .n = TRIALS,
                                                     .value_title = "fine_tune"},
                                 out);
}

static cs_status draw_parallel(const cs_frame *frame, cs_drawing **out) {
    static const char *const augments[] = {"none", "flip_hv", "brightness", "flip_hv_brightness"};
    const cs_parallel_axis axes[] = {{.axis = {.label = "augment"}, .names = augments, .n_names = 4},
                                     {.axis = {.label = "train.lr", .scale = CS_SCALE_LOG}},
                                     {.axis = {.label = "fine_tune", .whole = true}},
                                     {.axis = {.label = "dropout"}},
                                     {.axis = {.label = "test accuracy"}}};
    double at[TRIALS][5];
    cs_parallel_line lines[TRIALS];
    for (int t = 0; t < TRIALS; t++) {
        const double values[] = {t % 4, 1e-5 * pow(10, t * 13 % TRIALS * 3.0 / TRIALS), 2 + 2 * (t % 5),
                                 t == 9 ? NAN : 0.05 * (t % 9), 0.75 + 0.003 * (t * 7 % TRIALS)};
        memcpy(at[t], values, sizeof values);
        lines[t] = (cs_parallel_line){.key = class_names[t], .label = class_names[t], .at = at[t], .value = values[4]};
    }
    return cs_parallel_chart_draw(
        &(cs_parallel_chart){
            .frame = *frame, .axes = axes, .n_axes = 5, .lines = lines, .n = TRIALS, .value_title = "accuracy"},
        out);
}

static cs_status draw_time_line(const cs_frame *frame, cs_drawing **out) {
    static const char *const rows[] = {"rank 0 node1", "rank 1 node1", "rank 2 node2", "rank 3 node2"};
    cs_span spans[TRIALS];
    double free_at[4] = {3, 2, 5, 4};
    for (int t = 0; t < TRIALS; t++) {
        const int row = t % 4;
        const double seconds = 20 + t * 17 % 60;
        spans[t] = (cs_span){.key = class_names[t],
                             .label = hostile[t % HOSTILE],
                             .row = row,
                             .start = free_at[row],
                             .end = free_at[row] + seconds,
                             .state = t == 17           ? CS_SPAN_FAILED
                                      : t >= TRIALS - 3 ? CS_SPAN_RUNNING
                                                        : CS_SPAN_OK};
        free_at[row] += seconds + 2;
    }
    return cs_time_line_draw(
        &(cs_time_line){.frame = *frame, .row_title = "ranks", .rows = rows, .n_rows = 4, .spans = spans, .n = TRIALS},
        out);
}

static cs_status draw_reliability(const cs_frame *frame, cs_drawing **out) {
    cs_reliability_bar bins[10];
    for (int i = 0; i < 10; i++)
        bins[i] = (cs_reliability_bar){
            .confidence = 0.05 + 0.1 * i, .accuracy = pow(0.05 + 0.1 * i, 1.4), .count = i == 0 ? 0 : 5 + i * i * i};
    return cs_reliability_chart_draw(&(cs_reliability_chart){.frame = *frame, .bins = bins, .n = 10}, out);
}

/* Nothing to draw, and a single value. */
static cs_status draw_empty(const cs_frame *frame, cs_drawing **out) {
    return cs_line_chart_draw(&(cs_line_chart){.frame = *frame, .x = {.label = "epoch"}, .y = {.label = "loss"}}, out);
}

static cs_status draw_single(const cs_frame *frame, cs_drawing **out) {
    static const double x[] = {1}, y[] = {0.5};
    const cs_line line = {.key = "t000", .label = "loss", .x = x, .y = y, .n = 1};
    return cs_line_chart_draw(
        &(cs_line_chart){
            .frame = *frame, .x = {.label = "epoch", .whole = true}, .y = {.label = "loss"}, .lines = &line, .n = 1},
        out);
}

static const struct {
    const char *name, *title;
    cs_status (*draw)(const cs_frame *frame, cs_drawing **out);
} charts[] = {
    {"lines", "t003: curves of <flip_hv> & 10 layers", draw_lines},
    {"many_lines", "All trials", draw_many_lines},
    {"depth", "Accuracy against depth", draw_depth},
    {"roc", "ROC", draw_roc},
    {"log", "Learning-rate range test", draw_log},
    {"pivot", "Test accuracy", draw_pivot},
    {"confusion", "Confusion of hostile classes", draw_confusion_hostile},
    {"confusion_share", "Confusion by row", draw_confusion_share},
    {"confusion_30", "30 classes", draw_confusion_30},
    {"confusion_100", "100 classes", draw_confusion_100},
    {"confusion_3000", "3,000 classes", draw_confusion_3000},
    {"bars", "Importance", draw_bars},
    {"stacked", "Images by class and split", draw_stacked_hostile},
    {"stacked_3000", "3,000 classes by split", draw_stacked_3000},
    {"scatter", "Cost against accuracy", draw_scatter},
    {"parallel", "All trials in parallel coordinates", draw_parallel},
    {"time_line", "Which rank trained what", draw_time_line},
    {"reliability", "Reliability", draw_reliability},
    {"empty", "Nothing", draw_empty},
    {"single", "A single epoch", draw_single},
};

static cs_status write_chart(const char *folder, size_t i, bool column, FILE *page) {
    cs_frame frame = {.title = charts[i].title, .description = "A chart of fixed data, for tests."};
    char stem[CS_PATH_MAX];
    cs_drawing *drawing;
    if (column)
        frame = cs_frame_column(&frame);
    CS_TRY(charts[i].draw(&frame, &drawing));
    cs_status status = cs_path(stem, sizeof stem, "%s/%s%s", folder, charts[i].name, column ? "_column" : "");
    if (status == CS_OK)
        status = cs_drawing_write_all(drawing, stem);
    if (status == CS_OK && !column) {
        snprintf(stem, sizeof stem, "c%zu", i);
        status = cs_drawing_print_svg(drawing, CS_SVG_INLINE, stem, page);
    }
    cs_drawing_free(drawing);
    return status;
}

static cs_status write_charts(const char *folder, const char *only, FILE *page) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>charts</title><style>\n", page);
    cs_drawing_print_css(page);
    fputs("body{background:var(--cs-background)}</style></head><body>\n", page);
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        for (int column = 0; column < 2; column++)
            if (!only || strcmp(only, charts[i].name) == 0)
                CS_TRY(write_chart(folder, i, column == 1, page));
    fputs("</body></html>\n", page);
    return CS_OK;
}

/* 256 colours of each map: name,r,g,b. */
static int write_colours(const char *folder) {
    enum { COLOURS = 256 };
    static const char *const names[CS_COLORMAP_COUNT] = {"viridis", "blues", "jet"};
    char path[CS_PATH_MAX];
    snprintf(path, sizeof path, "%s/colours.csv", folder);
    FILE *out = fopen(path, "w");
    if (!out)
        return 1;
    for (int map = 0; map < CS_COLORMAP_COUNT; map++)
        for (int i = 0; i < COLOURS; i++) {
            const cs_rgb rgb = cs_colormap_at((cs_colormap)map, i / (COLOURS - 1.0));
            fprintf(out, "%s,%d,%d,%d\n", names[map], rgb.r, rgb.g, rgb.b);
        }
    return fclose(out);
}

int main(int argc, char **argv) {
    char path[CS_PATH_MAX];
    if (argc < 2)
        return 2;
    for (int i = 0; i < MANY; i++) {
        snprintf(class_names[i], NAME, "t%03d", i);
        class_list[i] = class_names[i];
    }
    snprintf(path, sizeof path, "%s/page.html", argv[1]);
    FILE *page = fopen(path, "w");
    if (!page)
        return 1;
    const cs_status status = write_charts(argv[1], argc > 2 ? argv[2] : NULL, page);
    if (status != CS_OK)
        fprintf(stderr, "%s\n", cs_error_last()->text);
    return fclose(page) == 0 && status == CS_OK ? write_colours(argv[1]) : 1;
}
