/* SPDX-License-Identifier: Apache-2.0 */
/* Which trials are trained together, compared with the best of all possibilities. */
#include "test.h"

#include "cnnsweep/random.h"
#include "plan/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SMALL = 7, LARGE = 100000 };

static const cs_group_limits alone = {.ranks = 1, .most = 32, .memory = 1e18};

/* A pass of the train split through the trunk takes `trunk` seconds, the val and test splits a tenth of that. */
static cs_cost cost_of(int trial, uint64_t share_key, int cut, double trunk, double tail) {
    return (cs_cost){.trial = trial,
                     .share_key = share_key,
                     .cut = cut,
                     .epochs = 10,
                     .trunk = {trunk, trunk / 10, trunk / 10},
                     .tail = tail,
                     .memory = 1};
}

/* The reference for the seconds of a group: a pass of the trunk goes as deep as any trial needs that still trains. */
static double reference_seconds(const cs_cost *const *group, int n) {
    int first = 0, epochs = 0;
    double seconds = 0;
    for (int i = 0; i < n; i++) {
        first = group[i]->cut < group[first]->cut ? i : first;
        epochs = group[i]->epochs > epochs ? group[i]->epochs : epochs;
        seconds += group[i]->tail;
    }
    double deepest_test = 0, v = group[0]->variants[CS_SPLIT_TRAIN];
    for (int i = 0; i < n; i++)
        deepest_test = fmax(deepest_test, group[i]->trunk[CS_SPLIT_TEST]);
    seconds += deepest_test;
    for (int e = 0; e < epochs; e++) {
        double deepest[2] = {0, 0};
        for (int i = 0; i < n; i++)
            for (int split = 0; split < 2 && e < group[i]->epochs; split++)
                deepest[split] = fmax(deepest[split], group[i]->trunk[split]);
        const double *link = group[first]->trunk;
        bool cached = group[first]->cached_fraction;
        seconds += deepest[CS_SPLIT_TRAIN] - link[CS_SPLIT_TRAIN] + deepest[CS_SPLIT_VAL] - link[CS_SPLIT_VAL];
        seconds += link[CS_SPLIT_TRAIN] * (cached && v > 0 ? pow(1 - 1 / v, e) : 1); /* share not seen so far */
        seconds += cached && e > 0 ? 0 : link[CS_SPLIT_VAL];
    }
    return seconds;
}

/* The least finishing time over all assignments of the blocks to ranks. */
static double assign(const double *blocks, int n, double *loads, int ranks) {
    double least = INFINITY;
    if (n == 0) {
        double last = 0;
        for (int r = 0; r < ranks; r++)
            last = fmax(last, loads[r]);
        return last;
    }
    for (int r = 0; r < ranks; r++) {
        loads[r] += blocks[n - 1];
        least = fmin(least, assign(blocks, n - 1, loads, ranks));
        loads[r] -= blocks[n - 1];
        if (loads[r] == 0)
            break; /* the other idle ranks would give the same */
    }
    return least;
}

typedef struct brute {
    const cs_cost *costs;
    int n, ranks, n_blocks, sizes[SMALL];
    const cs_cost *blocks[SMALL][SMALL];
    double least;
} brute;

/* Puts trial i into each block that it may share, and into a new one. */
static void partition(brute *b, int i) {
    if (i == b->n) {
        double seconds[SMALL], loads[SMALL] = {0};
        for (int k = 0; k < b->n_blocks; k++)
            seconds[k] = reference_seconds(b->blocks[k], b->sizes[k]);
        b->least = fmin(b->least, assign(seconds, b->n_blocks, loads, b->ranks));
        return;
    }
    for (int k = 0; k <= b->n_blocks; k++) {
        bool fresh = k == b->n_blocks;
        if (!fresh && b->blocks[k][0]->share_key != b->costs[i].share_key)
            continue;
        if (fresh)
            b->sizes[b->n_blocks++] = 0;
        b->blocks[k][b->sizes[k]++] = &b->costs[i];
        partition(b, i + 1);
        b->sizes[k]--;
        if (fresh) {
            b->n_blocks--;
            break;
        }
    }
}

static double random_in(cs_rng *rng, double low, double high) {
    return low + (high - low) * (double)cs_rng_float(rng);
}

