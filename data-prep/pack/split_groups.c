/* SPDX-License-Identifier: Apache-2.0 */
#include "split_rules.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The images that belong together. */
typedef struct group {
    int32_t first, n; /* members[first] to members[first + n - 1] */
    double uneven;    /* the standard deviation of the counts of its classes */
} group;

typedef struct grouping {
    const pack_split_request *request;
    int32_t *members; /* [n] the images in train, group by group */
    int32_t n;
    group *groups;
    int32_t n_groups;
    double part[CS_SPLIT_COUNT];
    int64_t *total;                 /* [classes] of all */
    int64_t *given[CS_SPLIT_COUNT]; /* [classes] of each split so far */
    int64_t size[CS_SPLIT_COUNT];   /* images of each split so far */
} grouping;

static const char *group_of(const pack_sample *sample) {
    return sample->group ? sample->group : "";
}

/* A member and its sample, to be sorted. */
typedef struct member {
    const pack_sample *sample;
    int32_t index;
} member;

static int by_group(const void *a, const void *b) {
    const member *p = a, *q = b;
    int order = strcmp(group_of(p->sample), group_of(q->sample));
    return order ? order : (p->index > q->index) - (p->index < q->index);
}

static bool are_together(const pack_sample *a, const pack_sample *b) {
    return group_of(a)[0] && strcmp(group_of(a), group_of(b)) == 0;
}

static void set_unevenness(grouping *g, group *of, int64_t *counts) {
    const pack_list *list = g->request->list;
    double mean = (double)of->n / list->n_classes, sum = 0;
    memset(counts, 0, (size_t)list->n_classes * sizeof *counts);
    for (int32_t i = 0; i < of->n; i++)
        counts[list->samples[g->members[of->first + i]].label]++;
    for (int c = 0; c < list->n_classes; c++)
        sum += ((double)counts[c] - mean) * ((double)counts[c] - mean);
    of->uneven = sqrt(sum / list->n_classes);
}

/* Lists the images in train by their groups. */
static cs_status find_groups(grouping *g, int64_t *counts) {
    const pack_list *list = g->request->list;
    member *sorted = NULL;
    CS_TRY(cs_alloc(list->n, sizeof *sorted, "groups", &sorted));
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].split == CS_SPLIT_TRAIN)
            sorted[g->n++] = (member){&list->samples[i], (int32_t)i};
    qsort(sorted, (size_t)g->n, sizeof *sorted, by_group);
    for (int32_t i = 0; i < g->n; i++) {
        g->members[i] = sorted[i].index;
        if (i == 0 || !are_together(sorted[i].sample, sorted[i - 1].sample))
            g->groups[g->n_groups++] = (group){.first = i};
        g->groups[g->n_groups - 1].n++;
    }
    free(sorted);
    for (int32_t k = 0; k < g->n_groups; k++)
        set_unevenness(g, &g->groups[k], counts);
    return CS_OK;
}

/* The group that comes k-th, before they are ordered. */
typedef struct turn {
    double uneven;
    int32_t draw, group;
} turn;

static int most_uneven_first(const void *a, const void *b) {
    const turn *p = a, *q = b;
    if (p->uneven != q->uneven)
        return p->uneven > q->uneven ? -1 : 1;
    return (p->draw > q->draw) - (p->draw < q->draw);
}

/* How uneven the classes would be with the counts added to a split: the mean over the classes of the standard deviation
 * over the splits of the part of the class that is there, divided by the fraction of the split. */
static double evaluate(const grouping *g, int split, const int64_t *counts) {
    double sum = 0;
    for (int c = 0; c < g->request->list->n_classes; c++) {
        double share[CS_SPLIT_COUNT], mean = 0, square = 0;
        int n = 0;
        if (g->total[c] == 0)
            continue;
        for (int s = 0; s < CS_SPLIT_COUNT; s++)
            if (g->part[s] > 0)
                share[n++] = (double)(g->given[s][c] + (s == split ? counts[c] : 0)) / (double)g->total[c] / g->part[s];
        for (int i = 0; i < n; i++)
            mean += share[i] / n;
        for (int i = 0; i < n; i++)
            square += (share[i] - mean) * (share[i] - mean) / n;
        sum += sqrt(square);
    }
    return sum / g->request->list->n_classes;
}

