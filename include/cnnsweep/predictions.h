/* SPDX-License-Identifier: Apache-2.0 */
/* The predictions of a network for the images of a split, as a CSV file. */
#ifndef CNNSWEEP_PREDICTIONS_H
#define CNNSWEEP_PREDICTIONS_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/metrics.h"

/* Writes a row for each image: its id, its class, the class with the largest logit, and for each class the softmax of
 * the logits, in a column "p_" and the name of the class. The evaluation is that of the split, and has
 * CS_NEEDS_LOGITS. */
CS_MUST_CHECK cs_status cs_predictions_write(const char *path, const cs_dataset *dataset, cs_split split,
                                             const cs_evaluation *evaluation);

#endif