static int random_costs(cs_rng *rng, cs_cost *costs) {
    int n = 2 + (int)cs_rng_below(rng, SMALL - 1), classes = 1 + (int)cs_rng_below(rng, 3);
    double trunk = random_in(rng, 0, 3), tail = random_in(rng, 0.1, 20);
    double variants = (const double[]){0, 1, 2, 4}[cs_rng_below(rng, 4)];
    for (int t = 0; t < n; t++) {
        int cut = (int)cs_rng_below(rng, 4) * 10;
        costs[t] = cost_of(t, cs_rng_below(rng, (uint32_t)classes), cut, trunk * cut / 30,
                           tail * random_in(rng, 0.5, 1.5) * (1 - cut / 50.0));
        costs[t].epochs = 1 + (int)cs_rng_below(rng, 12);
        costs[t].variants[CS_SPLIT_TRAIN] = variants;
        costs[t].variants[CS_SPLIT_VAL] = costs[t].variants[CS_SPLIT_TEST] = 1;
        costs[t].cached_fraction = variants > 0;
    }
    return n;
}

static void check_partition(const cs_cost *costs, int n, const cs_trial_group *groups, int n_groups, int most) {
    char *seen = calloc((size_t)n, 1);
    assert_non_null(seen);
    for (int p = 0; p < n_groups; p++) {
        assert_in_range(groups[p].n, 1, most);
        for (int i = groups[p].first; i < groups[p].first + groups[p].n; i++) {
            assert_true(costs[i].share_key == costs[groups[p].first].share_key);
            assert_int_equal(seen[costs[i].trial]++, 0);
        }
        assert_true(p == 0 || groups[p].seconds <= groups[p - 1].seconds);
    }
    assert_null(memchr(seen, 0, (size_t)n));
    free(seen);
}

static void plans_finish_within_a_tenth_of_the_best_of_all(void **state) {
    (void)state;
    enum { INSTANCES = 200 };
    double worst = 1, sum = 0;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        cs_rng rng = cs_rng_at(11, CS_PURPOSE_TEST, 0, i);
        cs_cost costs[SMALL];
        cs_trial_group groups[SMALL];
        int n = random_costs(&rng, costs), n_groups;
        double makespan;
        cs_group_limits limits = alone;
        limits.ranks = 1 + (int)cs_rng_below(&rng, 4);
        assert_ok(cs_groups_make(costs, n, &limits, groups, &n_groups));
        check_partition(costs, n, groups, n_groups, limits.most);
        assert_ok(cs_groups_makespan(groups, n_groups, limits.ranks, &makespan));
        brute b = {.costs = costs, .n = n, .ranks = limits.ranks, .least = INFINITY};
        partition(&b, 0);
        assert_true(makespan >= b.least * (1 - 1e-9));
        worst = fmax(worst, makespan / b.least);
        sum += makespan / b.least;
        if (makespan > 1.1 * b.least)
            print_message("instance %u: %d trials, %d ranks, %.3f against %.3f\n", i, n, limits.ranks, makespan,
                          b.least);
    }
    print_message("%d instances: %.4f of the best on average, %.4f at worst\n", INSTANCES, sum / INSTANCES, worst);
    assert_true(worst <= 1.1);
}

/* A typical grid: five depths of one network, four augmentations. */
static int depths_and_augmentations(cs_cost *costs) {
    int n = 0;
    for (uint64_t augment = 0; augment < 4; augment++)
        for (int depth = 0; depth < 5; depth++, n++)
            costs[n] = cost_of(n, augment, 100 - depth, 10 - 0.1 * depth, 5 + depth);
    return n;
}

static void a_grid_of_depths_and_augmentations_is_shared(void **state) {
    (void)state;
    cs_cost costs[20];
    cs_trial_group groups[20];
    int n = depths_and_augmentations(costs), n_groups;
    assert_ok(cs_groups_make(costs, n, &alone, groups, &n_groups));
    check_partition(costs, n, groups, n_groups, alone.most);
    assert_int_equal(n_groups, 4);
    cs_group_limits two = alone;
    double makespan, four_groups = 0;
    for (int p = 0; p < n_groups; p++)
        four_groups += groups[p].seconds / 2;
    two.ranks = 2;
    assert_ok(cs_groups_make(costs, n, &two, groups, &n_groups));
    assert_ok(cs_groups_makespan(groups, n_groups, 2, &makespan));
    assert_true(makespan <= four_groups * 1.001);
}

