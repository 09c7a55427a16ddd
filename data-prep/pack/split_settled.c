/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are added to a dataset are split among themselves. */
#include "split_rules.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* An image of the dataset that is in a group. */
typedef struct member {
    const char *group;
    size_t image;
} member;

static int by_group(const void *a, const void *b) {
    const member *p = a, *q = b;
    const int order = strcmp(p->group, q->group);
    return order ? order : (p->image > q->image) - (p->image < q->image);
}

static int compare_group(const void *key, const void *of) {
    return strcmp(key, ((const member *)of)->group);
}

/* Lists the first image of each group that the dataset has, sorted by group. */
static size_t list_groups(const pack_list *list, member *members) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].stored && list->samples[i].group && list->samples[i].group[0])
            members[n++] = (member){list->samples[i].group, i};
    qsort(members, n, sizeof *members, by_group);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(members[i].group, members[kept - 1].group) != 0)
            members[kept++] = members[i];
    return kept;
}

/* Gives the new images of groups that the dataset has the split of the group. */
static cs_status follow_groups(pack_list *list, bool *settled) {
    member *members = NULL;
    CS_TRY(cs_alloc(list->n, sizeof *members, "groups", &members));
    const size_t n = list_groups(list, members);
    for (size_t i = 0; i < list->n; i++) {
        pack_sample *sample = &list->samples[i];
        if (sample->stored || !sample->group || !sample->group[0])
            continue;
        const member *found = bsearch(sample->group, members, n, sizeof *members, compare_group);
        if (found)
            sample->split = list->samples[found->image].split;
        settled[i] = found != NULL;
    }
    free(members);
    return CS_OK;
}

/* Moves the samples that are settled to the front. */
static cs_status move_to_front(pack_list *list, const bool *settled, size_t *n) {
    pack_sample *sorted = NULL;
    size_t at = 0;
    CS_TRY(cs_alloc(list->n, sizeof *sorted, "image list", &sorted));
    for (size_t i = 0; i < list->n; i++)
        if (settled[i])
            sorted[at++] = list->samples[i];
    *n = at;
    for (size_t i = 0; i < list->n; i++)
        if (!settled[i])
            sorted[at++] = list->samples[i];
    free(list->samples);
    list->samples = sorted;
    list->capacity = list->n;
    return CS_OK;
}

cs_status pack_settle_splits(pack_list *list, bool by_groups, size_t *n) {
    bool *settled = NULL; /* [n] */
    size_t stored = 0;
    CS_TRY(cs_alloc(list->n, sizeof *settled, "image list", &settled));
    for (size_t i = 0; i < list->n; i++) {
        settled[i] = list->samples[i].stored;
        stored += settled[i];
    }
    *n = stored;
    if (stored == 0) {
        free(settled);
        return CS_OK;
    }
    cs_status status = by_groups ? follow_groups(list, settled) : CS_OK;
    if (status == CS_OK)
        status = move_to_front(list, settled, n);
    free(settled);
    return status;
}
