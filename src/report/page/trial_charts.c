/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of one trial. To add one: its functions and a row. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "page_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- curves of train and val ---- */

static int find_curve(const cs_page *page, const char *name) {
    for (int i = 0; i < page->n_curves; i++)
        if (strcmp(page->curves[i], name) == 0)
            return i;
    return -1;
}

static void fill_line(const cs_page *page, const cs_page_trial *trial, int curve, double *x, double *y, cs_line *line) {
    for (int e = 0; e < trial->n_epochs; e++) {
        x[e] = e + 1;
        y[e] = trial->epochs[e * page->n_curves + curve];
    }
    *line = (cs_line){.label = page->curves[curve], .x = x, .y = y, .n = trial->n_epochs};
}

/* A line for each of the named curves that the job writes, the best epoch, and bands for phases. */
static cs_status draw_curves(const cs_page *page, const cs_page_trial *trial, const char *const *names, int n_names,
                             const char *label, cs_drawing **out) {
    enum { LINES = 2, BANDS = 16 };
    const size_t n = (size_t)trial->n_epochs;
    cs_line lines[LINES];
    cs_line_band bands[BANDS];
    int drawn = 0, n_bands = 0;
    double *values = NULL;
    CS_TRY(cs_alloc(2 * (size_t)LINES * n, sizeof *values, "curves", &values));
    for (int i = 0; i < n_names && drawn < LINES; i++) {
        const int curve = find_curve(page, names[i]);
        if (curve < 0)
            continue;
        fill_line(page, trial, curve, values + 2 * n * (size_t)drawn, values + 2 * n * (size_t)drawn + n,
                  &lines[drawn]);
        drawn++;
    }
    for (int i = 0; i + 1 < trial->n_phases && n_bands < BANDS; i += 2)
        bands[n_bands++] =
            (cs_line_band){i ? trial->phase_ends[i - 1] + 0.5 : 0.5, trial->phase_ends[i] + 0.5, "phase"};
    const cs_line_mark best = {trial->best_epoch >= 0 ? trial->best_epoch + 1.0 : (double)NAN, "tested epoch"};
    const cs_line_chart chart = {.frame = CS_TRIAL_FRAME(label),
                                 .x = {.label = "epoch", .whole = true},
                                 .y = {.label = label},
                                 .lines = lines,
                                 .n = drawn,
                                 .marks = &best,
                                 .n_marks = 1,
                                 .bands = bands,
                                 .n_bands = n_bands};
    const cs_status status = cs_line_chart_draw(&chart, out);
    free(values);
    return status;
}

static const char *const losses[] = {"loss", "val_loss"}, *const accuracies[] = {"accuracy", "val_accuracy"},
                         *const rates[] = {"learning_rate"};

static bool has_epochs(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details) {
    (void)details;
    return trial->n_epochs > 0 && find_curve(page, losses[0]) >= 0;
}

static bool has_rate(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details) {
    (void)details;
    const int curve = find_curve(page, rates[0]);
    for (int e = 1; curve >= 0 && e < trial->n_epochs; e++)
        if (trial->epochs[e * page->n_curves + curve] != trial->epochs[curve])
            return true;
    return false;
}

static cs_status draw_loss(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                           cs_drawing **out) {
    (void)details;
    return draw_curves(page, trial, losses, 2, "loss", out);
}

static cs_status draw_accuracy(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                               cs_drawing **out) {
    (void)details;
    return draw_curves(page, trial, accuracies, 2, "accuracy", out);
}

static cs_status draw_rate(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                           cs_drawing **out) {
    (void)details;
    return draw_curves(page, trial, rates, 1, "learning rate", out);
}

static void print_curves(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details, FILE *out) {
    (void)details;
    fputs("epoch", out);
    for (int i = 0; i < page->n_curves; i++)
        fprintf(out, ",%s", page->curves[i]);
    fputc('\n', out);
    for (int e = 0; e < trial->n_epochs; e++) {
        fprintf(out, "%d", e + 1);
        for (int i = 0; i < page->n_curves; i++)
            cs_csv_number(trial->epochs[e * page->n_curves + i], out);
        fputc('\n', out);
    }
}

