/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

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

static cs_status fail_unknown(const char *key, const char *name) {
    const char *names[CS_EPOCH_VALUES + 1];
    char guess[96], choices[CS_EPOCH_VALUES * CS_METRIC_NAME_MAX] = "";
    size_t n = 0, used = 0;
    for (; (names[n] = cs_metric_monitor_name((int)n)); n++)
        used += (size_t)snprintf(choices + used, sizeof choices - used, "%s%s", n ? ", " : "", names[n]);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: unknown value '%s'%s", key, name,
                           cs_did_you_mean(name, names, n, guess, sizeof guess)),
                   "one of %s", choices);
}

cs_status cs_monitor_find(const char *key, const char *name, cs_monitor_mode mode, bool validated, cs_monitor *out) {
    int n, n_epoch;
    const cs_metric_column *all = cs_metric_columns(&n, &n_epoch);
    int column = cs_metric_find_column(name);
    if (column < 0 || column >= n_epoch)
        return fail_unknown(key, name);
    if (!validated && all[column].split == CS_METRIC_VAL)
        column = find_sibling(&all[column], CS_METRIC_TRAIN);
    if (column < 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s is %s, and the dataset has no val split", key, name),
                       "watch loss, or pack the dataset with a val split");
    bool maximize = mode == CS_MONITOR_AUTO ? all[column].metric->maximize : mode == CS_MONITOR_MAX;
    *out = (cs_monitor){column, maximize};
    return CS_OK;
}

bool cs_monitor_improves(const cs_monitor *monitor, double value, double min_delta, double reference) {
    return monitor->maximize ? (float)(value - min_delta) > (float)reference
                             : (float)(value + min_delta) < (float)reference;
}
