/* SPDX-License-Identifier: Apache-2.0 */
#include "observation.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

typedef struct ranked {
    double loss;
    int trial;
} ranked;

static int best_first(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->loss != q->loss)
        return p->loss < q->loss ? -1 : 1;
    return p->trial - q->trial;
}

cs_status cs_observation_rank(const cs_observation *trials, int n, int *order, int *n_results) {
    ranked *found = NULL;
    *n_results = 0;
    CS_TRY(cs_alloc((size_t)n, sizeof *found, "trials", &found));
    for (int i = 0; i < n; i++)
        if (trials[i].known == CS_KNOWN_RESULT)
            found[(*n_results)++] = (ranked){trials[i].loss, i};
    qsort(found, (size_t)*n_results, sizeof *found, best_first);
    for (int i = 0; i < *n_results; i++)
        order[i] = found[i].trial;
    free(found);
    return CS_OK;
}
