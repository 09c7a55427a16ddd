/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cnnsweep/random.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Known answers of philox4x32-10 from the Random123 distribution's kat_vectors. */
static void philox_gives_the_published_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t got[4];
        cs_philox4x32(rows[i].counter, rows[i].key, got);
        assert_memory_equal(got, rows[i].want, sizeof got);
    }
}

static void a_stream_is_a_function_of_its_address(void **state) {
    (void)state;
    cs_rng a = cs_rng_at(7, CS_PURPOSE_AUGMENT, 3, 11), b = a;
    for (int i = 0; i < 100; i++)
        (void)cs_rng_u32(&a);
    cs_rng again = cs_rng_at(7, CS_PURPOSE_AUGMENT, 3, 11);
    for (int i = 0; i < 100; i++)
        assert_int_equal(cs_rng_u32(&b), cs_rng_u32(&again));
}

static void every_part_of_the_address_changes_the_stream(void **state) {
    (void)state;
    cs_rng streams[] = {
        cs_rng_at(7, CS_PURPOSE_AUGMENT, 3, 11), cs_rng_at(8, CS_PURPOSE_AUGMENT, 3, 11),
        cs_rng_at(7, CS_PURPOSE_SHUFFLE, 3, 11), cs_rng_at(7, CS_PURPOSE_AUGMENT, 4, 11),
        cs_rng_at(7, CS_PURPOSE_AUGMENT, 3, 12), cs_rng_at(7 + (1ull << 32), CS_PURPOSE_AUGMENT, 3, 11)};
    enum { N = sizeof streams / sizeof *streams };
    uint32_t first[N];
    for (int i = 0; i < N; i++)
        first[i] = cs_rng_u32(&streams[i]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(first[i], first[k]);
}

static void a_name_is_added_to_the_upper_half_of_the_seed(void **state) {
    (void)state;
    assert_true(cs_named_seed(7, "") == 7 + (2166136261ull << 32));  /* FNV-1a of the empty text */
    assert_true(cs_named_seed(5, "a") == 5 + (0xe40c292cull << 32)); /* FNV-1a of "a", as published */
    assert_true(cs_named_seed(3ull << 32, "a") == (3 + 0xe40c292cull) << 32);
}

static void floats_fill_the_unit_interval_evenly(void **state) {
    (void)state;
    enum { N = 100000, BINS = 10 };
    int counts[BINS] = {0};
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < N; i++) {
        float value = cs_rng_float(&rng);
        assert_true(value >= 0 && value < 1);
        counts[(int)(value * BINS)]++;
    }
    for (int b = 0; b < BINS; b++) /* 5 standard deviations of a binomial */
        assert_true(fabs((double)(counts[b] - N / BINS)) < 5 * sqrt(N * 0.1 * 0.9));
}

static void below_reaches_every_value_and_no_other(void **state) {
    (void)state;
    bool seen[7] = {false};
    cs_rng rng = cs_rng_at(2, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t value = cs_rng_below(&rng, 7);
        assert_true(value < 7);
        seen[value] = true;
    }
    for (int i = 0; i < 7; i++)
        assert_true(seen[i]);
}

static void normals_have_mean_0_and_variance_1(void **state) {
    (void)state;
    enum { N = 100000 };
    double sum = 0, squares = 0;
    cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < N; i++) {
        double value = (double)cs_rng_normal(&rng);
        sum += value;
        squares += value * value;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
}

static void beta_variates_have_the_mean_and_the_variance_of_their_law(void **state) {
    (void)state;
    enum { N = 100000 };
    const double parameters[][2] = {{0.2, 0.2}, {1, 1}, {0.3, 2}, {5, 0.7}, {30, 20}};
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        const double a = parameters[i][0], b = parameters[i][1], mean = a / (a + b);
        const double variance = mean * (1 - mean) / (a + b + 1);
        double sum = 0, squares = 0;
        cs_rng rng = cs_rng_at(5, CS_PURPOSE_TEST, 0, (uint32_t)i);
        for (int k = 0; k < N; k++) {
            const double value = cs_rng_beta(&rng, a, b);
            assert_true(value >= 0 && value <= 1);
            sum += value;
            squares += (value - mean) * (value - mean);
        }
        assert_true(fabs(sum / N - mean) < 5 * sqrt(variance / N));
        assert_true(fabs(squares / N / variance - 1) < 0.02);
    }
}

static void beta_variates_with_tiny_parameters_are_0_or_1(void **state) {
    (void)state;
    cs_rng rng = cs_rng_at(6, CS_PURPOSE_TEST, 0, 0);
    int ones = 0;
    for (int i = 0; i < 1000; i++) {
        const double value = cs_rng_beta(&rng, 1e-6, 1e-6);
        assert_true(value == 0 || value == 1);
        ones += value == 1;
    }
    assert_in_range(ones, 400, 600);
}

static void a_permutation_holds_every_index_once(void **state) {
    (void)state;
    enum { N = 1000 };
    int32_t order[N];
    bool seen[N] = {false};
    cs_rng rng = cs_rng_at(4, CS_PURPOSE_SHUFFLE, 0, 0);
    cs_rng_permutation(&rng, order, N);
    int in_place = 0;
    for (int i = 0; i < N; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        in_place += order[i] == i;
    }
    assert_true(in_place < 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(a_stream_is_a_function_of_its_address),
        cmocka_unit_test(every_part_of_the_address_changes_the_stream),
        cmocka_unit_test(a_name_is_added_to_the_upper_half_of_the_seed),
        cmocka_unit_test(floats_fill_the_unit_interval_evenly),
        cmocka_unit_test(below_reaches_every_value_and_no_other),
        cmocka_unit_test(normals_have_mean_0_and_variance_1),
        cmocka_unit_test(beta_variates_have_the_mean_and_the_variance_of_their_law),
        cmocka_unit_test(beta_variates_with_tiny_parameters_are_0_or_1),
        cmocka_unit_test(a_permutation_holds_every_index_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
