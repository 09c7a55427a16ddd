/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: the loss of a trial. The cross-entropy is linear in its targets. So label smoothing and
 * class weights are changes of the targets, and the engines need not know of them. The same holds for the focal loss.
 */
#ifndef CNNSWEEP_CRITERION_H
#define CNNSWEEP_CRITERION_H

#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_criterion {
    int classes;
    double smoothing;
    cs_focal focal;
    double *weights;           /* [classes] in the loss of training; NULL: all are 1 */
    bool torch;                /* the dialect of the weights */
    const cs_dataset *samples; /* borrowed: its weights count in the loss of training; NULL: those of classes alone */
    float *soft;               /* [rows,classes] the targets of a batch, if they are not those of the loader */
} cs_criterion;

/* `graph` is the trial's network, and `rows` is the largest number of rows of a batch. After a failure the caller still
 * calls cs_criterion_close. */
CS_MUST_CHECK cs_status cs_criterion_open(cs_criterion *criterion, const cs_train_config *config,
                                          const cs_dataset *dataset, const cs_graph *graph, int rows);
void cs_criterion_close(cs_criterion *criterion);
/* The targets of a batch, valid until the next call. Allocates nothing.
 *
 * Smoothed targets are t*(1-e) + e/K, as in keras.losses.CategoricalCrossentropy and torch.nn.CrossEntropyLoss, also
 * where the t are those of mixed images. Class weights count in training alone. In Keras' dialect a row has the weight
 * of its label, and the loss is the sum over rows divided by their number (fit's class_weight). In torch's dialect each
 * target has the weight of its class, and the sum is divided by the sum of the weights of all labels of the batch; by
 * the number of rows where images are mixed (CrossEntropyLoss's weight). The batch is that of all ranks that share it.
 *
 * Weights of samples also count in training alone. A row, mixed or not, has that of its sample as a factor, as with
 * fit's sample_weight, and in the divisors of torch's dialect each row counts with it. */
cs_targets cs_criterion_targets(const cs_criterion *criterion, const cs_batch *batch, bool training);

#endif
