/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the families of metrics to one table. */
#include "cnnsweep/metrics.h"
#include "families.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

static const cs_metric_family *const families[] = {&cs_confusion_metrics, &cs_score_metrics};

static cs_metric table[CS_METRICS_MAX];
static size_t n_metrics;

static void join_families(void) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        assert(n_metrics + families[i]->n <= CS_METRICS_MAX && "raise CS_METRICS_MAX in metrics.h");
        memcpy(table + n_metrics, families[i]->rows, families[i]->n * sizeof *table);
        n_metrics += families[i]->n;
    }
}

const cs_metric *cs_metrics(size_t *count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* two threads of rank 0 may call this */
    pthread_once(&once, join_families);
    *count = n_metrics;
    return table;
}
