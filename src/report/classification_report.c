/* SPDX-License-Identifier: Apache-2.0 */
#include "classification_report.h"

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

/* sklearn writes "accuracy" only if every class occurs among the labels or the predictions; otherwise it writes a micro
 * average. */
static void print_accuracy(const cs_evaluation *test, int width, FILE *out) {
    double accuracy = cs_evaluation_accuracy(test);
    int64_t samples = cs_evaluation_tally(test).rows;
    for (int i = 0; i < test->spec.classes; i++)
        if (cs_scores_of_class(test, i).support == 0 && cs_count_predictions(test, i) == 0) {
            print_scores("micro avg", width, (cs_class_scores){accuracy, accuracy, accuracy, samples}, out);
            return;
        }
    print_heading("accuracy", width, out);
    fprintf(out, " %9s %9s %9.2f %9lld\n", "", "", accuracy, (long long)samples);
}

static void print_matrix(const cs_evaluation *test, const char *const *names, int width, FILE *out) {
    fprintf(out, "\nconfusion matrix (rows: true class, columns: predicted class, in the same order)\n\n");
    for (int i = 0; i < test->spec.classes; i++) {
        print_heading(names[i], width, out);
        for (int j = 0; j < test->spec.classes; j++)
            fprintf(out, " %6lld", (long long)cs_evaluation_count(test, i, j));
        fputc('\n', out);
    }
}

void cs_classification_report(const cs_evaluation *test, const char *const *names, FILE *out) {
    int width = text_width("weighted avg");
    for (int i = 0; i < test->spec.classes; i++)
        if (text_width(names[i]) > width)
            width = text_width(names[i]);
    fprintf(out, "%*s  %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score", "support");
    for (int i = 0; i < test->spec.classes; i++)
        print_scores(names[i], width, cs_scores_of_class(test, i), out);
    fputc('\n', out);
    print_accuracy(test, width, out);
    print_scores("macro avg", width, cs_scores_macro(test), out);
    print_scores("weighted avg", width, cs_scores_weighted(test), out);
    print_matrix(test, names, width, out);
}
