/* SPDX-License-Identifier: Apache-2.0 */
#include "plateau.h"
#include "cnnsweep/schedule.h"

#include <math.h>
#include <string.h>

cs_status cs_plateau_init(cs_plateau *plateau, const cs_train_config *config, bool validated) {
    const cs_schedule_config schedule = cs_schedule_resolve(config);
    bool follows = strcmp(schedule.plateau_monitor, "auto") == 0;
    *plateau = (cs_plateau){.on = cs_schedule_is_plateau(config),
                            .torch = config->optimizer.dialect == CS_TRAIN_DIALECT_TORCH,
                            .factor = schedule.decay_rate,
                            .min_lr = schedule.min_lr,
                            .threshold = schedule.threshold,
                            .relative = schedule.threshold_mode == CS_THRESHOLD_REL,
                            .patience = schedule.plateau_patience,
                            .cooldown = schedule.cooldown,
                            .state = {.rate = config->optimizer.lr}};
    if (!plateau->on)
        return CS_OK;
    CS_TRY(follows
               ? cs_monitor_find("train.monitor", config->monitor, config->monitor_mode, validated, &plateau->monitor)
               : cs_monitor_find("train.plateau_monitor", schedule.plateau_monitor, CS_MONITOR_AUTO, validated,
                                 &plateau->monitor));
    plateau->state.best = plateau->monitor.maximize ? -(double)INFINITY : (double)INFINITY;
    return CS_OK;
}

/* The value that another one must pass to be better than the best, by torch's rules. */
static double torch_limit(const cs_plateau *plateau) {
    double best = plateau->state.best, sign = plateau->monitor.maximize ? 1 : -1;
    return plateau->relative ? best * (1 + sign * plateau->threshold) : best + sign * plateau->threshold;
}

static bool improves(const cs_plateau *plateau, double value) {
    const cs_monitor *monitor = &plateau->monitor;
    if (plateau->torch)
        return monitor->maximize ? value > torch_limit(plateau) : value < torch_limit(plateau);
    if (!plateau->state.begun)
        return true;
    double delta = plateau->relative ? plateau->threshold * fabs(plateau->state.best) : plateau->threshold;
    return cs_monitor_improves(monitor, value, delta, plateau->state.best);
}

static bool reduce(cs_plateau *plateau) {
    const double least_change = 1e-8;
    double old = plateau->state.rate, reduced = fmax(old * plateau->factor, plateau->min_lr);
    bool changes = plateau->torch ? old - reduced > least_change : (float)old > (float)plateau->min_lr;
    if (changes)
        plateau->state.rate = plateau->torch ? reduced : (double)(float)reduced;
    return changes;
}

static void decide_as_torch(cs_plateau *plateau, bool improved) {
    cs_plateau_state *state = &plateau->state;
    state->wait = improved ? 0 : state->wait + 1;
    if (state->cooldown > 0) {
        state->cooldown--;
        state->wait = 0;
    }
    if (state->wait > plateau->patience) {
        (void)reduce(plateau);
        state->cooldown = plateau->cooldown;
        state->wait = 0;
    }
}

static void decide_as_keras(cs_plateau *plateau, bool improved) {
    cs_plateau_state *state = &plateau->state;
    if (state->cooldown > 0) {
        state->cooldown--;
        state->wait = 0;
    }
    if (improved) {
        state->wait = 0;
    } else if (state->cooldown == 0) {
        state->wait++;
        if (state->wait >= plateau->patience && reduce(plateau)) {
            state->cooldown = plateau->cooldown;
            state->wait = 0;
        }
    }
}

void cs_plateau_decide(cs_plateau *plateau, const cs_epoch_row *row) {
    if (!plateau->on)
        return;
    double value = row->value[plateau->monitor.column];
    bool improved = improves(plateau, value);
    plateau->state.begun = true;
    if (improved)
        plateau->state.best = value;
    (plateau->torch ? decide_as_torch : decide_as_keras)(plateau, improved);
}
