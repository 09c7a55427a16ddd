/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a trial's charts as CSV. */
#include "cnnsweep/text_table.h"
#include "details_impl.h"

static void print_curves(const cs_trial_details *details, const cs_score_curve *curves, int n, FILE *out) {
    for (int i = 0; i < n; i++) {
        for (int at = 0; at < curves[i].n; at++) {
            bool is_micro = curves[i].class_index == CS_CURVE_MICRO;
            cs_csv_field(is_micro ? "micro average" : details->classes[curves[i].class_index].name, out);
            cs_csv_number(curves[i].points[at].x, out);
            cs_csv_number(curves[i].points[at].y, out);
            fputc('\n', out);
        }
    }
}

void cs_details_roc_csv(const cs_trial_details *details, FILE *out) {
    fputs("class,false_positive_rate,true_positive_rate\n", out);
    print_curves(details, details->roc, details->n_roc, out);
}

void cs_details_pr_csv(const cs_trial_details *details, FILE *out) {
    fputs("class,recall,precision\n", out);
    print_curves(details, details->pr, details->n_pr, out);
}

void cs_details_reliability_csv(const cs_trial_details *details, FILE *out) {
    fputs("above,to,count,confidence,accuracy\n", out);
    for (int i = 0; i < CS_DETAILS_BINS && details->has_scores; i++) {
        const cs_reliability_bin *bin = &details->bins[i];
        fprintf(out, "%.6f,%.6f,%lld", (double)i / CS_DETAILS_BINS, (double)(i + 1) / CS_DETAILS_BINS,
                (long long)bin->count);
        cs_csv_number(bin->confidence, out);
        cs_csv_number(bin->accuracy, out);
        fputc('\n', out);
    }
}

static void print_matrix(const cs_trial_details *details, FILE *out) {
    fputs("label", out);
    for (int k = 0; k < details->n_classes; k++) {
        fputc(',', out);
        cs_csv_field(details->classes[k].name, out);
    }
    fputc('\n', out);
    for (int label = 0; label < details->n_classes; label++) {
        cs_csv_field(details->classes[label].name, out);
        for (int predicted = 0; predicted < details->n_classes; predicted++)
            fprintf(out, ",%lld", (long long)cs_details_count(details, label, predicted));
        fputc('\n', out);
    }
}

void cs_details_confusion_csv(const cs_trial_details *details, FILE *out) {
    if (details->confusion) {
        print_matrix(details, out);
        return;
    }
    fputs("label,predicted,count\n", out);
    for (int i = 0; i < details->n_cells; i++) {
        cs_csv_field(details->classes[details->cells[i].label].name, out);
        fputc(',', out);
        cs_csv_field(details->classes[details->cells[i].predicted].name, out);
        fprintf(out, ",%lld\n", (long long)details->cells[i].count);
    }
}
