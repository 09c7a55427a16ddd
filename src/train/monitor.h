/* SPDX-License-Identifier: Apache-2.0 */
/* A metric that early stopping or a plateau watches from epoch to epoch. */
#ifndef CNNSWEEP_MONITOR_H
#define CNNSWEEP_MONITOR_H

#include "cnnsweep/train.h"

typedef struct cs_monitor {
    int column; /* index of the value in cs_epoch_row.value */
    bool maximize;
} cs_monitor;

/* Finds the metric `name`; `key` is the option that names it. If not `validated` (there is no val split), val_loss
 * falls back to loss, and so on. CS_ERR_ARG if the metric is unknown. */
CS_MUST_CHECK cs_status cs_monitor_find(const char *key, const char *name, cs_monitor_mode mode, bool validated,
                                        cs_monitor *out);
/* Does `value` improve on `reference` by more than min_delta >= 0? Keras compares floats, so this does too. */
bool cs_monitor_improves(const cs_monitor *monitor, double value, double min_delta, double reference);

#endif
