/* SPDX-License-Identifier: Apache-2.0 */
/* fANOVA (Hutter, Hoos and Leyton-Brown 2014): a random forest learns the metric from the options, and the variance of
 * each tree over the whole space, of which its leaves are boxes, is divided. A category is split from all others. */
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "importance_impl.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { TREES = 64, DEPTH = 64, CATEGORIES_MAX = 64, SEED = 1 };

/* A side of a box: of a number an interval, of a category a set of bits. */
typedef struct side {
    double low, high;
    uint64_t categories;
} side;

typedef struct node {
    int first, n; /* its rows */
    int depth;
    bool is_leaf;
    double value; /* the mean of its rows */
} node;

typedef struct row {
    double x, y;
} row;

typedef struct forest {
    const cs_importance_table *table;
    int n, options;
    double *x;       /* [n,options] numbers, or indices of categories */
    double *y;       /* [n] */
    side *space;     /* [options] */
    int *rows;       /* [n] of the tree, those of a node together */
    row *sorted;     /* [n] */
    node *nodes;     /* [2n] of the tree */
    side *sides;     /* [2n,options] their boxes */
    double *borders; /* [4n] */
    double *shares;  /* [options] sums over the trees */
    int n_nodes, used;
} forest;

/* Where a node is divided: x <= at, or a category from the others. */
typedef struct division {
    int option; /* -1: nowhere */
    double at, gain;
} division;

static side *box_of(const forest *f, int i) {
    return f->sides + (ptrdiff_t)i * f->options;
}

/* The part of the space's side that a box has. */
static double extent(const forest *f, const side *box, int option) {
    const side *whole = &f->space[option];
    if (f->table->options[option].is_number)
        return whole->high > whole->low ? (box[option].high - box[option].low) / (whole->high - whole->low) : 1;
    return (double)__builtin_popcountll(box[option].categories) / __builtin_popcountll(whole->categories);
}

static double volume(const forest *f, const side *box) {
    double product = 1;
    for (int i = 0; i < f->options; i++)
        product *= extent(f, box, i);
    return product;
}

static int by_x(const void *a, const void *b) {
    double p = ((const row *)a)->x, q = ((const row *)b)->x;
    return (p > q) - (p < q);
}

/* How much smaller the sum of squares gets, but for a constant. */
static double gain_of(double sum, int n, double all, int n_all) {
    return sum * sum / n + (all - sum) * (all - sum) / (n_all - n);
}

/* The middle between two numbers. Where no number is between them it is rounded to one of the two. It must not be
 * `next`, or a child would get all rows, and nodes would be more than there is memory for. */
static double between(double x, double next) {
    const double middle = x + (next - x) / 2;
    return middle < next ? middle : x;
}

static void try_division(division *best, int option, double at, double gain) {
    if (gain > best->gain)
        *best = (division){option, at, gain};
}

/* Rows of equal x stay together: those up to the middle between two values, or those of one category. */
static void try_option(const forest *f, const node *of, int option, double all, division *best) {
    bool is_number = f->table->options[option].is_number;
    double sum = 0;
    int n = 0;
    for (int i = 0; i < of->n; i++) {
        int r = f->rows[of->first + i];
        f->sorted[i] = (row){f->x[r * f->options + option], f->y[r]};
    }
    qsort(f->sorted, (size_t)of->n, sizeof *f->sorted, by_x);
    for (int i = 0; i < of->n; i++) {
        double x = f->sorted[i].x;
        bool is_last = i + 1 == of->n;
        sum += f->sorted[i].y;
        n++;
        if (!is_last && f->sorted[i + 1].x == x)
            continue;
        if (n < of->n && !(is_number && is_last))
            try_division(best, option, is_number ? between(x, f->sorted[i + 1].x) : x, gain_of(sum, n, all, of->n));
        if (!is_number) {
            sum = 0;
            n = 0;
        }
    }
}

static division find_division(const forest *f, const node *of) {
    division best = {.option = -1, .gain = -1};
    double all = 0, least = INFINITY, most = -INFINITY;
    for (int i = 0; i < of->n; i++) {
        double y = f->y[f->rows[of->first + i]];
        all += y;
        least = fmin(least, y);
        most = fmax(most, y);
    }
    for (int option = 0; option < f->options && of->depth < DEPTH && most > least; option++)
        try_option(f, of, option, all, &best);
    return best;
}

