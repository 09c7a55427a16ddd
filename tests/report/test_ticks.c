/* SPDX-License-Identifier: Apache-2.0 */
/* The ticks of axes. */
#include "test.h"

#include "ticks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANGES = 2000, MOST = 8 };

/* Pseudo-random numbers from 0 to 1 (Lehmer's generator): the same in every run. */
static double next(void) {
    static uint64_t state = 42;
    state = state * 48271 % 2147483647;
    return (double)state / 2147483647;
}

/* A range of any size from 1e-8 to 1e8, around a number of any size. */
static cs_range any_range(void) {
    const double span = pow(10, 16 * next() - 8), middle = (next() - 0.5) * 10 * span;
    return (cs_range){middle - span / 2, middle + span / 2};
}

static cs_range any_positive_range(void) {
    const double low = pow(10, 10 * next() - 8);
    return (cs_range){low, low * pow(10, 0.05 + 8 * next())};
}

static double step_of(const cs_ticks *ticks) {
    return ticks->at[1] - ticks->at[0];
}

static void steps_are_1_2_or_5_times_a_power_of_ten(void **state) {
    const cs_axis axis = {.label = ""};
    (void)state;
    for (int i = 0; i < RANGES; i++) {
        cs_ticks ticks;
        cs_ticks_find(&axis, any_range(), i % 2 ? CS_FIT_ROUND : CS_FIT_TIGHT, MOST, &ticks);
        const double mantissa = step_of(&ticks) / pow(10, floor(log10(step_of(&ticks)) + 1e-6));
        assert_true(fabs(mantissa - 1) < 1e-4 || fabs(mantissa - 2) < 1e-4 || fabs(mantissa - 5) < 1e-4);
        for (int k = 0; k < ticks.n; k++)
            assert_true(fabs(remainder(ticks.at[k], step_of(&ticks))) < 1e-6 * step_of(&ticks));
    }
}

static void there_are_enough_ticks_and_not_too_many(void **state) {
    (void)state;
    for (int i = 0; i < RANGES; i++)
        for (int scale = 0; scale < 2; scale++)
            for (int fit = 0; fit < 2; fit++) {
                const cs_axis axis = {.label = "", .scale = (cs_scale)scale};
                cs_ticks ticks;
                cs_ticks_find(&axis, scale == CS_SCALE_LOG ? any_positive_range() : any_range(), (cs_fit)fit, MOST,
                              &ticks);
                if (ticks.n < 2 || ticks.n > MOST + 2)
                    fail_msg("%d ticks from %.17g to %.17g", ticks.n, ticks.low, ticks.high);
            }
}

static void ticks_ascend_within_the_axis_which_contains_the_values(void **state) {
    (void)state;
    for (int i = 0; i < RANGES; i++)
        for (int scale = 0; scale < 2; scale++) {
            const cs_range range = scale == CS_SCALE_LOG ? any_positive_range() : any_range();
            const double slack = 1e-9 * (range.high - range.low);
            cs_ticks ticks;
            cs_ticks_find(&(cs_axis){.scale = (cs_scale)scale}, range, CS_FIT_ROUND, MOST, &ticks);
            assert_true(ticks.low <= range.low + slack && ticks.high >= range.high - slack);
            for (int k = 0; k < ticks.n; k++) {
                assert_true(ticks.at[k] >= ticks.low - slack && ticks.at[k] <= ticks.high + slack);
                assert_true(k == 0 || ticks.at[k] > ticks.at[k - 1]);
            }
        }
}

static void a_tight_or_fixed_axis_ends_where_it_is_told(void **state) {
    const cs_range values = {0.317, 7.9};
    cs_ticks ticks;
    (void)state;
    cs_ticks_find(&(cs_axis){.label = ""}, values, CS_FIT_TIGHT, MOST, &ticks);
    assert_true(ticks.low == values.low && ticks.high == values.high);
    cs_ticks_find(&(cs_axis){.low = 0, .high = 1}, values, CS_FIT_ROUND, MOST, &ticks);
    assert_true(ticks.low == 0 && ticks.high == 1);
}

