/* SPDX-License-Identifier: Apache-2.0 */
#include "criterion.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

cs_status cs_criterion_open(cs_criterion *criterion, const cs_train_config *config, const cs_dataset *dataset,
                            int rows) {
    criterion->classes = cs_dataset_class_count(dataset);
    criterion->smoothing = config->label_smoothing;
    if (criterion->smoothing == 0)
        return CS_OK;
    return cs_alloc((size_t)rows * (size_t)criterion->classes, sizeof *criterion->soft, "targets", &criterion->soft);
}

void cs_criterion_close(cs_criterion *criterion) {
    free(criterion->soft);
}

cs_targets cs_criterion_targets(const cs_criterion *criterion, const cs_batch *batch) {
    const cs_targets given = {batch->labels, batch->soft};
    const int classes = criterion->classes;
    const double keep = 1 - criterion->smoothing, share = criterion->smoothing / classes;
    if (!criterion->soft)
        return given;
    for (int row = 0; row < batch->n; row++)
        for (int k = 0; k < classes; k++)
            criterion->soft[(size_t)row * (size_t)classes + (size_t)k] =
                (float)(cs_target(&given, row, classes, k) * keep + share);
    return (cs_targets){batch->labels, criterion->soft};
}
