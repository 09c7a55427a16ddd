/* SPDX-License-Identifier: Apache-2.0 */
#include "early_stopping.h"

#include <math.h>
#include <stdio.h>

/* The column of the same metric for another split; -1: there is none. */
static int find_sibling(const cs_metric_column *column, cs_metric_split split) {
    int n;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    for (int i = 0; i < n; i++)
        if (all[i].metric == column->metric && all[i].split == split)
            return i;
    return -1;
}

static cs_status fail_unknown(const char *name) {
    const char *names[CS_EPOCH_VALUES + 1];
    char guess[96], choices[CS_EPOCH_VALUES * CS_METRIC_NAME_MAX] = "";
    size_t n = 0, used = 0;
    for (; (names[n] = cs_metric_monitor_name((int)n)); n++)
        used += (size_t)snprintf(choices + used, sizeof choices - used, "%s%s", n ? ", " : "", names[n]);
    return cs_hint(cs_fail(CS_ERR_ARG, "train.monitor: unknown value '%s'%s", name,
                           cs_did_you_mean(name, names, n, guess, sizeof guess)),
                   "one of %s", choices);
}

static cs_status find_monitored(const char *name, bool validated, int *out) {
    int n, n_epoch;
    const cs_metric_column *all = cs_metric_columns(&n, &n_epoch);
    *out = cs_metric_find_column(name);
    if (*out < 0 || *out >= n_epoch)
        return fail_unknown(name);
    if (!validated && all[*out].split == CS_METRIC_VAL)
        *out = find_sibling(&all[*out], CS_METRIC_TRAIN);
    return *out >= 0 ? CS_OK
                     : cs_hint(cs_fail(CS_ERR_ARG, "train.monitor is %s, and the dataset has no val split", name),
                               "watch loss, or pack the dataset with a val split");
}

cs_status cs_early_stopping_init(cs_early_stopping *stopping, const cs_train_config *config, bool validated) {
    int n, monitored;
    CS_TRY(find_monitored(config->monitor, validated, &monitored));
    bool maximize = cs_metric_columns(&n, NULL)[monitored].metric->maximize;
    *stopping = (cs_early_stopping){.monitored = monitored,
                                    .maximize = maximize,
                                    .min_delta = fabs((double)config->min_delta),
                                    .patience = config->patience,
                                    .best = maximize ? -INFINITY : INFINITY};
    return CS_OK;
}

cs_stopping_decision cs_early_stopping_decide(cs_early_stopping *stopping, const cs_epoch_row *row) {
    if (stopping->patience == 0)
        return CS_STOPPING_BEST;
    double value = row->value[stopping->monitored];
    stopping->wait++;
    bool improved = stopping->maximize ? value - stopping->min_delta > stopping->best
                                       : value + stopping->min_delta < stopping->best;
    if (improved) {
        stopping->best = value;
        stopping->wait = 0;
        return CS_STOPPING_BEST;
    }
    return stopping->wait >= stopping->patience ? CS_STOPPING_STOP : CS_STOPPING_WAIT;
}
