/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

cs_status cs_monitor_find(const char *key, const char *name, cs_monitor_mode mode, bool validated, cs_monitor *out) {
    int n, column;
    const cs_metric_column *all = cs_metric_columns(&n, NULL);
    cs_status status = cs_metric_find_monitored(name, &column);
    if (status != CS_OK)
        return cs_context(status, "%s", key);
    if (!validated)
        column = cs_metric_sibling(column, CS_METRIC_TRAIN);
    bool maximize = mode == CS_MONITOR_AUTO ? all[column].metric->maximize : mode == CS_MONITOR_MAX;
    *out = (cs_monitor){column, maximize};
    return CS_OK;
}

bool cs_monitor_improves(const cs_monitor *monitor, double value, double min_delta, double reference) {
    return monitor->maximize ? (float)(value - min_delta) > (float)reference
                             : (float)(value + min_delta) < (float)reference;
}
