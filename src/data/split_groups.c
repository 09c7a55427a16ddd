/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/split_groups.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The samples that belong together. */
typedef struct group {
    int32_t first, n; /* members[first] to members[first + n - 1] */
    double uneven;    /* the standard deviation of the counts of its classes */
} group;

/* A sample, to be sorted by its group. */
typedef struct member {
    const char *group;
    int32_t sample;
} member;

typedef struct grouping {
    const cs_group_split *request;
    int32_t *part_of;
    member *members; /* [n] the samples, group by group */
    group *groups;
    int32_t n_groups;
    int64_t *counts; /* [classes] of one group */
    int64_t *total;  /* [classes] of all samples */
    int64_t *given;  /* [parts,classes] of each part so far */
    int64_t *size;   /* [parts] samples of each part so far */
} grouping;

static int by_group(const void *a, const void *b) {
    const member *p = a, *q = b;
    const int order = strcmp(p->group, q->group);
    return order ? order : (p->sample > q->sample) - (p->sample < q->sample);
}

static void count_classes(grouping *g, const group *of) {
    memset(g->counts, 0, (size_t)g->request->n_classes * sizeof *g->counts);
    for (int32_t i = of->first; i < of->first + of->n; i++)
        g->counts[g->request->labels[g->members[i].sample]]++;
}

static void set_unevenness(grouping *g, group *of) {
    const int n_classes = g->request->n_classes;
    const double mean = (double)of->n / n_classes;
    double sum = 0;
    count_classes(g, of);
    for (int c = 0; c < n_classes; c++)
        sum += ((double)g->counts[c] - mean) * ((double)g->counts[c] - mean);
    of->uneven = sqrt(sum / n_classes);
}

static void find_groups(grouping *g) {
    const cs_group_split *request = g->request;
    for (int32_t i = 0; i < request->n; i++) {
        g->members[i] = (member){request->groups[i], i};
        g->total[request->labels[i]]++;
    }
    qsort(g->members, (size_t)request->n, sizeof *g->members, by_group);
    for (int32_t i = 0; i < request->n; i++) {
        const char *name = g->members[i].group;
        if (i == 0 || !name[0] || strcmp(name, g->members[i - 1].group) != 0)
            g->groups[g->n_groups++] = (group){.first = i};
        g->groups[g->n_groups - 1].n++;
    }
    for (int32_t k = 0; k < g->n_groups; k++)
        set_unevenness(g, &g->groups[k]);
}

/* The fraction of a class that a part has, divided by the fraction of all samples that it should have, once the counts
 * of the group are added to part `added`. */
static double share_of(const grouping *g, int part, int c, int added) {
    const int64_t counts = g->given[(size_t)part * (size_t)g->request->n_classes + (size_t)c];
    return (double)(counts + (part == added ? g->counts[c] : 0)) / (double)g->total[c] / g->request->fractions[part];
}

/* How uneven a class would be: the standard deviation of its shares. */
static double unevenness_of_class(const grouping *g, int c, int added) {
    double mean = 0, square = 0;
    int n = 0;
    for (int part = 0; part < g->request->n_parts; part++)
        n += g->request->fractions[part] > 0;
    for (int part = 0; part < g->request->n_parts; part++)
        if (g->request->fractions[part] > 0)
            mean += share_of(g, part, c, added) / n;
    for (int part = 0; part < g->request->n_parts; part++) {
        if (!(g->request->fractions[part] > 0))
            continue;
        const double distance = share_of(g, part, c, added) - mean;
        square += distance * distance / n;
    }
    return sqrt(square);
}

static double unevenness(const grouping *g, int added) {
    double sum = 0;
    for (int c = 0; c < g->request->n_classes; c++)
        if (g->total[c] > 0)
            sum += unevenness_of_class(g, c, added);
    return sum / g->request->n_classes;
}

static int find_part(const grouping *g) {
    const double near = 1e-8, relative = 1e-5; /* numpy.isclose: rounding must not decide */
    int best = 0;
    double least = INFINITY, fewest = INFINITY;
    for (int part = 0; part < g->request->n_parts; part++) {
        const double fraction = g->request->fractions[part];
        if (!(fraction > 0))
            continue;
        const double value = unevenness(g, part), samples = (double)g->size[part] / fraction;
        const bool close = fabs(value - least) <= near + relative * fabs(least);
        if (close ? samples >= fewest * (1 - near) : value > least)
            continue;
        best = part;
        least = value;
        fewest = samples;
    }
    return best;
}

static void place(grouping *g, const group *of) {
    count_classes(g, of);
    const int part = find_part(g);
    for (int32_t i = of->first; i < of->first + of->n; i++)
        g->part_of[g->members[i].sample] = part;
    for (int c = 0; c < g->request->n_classes; c++)
        g->given[(size_t)part * (size_t)g->request->n_classes + (size_t)c] += g->counts[c];
    g->size[part] += of->n;
}

/* The group that comes k-th, before they are ordered. */
typedef struct turn {
    double uneven;
    int32_t k, group;
} turn;

static int most_uneven_first(const void *a, const void *b) {
    const turn *p = a, *q = b;
    if (p->uneven != q->uneven)
        return p->uneven > q->uneven ? -1 : 1;
    return (p->k > q->k) - (p->k < q->k);
}

static cs_status place_all(grouping *g) {
    turn *turns = NULL;
    int32_t *order = NULL;
    CS_TRY(cs_alloc((size_t)g->n_groups, sizeof *turns, "groups", &turns));
    cs_status status = cs_alloc((size_t)g->n_groups, sizeof *order, "groups", &order);
    if (status == CS_OK) {
        cs_rng rng = cs_rng_at(g->request->seed, CS_PURPOSE_SPLIT, 0, 0);
        cs_rng_permutation(&rng, order, (size_t)g->n_groups);
        for (int32_t k = 0; k < g->n_groups; k++) {
            const int32_t next = g->request->shuffle ? order[k] : k;
            turns[k] = (turn){g->groups[next].uneven, k, next};
        }
        qsort(turns, (size_t)g->n_groups, sizeof *turns, most_uneven_first);
        for (int32_t k = 0; k < g->n_groups; k++)
            place(g, &g->groups[turns[k].group]);
    }
    free(turns);
    free(order);
    return status;
}

cs_status cs_split_groups(const cs_group_split *request, int32_t *part_of, int32_t *n_groups) {
    const size_t n = (size_t)request->n, classes = (size_t)request->n_classes, parts = (size_t)request->n_parts;
    grouping g = {.request = request};
    cs_status status = cs_alloc((2 + parts) * classes + parts, sizeof *g.counts, "groups", &g.counts);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *g.members, "groups", &g.members);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *g.groups, "groups", &g.groups);
    if (status == CS_OK) {
        g.part_of = part_of;
        g.total = g.counts + classes;
        g.given = g.total + classes;
        g.size = g.given + parts * classes;
        find_groups(&g);
        *n_groups = g.n_groups;
        status = place_all(&g);
    }
    free(g.counts);
    free(g.members);
    free(g.groups);
    return status;
}
