/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/predictions.h"
#include "cnnsweep/file.h"
#include "cnnsweep/text_table.h"

static void print_header(const cs_dataset *dataset, FILE *out) {
    char column[CS_PATH_MAX];
    fputs("id,label,predicted", out);
    for (int k = 0; k < cs_dataset_class_count(dataset); k++) {
        snprintf(column, sizeof column, "p_%s", cs_dataset_class(dataset, k));
        fputc(',', out);
        cs_csv_field(column, out);
    }
    fputc('\n', out);
}

static void print_row(const cs_dataset *dataset, cs_split split, const cs_evaluation *evaluation, int64_t row,
                      FILE *out) {
    const double *probabilities = cs_evaluation_probabilities(evaluation, row);
    const double *logits = cs_evaluation_logits(evaluation, row);
    const int classes = evaluation->spec.classes;
    int predicted = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[predicted])
            predicted = k;
    cs_csv_field(cs_dataset_id(dataset, split, row), out);
    fputc(',', out);
    cs_csv_field(cs_dataset_class(dataset, cs_evaluation_label(evaluation, row)), out);
    fputc(',', out);
    cs_csv_field(cs_dataset_class(dataset, predicted), out);
    for (int k = 0; k < classes; k++)
        fprintf(out, ",%.9g", probabilities[k]);
    fputc('\n', out);
}

cs_status cs_predictions_write(const char *path, const cs_dataset *dataset, cs_split split,
                               const cs_evaluation *evaluation) {
    cs_atomic_file *file = NULL;
    CS_TRY(cs_atomic_open(path, &file));
    cs_evaluation_fill_probabilities(evaluation);
    print_header(dataset, cs_atomic_stream(file));
    for (int64_t row = 0; row < evaluation->spec.rows; row++)
        print_row(dataset, split, evaluation, row, cs_atomic_stream(file));
    return cs_atomic_commit(&file);
}
