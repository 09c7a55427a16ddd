/* SPDX-License-Identifier: Apache-2.0 */
#include "distinct.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

typedef struct keyed_trial {
    uint64_t key;
    int trial;
} keyed_trial;

static int by_key(const void *a, const void *b) {
    const keyed_trial *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->trial - y->trial;
}

/* Sorting brings equal keys together, each with its first trial in front. */
cs_status cs_number_distinct(const uint64_t *keys, int n, int *index, int *found) {
    keyed_trial *keyed = NULL;
    CS_TRY(cs_alloc((size_t)n, sizeof *keyed, "plan", &keyed));
    for (int t = 0; t < n; t++)
        keyed[t] = (keyed_trial){keys[t], t};
    qsort(keyed, (size_t)n, sizeof *keyed, by_key);
    for (int i = 0, first = 0; i < n; i++) {
        if (keyed[i].key != keyed[first].key)
            first = i;
        index[keyed[i].trial] = keyed[first].trial;
    }
    *found = 0;
    for (int t = 0; t < n; t++)
        index[t] = index[t] == t ? (*found)++ : index[index[t]];
    free(keyed);
    return CS_OK;
}

cs_status cs_number_trials(const cs_job *job, uint64_t (*key)(const cs_trial_config *trial), int *index, int *found) {
    uint64_t *keys = NULL;
    CS_TRY(cs_alloc((size_t)job->n_trials, sizeof *keys, "plan", &keys));
    for (int t = 0; t < job->n_trials; t++)
        keys[t] = key(&job->trials[t]);
    cs_status status = cs_number_distinct(keys, job->n_trials, index, found);
    free(keys);
    return status;
}