/* ---- confusion matrices ---- */

static bool has_details(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details) {
    (void)page;
    (void)trial;
    return details != NULL;
}

static cs_status draw_matrix(const cs_trial_details *details, bool share_of_row, cs_drawing **out) {
    const int n = details->n_classes;
    const size_t classes = (size_t)n;
    const char **names = NULL;
    double *values = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(classes, sizeof *names, "class names", &names), done);
    CS_TRY_GOTO(cs_alloc(classes * classes, sizeof *values, "a confusion matrix", &values), done);
    for (int i = 0; i < n; i++)
        names[i] = details->classes[i].name;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            values[(size_t)i * classes + (size_t)j] = (double)cs_details_count(details, i, j);
    const cs_heat_map chart = {
        .frame = CS_TRIAL_ROWS_FRAME(share_of_row ? "confusion, per cent of the true class" : "confusion, images"),
        .row_title = "true class",
        .column_title = "predicted class",
        .value_title = share_of_row ? "% of the row" : "images",
        .row_names = names,
        .column_names = names,
        .values = values,
        .rows = n,
        .columns = n,
        .map = CS_COLORMAP_BLUES,
        .share_of_row = share_of_row};
    status = cs_heat_map_draw(&chart, out);
done:
    free(names);
    free(values);
    return status;
}

static cs_status draw_counts(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                             cs_drawing **out) {
    (void)page;
    (void)trial;
    return draw_matrix(details, false, out);
}

static cs_status draw_shares(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                             cs_drawing **out) {
    (void)page;
    (void)trial;
    return draw_matrix(details, true, out);
}

static void print_confusion(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                            FILE *out) {
    (void)page;
    (void)trial;
    cs_details_confusion_csv(details, out);
}

/* ---- curves of scores ---- */

static const char *curve_label(const cs_trial_details *details, const cs_score_curve *curve, char *out, size_t size) {
    snprintf(out, size, "%s (%.3f)",
             curve->class_index == CS_CURVE_MICRO ? "all classes" : details->classes[curve->class_index].name,
             curve->area);
    return out;
}

static cs_status draw_scores(const cs_trial_details *details, const cs_score_curve *curves, int n, const char *title,
                             const char *x, const char *y, bool diagonal, cs_drawing **out) {
    enum { MOST = CS_DETAILS_CURVE_CLASSES + 1, NAME = 160 };
    char labels[MOST][NAME];
    cs_line lines[MOST];
    size_t points = 0, used = 0;
    double *values = NULL;
    for (int i = 0; i < n; i++)
        points += (size_t)curves[i].n;
    CS_TRY(cs_alloc(2 * points, sizeof *values, "curves", &values));
    for (int i = 0; i < n && i < MOST; i++) {
        const cs_score_curve *curve = &curves[i];
        double *at = values + used;
        for (int p = 0; p < curve->n; p++) {
            at[p] = curve->points[p].x;
            at[curve->n + p] = curve->points[p].y;
        }
        lines[i] = (cs_line){
            .label = curve_label(details, curve, labels[i], NAME), .x = at, .y = at + curve->n, .n = curve->n};
        used += 2 * (size_t)curve->n;
    }
    const cs_line_chart chart = {.frame = CS_TRIAL_FRAME(title),
                                 .x = {.label = x, .low = 0, .high = 1},
                                 .y = {.label = y, .low = 0, .high = 1},
                                 .lines = lines,
                                 .n = n < MOST ? n : MOST,
                                 .diagonal = diagonal};
    const cs_status status = cs_line_chart_draw(&chart, out);
    free(values);
    return status;
}

static bool has_roc(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details) {
    (void)page;
    (void)trial;
    return details && details->has_scores && details->n_roc > 0;
}

static cs_status draw_roc(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                          cs_drawing **out) {
    (void)page;
    (void)trial;
    return draw_scores(details, details->roc, details->n_roc, "ROC, with the area under each curve",
                       "rate of false positives", "rate of true positives", true, out);
}

