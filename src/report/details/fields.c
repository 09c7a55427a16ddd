/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the structs of trial details, a row each. */
#include "details_impl.h"

#include <stddef.h>

#define FIELD(type, struct_name, name, member)                                                                         \
    { name, type, offsetof(struct_name, member) }
#define FIELDS(rows)                                                                                                   \
    { rows, sizeof(rows) / sizeof *(rows) }

static const cs_field of_details[] = {
    FIELD(CS_FIELD_COUNT, cs_trial_details, "rows", rows),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "loss", loss),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "accuracy", accuracy),
    FIELD(CS_FIELD_INTERVAL, cs_trial_details, "accuracy_wilson", accuracy_wilson),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "macro_precision", macro.precision),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "macro_recall", macro.recall),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "macro_f1", macro.f1),
    FIELD(CS_FIELD_COUNT, cs_trial_details, "macro_support", macro.support),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "weighted_precision", weighted.precision),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "weighted_recall", weighted.recall),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "weighted_f1", weighted.f1),
    FIELD(CS_FIELD_COUNT, cs_trial_details, "weighted_support", weighted.support),
    FIELD(CS_FIELD_INTERVAL, cs_trial_details, "macro_f1_bootstrap", macro_f1_bootstrap),
    FIELD(CS_FIELD_INTERVAL, cs_trial_details, "macro_auc_bootstrap", macro_auc_bootstrap),
    FIELD(CS_FIELD_COUNT, cs_trial_details, "rows_in_other_cells", rows_in_other_cells),
};
const cs_fields cs_details_fields = FIELDS(of_details);

static const cs_field of_scores[] = {
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "macro_auc", macro_auc),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "macro_average_precision", macro_average_precision),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "micro_auc", micro_auc),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "micro_average_precision", micro_average_precision),
    FIELD(CS_FIELD_NUMBER, cs_trial_details, "calibration_error", calibration_error),
};
const cs_fields cs_details_score_fields = FIELDS(of_scores);

static const cs_field of_class[] = {
    FIELD(CS_FIELD_COUNT, cs_class_details, "train_images", images[CS_SPLIT_TRAIN]),
    FIELD(CS_FIELD_COUNT, cs_class_details, "val_images", images[CS_SPLIT_VAL]),
    FIELD(CS_FIELD_COUNT, cs_class_details, "test_images", images[CS_SPLIT_TEST]),
    FIELD(CS_FIELD_COUNT, cs_class_details, "support", scores.support),
    FIELD(CS_FIELD_COUNT, cs_class_details, "predicted", predicted),
    FIELD(CS_FIELD_COUNT, cs_class_details, "right", right),
    FIELD(CS_FIELD_NUMBER, cs_class_details, "precision", scores.precision),
    FIELD(CS_FIELD_INTERVAL, cs_class_details, "precision_wilson", precision_wilson),
    FIELD(CS_FIELD_NUMBER, cs_class_details, "recall", scores.recall),
    FIELD(CS_FIELD_INTERVAL, cs_class_details, "recall_wilson", recall_wilson),
    FIELD(CS_FIELD_NUMBER, cs_class_details, "f1", scores.f1),
    FIELD(CS_FIELD_NUMBER, cs_class_details, "auc", auc),
    FIELD(CS_FIELD_NUMBER, cs_class_details, "average_precision", average_precision),
};
const cs_fields cs_details_class_fields = FIELDS(of_class);

static const cs_field of_bin[] = {
    FIELD(CS_FIELD_COUNT, cs_reliability_bin, "count", count),
    FIELD(CS_FIELD_NUMBER, cs_reliability_bin, "confidence", confidence),
    FIELD(CS_FIELD_NUMBER, cs_reliability_bin, "accuracy", accuracy),
};
const cs_fields cs_details_bin_fields = FIELDS(of_bin);

static const cs_field of_image[] = {
    FIELD(CS_FIELD_COUNT, cs_detail_image, "sample", sample),
    FIELD(CS_FIELD_CLASS, cs_detail_image, "label", label),
    FIELD(CS_FIELD_CLASS, cs_detail_image, "predicted", predicted),
    FIELD(CS_FIELD_NUMBER, cs_detail_image, "probability", probability),
    FIELD(CS_FIELD_NUMBER, cs_detail_image, "label_probability", label_probability),
};
const cs_fields cs_details_image_fields = FIELDS(of_image);

static const cs_field of_curve[] = {
    FIELD(CS_FIELD_NUMBER, cs_score_curve, "area", area),
    FIELD(CS_FIELD_COUNT, cs_score_curve, "positives", positives),
    FIELD(CS_FIELD_COUNT, cs_score_curve, "negatives", negatives),
};
const cs_fields cs_details_curve_fields = FIELDS(of_curve);

const cs_curve_list cs_details_curve_lists[CS_CURVE_LISTS] = {
    {"roc", true, offsetof(cs_trial_details, n_roc), offsetof(cs_trial_details, roc)},
    {"precision_recall", false, offsetof(cs_trial_details, n_pr), offsetof(cs_trial_details, pr)},
};

const cs_image_list cs_details_image_lists[CS_IMAGE_LISTS] = {
    {"confident_right", offsetof(cs_trial_details, confident_right)},
    {"confident_wrong", offsetof(cs_trial_details, confident_wrong)},
    {"least_sure", offsetof(cs_trial_details, least_sure)},
};
