/* SPDX-License-Identifier: Apache-2.0 */
/* The confusion matrix, whole or its largest cells, and the most confused pairs. */
#include "cnnsweep/memory.h"
#include "details_impl.h"

#include <stdlib.h>
#include <string.h>

static int by_place(const void *a, const void *b) {
    const cs_confusion_cell *p = a, *q = b;
    int by_label = (p->label > q->label) - (p->label < q->label);
    return by_label ? by_label : (p->predicted > q->predicted) - (p->predicted < q->predicted);
}

/* The largest first; of equal ones the first in the matrix. */
static int by_falling_count(const void *a, const void *b) {
    const cs_confusion_cell *p = a, *q = b;
    int by_count = (p->count < q->count) - (p->count > q->count);
    return by_count ? by_count : by_place(a, b);
}

static cs_status keep_matrix(const cs_evaluation *evaluation, cs_trial_details *details) {
    int classes = details->n_classes;
    CS_TRY(cs_alloc((size_t)classes * (size_t)classes, sizeof *details->confusion, "confusion matrix",
                    &details->confusion));
    for (int i = 0; i < classes * classes; i++)
        details->confusion[i] = cs_evaluation_count(evaluation, i / classes, i % classes);
    return CS_OK;
}

/* The cells that are not 0 are not more than the rows. */
static cs_status list_cells(const cs_evaluation *evaluation, cs_confusion_cell **out, size_t *n) {
    size_t capacity = 0;
    for (int label = 0; label < evaluation->spec.classes; label++) {
        for (int predicted = 0; predicted < evaluation->spec.classes; predicted++) {
            int64_t count = cs_evaluation_count(evaluation, label, predicted);
            if (count == 0)
                continue;
            CS_TRY(cs_grow(out, &capacity, *n + 1, sizeof **out, "cells of the confusion matrix"));
            (*out)[(*n)++] = (cs_confusion_cell){label, predicted, count};
        }
    }
    return CS_OK;
}

static cs_status keep_cells(const cs_evaluation *evaluation, cs_trial_details *details) {
    size_t n = 0;
    CS_TRY(list_cells(evaluation, &details->cells, &n));
    if (n > CS_DETAILS_CELLS) {
        qsort(details->cells, n, sizeof *details->cells, by_falling_count);
        for (size_t i = CS_DETAILS_CELLS; i < n; i++)
            details->rows_in_other_cells += details->cells[i].count;
        n = CS_DETAILS_CELLS;
        qsort(details->cells, n, sizeof *details->cells, by_place);
    }
    details->n_cells = (int)n;
    return CS_OK;
}

/* Puts a cell into the list of pairs where it belongs. Cells come in the order of the matrix. */
static void offer_pair(cs_trial_details *details, cs_confusion_cell cell) {
    int at = details->n_pairs;
    while (at > 0 && details->pairs[at - 1].count < cell.count)
        at--;
    if (at == CS_DETAILS_PAIRS)
        return;
    if (details->n_pairs < CS_DETAILS_PAIRS)
        details->n_pairs++;
    memmove(&details->pairs[at + 1], &details->pairs[at], (size_t)(details->n_pairs - 1 - at) * sizeof cell);
    details->pairs[at] = cell;
}

cs_status cs_details_add_confusion(const cs_evaluation *evaluation, cs_trial_details *details) {
    for (int label = 0; label < details->n_classes; label++) {
        for (int predicted = 0; predicted < details->n_classes; predicted++) {
            int64_t count = cs_evaluation_count(evaluation, label, predicted);
            if (label != predicted && count > 0)
                offer_pair(details, (cs_confusion_cell){label, predicted, count});
        }
    }
    return details->n_classes <= CS_DETAILS_DENSE ? keep_matrix(evaluation, details) : keep_cells(evaluation, details);
}

int64_t cs_details_count(const cs_trial_details *details, int label, int predicted) {
    if (details->confusion)
        return details->confusion[label * details->n_classes + predicted];
    const cs_confusion_cell wanted = {label, predicted, 0};
    const cs_confusion_cell *found =
        details->n_cells > 0 ? bsearch(&wanted, details->cells, (size_t)details->n_cells, sizeof wanted, by_place)
                             : NULL;
    return found ? found->count : 0;
}