static void print_roc(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details, FILE *out) {
    (void)page;
    (void)trial;
    cs_details_roc_csv(details, out);
}

static cs_status draw_pr(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                         cs_drawing **out) {
    (void)page;
    (void)trial;
    return draw_scores(details, details->pr, details->n_pr, "precision and recall, with the average precision",
                       "recall", "precision", false, out);
}

static void print_pr(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details, FILE *out) {
    (void)page;
    (void)trial;
    cs_details_pr_csv(details, out);
}

/* ---- reliability ---- */

static bool has_scores(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details) {
    (void)page;
    (void)trial;
    return details && details->has_scores;
}

static cs_status draw_reliability(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                                  cs_drawing **out) {
    cs_reliability_bar bars[CS_DETAILS_BINS];
    char title[96];
    (void)page;
    (void)trial;
    for (int i = 0; i < CS_DETAILS_BINS; i++)
        bars[i] = (cs_reliability_bar){details->bins[i].confidence, details->bins[i].accuracy,
                                       (double)details->bins[i].count};
    snprintf(title, sizeof title, "reliability; expected calibration error %.4f", details->calibration_error);
    const cs_reliability_chart chart = {.frame = CS_TRIAL_FRAME(title), .bins = bars, .n = CS_DETAILS_BINS};
    return cs_reliability_chart_draw(&chart, out);
}

static void print_reliability(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                              FILE *out) {
    (void)page;
    (void)trial;
    cs_details_reliability_csv(details, out);
}

/* ---- classes by split ---- */

static cs_status draw_classes(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                              cs_drawing **out) {
    const size_t n = (size_t)details->n_classes;
    const char *const parts[CS_SPLIT_COUNT] = {
        [CS_SPLIT_TRAIN] = "train", [CS_SPLIT_VAL] = "val", [CS_SPLIT_TEST] = "test"};
    const char **names = NULL;
    double *values = NULL;
    cs_status status;
    (void)page;
    (void)trial;
    CS_TRY_GOTO(cs_alloc(n, sizeof *names, "class names", &names), done);
    CS_TRY_GOTO(cs_alloc(n * CS_SPLIT_COUNT, sizeof *values, "counts", &values), done);
    for (size_t i = 0; i < n; i++) {
        names[i] = details->classes[i].name;
        for (size_t s = 0; s < CS_SPLIT_COUNT; s++)
            values[i * CS_SPLIT_COUNT + s] = (double)details->classes[i].images[s];
    }
    const cs_stacked_chart chart = {.frame = CS_TRIAL_ROWS_FRAME("images of each class"),
                                    .value_title = "images",
                                    .names = names,
                                    .n = details->n_classes,
                                    .parts = parts,
                                    .n_parts = CS_SPLIT_COUNT,
                                    .values = values};
    status = cs_stacked_chart_draw(&chart, out);
done:
    free(names);
    free(values);
    return status;
}

static void print_classes(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details, FILE *out) {
    (void)page;
    (void)trial;
    fputs("class,train,val,test\n", out);
    for (int i = 0; i < details->n_classes; i++) {
        const cs_class_details *class = &details->classes[i];
        cs_csv_field(class->name, out);
        fprintf(out, ",%lld,%lld,%lld\n", (long long)class->images[CS_SPLIT_TRAIN],
                (long long)class->images[CS_SPLIT_VAL], (long long)class->images[CS_SPLIT_TEST]);
    }
}

static const cs_trial_chart table[] = {
    {"curves", has_epochs, draw_accuracy, print_curves},
    {"loss", has_epochs, draw_loss, print_curves},
    {"learning_rate", has_rate, draw_rate, print_curves},
    {"confusion", has_details, draw_counts, print_confusion},
    {"confusion_rows", has_details, draw_shares, print_confusion},
    {"roc", has_roc, draw_roc, print_roc},
    {"precision_recall", has_roc, draw_pr, print_pr},
    {"reliability", has_scores, draw_reliability, print_reliability},
    {"classes", has_details, draw_classes, print_classes},
};

const cs_trial_chart *cs_trial_charts(int *n) {
    *n = sizeof table / sizeof *table;
    return table;
}
