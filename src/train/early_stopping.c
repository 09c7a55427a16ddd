#include "early_stopping.h"

#include <math.h>
#include <string.h>

typedef struct monitor {
    const char *name;
    size_t offset;
    bool maximize;
    const char *unvalidated; /* what is watched instead when there is no validation split */
} monitor;

static const monitor monitors[] = {
    {"val_loss", offsetof(cs_epoch_row, val_loss), false, "loss"},
    {"val_accuracy", offsetof(cs_epoch_row, val_accuracy), true, "accuracy"},
    {"loss", offsetof(cs_epoch_row, loss), false, NULL},
    {"accuracy", offsetof(cs_epoch_row, accuracy), true, NULL},
};
enum { N_MONITORS = sizeof monitors / sizeof *monitors };

static const monitor *find_monitor(const char *name) {
    for (int i = 0; i < N_MONITORS; i++)
        if (strcmp(monitors[i].name, name) == 0)
            return &monitors[i];
    return NULL;
}

static cs_status fail_unknown(const char *name) {
    const char *names[N_MONITORS];
    char guess[96];
    for (int i = 0; i < N_MONITORS; i++)
        names[i] = monitors[i].name;
    return cs_hint(cs_fail(CS_ERR_ARG, "train.monitor: unknown value '%s'%s", name,
                           cs_did_you_mean(name, names, N_MONITORS, guess, sizeof guess)),
                   "one of val_loss, val_accuracy, loss, accuracy");
}

cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config, bool validated) {
    const monitor *watched = find_monitor(config->monitor);
    if (!watched)
        return fail_unknown(config->monitor);
    if (!validated && watched->unvalidated)
        watched = find_monitor(watched->unvalidated);
    *stopping = (cs_early_stopping){.monitored = watched->offset,
                                    .maximize = watched->maximize,
                                    .min_delta = fabs((double)config->min_delta),
                                    .patience = config->patience,
                                    .best = watched->maximize ? -INFINITY : INFINITY};
    return CS_OK;
}

cs_verdict cs_early_stopping_judge(cs_early_stopping *stopping, const cs_epoch_row *row) {
    if (stopping->patience == 0)
        return CS_VERDICT_BEST;
    double value;
    memcpy(&value, (const char *)row + stopping->monitored, sizeof value);
    stopping->wait++;
    bool improved = stopping->maximize ? value - stopping->min_delta > stopping->best
                                       : value + stopping->min_delta < stopping->best;
    if (improved) {
        stopping->best = value;
        stopping->wait = 0;
        return CS_VERDICT_BEST;
    }
    return stopping->wait >= stopping->patience ? CS_VERDICT_STOP : CS_VERDICT_WAIT;
}
