/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the predictions of single rows: the reliability diagram, images to look at, and the list of images
 * that were predicted wrongly. */
#include "cnnsweep/text.h"
#include "cnnsweep/text_table.h"
#include "details_impl.h"

#include <math.h>
#include <string.h>

int cs_details_predicted(const cs_evaluation *evaluation, int64_t row) {
    const double *logits = cs_evaluation_logits(evaluation, row);
    int largest = 0;
    for (int k = 1; k < evaluation->spec.classes; k++)
        if (logits[k] > logits[largest])
            largest = k;
    return largest;
}

static cs_detail_image image_of(const cs_evaluation *evaluation, int64_t row) {
    const double *probabilities = cs_evaluation_probabilities(evaluation, row);
    int label = cs_evaluation_label(evaluation, row), predicted = cs_details_predicted(evaluation, row);
    return (cs_detail_image){.sample = row,
                             .label = label,
                             .predicted = predicted,
                             .probability = probabilities[predicted],
                             .label_probability = probabilities[label]};
}

/* Equal bins ((m-1)/15, m/15], as in the metric ece. */
static cs_reliability_bin *bin_of(cs_trial_details *details, double confidence) {
    int bin = 0;
    while (bin < CS_DETAILS_BINS - 1 && confidence > (double)(bin + 1) / CS_DETAILS_BINS)
        bin++;
    return &details->bins[bin];
}

static void add_to_bin(cs_trial_details *details, const cs_detail_image *image) {
    cs_reliability_bin *bin = bin_of(details, image->probability);
    bin->count++;
    bin->confidence += image->probability;
    bin->accuracy += image->predicted == image->label;
}

/* Divides the sums of the bins by their counts. */
static void finish_bins(cs_trial_details *details) {
    details->calibration_error = 0;
    for (int i = 0; i < CS_DETAILS_BINS; i++) {
        cs_reliability_bin *bin = &details->bins[i];
        details->calibration_error += fabs(bin->accuracy - bin->confidence) / (double)details->rows;
        bin->accuracy /= (double)bin->count;
        bin->confidence /= (double)bin->count;
    }
}

/* Puts an image into a list where it belongs, by its score, falling with sign 1 and rising with -1. Images come in the
 * order of the split. */
static void offer_image(cs_detail_images *list, const cs_detail_image *image, double sign) {
    int at = list->n;
    while (at > 0 && sign * list->images[at - 1].probability < sign * image->probability)
        at--;
    if (at == CS_DETAILS_IMAGES)
        return;
    if (list->n < CS_DETAILS_IMAGES)
        list->n++;
    memmove(&list->images[at + 1], &list->images[at], (size_t)(list->n - 1 - at) * sizeof *image);
    list->images[at] = *image;
}

static cs_status name_images(const cs_dataset *dataset, cs_split split, cs_detail_images *list) {
    for (int i = 0; i < list->n; i++)
        CS_TRY(cs_details_text(cs_dataset_id(dataset, split, list->images[i].sample), &list->images[i].id));
    return CS_OK;
}

cs_status cs_details_add_rows(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_trial_details *details) {
    for (int64_t row = 0; row < details->rows; row++) {
        const cs_detail_image image = image_of(evaluation, row);
        add_to_bin(details, &image);
        offer_image(image.predicted == image.label ? &details->confident_right : &details->confident_wrong, &image, 1);
        offer_image(&details->least_sure, &image, -1);
    }
    finish_bins(details);
    CS_TRY(name_images(dataset, details->split, &details->confident_right));
    CS_TRY(name_images(dataset, details->split, &details->confident_wrong));
    return name_images(dataset, details->split, &details->least_sure);
}

void cs_misclassified_print(const cs_evaluation *evaluation, const cs_dataset *dataset, cs_split split, FILE *out) {
    cs_evaluation_fill_probabilities(evaluation);
    fputs("id,label,predicted,probability_of_label,probability_of_predicted\n", out);
    for (int64_t row = 0; row < cs_evaluation_tally(evaluation).rows; row++) {
        const cs_detail_image image = image_of(evaluation, row);
        if (image.predicted == image.label)
            continue;
        cs_csv_field(cs_dataset_id(dataset, split, row), out);
        fputc(',', out);
        cs_csv_field(cs_dataset_class(dataset, image.label), out);
        fputc(',', out);
        cs_csv_field(cs_dataset_class(dataset, image.predicted), out);
        fprintf(out, ",%.9g,%.9g\n", image.label_probability, image.probability);
    }
}