static bool goes_left(const forest *f, int r, const division *d) {
    double x = f->x[r * f->options + d->option];
    return f->table->options[d->option].is_number ? x <= d->at : x == d->at;
}

/* Makes a box smaller. */
static void cut(const forest *f, side *box, const division *d, bool left) {
    side *s = &box[d->option];
    if (!f->table->options[d->option].is_number)
        s->categories &= left ? UINT64_C(1) << (int)d->at : ~(UINT64_C(1) << (int)d->at);
    else if (left)
        s->high = d->at;
    else
        s->low = d->at;
}

static void divide(forest *f, int i, const division *d) {
    const node of = f->nodes[i];
    int n = 0;
    for (int k = 0; k < of.n; k++) {
        int r = f->rows[of.first + k];
        if (!goes_left(f, r, d))
            continue;
        f->rows[of.first + k] = f->rows[of.first + n];
        f->rows[of.first + n++] = r;
    }
    for (int right = 0; right < 2; right++) {
        int child = f->n_nodes++;
        f->nodes[child] = (node){of.first + (right ? n : 0), right ? of.n - n : n, of.depth + 1, false, 0};
        for (int k = 0; k < f->options; k++)
            box_of(f, child)[k] = box_of(f, i)[k];
        cut(f, box_of(f, child), d, !right);
    }
}

/* Grows a tree of as many rows as there are, drawn with replacement. */
static void grow(forest *f, int tree) {
    cs_rng rng = cs_rng_at(SEED, CS_PURPOSE_BOOTSTRAP, (uint32_t)tree, 0);
    for (int i = 0; i < f->n; i++)
        f->rows[i] = (int)cs_rng_below(&rng, (uint32_t)f->n);
    f->nodes[0] = (node){.n = f->n};
    for (int k = 0; k < f->options; k++)
        f->sides[k] = f->space[k];
    f->n_nodes = 1;
    for (int i = 0; i < f->n_nodes; i++) {
        division d = find_division(f, &f->nodes[i]);
        f->nodes[i].is_leaf = d.option < 0;
        f->nodes[i].value = 0;
        for (int k = 0; k < f->nodes[i].n; k++)
            f->nodes[i].value += f->y[f->rows[f->nodes[i].first + k]] / f->nodes[i].n;
        if (d.option >= 0)
            divide(f, i, &d);
    }
}

