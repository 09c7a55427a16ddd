/* SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The state of the search, and the best groups that it has found. */
typedef struct search {
    const cs_cost *costs;
    int n;
    const cs_group_limits *limits;
    double *least; /* [n+1] the fewest seconds that costs[0, i) can take */
    int *from;     /* [n+1] the first trial of the last group of that division */
    cs_trial_group *groups, *best;
    int n_groups, n_best;
    double makespan, least_makespan;
} search;

static int by_key_and_cut(const void *a, const void *b) {
    const cs_cost *p = a, *q = b;
    if (p->share_key != q->share_key)
        return p->share_key < q->share_key ? -1 : 1;
    return p->cut != q->cut ? p->cut - q->cut : p->trial - q->trial;
}

static int by_seconds_descending(const void *a, const void *b) {
    const cs_trial_group *p = a, *q = b;
    if (p->seconds != q->seconds)
        return p->seconds < q->seconds ? 1 : -1;
    return p->first - q->first;
}

/* The root of the heap is the time at which the next rank is free. That rank now works for `seconds` more. */
static void lengthen_root(double *heap, int n, double seconds) {
    double value = heap[0] + seconds;
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (child >= n || heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

cs_status cs_groups_makespan(const cs_trial_group *groups, int n, int ranks, double *out) {
    double *heap, last = 0;
    CS_TRY(cs_alloc((size_t)ranks, sizeof *heap, "plan", &heap));
    for (int i = 0; i < n; i++)
        lengthen_root(heap, ranks, groups[i].seconds);
    for (int i = 0; i < ranks; i++)
        last = heap[i] > last ? heap[i] : last;
    free(heap);
    *out = last;
    return CS_OK;
}

/* Finds the division with the least work in which no group of several trials takes more than `longest` seconds. It is a
 * shortest path over the trials at which a group may begin. Of equal divisions the one with smaller groups is taken. */
static void find_cuts(search *s, double longest) {
    const double gain = 1 - 1e-9;
    for (int end = 1; end <= s->n; end++) {
        cs_group_cost group = {0};
        s->least[end] = INFINITY;
        for (int first = end - 1; first >= 0 && end - first <= s->limits->most; first--) {
            if (s->costs[first].share_key != s->costs[end - 1].share_key)
                break;
            cs_group_cost_add(&group, &s->costs[first]);
            if (group.n > 1 && (group.tails > longest || group.memory > s->limits->memory))
                break;
            if (group.n > 1 && group.seconds > longest)
                continue;
            if (s->least[first] + group.seconds < s->least[end] * gain) {
                s->least[end] = s->least[first] + group.seconds;
                s->from[end] = first;
            }
        }
    }
}

static cs_trial_group make_group(const search *s, int first, int end) {
    cs_group_cost group = {0};
    for (int i = end - 1; i >= first; i--)
        cs_group_cost_add(&group, &s->costs[i]);
    return (cs_trial_group){.first = first, .n = end - first, .seconds = group.seconds, .memory = group.memory};
}

/* Divides the trials with that limit, and keeps the groups if the last rank finishes earlier with them. */
static cs_status try_longest(search *s, double longest) {
    const double gain = 1 - 1e-3;
    find_cuts(s, longest);
    s->n_groups = 0;
    for (int end = s->n; end > 0; end = s->from[end])
        s->groups[s->n_groups++] = make_group(s, s->from[end], end);
    qsort(s->groups, (size_t)s->n_groups, sizeof *s->groups, by_seconds_descending);
    CS_TRY(cs_groups_makespan(s->groups, s->n_groups, s->limits->ranks, &s->makespan));
    if (s->makespan < s->least_makespan * gain) {
        memcpy(s->best, s->groups, (size_t)s->n_groups * sizeof *s->best);
        s->n_best = s->n_groups;
        s->least_makespan = s->makespan;
    }
    return CS_OK;
}

/* Without a limit there is the least work, but ranks may be idle at the end. Then shorter limits are tried, which begin
 * at twice a rank's equal part of the work. */
static cs_status find_groups(search *s) {
    const double largest = 2, smallest = 0.1, ratio = 0.93, idle = 1.01;
    CS_TRY(try_longest(s, INFINITY));
    double part = s->least[s->n] / s->limits->ranks;
    for (double share = largest; share > smallest && s->least_makespan > part * idle; share *= ratio)
        CS_TRY(try_longest(s, part * share));
    return CS_OK;
}

cs_status cs_groups_make(cs_cost *costs, int n, const cs_group_limits *limits, cs_trial_group *groups, int *n_groups) {
    search s = {.costs = costs, .n = n, .limits = limits, .best = groups, .least_makespan = INFINITY};
    cs_status status;
    qsort(costs, (size_t)n, sizeof *costs, by_key_and_cut);
    CS_TRY_GOTO(cs_alloc((size_t)n + 1, sizeof *s.least, "plan", &s.least), done);
    CS_TRY_GOTO(cs_alloc((size_t)n + 1, sizeof *s.from, "plan", &s.from), done);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *s.groups, "plan", &s.groups), done);
    CS_TRY_GOTO(find_groups(&s), done);
    *n_groups = s.n_best;
done:
    free(s.least);
    free(s.from);
    free(s.groups);
    return status;
}
