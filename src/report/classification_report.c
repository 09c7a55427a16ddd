/* SPDX-License-Identifier: Apache-2.0 */
#include "classification_report.h"

#include <math.h>

/* The number of characters of UTF-8 text: bytes that are not continuation bytes. */
static int text_width(const char *text) {
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_heading(const char *heading, int width, FILE *out) {
    fprintf(out, "%*s%s ", width - text_width(heading), "", heading);
}

static void print_scores(const char *heading, int width, cs_class_scores scores, FILE *out) {
    print_heading(heading, width, out);
    fprintf(out, " %9.2f %9.2f %9.2f %9lld\n", scores.precision, scores.recall, scores.f1, (long long)scores.support);
}

static void print_accuracy(const cs_evaluation *evaluation, int width, FILE *out) {
    print_heading("accuracy", width, out);
    fprintf(out, " %9s %9s %9.2f %9lld\n", "", "", cs_evaluation_accuracy(evaluation),
            (long long)cs_evaluation_tally(evaluation).rows);
}

static void print_matrix(const cs_evaluation *evaluation, const char *const *names, int width, FILE *out) {
    fprintf(out, "\nconfusion matrix (rows: true class, columns: predicted class, in the same order)\n\n");
    for (int i = 0; i < evaluation->spec.classes; i++) {
        print_heading(names[i], width, out);
        for (int j = 0; j < evaluation->spec.classes; j++)
            fprintf(out, " %6lld", (long long)cs_evaluation_count(evaluation, i, j));
        fputc('\n', out);
    }
}

void cs_classification_report(const cs_evaluation *evaluation, const char *const *names, FILE *out) {
    int width = text_width("weighted avg");
    for (int i = 0; i < evaluation->spec.classes; i++)
        if (text_width(names[i]) > width)
            width = text_width(names[i]);
    fprintf(out, "%*s  %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score", "support");
    for (int i = 0; i < evaluation->spec.classes; i++)
        print_scores(names[i], width, cs_scores_of_class(evaluation, i), out);
    fputc('\n', out);
    print_accuracy(evaluation, width, out);
    print_scores("macro avg", width, cs_scores_macro(evaluation), out);
    print_scores("weighted avg", width, cs_scores_weighted(evaluation), out);
    print_matrix(evaluation, names, width, out);
}

static void print_interval(const char *name, double value, cs_interval interval, const char *method, FILE *out) {
    if (!isnan(interval.low))
        fprintf(out, "%12s  %.4f  %.4f to %.4f  %s\n", name, value, interval.low, interval.high, method);
}

void cs_intervals_print(const cs_evaluation *evaluation, const cs_bootstrap *bootstrap, FILE *out) {
    static const char resampled[] = "bootstrap, 1000 draws of all rows";
    cs_tally tally = cs_evaluation_tally(evaluation);
    fputs("\n95 % intervals\n\n", out);
    print_interval("accuracy", cs_evaluation_accuracy(evaluation), cs_wilson_interval(tally.correct, tally.rows),
                   "Wilson", out);
    print_interval("macro F1", cs_scores_macro(evaluation).f1, bootstrap->macro_f1, resampled, out);
    print_interval("macro AUC", bootstrap->auc, bootstrap->macro_auc, resampled, out);
}