static int find_split(const grouping *g, const int64_t *counts) {
    const double near = 1e-8, relative = 1e-5; /* numpy.isclose: rounding must not decide */
    int best = CS_SPLIT_TRAIN;
    double least = INFINITY, fewest = INFINITY;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        if (!(g->part[s] > 0))
            continue;
        double value = evaluate(g, s, counts), images = (double)g->size[s] / g->part[s];
        bool close = fabs(value - least) <= near + relative * fabs(least);
        if (close ? images >= fewest * (1 - near) : value > least)
            continue;
        best = s;
        least = value;
        fewest = images;
    }
    return best;
}

static void place(grouping *g, const group *of, int64_t *counts) {
    pack_list *list = g->request->list;
    memset(counts, 0, (size_t)list->n_classes * sizeof *counts);
    for (int32_t i = 0; i < of->n; i++)
        counts[list->samples[g->members[of->first + i]].label]++;
    int split = find_split(g, counts);
    for (int32_t i = 0; i < of->n; i++)
        list->samples[g->members[of->first + i]].split = (cs_split)split;
    for (int c = 0; c < list->n_classes; c++)
        g->given[split][c] += counts[c];
    g->size[split] += of->n;
}

/* Takes the groups in an order that the seed decides where they are equally uneven. */
static cs_status place_all(grouping *g, int64_t *counts) {
    turn *turns = NULL;
    int32_t *order = NULL;
    CS_TRY(cs_alloc((size_t)g->n_groups, sizeof *turns, "groups", &turns));
    cs_status status = cs_alloc((size_t)g->n_groups, sizeof *order, "groups", &order);
    if (status == CS_OK) {
        cs_rng rng = cs_rng_at((uint64_t)g->request->seed, CS_PURPOSE_SPLIT, 0, 0);
        cs_rng_permutation(&rng, order, (size_t)g->n_groups);
        for (int32_t k = 0; k < g->n_groups; k++)
            turns[k] = (turn){g->groups[order[k]].uneven, k, order[k]};
        qsort(turns, (size_t)g->n_groups, sizeof *turns, most_uneven_first);
        for (int32_t k = 0; k < g->n_groups; k++)
            place(g, &g->groups[turns[k].group], counts);
    }
    free(turns);
    free(order);
    return status;
}

cs_status pack_split_by_group(const pack_split_request *request) {
    const pack_list *list = request->list;
    size_t classes = (size_t)list->n_classes;
    grouping g = {.request = request, .part = {1 - request->val - request->test, request->val, request->test}};
    int64_t *counts = NULL; /* [2 + splits,classes] of a group, of all, of each split */
    cs_status status = cs_alloc((2 + CS_SPLIT_COUNT) * classes, sizeof *counts, "groups", &counts);
    if (status == CS_OK)
        status = cs_alloc(list->n, sizeof *g.members, "groups", &g.members);
    if (status == CS_OK)
        status = cs_alloc(list->n, sizeof *g.groups, "groups", &g.groups);
    if (status == CS_OK) {
        g.total = counts + classes;
        for (int s = 0; s < CS_SPLIT_COUNT; s++)
            g.given[s] = counts + (2 + (size_t)s) * classes;
        status = find_groups(&g, counts);
        for (int32_t i = 0; i < g.n; i++)
            g.total[list->samples[g.members[i]].label]++;
    }
    if (status == CS_OK)
        status = place_all(&g, counts);
    free(counts);
    free(g.members);
    free(g.groups);
    return status;
}
