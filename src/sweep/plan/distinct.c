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
cs_status cs_number_distinct(const cs_job *job, uint64_t (*key)(const cs_trial_config *trial), int *index, int *n) {
    int trials = job->n_trials, found = 0;
    keyed_trial *keyed = NULL;
    CS_TRY(cs_alloc((size_t)trials, sizeof *keyed, "plan", &keyed));
    for (int t = 0; t < trials; t++)
        keyed[t] = (keyed_trial){key(&job->trials[t]), t};
    qsort(keyed, (size_t)trials, sizeof *keyed, by_key);
    for (int i = 0, first = 0; i < trials; i++) {
        if (keyed[i].key != keyed[first].key)
            first = i;
        index[keyed[i].trial] = keyed[first].trial;
    }
    for (int t = 0; t < trials; t++)
        index[t] = index[t] == t ? found++ : index[index[t]];
    free(keyed);
    *n = found;
    return CS_OK;
}
