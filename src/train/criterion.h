/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: the loss of a trial. The cross-entropy is linear in its targets. So label smoothing and
 * class weights are changes of the targets, and the engines need not know of them. */
#ifndef CNNSWEEP_CRITERION_H
#define CNNSWEEP_CRITERION_H

#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_criterion {
    int classes;
    double smoothing;
    float *soft; /* [rows,classes] the targets of a batch; NULL: the loader's are taken as they are */
} cs_criterion;

/* `rows` is the largest number of rows of a batch. After a failure the caller still calls cs_criterion_close. */
CS_MUST_CHECK cs_status cs_criterion_open(cs_criterion *criterion, const cs_train_config *config,
                                          const cs_dataset *dataset, int rows);
void cs_criterion_close(cs_criterion *criterion);
/* The targets of a batch, valid until the next call. Allocates nothing. Smoothed targets are t*(1-e) + e/K, as in
 * keras.losses.CategoricalCrossentropy and torch.nn.CrossEntropyLoss, also where the t are those of mixed images. */
cs_targets cs_criterion_targets(const cs_criterion *criterion, const cs_batch *batch);

#endif
