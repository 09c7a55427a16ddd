/* SPDX-License-Identifier: Apache-2.0 */
#include "early_stopping.h"

#include <math.h>
#include <string.h>

bool cs_restores_best(const cs_train_config *config) {
    return config->patience > 0 && config->restore_best_weights;
}

bool cs_keeps_best(const cs_train_config *config) {
    bool saves = strcmp(config->save_weights, "none") != 0 && config->save_epoch == CS_SAVE_BEST;
    return saves || cs_restores_best(config);
}

cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config, bool validated) {
    *stopping = (cs_early_stopping){.min_delta = fabs(config->min_delta),
                                    .baseline = config->baseline,
                                    .patience = config->patience,
                                    .start_from_epoch = config->start_from_epoch};
    return cs_monitor_find("train.monitor", config->monitor, config->monitor_mode, validated, &stopping->monitor);
}

cs_stopping_decision cs_early_stopping_decide(cs_early_stopping *stopping, const cs_epoch_row *row) {
    const cs_monitor *monitor = &stopping->monitor;
    double value = row->value[monitor->column];
    bool first = !stopping->begun;
    cs_stopping_decision decision = {.best = first};
    if (row->epoch < stopping->start_from_epoch)
        return decision;
    stopping->begun = true;
    stopping->wait++;
    if (first || cs_monitor_improves(monitor, value, stopping->min_delta, stopping->best)) {
        decision.best = true;
        stopping->best = value;
        if (isnan(stopping->baseline) || cs_monitor_improves(monitor, value, stopping->min_delta, stopping->baseline))
            stopping->wait = 0;
    } else {
        decision.stop = stopping->patience > 0 && stopping->wait >= stopping->patience && row->epoch > 0;
    }
    return decision;
}
