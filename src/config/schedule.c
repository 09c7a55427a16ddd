/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/schedule.h"

static double constant(const cs_train_config *config, int64_t step, int64_t steps) {
    (void)step;
    (void)steps;
    return config->optimizer.lr;
}

static const cs_schedule table[] = {
    {"constant", constant},
};
enum { N_SCHEDULES = sizeof table / sizeof *table };

const char *cs_schedule_name(int i) {
    return i < N_SCHEDULES ? table[i].name : NULL;
}

double cs_schedule_rate(const cs_train_config *config, int64_t step, int64_t steps) {
    return table[config->schedule].rate(config, step, steps);
}
