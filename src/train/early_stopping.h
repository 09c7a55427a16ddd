/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' EarlyStopping(monitor, min_delta, patience, mode, baseline, restore_best_weights, start_from_epoch), epoch by
 * epoch (keras/src/callbacks/early_stopping.py of Keras 3.15). */
#ifndef CNNSWEEP_EARLY_STOPPING_H
#define CNNSWEEP_EARLY_STOPPING_H

#include "monitor.h"

typedef struct cs_early_stopping {
    cs_monitor monitor;
    double min_delta, baseline; /* baseline 0: none */
    int patience, start_from_epoch;
    int wait;
    double best;
    bool begun; /* an epoch has counted */
} cs_early_stopping;

typedef struct cs_stopping_decision {
    bool best; /* the best epoch so far: its weights are those to restore */
    bool stop;
} cs_stopping_decision;

/* Are the weights of the best epoch restored before the test? */
bool cs_restores_best(const cs_train_config *config);
/* Are they kept, to be restored or saved? */
bool cs_keeps_best(const cs_train_config *config);

/* See cs_monitor_find for `validated` and errors. */
CS_MUST_CHECK cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config,
                                               bool validated);
/* Decides on an epoch; call it for all epochs in order. With patience 0 it never stops. The first epoch that counts
 * is the best so far, even if its value is NaN, and so is every epoch before start_from_epoch. */
cs_stopping_decision cs_early_stopping_decide(cs_early_stopping *stopping, const cs_epoch_row *row);

#endif
