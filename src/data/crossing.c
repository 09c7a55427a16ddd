/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/crossing.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

static int by_group(const void *a, const void *b) {
    return strcmp(((const cs_group_member *)a)->group, ((const cs_group_member *)b)->group);
}

cs_status cs_find_crossing(cs_group_member *members, size_t n, cs_split_counts **out, size_t *n_out) {
    size_t kept = 0;
    CS_TRY(cs_alloc(n / 2, sizeof **out, "groups", out)); /* a group in two splits has two images */
    qsort(members, n, sizeof *members, by_group);
    for (size_t i = 0, next; i < n; i = next) {
        cs_split_counts found = {.name = members[i].group};
        for (next = i; next < n && strcmp(members[next].group, found.name) == 0; next++)
            found.counts[members[next].split]++;
        if (found.counts[members[i].split] < (int64_t)(next - i))
            (*out)[kept++] = found;
    }
    *n_out = kept;
    return CS_OK;
}

cs_status cs_warn_of_crossing(cs_group_member *members, size_t n, const char *before, const char *after) {
    cs_split_counts *crossing = NULL;
    size_t n_crossing = 0;
    CS_TRY(cs_find_crossing(members, n, &crossing, &n_crossing));
    if (n_crossing > 0) {
        const int64_t *counts = crossing->counts;
        cs_log(CS_LOG_WARN, "%s%zu group%s images in more than one split, such as \"%s\" in %s and %s%s", before,
               n_crossing, n_crossing == 1 ? " has" : "s have", crossing->name,
               cs_split_name(counts[CS_SPLIT_TRAIN] ? CS_SPLIT_TRAIN : CS_SPLIT_VAL),
               cs_split_name(counts[CS_SPLIT_TRAIN] && counts[CS_SPLIT_VAL] ? CS_SPLIT_VAL : CS_SPLIT_TEST), after);
    }
    free(crossing);
    return CS_OK;
}
