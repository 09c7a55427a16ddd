/* SPDX-License-Identifier: Apache-2.0 */
/* The learning rate of an update.
 *
 * To add a schedule: a function and a row in src/config/schedule.c; train.schedule then takes its name. A setting of
 * its own is a member of cs_train_config and a row in src/config/trial_options.c. */
#ifndef CNNSWEEP_SCHEDULE_H
#define CNNSWEEP_SCHEDULE_H

#include "cnnsweep/config.h"

typedef struct cs_schedule {
    const char *name;
    /* The rate of the update that `step` others came before, where an epoch has `steps`. It depends on these alone, so
     * that a trial which goes on from a checkpoint goes on with its rates. */
    double (*rate)(const cs_train_config *config, int64_t step, int64_t steps);
} cs_schedule;

/* The names of the schedules, the choices of train.schedule; NULL past the last. */
const char *cs_schedule_name(int i);

/* The rate that config->schedule gives. */
float cs_schedule_rate(const cs_train_config *config, int64_t step, int64_t steps);

#endif
