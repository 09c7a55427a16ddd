/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static cs_epoch_key keys[CS_EPOCH_VALUES + 1];
static size_t n_keys;

static int by_name(const void *a, const void *b) {
    return strcmp(((const cs_epoch_key *)a)->name, ((const cs_epoch_key *)b)->name);
}

static void make_keys(void) {
    int n, n_epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &n_epoch);
    for (int i = 0; i < n_epoch; i++)
        keys[n_keys++] = (cs_epoch_key){columns[i].name, offsetof(cs_epoch_row, value) + (size_t)i * sizeof(double), i};
    keys[n_keys++] = (cs_epoch_key){"learning_rate", offsetof(cs_epoch_row, learning_rate), -1};
    qsort(keys, n_keys, sizeof *keys, by_name);
}

const cs_epoch_key *cs_epoch_keys(size_t *count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_keys);
    *count = n_keys;
    return keys;
}

double cs_epoch_value(const cs_epoch_key *key, const cs_epoch_row *row) {
    return *(const double *)((const char *)row + key->offset);
}

void cs_epoch_set(const cs_epoch_key *key, double value, cs_epoch_row *row) {
    *(double *)((char *)row + key->offset) = value;
}

bool cs_epoch_key_is_in(const cs_epoch_key *key, const cs_metric_set *metrics) {
    return key->metric < 0 || metrics->has[key->metric];
}

void cs_history_header(const cs_metric_set *metrics, FILE *out) {
    size_t n;
    const cs_epoch_key *all = cs_epoch_keys(&n);
    fputs("epoch", out);
    for (size_t i = 0; i < n; i++)
        if (cs_epoch_key_is_in(&all[i], metrics))
            fprintf(out, ",%s", all[i].name);
    fputc('\n', out);
}

void cs_history_row(const cs_metric_set *metrics, const cs_epoch_row *row, FILE *out) {
    size_t n;
    const cs_epoch_key *all = cs_epoch_keys(&n);
    fprintf(out, "%d", row->epoch);
    for (size_t i = 0; i < n; i++) {
        double value = cs_epoch_value(&all[i], row);
        if (cs_epoch_key_is_in(&all[i], metrics))
            fprintf(out, isnan(value) ? ",NA" : ",%.9g", value);
    }
    fputc('\n', out);
}