static void ticks_of_epochs_are_whole_numbers(void **state) {
    cs_ticks ticks;
    (void)state;
    for (int last = 1; last < 300; last++) {
        cs_ticks_find(&(cs_axis){.whole = true}, (cs_range){1, last}, CS_FIT_TIGHT, MOST, &ticks);
        for (int k = 0; k < ticks.n; k++)
            assert_true(ticks.at[k] == floor(ticks.at[k]) || ticks.n == 1);
    }
}

/* Equal values, none, and those that are not finite or not positive have an axis too. */
static void every_range_has_an_axis(void **state) {
    static const double bad[] = {0, -1, 5, 1e300, 1e-300, NAN, INFINITY, -INFINITY};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int scale = 0; scale < 2; scale++) {
            cs_range range = cs_range_empty();
            cs_ticks ticks;
            cs_range_add(&range, (cs_scale)scale, bad[i]);
            cs_ticks_find(&(cs_axis){.scale = (cs_scale)scale}, range, CS_FIT_ROUND, MOST, &ticks);
            assert_true(ticks.low < ticks.high && isfinite(ticks.low) && isfinite(ticks.high) && ticks.n >= 1);
        }
}

static void assert_texts(const cs_axis *axis, cs_range range, int most, const char *expected) {
    char all[256] = "", text[CS_TICK_TEXT];
    cs_ticks ticks;
    cs_ticks_find(axis, range, CS_FIT_TIGHT, most, &ticks);
    for (int i = 0; i < ticks.n; i++) {
        cs_ticks_text(&ticks, i, text);
        strcat(strcat(all, text), " ");
    }
    assert_string_equal(all, expected);
}

static void texts_have_as_many_digits_as_distinguish_them(void **state) {
    const cs_axis linear = {.label = ""}, log = {.scale = CS_SCALE_LOG};
    (void)state;
    assert_texts(&linear, (cs_range){0, 1}, 6, "0.0 0.2 0.4 0.6 0.8 1.0 ");
    assert_texts(&linear, (cs_range){-0.01, 0.01}, 6, "-0.010 -0.005 0.000 0.005 0.010 ");
    assert_texts(&linear, (cs_range){0, 3e6}, 4, "0 1e6 2e6 3e6 ");
    assert_texts(&linear, (cs_range){0, 2000}, 5, "0 500 1000 1500 2000 ");
    assert_texts(&log, (cs_range){1e-5, 1}, 6, "1e-5 1e-4 0.001 0.01 0.1 1 ");
    assert_texts(&log, (cs_range){8, 700}, 8, "10 20 50 100 200 500 ");
}

/* Values that differ have texts that differ: else an axis would say nothing. */
static void ticks_have_different_texts(void **state) {
    (void)state;
    for (int i = 0; i < RANGES; i++) {
        char text[CS_TICK_TEXT], before[CS_TICK_TEXT] = "";
        cs_ticks ticks;
        cs_ticks_find(&(cs_axis){.scale = (cs_scale)(i % 2)}, any_positive_range(), CS_FIT_ROUND, MOST, &ticks);
        for (int k = 0; k < ticks.n; k++) {
            cs_ticks_text(&ticks, k, text);
            assert_string_not_equal(text, before);
            assert_true(fabs(strtod(text, NULL) - ticks.at[k]) <= 1e-5 * fabs(ticks.high));
            strcpy(before, text);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_1_2_or_5_times_a_power_of_ten),
        cmocka_unit_test(there_are_enough_ticks_and_not_too_many),
        cmocka_unit_test(ticks_ascend_within_the_axis_which_contains_the_values),
        cmocka_unit_test(a_tight_or_fixed_axis_ends_where_it_is_told),
        cmocka_unit_test(ticks_of_epochs_are_whole_numbers),
        cmocka_unit_test(every_range_has_an_axis),
        cmocka_unit_test(texts_have_as_many_digits_as_distinguish_them),
        cmocka_unit_test(ticks_have_different_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