static void trials_of_one_trunk_are_split_over_the_ranks(void **state) {
    (void)state;
    cs_cost costs[8];
    cs_trial_group groups[8];
    int n_groups;
    cs_group_limits four = alone;
    double makespan;
    four.ranks = 4;
    for (int t = 0; t < 8; t++)
        costs[t] = cost_of(t, 1, 10, 1, 100);
    assert_ok(cs_groups_make(costs, 8, &four, groups, &n_groups));
    assert_int_equal(n_groups, 4);
    assert_ok(cs_groups_makespan(groups, n_groups, 4, &makespan));
    assert_true(fabs(makespan - 211.1) < 1e-6); /* two tails of 100, ten passes of 1.1, one of 0.1 for the test split */
}

/* A deep trunk that is kept runs once; in a group with a shallow trunk it would run in every epoch. */
static void a_group_never_costs_more_than_its_trials_alone(void **state) {
    (void)state;
    cs_cost costs[2] = {cost_of(0, 1, 10, 1, 5), cost_of(1, 1, 90, 9, 5)};
    cs_trial_group groups[2];
    int n_groups;
    assert_ok(cs_groups_make(costs, 2, &alone, groups, &n_groups));
    assert_int_equal(n_groups, 1);
    for (int t = 0; t < 2; t++) {
        costs[t].cached_fraction = true;
        costs[t].variants[CS_SPLIT_TRAIN] = costs[t].variants[CS_SPLIT_VAL] = 1;
    }
    assert_ok(cs_groups_make(costs, 2, &alone, groups, &n_groups));
    assert_int_equal(n_groups, 2);
    for (int t = 0; t < 2; t++)
        costs[t] = cost_of(t, 1, 0, 0, 5);
    assert_ok(cs_groups_make(costs, 2, &alone, groups, &n_groups));
    assert_int_equal(n_groups, 2);
}

static void groups_keep_to_their_limits(void **state) {
    (void)state;
    cs_cost costs[20];
    cs_trial_group groups[20];
    int n = depths_and_augmentations(costs), n_groups;
    cs_group_limits limits = {.ranks = 1, .most = 1, .memory = 1e18};
    assert_ok(cs_groups_make(costs, n, &limits, groups, &n_groups));
    assert_int_equal(n_groups, 20);
    limits.most = 32;
    limits.memory = 3;
    assert_ok(cs_groups_make(costs, n, &limits, groups, &n_groups));
    check_partition(costs, n, groups, n_groups, 3);
    assert_int_equal(n_groups, 8);
    limits.memory = 0;
    assert_ok(cs_groups_make(costs, n, &limits, groups, &n_groups));
    assert_int_equal(n_groups, 20);
}

static void a_hundred_thousand_trials_take_seconds(void **state) {
    (void)state;
    cs_cost *costs = calloc(LARGE, sizeof *costs);
    cs_trial_group *groups = calloc(LARGE, sizeof *groups);
    assert_non_null(costs);
    assert_non_null(groups);
    const cs_group_limits many = {.ranks = 1000, .most = 32, .memory = 1e18};
    int n_groups;
    for (int t = 0; t < LARGE; t++)
        costs[t] = cost_of(t, (uint64_t)t / 60000, t % 7, t % 7, 1 + t % 13);
    clock_t begun = clock(); /* processor time of this process, which does not depend on the machine's load */
    assert_ok(cs_groups_make(costs, LARGE, &many, groups, &n_groups));
    print_message("%d groups in %.2f s\n", n_groups, (double)(clock() - begun) / CLOCKS_PER_SEC);
    check_partition(costs, LARGE, groups, n_groups, many.most);
    assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 20);
    free(costs);
    free(groups);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_finish_within_a_tenth_of_the_best_of_all),
        cmocka_unit_test(a_grid_of_depths_and_augmentations_is_shared),
        cmocka_unit_test(trials_of_one_trunk_are_split_over_the_ranks),
        cmocka_unit_test(a_group_never_costs_more_than_its_trials_alone),
        cmocka_unit_test(groups_keep_to_their_limits),
        cmocka_unit_test(a_hundred_thousand_trials_take_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
