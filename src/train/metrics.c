#include "cnnsweep/metrics.h"
#include "cnnsweep/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_confusion_create(int classes, cs_confusion **out) {
    cs_confusion *confusion;
    CS_TRY(cs_alloc(1, sizeof *confusion, "confusion matrix", &confusion));
    confusion->classes = classes;
    cs_status status =
        cs_alloc((size_t)classes * (size_t)classes, sizeof(int64_t), "confusion matrix", &confusion->counts);
    if (status != CS_OK) {
        cs_confusion_free(confusion);
        return status;
    }
    *out = confusion;
    return CS_OK;
}

void cs_confusion_free(cs_confusion *confusion) {
    if (!confusion)
        return;
    free(confusion->counts);
    free(confusion);
}

void cs_confusion_reset(cs_confusion *confusion) {
    memset(confusion->counts, 0, (size_t)confusion->classes * (size_t)confusion->classes * sizeof(int64_t));
}

static int64_t count_at(const cs_confusion *confusion, int label, int predicted) {
    return confusion->counts[(size_t)label * (size_t)confusion->classes + (size_t)predicted];
}

void cs_confusion_add(cs_confusion *confusion, int32_t label, int32_t predicted) {
    confusion->counts[(size_t)label * (size_t)confusion->classes + (size_t)predicted]++;
}

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

static int64_t total(const cs_confusion *confusion) {
    int64_t sum = 0;
    for (int i = 0; i < confusion->classes; i++)
        for (int j = 0; j < confusion->classes; j++)
            sum += count_at(confusion, i, j);
    return sum;
}

double cs_confusion_accuracy(const cs_confusion *confusion) {
    int64_t right = 0;
    for (int i = 0; i < confusion->classes; i++)
        right += count_at(confusion, i, i);
    return ratio((double)right, (double)total(confusion));
}

/* How often class i was predicted. */
static int64_t predictions(const cs_confusion *confusion, int i) {
    int64_t sum = 0;
    for (int label = 0; label < confusion->classes; label++)
        sum += count_at(confusion, label, i);
    return sum;
}

cs_class_scores cs_confusion_class(const cs_confusion *confusion, int class_index) {
    cs_class_scores scores = {0};
    for (int predicted = 0; predicted < confusion->classes; predicted++)
        scores.support += count_at(confusion, class_index, predicted);
    double right = (double)count_at(confusion, class_index, class_index);
    scores.precision = ratio(right, (double)predictions(confusion, class_index));
    scores.recall = ratio(right, (double)scores.support);
    scores.f1 = ratio(2 * scores.precision * scores.recall, scores.precision + scores.recall);
    return scores;
}

static cs_class_scores average(const cs_confusion *confusion, bool by_support) {
    cs_class_scores mean = {0};
    double weights = 0;
    for (int i = 0; i < confusion->classes; i++) {
        cs_class_scores scores = cs_confusion_class(confusion, i);
        double weight = by_support ? (double)scores.support : 1;
        weights += weight;
        mean.precision += weight * scores.precision;
        mean.recall += weight * scores.recall;
        mean.f1 += weight * scores.f1;
        mean.support += scores.support;
    }
    mean.precision = ratio(mean.precision, weights);
    mean.recall = ratio(mean.recall, weights);
    mean.f1 = ratio(mean.f1, weights);
    return mean;
}

cs_class_scores cs_confusion_macro(const cs_confusion *confusion) {
    return average(confusion, false);
}

cs_class_scores cs_confusion_weighted(const cs_confusion *confusion) {
    return average(confusion, true);
}

/* Characters of UTF-8 text: bytes that do not continue one. */
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

/* sklearn writes "accuracy" only when every class occurs among labels or predictions; else it is a micro average. */
static void print_accuracy(const cs_confusion *confusion, int width, FILE *out) {
    double accuracy = cs_confusion_accuracy(confusion);
    int64_t samples = total(confusion);
    for (int i = 0; i < confusion->classes; i++)
        if (cs_confusion_class(confusion, i).support == 0 && predictions(confusion, i) == 0) {
            print_scores("micro avg", width, (cs_class_scores){accuracy, accuracy, accuracy, samples}, out);
            return;
        }
    print_heading("accuracy", width, out);
    fprintf(out, " %9s %9s %9.2f %9lld\n", "", "", accuracy, (long long)samples);
}

static void print_matrix(const cs_confusion *confusion, const char *const *names, int width, FILE *out) {
    fprintf(out, "\nconfusion matrix (rows: true class, columns: predicted class, in the same order)\n\n");
    for (int i = 0; i < confusion->classes; i++) {
        print_heading(names[i], width, out);
        for (int j = 0; j < confusion->classes; j++)
            fprintf(out, " %6lld", (long long)count_at(confusion, i, j));
        fputc('\n', out);
    }
}

void cs_confusion_report(const cs_confusion *confusion, const char *const *names, FILE *out) {
    int width = text_width("weighted avg");
    for (int i = 0; i < confusion->classes; i++)
        if (text_width(names[i]) > width)
            width = text_width(names[i]);
    fprintf(out, "%*s  %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score", "support");
    for (int i = 0; i < confusion->classes; i++)
        print_scores(names[i], width, cs_confusion_class(confusion, i), out);
    fputc('\n', out);
    print_accuracy(confusion, width, out);
    print_scores("macro avg", width, cs_confusion_macro(confusion), out);
    print_scores("weighted avg", width, cs_confusion_weighted(confusion), out);
    print_matrix(confusion, names, width, out);
}
