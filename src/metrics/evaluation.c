/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"
#include "cnnsweep/metrics.h"
#include "families.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Indexes in the values of an evaluation; TALLY is the size of the tally. */
enum { LOSS, CORRECT, ROWS, TALLY };

static size_t counts_size(const cs_evaluation_spec *spec) {
    return spec->needs & CS_NEEDS_CONFUSION ? (size_t)spec->classes * (size_t)spec->classes : 0;
}

static size_t hits_size(const cs_evaluation_spec *spec) {
    return spec->needs & CS_NEEDS_HITS ? (size_t)spec->rows : 0;
}

static size_t row_size(const cs_evaluation_spec *spec) {
    return spec->needs & CS_NEEDS_LOGITS ? 1 + (size_t)spec->classes : 0;
}

static size_t rows_offset(const cs_evaluation_spec *spec) {
    return TALLY + counts_size(spec) + hits_size(spec);
}

static size_t size_of(const cs_evaluation_spec *spec) {
    return rows_offset(spec) + (size_t)spec->rows * row_size(spec);
}

static double *counts_of(const cs_evaluation *evaluation) {
    return evaluation->values + TALLY;
}

static double *hits_of(const cs_evaluation *evaluation) {
    return counts_of(evaluation) + counts_size(&evaluation->spec);
}

static double *row_of(const cs_evaluation *evaluation, int64_t row) {
    return evaluation->values + rows_offset(&evaluation->spec) + (size_t)row * row_size(&evaluation->spec);
}

static cs_status allocate(cs_evaluation *evaluation) {
    const cs_evaluation_spec *spec = &evaluation->spec;
    size_t rows = (size_t)spec->rows;
    CS_TRY(cs_alloc(size_of(spec), sizeof *evaluation->values, "evaluation", &evaluation->values));
    if (!(spec->needs & CS_NEEDS_LOGITS))
        return CS_OK;
    CS_TRY(cs_alloc(rows * (size_t)spec->classes, sizeof *evaluation->probabilities, "evaluation",
                    &evaluation->probabilities));
    CS_TRY(cs_alloc(rows, sizeof *evaluation->scored, "evaluation", &evaluation->scored));
    return cs_alloc(rows, sizeof *evaluation->order, "evaluation", &evaluation->order);
}

cs_status cs_evaluation_create(const cs_evaluation_spec *spec, cs_evaluation **out) {
    cs_evaluation *evaluation;
    if (size_of(spec) > INT_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "an evaluation of %lld rows of %d classes has too many logits to keep",
                       (long long)spec->rows, spec->classes);
    CS_TRY(cs_alloc(1, sizeof *evaluation, "evaluation", &evaluation));
    evaluation->spec = *spec;
    cs_status status = allocate(evaluation);
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
    free(evaluation->probabilities);
    free(evaluation->scored);
    free(evaluation->order);
    free(evaluation);
}

void cs_evaluation_reset(cs_evaluation *evaluation) {
    memset(evaluation->values, 0, cs_evaluation_size(evaluation) * sizeof(double));
}

static int first_largest(const float *logits, int n) {
    int largest = 0;
    for (int k = 1; k < n; k++)
        if (logits[k] > logits[largest])
            largest = k;
    return largest;
}

static void add_row(cs_evaluation *evaluation, int64_t row, const float *logits, int32_t label) {
    int classes = evaluation->spec.classes, predicted = first_largest(logits, classes);
    if (evaluation->spec.needs & CS_NEEDS_CONFUSION)
        counts_of(evaluation)[(size_t)label * (size_t)classes + (size_t)predicted]++;
    if (evaluation->spec.needs & CS_NEEDS_HITS)
        hits_of(evaluation)[row] = predicted == label;
    if (evaluation->spec.needs & CS_NEEDS_LOGITS) {
        double *kept = row_of(evaluation, row);
        kept[0] = label;
        for (int k = 0; k < classes; k++)
            kept[1 + k] = (double)logits[k];
    }
}

void cs_evaluation_add(cs_evaluation *evaluation, const cs_tally *sums, const cs_evaluated_rows *rows) {
    double *values = evaluation->values;
    assert(evaluation->spec.needs == CS_NEEDS_TALLY || rows);
    for (int64_t i = 0; i < sums->rows && evaluation->spec.needs != CS_NEEDS_TALLY; i++)
        add_row(evaluation, rows->samples[i], rows->logits + i * evaluation->spec.classes, rows->labels[i]);
    values[LOSS] += sums->loss;
    values[CORRECT] += (double)sums->correct;
    values[ROWS] += (double)sums->rows;
}

void cs_evaluation_set_tally(cs_evaluation *evaluation, const cs_tally *sums) {
    evaluation->values[LOSS] = sums->loss;
    evaluation->values[CORRECT] = (double)sums->correct;
    evaluation->values[ROWS] = (double)sums->rows;
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

bool cs_evaluation_hit(const cs_evaluation *evaluation, int64_t row) {
    return hits_of(evaluation)[row] > 0;
}

int cs_evaluation_label(const cs_evaluation *evaluation, int64_t row) {
    return (int)row_of(evaluation, row)[0];
}

const double *cs_evaluation_logits(const cs_evaluation *evaluation, int64_t row) {
    return row_of(evaluation, row) + 1;
}

static void softmax(const double *logits, int n, double *out) {
    double largest = logits[0], sum = 0;
    for (int k = 1; k < n; k++)
        largest = fmax(largest, logits[k]);
    for (int k = 0; k < n; k++)
        sum += out[k] = exp(logits[k] - largest);
    for (int k = 0; k < n; k++)
        out[k] /= sum;
}

void cs_evaluation_fill_probabilities(const cs_evaluation *evaluation) {
    int classes = evaluation->spec.classes;
    int64_t rows = cs_evaluation_tally(evaluation).rows;
    for (int64_t row = 0; evaluation->probabilities && row < rows; row++)
        softmax(cs_evaluation_logits(evaluation, row), classes, evaluation->probabilities + row * classes);
}

const double *cs_evaluation_probabilities(const cs_evaluation *evaluation, int64_t row) {
    return evaluation->probabilities + row * evaluation->spec.classes;
}

size_t cs_evaluation_size(const cs_evaluation *evaluation) {
    return size_of(&evaluation->spec);
}

void cs_evaluation_copy(const cs_evaluation *from, cs_evaluation *to) {
    memcpy(to->values, from->values, TALLY * sizeof(double));
    memcpy(counts_of(to), counts_of(from), counts_size(&to->spec) * sizeof(double));
    memcpy(hits_of(to), hits_of(from), hits_size(&to->spec) * sizeof(double));
    memcpy(row_of(to, 0), row_of(from, 0), (size_t)to->spec.rows * row_size(&to->spec) * sizeof(double));
}
