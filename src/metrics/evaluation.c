/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"
#include "cnnsweep/metrics.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Indexes in the values of an evaluation; TALLY is the size of the tally. */
enum { LOSS, CORRECT, ROWS, TALLY };

static size_t counts_size(const cs_evaluation_spec *spec) {
    return spec->needs & CS_NEEDS_CONFUSION ? (size_t)spec->classes * (size_t)spec->classes : 0;
}

static size_t row_size(const cs_evaluation_spec *spec) {
    return spec->needs & CS_NEEDS_LOGITS ? 1 + (size_t)spec->classes : 0;
}

static size_t size_of(const cs_evaluation_spec *spec, int64_t rows) {
    return TALLY + counts_size(spec) + (size_t)rows * row_size(spec);
}

static double *counts_of(const cs_evaluation *evaluation) {
    return evaluation->values + TALLY;
}

static double *row_of(const cs_evaluation *evaluation, int64_t row) {
    return evaluation->values + size_of(&evaluation->spec, row);
}

cs_status cs_evaluation_create(const cs_evaluation_spec *spec, cs_evaluation **out) {
    cs_evaluation *evaluation;
    size_t size = size_of(spec, spec->rows);
    if (size > INT_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "an evaluation of %lld rows of %d classes has too many logits to keep",
                       (long long)spec->rows, spec->classes);
    CS_TRY(cs_alloc(1, sizeof *evaluation, "evaluation", &evaluation));
    evaluation->spec = *spec;
    cs_status status = cs_alloc(size, sizeof *evaluation->values, "evaluation", &evaluation->values);
    if (status != CS_OK) {
        cs_evaluation_free(evaluation);
        return status;
    }
    *out = evaluation;
    return CS_OK;
}

void cs_evaluation_free(cs_evaluation *evaluation) {
    if (!evaluation)
        return;
    free(evaluation->values);
    free(evaluation);
}

void cs_evaluation_reset(cs_evaluation *evaluation) {
    memset(evaluation->values, 0, size_of(&evaluation->spec, 0) * sizeof(double));
}

static int first_largest(const float *logits, int n) {
    int largest = 0;
    for (int k = 1; k < n; k++)
        if (logits[k] > logits[largest])
            largest = k;
    return largest;
}

static void add_row(cs_evaluation *evaluation, int64_t row, const float *logits, int32_t label) {
    int classes = evaluation->spec.classes;
    if (evaluation->spec.needs & CS_NEEDS_CONFUSION)
        counts_of(evaluation)[(size_t)label * (size_t)classes + (size_t)first_largest(logits, classes)]++;
    if (evaluation->spec.needs & CS_NEEDS_LOGITS) {
        double *kept = row_of(evaluation, row);
        kept[0] = label;
        for (int k = 0; k < classes; k++)
            kept[1 + k] = (double)logits[k];
    }
}

void cs_evaluation_add(cs_evaluation *evaluation, const cs_tally *sums, const float *logits, const int32_t *labels) {
    double *values = evaluation->values;
    int64_t before = (int64_t)values[ROWS];
    assert(evaluation->spec.needs == CS_NEEDS_TALLY || logits);
    for (int64_t i = 0; i < sums->rows && evaluation->spec.needs != CS_NEEDS_TALLY; i++)
        add_row(evaluation, before + i, logits + i * evaluation->spec.classes, labels[i]);
    values[LOSS] += sums->loss;
    values[CORRECT] += (double)sums->correct;
    values[ROWS] += (double)sums->rows;
}

cs_tally cs_evaluation_tally(const cs_evaluation *evaluation) {
    const double *values = evaluation->values;
    return (cs_tally){values[LOSS], (int64_t)values[CORRECT], (int64_t)values[ROWS]};
}

double cs_evaluation_loss(const cs_evaluation *evaluation) {
    return evaluation->values[LOSS] / evaluation->values[ROWS];
}

double cs_evaluation_accuracy(const cs_evaluation *evaluation) {
    return evaluation->values[CORRECT] / evaluation->values[ROWS];
}

int64_t cs_evaluation_count(const cs_evaluation *evaluation, int label, int predicted) {
    return (int64_t)counts_of(evaluation)[(size_t)label * (size_t)evaluation->spec.classes + (size_t)predicted];
}

int cs_evaluation_label(const cs_evaluation *evaluation, int64_t row) {
    return (int)row_of(evaluation, row)[0];
}

const double *cs_evaluation_logits(const cs_evaluation *evaluation, int64_t row) {
    return row_of(evaluation, row) + 1;
}

size_t cs_evaluation_size(const cs_evaluation *evaluation) {
    return size_of(&evaluation->spec, (int64_t)evaluation->values[ROWS]);
}

void cs_evaluation_copy(const cs_evaluation *from, cs_evaluation *to) {
    int64_t rows = (int64_t)from->values[ROWS];
    memcpy(to->values, from->values, TALLY * sizeof(double));
    memcpy(counts_of(to), counts_of(from), counts_size(&to->spec) * sizeof(double));
    memcpy(row_of(to, 0), row_of(from, 0), (size_t)rows * row_size(&to->spec) * sizeof(double));
}

size_t cs_evaluation_pad(cs_evaluation *evaluation, int64_t first, int64_t rows) {
    size_t each = row_size(&evaluation->spec) * sizeof(double);
    int64_t mine = (int64_t)evaluation->values[ROWS], last = first + mine;
    memmove(row_of(evaluation, first), row_of(evaluation, 0), (size_t)mine * each);
    memset(row_of(evaluation, 0), 0, (size_t)first * each);
    memset(row_of(evaluation, last), 0, (size_t)(rows - last) * each);
    return size_of(&evaluation->spec, rows);
}
