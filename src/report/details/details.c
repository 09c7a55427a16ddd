/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"
#include "details_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cs_interval undefined = {(double)NAN, (double)NAN};

static cs_interval wilson(int64_t part, int64_t rows) {
    return rows > 0 ? cs_wilson_interval(part, rows) : undefined;
}

static cs_status add_class(const cs_evaluation *evaluation, const cs_dataset *dataset, int k, cs_class_details *out) {
    out->scores = cs_scores_of_class(evaluation, k);
    out->predicted = cs_count_predictions(evaluation, k);
    out->right = cs_evaluation_count(evaluation, k, k);
    out->precision_wilson = wilson(out->right, out->predicted);
    out->recall_wilson = wilson(out->right, out->scores.support);
    out->auc = out->average_precision = (double)NAN;
    return cs_details_text(cs_dataset_class(dataset, k), &out->name);
}

static void count_images(const cs_dataset *dataset, cs_trial_details *details) {
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, split); i++)
            details->classes[cs_dataset_label(dataset, split, i)].images[split]++;
}

static cs_status add_classes(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_trial_details *details) {
    CS_TRY(cs_alloc((size_t)details->n_classes, sizeof *details->classes, "classes", &details->classes));
    for (int k = 0; k < details->n_classes; k++)
        CS_TRY(add_class(evaluation, dataset, k, &details->classes[k]));
    count_images(dataset, details);
    return CS_OK;
}

static void add_figures(const cs_evaluation *evaluation, const cs_bootstrap *bootstrap, cs_trial_details *details) {
    cs_tally tally = cs_evaluation_tally(evaluation);
    details->rows = tally.rows;
    details->loss = cs_evaluation_loss(evaluation);
    details->accuracy = cs_evaluation_accuracy(evaluation);
    details->accuracy_wilson = wilson(tally.correct, tally.rows);
    details->macro = cs_scores_macro(evaluation);
    details->weighted = cs_scores_weighted(evaluation);
    details->macro_f1_bootstrap = bootstrap->macro_f1;
    details->macro_auc_bootstrap = bootstrap->macro_auc;
}

void cs_details_leave_scores(cs_trial_details *details) {
    for (size_t i = 0; i < cs_details_score_fields.n; i++)
        *(double *)(void *)((char *)details + cs_details_score_fields.rows[i].offset) = (double)NAN;
}

static cs_status fill(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_split split,
                      const cs_bootstrap *bootstrap, cs_trial_details *details) {
    details->split = split;
    details->n_classes = evaluation->spec.classes;
    add_figures(evaluation, bootstrap, details);
    CS_TRY(add_classes(evaluation, dataset, details));
    CS_TRY(cs_details_add_confusion(evaluation, details));
    cs_details_leave_scores(details);
    details->has_scores = (evaluation->spec.needs & CS_NEEDS_LOGITS) != 0;
    if (!details->has_scores) {
        snprintf(details->left_out, sizeof details->left_out,
                 "the scores of %lld images of %d classes were not collected, as they would take too much memory",
                 (long long)details->rows, details->n_classes);
        return CS_OK;
    }
    cs_evaluation_fill_probabilities(evaluation);
    CS_TRY(cs_details_add_curves(evaluation, details));
    return cs_details_add_rows(evaluation, dataset, details);
}

cs_status cs_trial_details_make(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_split split,
                                const cs_bootstrap *bootstrap, cs_trial_details **out) {
    cs_trial_details *details = NULL;
    CS_TRY(cs_alloc(1, sizeof *details, "details", &details));
    cs_status status = fill(evaluation, dataset, split, bootstrap, details);
    if (status != CS_OK) {
        cs_trial_details_free(details);
        return status;
    }
    *out = details;
    return CS_OK;
}

static void free_curves(cs_score_curve *curves, int n) {
    for (int i = 0; i < n; i++)
        free(curves[i].points);
    free(curves);
}

void cs_trial_details_free(cs_trial_details *details) {
    if (!details)
        return;
    for (int k = 0; details->classes && k < details->n_classes; k++)
        free(details->classes[k].name);
    for (size_t list = 0; list < CS_IMAGE_LISTS; list++) {
        cs_detail_images *images = (void *)((char *)details + cs_details_image_lists[list].images);
        for (int i = 0; i < CS_DETAILS_IMAGES; i++)
            free(images->images[i].id);
    }
    free_curves(details->roc, details->n_roc);
    free_curves(details->pr, details->n_pr);
    free(details->classes);
    free(details->confusion);
    free(details->cells);
    free(details);
}
