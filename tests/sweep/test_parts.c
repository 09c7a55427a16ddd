/* SPDX-License-Identifier: Apache-2.0 */
/* A sweep is divided into parts, for programs that do not communicate. */
#include "test.h"

#include "plan/parts.h"

#include <math.h>

enum { N = 240, MOST = 32, SHARES = 12, CUTS = 7 };

/* A simple random generator, which is good enough for mixed costs. */
static double draw(uint64_t *state) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (double)(*state >> 33) / (double)(1U << 31);
}

/* Trials that last from one unit to a thousand, some with a trunk that others share. */
static void make_costs(cs_cost costs[N]) {
    uint64_t state = 5;
    double trunks[SHARES];
    for (int s = 0; s < SHARES; s++)
        trunks[s] = 3 * draw(&state);
    for (int t = 0; t < N; t++) {
        int share = (int)(SHARES * draw(&state)), cut = (int)(CUTS * draw(&state));
        double trunk = trunks[share] * (1 + cut);
        costs[t] = (cs_cost){.trial = t,
                             .share_key = (uint64_t)share,
                             .cut = cut,
                             .epochs = 10,
                             .trunk = {trunk, trunk / 10, trunk / 10},
                             .tail = pow(1000, draw(&state)),
                             .memory = 1,
                             .cached_fraction = share % 2,
                             .variants = {share % 2, 1, 1}};
    }
}

/* The seconds of a part whose planner groups it for one rank. */
static double seconds_of(const cs_cost *costs, const int *part_of, int part) {
    const cs_group_limits one = {.ranks = 1, .most = MOST, .memory = INFINITY};
    cs_cost own[N];
    cs_trial_group groups[N];
    int n = 0, n_groups;
    double seconds = 0;
    for (int i = 0; i < N; i++)
        if (part_of[costs[i].trial] == part)
            own[n++] = costs[i];
    if (n == 0)
        return 0;
    assert_ok(cs_groups_make(own, n, &one, groups, &n_groups));
    for (int p = 0; p < n_groups; p++)
        seconds += groups[p].seconds;
    return seconds;
}

static void divide(cs_cost *costs, int n, int parts, int *part_of) {
    for (int t = 0; t < n; t++)
        part_of[t] = -1;
    assert_ok(cs_parts_divide(costs, n, parts, MOST, part_of));
}

static void parts_take_equally_long(void **state) {
    (void)state;
    cs_cost costs[N];
    int part_of[N];
    for (int parts = 1; parts <= 9; parts++) {
        double all = 0;
        make_costs(costs);
        divide(costs, N, parts, part_of);
        for (int p = 0; p < parts; p++)
            all += seconds_of(costs, part_of, p);
        for (int p = 0; p < parts; p++)
            assert_true(fabs(seconds_of(costs, part_of, p) * parts / all - 1) < 0.1);
    }
}

static void every_trial_is_in_one_part(void **state) {
    (void)state;
    cs_cost costs[N];
    int part_of[N];
    for (int parts = 1; parts <= 2 * N; parts *= 2) {
        make_costs(costs);
        divide(costs, N, parts, part_of);
        for (int t = 0; t < N; t++)
            assert_in_range(part_of[t], 0, parts - 1);
    }
}

static void the_order_of_the_costs_does_not_matter(void **state) {
    (void)state;
    cs_cost costs[N], turned[N];
    int part_of[N], again[N];
    make_costs(costs);
    for (int t = 0; t < N; t++)
        turned[t] = costs[N - 1 - t];
    divide(costs, N, 5, part_of);
    divide(turned, N, 5, again);
    assert_memory_equal(part_of, again, sizeof part_of);
}

/* Trials 0 to 7 share a trunk, 8 to 15 another; each trunk is most of the work. */
static void a_group_stays_in_one_part_if_the_parts_are_balanced(void **state) {
    (void)state;
    cs_cost costs[16];
    int part_of[16];
    for (int t = 0; t < 16; t++)
        costs[t] = (cs_cost){.trial = t, .share_key = (uint64_t)t / 8, .epochs = 10, .trunk = {100, 10, 10}, .tail = 1};
    divide(costs, 16, 2, part_of);
    for (int t = 0; t < 16; t++)
        assert_int_equal(part_of[t], part_of[t / 8 * 8]);
    assert_int_not_equal(part_of[0], part_of[8]);
}

/* One trunk for all, and tails that are most of the work. */
static void a_group_is_split_if_the_parts_would_be_unbalanced(void **state) {
    (void)state;
    cs_cost costs[8];
    int part_of[8], first = 0;
    for (int t = 0; t < 8; t++)
        costs[t] = (cs_cost){.trial = t, .share_key = 1, .epochs = 10, .trunk = {0.01, 0.001, 0.001}, .tail = 10};
    divide(costs, 8, 2, part_of);
    for (int t = 0; t < 8; t++)
        first += part_of[t] == 0;
    assert_int_equal(first, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_take_equally_long),
        cmocka_unit_test(every_trial_is_in_one_part),
        cmocka_unit_test(the_order_of_the_costs_does_not_matter),
        cmocka_unit_test(a_group_stays_in_one_part_if_the_parts_are_balanced),
        cmocka_unit_test(a_group_is_split_if_the_parts_would_be_unbalanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
