/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: how the learning rate changes from update to update.
 *
 * To add a schedule: a function and a row in src/config/schedule.c; train.schedule then accepts its name. If it needs a
 * setting of its own: a member of cs_train_config and a row in src/config/trial_options.c. */
#ifndef CNNSWEEP_SCHEDULE_H
#define CNNSWEEP_SCHEDULE_H

#include "cnnsweep/config.h"

typedef struct cs_schedule {
    const char *name;
    /* Returns the learning rate of update `step`, counted from 0 over all epochs; an epoch has `steps` updates. The
     * rate depends on nothing else, so that a trial that resumes from a checkpoint gets the same rates. */
    double (*rate)(const cs_train_config *config, int64_t step, int64_t steps);
} cs_schedule;

/* The names of the schedules, which are the choices of train.schedule; NULL after the last. */
const char *cs_schedule_name(int i);

/* The learning rate by config->schedule. */
double cs_schedule_rate(const cs_train_config *config, int64_t step, int64_t steps);

#endif
