/* SPDX-License-Identifier: Apache-2.0 */
#include "bayes_cells.h"
#include "axis_values.h"
#include "bayes.h"
#include "chosen.h"

#include <math.h>
#include <string.h>

enum { DRAWN = 2048, IMPROVED = 4, MAX_ROUNDS = 20, MOVES = 14 };

/* A value for each axis, also for those that do not apply at present. */
typedef struct candidate {
    double values[CS_SAMPLED_MAX];
    double score; /* -INFINITY: it may not be trained */
} candidate;

typedef struct search {
    const cs_space *space;
    const cs_bayes *bayes;
    cs_domain domains[CS_SAMPLED_MAX];
    cs_accept *accept;
    void *context;
} search;

static double value_of(void *context, int axis) {
    return ((const candidate *)context)->values[axis];
}

static void make_row(const search *s, candidate *of, double *row) {
    int cell[CS_SAMPLED_MAX];
    cs_axis_compose(s->space, value_of, of, row, cell);
}

static void evaluate(const search *s, candidate *of) {
    double row[CS_SAMPLED_MAX];
    make_row(s, of, row);
    of->score = s->accept(s->context, row) ? cs_bayes_score(s->bayes, row) : -INFINITY;
}

static candidate draw(const search *s, cs_rng *rng) {
    candidate drawn;
    for (int a = 0; a < s->space->n_axes; a++) {
        const cs_domain *domain = &s->domains[a];
        drawn.values[a] = domain->choices > 0 ? cs_rng_below(rng, (uint32_t)domain->choices)
                                              : cs_bayes_value(domain, cs_rng_u32(rng) * 0x1p-32);
    }
    evaluate(s, &drawn);
    return drawn;
}

/* Keeps the best candidates, best first. */
static void keep(candidate *best, const candidate *other) {
    int at = IMPROVED;
    while (at > 0 && other->score > best[at - 1].score)
        at--;
    if (at == IMPROVED)
        return;
    memmove(best + at + 1, best + at, (size_t)(IMPROVED - 1 - at) * sizeof *best);
    best[at] = *other;
}

/* The other values that an axis is tried with: all choices, or numbers at growing and at shrinking distances. */
static int count_moves(const cs_domain *domain) {
    return domain->choices > 0 ? domain->choices : MOVES;
}

static double move(const cs_domain *domain, double value, int k) {
    const double longest = 0.25;
    if (domain->choices > 0)
        return k;
    double way = ldexp(longest, -(k / 2));
    double position = cs_bayes_position(domain, value) + (k % 2 ? way : -way);
    return cs_bayes_value(domain, fmin(fmax(position, 0), 1));
}

/* Returns whether a change of this axis alone was better. */
static bool improve_axis(const search *s, int a, candidate *best) {
    const double rounding = 1e-9; /* so that rounding does not decide between equal ones */
    const double before = best->values[a];
    bool improved = false;
    for (int k = 0; k < count_moves(&s->domains[a]); k++) {
        candidate other = *best;
        other.values[a] = move(&s->domains[a], before, k);
        if (other.values[a] == best->values[a])
            continue;
        evaluate(s, &other);
        if (!(other.score > best->score + rounding))
            continue;
        *best = other;
        improved = true;
    }
    return improved;
}

static void improve(const search *s, candidate *best) {
    bool improved = true;
    for (int round = 0; round < MAX_ROUNDS && improved; round++) {
        improved = false;
        for (int a = 0; a < s->space->n_axes; a++)
            improved |= improve_axis(s, a, best);
    }
}

cs_status cs_bayes_suggest_cell(const cs_history *history, int cell, cs_accept *accept, void *context, double *row,
                                bool *found) {
    cs_bayes *bayes = NULL;
    candidate best[IMPROVED];
    CS_TRY(cs_bayes_open(history, &bayes));
    search s = {.space = history->space, .bayes = bayes, .accept = accept, .context = context};
    for (int a = 0; a < s.space->n_axes; a++)
        s.domains[a] = cs_axis_domain(s.space, &s.space->axes[a]);
    cs_rng rng = cs_rng_at((uint64_t)history->job->seed, CS_PURPOSE_BAYES, 0, (uint32_t)cell);
    for (int i = 0; i < IMPROVED; i++)
        best[i].score = -INFINITY;
    for (int i = 0; i < DRAWN; i++) {
        candidate drawn = draw(&s, &rng);
        keep(best, &drawn);
    }
    for (int i = 0; i < IMPROVED && best[i].score > -INFINITY; i++) {
        improve(&s, &best[i]);
        if (best[i].score > best[0].score)
            best[0] = best[i];
    }
    *found = best[0].score > -INFINITY;
    if (*found)
        make_row(&s, &best[0], row);
    cs_bayes_close(bayes);
    return CS_OK;
}