/* The mean over the space with `from` <= x <= `to`, or with a category. */
static double marginal(const forest *f, int option, double from, double to) {
    bool is_number = f->table->options[option].is_number;
    double sum = 0;
    for (int i = 0; i < f->n_nodes; i++) {
        const side *box = box_of(f, i), *s = &box[option];
        bool has = is_number ? s->low <= from && to <= s->high : (s->categories >> (int)from & 1) != 0;
        if (f->nodes[i].is_leaf && has)
            sum += f->nodes[i].value * volume(f, box) / extent(f, box, option);
    }
    return sum;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double variance_of_category(const forest *f, int option, double mean) {
    int n = __builtin_popcountll(f->space[option].categories);
    double sum = 0;
    for (int k = 0; k < n; k++) {
        double difference = marginal(f, option, k, k) - mean;
        sum += difference * difference / n;
    }
    return sum;
}

/* Between two borders of boxes the mean is constant. */
static double variance_of_number(const forest *f, int option, double mean) {
    double sum = 0, whole = f->space[option].high - f->space[option].low;
    size_t n = 0;
    for (int i = 0; i < f->n_nodes; i++) {
        f->borders[n++] = box_of(f, i)[option].low;
        f->borders[n++] = box_of(f, i)[option].high;
    }
    qsort(f->borders, n, sizeof *f->borders, ascending);
    for (size_t i = 0; i + 1 < n; i++) {
        double from = f->borders[i], to = f->borders[i + 1];
        double difference = to > from ? marginal(f, option, from, to) - mean : 0;
        sum += difference * difference * (to - from) / (whole > 0 ? whole : 1);
    }
    return sum;
}

/* Adds the shares of the tree's variance that single options have. */
static void add_shares(forest *f) {
    double mean = 0, variance = 0;
    for (int i = 0; i < f->n_nodes; i++)
        if (f->nodes[i].is_leaf)
            mean += f->nodes[i].value * volume(f, box_of(f, i));
    for (int i = 0; i < f->n_nodes; i++)
        if (f->nodes[i].is_leaf)
            variance += (f->nodes[i].value - mean) * (f->nodes[i].value - mean) * volume(f, box_of(f, i));
    if (variance <= 0)
        return;
    f->used++;
    for (int option = 0; option < f->options; option++)
        f->shares[option] += (f->table->options[option].is_number ? variance_of_number(f, option, mean)
                                                                  : variance_of_category(f, option, mean)) /
                             variance;
}

static cs_status open_forest(const cs_importance_table *table, const cs_levels *levels, forest *f) {
    size_t n = (size_t)levels->n_trials, options = (size_t)table->n_options;
    *f = (forest){.table = table, .n = levels->n_trials, .options = table->n_options, .y = levels->values};
    CS_TRY(cs_alloc(n * options, sizeof *f->x, "forest", &f->x));
    CS_TRY(cs_alloc(options, sizeof *f->space, "forest", &f->space));
    CS_TRY(cs_alloc(n, sizeof *f->rows, "forest", &f->rows));
    CS_TRY(cs_alloc(n, sizeof *f->sorted, "forest", &f->sorted));
    CS_TRY(cs_alloc(2 * n, sizeof *f->nodes, "forest", &f->nodes));
    CS_TRY(cs_alloc(2 * n * options, sizeof *f->sides, "forest", &f->sides));
    CS_TRY(cs_alloc(4 * n, sizeof *f->borders, "forest", &f->borders));
    return cs_alloc(options, sizeof *f->shares, "forest", &f->shares);
}

static void close_forest(forest *f) {
    free(f->x);
    free(f->space);
    free(f->rows);
    free(f->sorted);
    free(f->nodes);
    free(f->sides);
    free(f->borders);
    free(f->shares);
}

/* Sets x of an option, by its logarithm if it was drawn so, and its side of the space. */
static cs_status place_option(const cs_levels *levels, forest *f, int i) {
    const cs_importance_option *option = &f->table->options[i];
    side *s = &f->space[i];
    int n = levels->counts[i];
    if (!option->is_number && n > CATEGORIES_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "fANOVA takes up to %d categories, not %d", CATEGORIES_MAX, n);
    *s = (side){option->is_log ? log(option->low) : option->low, option->is_log ? log(option->high) : option->high,
                n < CATEGORIES_MAX ? (UINT64_C(1) << n) - 1 : UINT64_MAX};
    if (option->low >= option->high) {
        s->low = INFINITY;
        s->high = -INFINITY;
    }
    for (int t = 0; t < f->n; t++) {
        int level = levels->of[t * f->options + i];
        if (level < 0)
            return cs_fail(CS_ERR_UNSUPPORTED, "fANOVA takes options that all trials have, not %s", option->name);
        double x = option->is_number ? strtod(levels->names[i][level], NULL) : level;
        x = option->is_number && option->is_log ? log(x) : x;
        f->x[t * f->options + i] = x;
        s->low = fmin(s->low, x);
        s->high = fmax(s->high, x);
    }
    return CS_OK;
}

static cs_status find(const cs_importance_table *table, const cs_levels *levels, forest *f, cs_importance *out) {
    if (levels->n_trials < 2)
        return cs_fail(CS_ERR_UNSUPPORTED, "of %d trials with a result nothing can be said", levels->n_trials);
    CS_TRY(open_forest(table, levels, f));
    for (int i = 0; i < table->n_options; i++)
        CS_TRY(place_option(levels, f, i));
    for (int tree = 0; tree < TREES; tree++) {
        grow(f, tree);
        add_shares(f);
    }
    CS_TRY(cs_alloc((size_t)table->n_options, sizeof *out->parts, "importance", &out->parts));
    out->higher = f->used > 0;
    out->noise = (double)NAN;
    for (int i = 0; i < table->n_options; i++) {
        cs_importance_add(out, i, -1, f->used > 0 ? f->shares[i] / f->used : 0);
        out->higher = fmax(0, out->higher - out->parts[i].share);
    }
    snprintf(out->note, sizeof out->note, "fANOVA of a forest of %d trees, of %d trials", TREES, levels->n_trials);
    return CS_OK;
}

cs_status cs_importance_fanova(const cs_importance_table *table, cs_importance *out) {
    cs_levels levels;
    forest f = {0};
    CS_TRY(cs_levels_make(table, &levels));
    cs_status status = find(table, &levels, &f, out);
    close_forest(&f);
    cs_levels_free(table, &levels);
    return status;
}
