/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' EarlyStopping(monitor, min_delta, patience, restore_best_weights=True), epoch by epoch. */
#ifndef CNNSWEEP_EARLY_STOPPING_H
#define CNNSWEEP_EARLY_STOPPING_H

#include "cnnsweep/train.h"

typedef enum cs_stopping_decision {
    CS_STOPPING_BEST, /* the best epoch so far: keep its weights */
    CS_STOPPING_WAIT,
    CS_STOPPING_STOP /* no improvement for `patience` epochs */
} cs_stopping_decision;

typedef struct cs_early_stopping {
    int monitored; /* index of the monitored value in cs_epoch_row.value */
    bool maximize;
    double min_delta;
    int patience, wait;
    double best;
} cs_early_stopping;

/* If not `validated` (there is no val split), val_loss falls back to loss, and so on. CS_ERR_ARG if the monitor is
 * unknown, or if the train split does not have it. */
CS_MUST_CHECK cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config,
                                               bool validated);
/* Decides on an epoch; call it for all epochs in order. With patience 0, early stopping is off and every epoch counts
 * as the best. */
cs_stopping_decision cs_early_stopping_decide(cs_early_stopping *stopping, const cs_epoch_row *row);

#endif
