/* SPDX-License-Identifier: Apache-2.0 */
#include "criterion.h"
#include "cnnsweep/class_weight.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

/* In Keras, the loss of a binary head has the factors of classes only with apply_class_balancing. */
static cs_focal focal_of(const cs_train_config *config, bool binary) {
    if (config->loss != CS_LOSS_FOCAL)
        return (cs_focal){0};
    if (!binary)
        return (cs_focal){.alpha = config->focal_alpha, .gamma = config->focal_gamma};
    const bool balances = config->focal_balancing;
    return (cs_focal){.alpha = balances ? config->focal_alpha : 1,
                      .gamma = config->focal_gamma,
                      .alpha_0 = balances ? 1 - config->focal_alpha : 1};
}

cs_status cs_criterion_open(cs_criterion *criterion, const cs_train_config *config, const cs_dataset *dataset,
                            const cs_graph *graph, int rows) {
    const size_t classes = (size_t)cs_dataset_class_count(dataset);
    const bool weighted = cs_class_weight_is_on(config->class_weight) || config->sample_weight;
    criterion->classes = (int)classes;
    criterion->smoothing = config->label_smoothing;
    criterion->focal = focal_of(config, graph->layers[graph->n_layers - 1].activation == CS_ACT_BINARY);
    criterion->torch = config->optimizer.dialect == CS_TRAIN_DIALECT_TORCH;
    if (config->sample_weight) {
        CS_TRY(cs_sample_weight_check(dataset));
        criterion->samples = dataset;
    }
    if (weighted) {
        CS_TRY(cs_alloc(classes, sizeof *criterion->weights, "class weights", &criterion->weights));
        CS_TRY(cs_class_weight_read(config->class_weight, dataset, criterion->weights));
    }
    if (!weighted && criterion->smoothing == 0)
        return CS_OK;
    return cs_alloc((size_t)rows * classes, sizeof *criterion->soft, "targets", &criterion->soft);
}

void cs_criterion_close(cs_criterion *criterion) {
    free(criterion->weights);
    free(criterion->soft);
}

/* An engine divides the sum over rows by their number. This factor makes of it torch's division by the sum of the
 * labels' weights. Where all of them are 0, so is the loss. */
static double factor_of_mean(const cs_criterion *criterion, const cs_batch *batch) {
    double sum = 0;
    if (!criterion->torch)
        return 1;
    for (int k = 0; k < criterion->classes; k++) {
        const double rows = criterion->samples ? batch->class_sums[k] : batch->class_counts[k];
        sum += batch->soft ? rows : rows * criterion->weights[k];
    }
    return sum > 0 ? batch->n_global / sum : 0;
}

static double weight_of_sample(const cs_criterion *criterion, const cs_batch *batch, int row) {
    return criterion->samples ? (double)cs_dataset_weight(criterion->samples, CS_SPLIT_TRAIN, batch->samples[row]) : 1;
}

cs_targets cs_criterion_targets(const cs_criterion *criterion, const cs_batch *batch, bool training) {
    const cs_targets given = {batch->labels, batch->soft, criterion->focal};
    const int classes = criterion->classes;
    const double keep = 1 - criterion->smoothing, share = criterion->smoothing / classes;
    const double *weights = training ? criterion->weights : NULL;
    if (!weights && criterion->smoothing == 0)
        return given;
    const double factor = weights ? factor_of_mean(criterion, batch) : 1;
    for (int row = 0; row < batch->n; row++) {
        const double of_row = weights ? factor * weight_of_sample(criterion, batch, row) : 1;
        for (int k = 0; k < classes; k++) {
            double weight = weights ? of_row * weights[criterion->torch ? k : batch->labels[row]] : 1;
            criterion->soft[(size_t)row * (size_t)classes + (size_t)k] =
                (float)(weight * (cs_target(&given, row, classes, k) * keep + share));
        }
    }
    return (cs_targets){batch->labels, criterion->soft, criterion->focal};
}
