/* SPDX-License-Identifier: Apache-2.0 */
/* The list of parts of an importance. */
#include "importance_impl.h"

#include <stdlib.h>

void cs_importance_add(cs_importance *importance, int first, int second, double share) {
    importance->parts[importance->n_parts++] = (cs_importance_part){first, second, share};
}

static int falling(const void *a, const void *b) {
    const cs_importance_part *p = a, *q = b;
    if (p->share != q->share)
        return p->share < q->share ? 1 : -1;
    if (p->first != q->first)
        return p->first - q->first;
    return p->second - q->second;
}

void cs_importance_sort(cs_importance *importance) {
    qsort(importance->parts, (size_t)importance->n_parts, sizeof *importance->parts, falling);
}

void cs_importance_free(cs_importance *importance) {
    free(importance->parts);
    importance->parts = NULL;
    importance->n_parts = 0;
}
