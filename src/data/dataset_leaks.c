/* SPDX-License-Identifier: Apache-2.0 */
/* What a dataset tells of images that are in one split and known from another. */
#include "cnnsweep/dataset.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct member {
    const char *group;
    cs_split split;
} member;

static int by_group(const void *a, const void *b) {
    const member *p = a, *q = b;
    const int order = strcmp(p->group, q->group);
    return order ? order : (int)p->split - (int)q->split;
}

/* Lists the samples that have a group. */
static size_t list_members(const cs_dataset *dataset, member *members) {
    size_t n = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, (cs_split)s); i++) {
            members[n] = (member){cs_dataset_group(dataset, (cs_split)s, i), (cs_split)s};
            n += members[n].group[0] != '\0';
        }
    return n;
}

static cs_status warn_of_groups(const cs_dataset *dataset) {
    member *members = NULL;
    int64_t all = 0, crossing = 0;
    const member *first = NULL, *a = NULL, *b = NULL; /* a, b: an example */
    bool counted = false;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        all += cs_dataset_count(dataset, (cs_split)s);
    CS_TRY(cs_alloc((size_t)all, sizeof *members, "groups", &members));
    const size_t n = list_members(dataset, members);
    qsort(members, n, sizeof *members, by_group);
    for (const member *m = members; m < members + n; m++) {
        if (!first || strcmp(m->group, first->group) != 0) {
            first = m;
            counted = false;
        }
        if (m->split == first->split || counted)
            continue;
        counted = true;
        if (crossing++ == 0) {
            a = first;
            b = m;
        }
    }
    if (a && b)
        cs_log(CS_LOG_WARN,
               "%s: %lld group%s images in more than one split, such as \"%s\" in %s and %s: results on val and test "
               "are better than on new images",
               cs_dataset_path(dataset), (long long)crossing, crossing == 1 ? " has" : "s have", a->group,
               cs_split_name(a->split), cs_split_name(b->split));
    free(members);
    return CS_OK;
}

cs_status cs_dataset_warn_of_leaks(const cs_dataset *dataset) {
    const int64_t sets = cs_dataset_duplicates(dataset).across_splits;
    if (sets > 0)
        cs_log(CS_LOG_WARN,
               "%s: %lld set%s of duplicates %s images in more than one split: results on val and test are better than "
               "on new images (cnnsweep-pack --duplicates drop leaves them out)",
               cs_dataset_path(dataset), (long long)sets, sets == 1 ? "" : "s", sets == 1 ? "has" : "have");
    return cs_dataset_has_groups(dataset) ? warn_of_groups(dataset) : CS_OK;
}
