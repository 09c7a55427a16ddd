/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' EarlyStopping(monitor, min_delta, patience, restore_best_weights=True), epoch by epoch. */
#ifndef CNNSWEEP_EARLY_STOPPING_H
#define CNNSWEEP_EARLY_STOPPING_H

#include "cnnsweep/train.h"

typedef enum cs_verdict {
    CS_VERDICT_BEST, /* better than all before: keep these weights */
    CS_VERDICT_WAIT,
    CS_VERDICT_STOP /* no improvement for `patience` epochs */
} cs_verdict;

typedef struct cs_early_stopping {
    int monitored; /* place of the watched value in cs_epoch_row.value */
    bool maximize;
    double min_delta;
    int patience, wait;
    double best;
} cs_early_stopping;

/* Not `validated` (no validation split): val_loss falls back to loss and so on. A monitor that is unknown, or
 * that the train split does not have, is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config,
                                               bool validated);
/* Tells it the epochs in order. Patience 0 means off: every epoch counts as the best. */
cs_verdict cs_early_stopping_judge(cs_early_stopping *stopping, const cs_epoch_row *row);

#endif
