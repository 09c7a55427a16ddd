/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule `plateau`: reduces the learning rate when a metric has stopped improving, as Keras' callback
 * ReduceLROnPlateau or as torch's scheduler of that name. They differ:
 *
 *                      Keras                                torch
 * improvement          by an absolute threshold             by a relative one (threshold_mode can be either)
 * reduces the rate     after `patience` epochs without      after one more
 * the first value      is the best one, even NaN            is compared with infinity
 * an epoch of cooldown ends before its value is judged      after
 * nothing is done      at min_lr                            where the rate would fall by 1e-8 or less
 * the rate             is a float                           is a double
 */
#ifndef CNNSWEEP_PLATEAU_H
#define CNNSWEEP_PLATEAU_H

#include "monitor.h"

/* What changes from epoch to epoch; part of a checkpoint. */
typedef struct cs_plateau_state {
    double rate;
    double best;
    int wait;     /* epochs without improvement */
    int cooldown; /* epochs left */
    bool begun;   /* an epoch has counted */
} cs_plateau_state;

typedef struct cs_plateau {
    bool on;    /* the trial has this schedule */
    bool torch; /* torch's rules */
    cs_monitor monitor;
    double factor, min_lr, threshold;
    bool relative;
    int patience, cooldown;
    cs_plateau_state state;
} cs_plateau;

/* If the trial has another schedule, the rate stays at its lr. See cs_monitor_find for `validated` and errors. */
CS_MUST_CHECK cs_status cs_plateau_init(cs_plateau *plateau, const cs_train_config *config, bool validated);
/* Decides on an epoch, call it for all epochs after the warm-up in order: sets state.rate for the next. */
void cs_plateau_decide(cs_plateau *plateau, const cs_epoch_row *row);

#endif
