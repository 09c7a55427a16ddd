/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation collects, and how the evaluations of several ranks are summed. */
#include "test.h"

#include "cnnsweep/metrics.h"
#include "cnnsweep/random.h"

#include <string.h>

enum { CLASSES = 4, ROWS = 23, BOTH = CS_NEEDS_CONFUSION | CS_NEEDS_LOGITS, ALL = BOTH | CS_NEEDS_HITS };

static float logits[ROWS][CLASSES];
static int32_t labels[ROWS];
static int64_t samples[ROWS]; /* in another order than the batches */

static void draw_rows(void) {
    cs_rng rng = cs_rng_at(3, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < ROWS; i++) {
        samples[i] = (7 * i + 2) % ROWS;
        labels[i] = (int32_t)cs_rng_below(&rng, CLASSES);
        for (int k = 0; k < CLASSES; k++)
            logits[i][k] = cs_rng_float(&rng);
    }
}

static cs_evaluation *create(unsigned needs) {
    const cs_evaluation_spec spec = {.classes = CLASSES, .needs = needs, .rows = ROWS};
    cs_evaluation *evaluation = NULL;
    assert_ok(cs_evaluation_create(&spec, &evaluation));
    return evaluation;
}

/* The rows [begin,end), in batches of five. The losses are such that their sums in double are exact. */
static void add(cs_evaluation *evaluation, int begin, int end) {
    for (int first = begin; first < end; first += 5) {
        int n = end - first < 5 ? end - first : 5;
        const cs_tally sums = {.loss = 0.5 * n, .correct = n, .rows = n};
        cs_evaluation_add(evaluation, &sums, &(cs_evaluated_rows){logits[first], labels + first, samples + first});
    }
}

static cs_evaluation *evaluate(unsigned needs, int begin, int end) {
    cs_evaluation *evaluation = create(needs);
    add(evaluation, begin, end);
    return evaluation;
}

static void assert_same(const cs_evaluation *a, const cs_evaluation *b) {
    assert_int_equal(cs_evaluation_size(a), cs_evaluation_size(b));
    assert_memory_equal(a->values, b->values, cs_evaluation_size(a) * sizeof(double));
}

static void test_the_prediction_is_the_first_of_the_largest_logits(void **state) {
    (void)state;
    static const float rows[][CLASSES] = {{0, 3, 1, 3}, {2, 2, 2, 2}, {-5, -4, -3, -2}};
    static const int32_t of[] = {1, 2, 2};
    const cs_tally sums = {.loss = 6, .correct = 1, .rows = 3};
    cs_evaluation *evaluation = create(CS_NEEDS_CONFUSION);
    cs_evaluation_add(evaluation, &sums, &(cs_evaluated_rows){rows[0], of, samples});
    assert_int_equal(cs_evaluation_count(evaluation, 1, 1), 1);
    assert_int_equal(cs_evaluation_count(evaluation, 2, 0), 1);
    assert_int_equal(cs_evaluation_count(evaluation, 2, 3), 1);
    assert_int_equal(cs_evaluation_count(evaluation, 0, 0), 0);
    assert_true(cs_evaluation_loss(evaluation) == 2);
    assert_true(cs_evaluation_accuracy(evaluation) == 1.0 / 3);
    cs_evaluation_free(evaluation);
}

static void test_keeps_every_logit_with_its_label_at_the_place_of_the_sample(void **state) {
    (void)state;
    cs_evaluation *evaluation = evaluate(BOTH, 0, ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(cs_evaluation_label(evaluation, samples[i]), labels[i]);
        for (int k = 0; k < CLASSES; k++)
            assert_true(cs_evaluation_logits(evaluation, samples[i])[k] == (double)logits[i][k]);
    }
    cs_evaluation_free(evaluation);
}

static void test_a_hit_is_a_row_whose_prediction_is_its_label(void **state) {
    (void)state;
    cs_evaluation *evaluation = evaluate(CS_NEEDS_HITS, 0, ROWS);
    int hits = 0;
    for (int i = 0; i < ROWS; i++) {
        int largest = 0;
        for (int k = 1; k < CLASSES; k++)
            largest = logits[i][k] > logits[i][largest] ? k : largest;
        assert_true(cs_evaluation_hit(evaluation, samples[i]) == (largest == labels[i]));
        hits += largest == labels[i];
    }
    assert_true(hits > 0 && hits < ROWS);
    cs_evaluation_free(evaluation);
}

static void test_collects_nothing_that_is_not_needed(void **state) {
    (void)state;
    static const struct {
        unsigned needs;
        size_t size;
    } cases[] = {{CS_NEEDS_TALLY, 3},
                 {CS_NEEDS_CONFUSION, 3 + CLASSES * CLASSES},
                 {CS_NEEDS_HITS, 3 + ROWS},
                 {CS_NEEDS_LOGITS, 3 + ROWS * (1 + CLASSES)},
                 {BOTH, 3 + CLASSES * CLASSES + ROWS * (1 + CLASSES)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cs_evaluation *evaluation = evaluate(cases[i].needs, 0, ROWS);
        assert_int_equal(cs_evaluation_size(evaluation), cases[i].size);
        cs_evaluation_free(evaluation);
    }
}

static void test_a_tally_alone_needs_no_logits(void **state) {
    (void)state;
    const cs_tally sums = {.loss = 6, .correct = 2, .rows = 3};
    cs_evaluation *evaluation = create(CS_NEEDS_TALLY);
    cs_evaluation_add(evaluation, &sums, NULL);
    assert_int_equal(cs_evaluation_tally(evaluation).correct, 2);
    cs_evaluation_free(evaluation);
}

static void test_reset_clears_everything(void **state) {
    (void)state;
    cs_evaluation *fresh = evaluate(BOTH, 7, ROWS), *used = evaluate(BOTH, 0, ROWS);
    cs_evaluation_reset(used);
    assert_int_equal(cs_evaluation_tally(used).rows, 0);
    add(used, 7, ROWS);
    assert_same(used, fresh);
    cs_evaluation_free(fresh);
    cs_evaluation_free(used);
}

/* Sums as cs_team_sum does: every rank has all values, with zeros where it has no rows. */
static void test_the_sum_over_ranks_equals_one_rank(void **state) {
    (void)state;
    static const int cuts[] = {0, 9, 9, 14, ROWS}; /* the second of four ranks has no rows */
    static const unsigned needs[] = {CS_NEEDS_TALLY, CS_NEEDS_CONFUSION, CS_NEEDS_HITS, CS_NEEDS_LOGITS, ALL};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        cs_evaluation *whole = evaluate(needs[i], 0, ROWS), *sum = create(needs[i]);
        for (int rank = 0; rank < 4; rank++) {
            cs_evaluation *part = evaluate(needs[i], 0, ROWS); /* what an earlier pass has left */
            cs_evaluation_reset(part);
            add(part, cuts[rank], cuts[rank + 1]);
            for (size_t v = 0; v < cs_evaluation_size(part); v++)
                sum->values[v] += part->values[v];
            cs_evaluation_free(part);
        }
        assert_same(sum, whole);
        cs_evaluation_free(whole);
        cs_evaluation_free(sum);
    }
}

static void test_a_copy_has_what_it_needs_and_no_more(void **state) {
    (void)state;
    static const unsigned needs[] = {CS_NEEDS_TALLY, CS_NEEDS_CONFUSION, CS_NEEDS_HITS, CS_NEEDS_LOGITS, ALL};
    cs_evaluation *from = evaluate(ALL, 0, ROWS);
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        cs_evaluation *wanted = evaluate(needs[i], 0, ROWS), *copy = create(needs[i]);
        cs_evaluation_copy(from, copy);
        assert_same(copy, wanted);
        cs_evaluation_free(wanted);
        cs_evaluation_free(copy);
    }
    cs_evaluation_free(from);
}

static void test_more_logits_than_fit_into_a_message_are_refused(void **state) {
    (void)state;
    const cs_evaluation_spec spec = {.classes = 1000, .needs = CS_NEEDS_LOGITS, .rows = 10000000};
    cs_evaluation *evaluation = NULL;
    assert_fails(cs_evaluation_create(&spec, &evaluation), CS_ERR_UNSUPPORTED, "10000000 rows of 1000 classes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_prediction_is_the_first_of_the_largest_logits),
        cmocka_unit_test(test_keeps_every_logit_with_its_label_at_the_place_of_the_sample),
        cmocka_unit_test(test_a_hit_is_a_row_whose_prediction_is_its_label),
        cmocka_unit_test(test_collects_nothing_that_is_not_needed),
        cmocka_unit_test(test_a_tally_alone_needs_no_logits),
        cmocka_unit_test(test_reset_clears_everything),
        cmocka_unit_test(test_the_sum_over_ranks_equals_one_rank),
        cmocka_unit_test(test_a_copy_has_what_it_needs_and_no_more),
        cmocka_unit_test(test_more_logits_than_fit_into_a_message_are_refused),
    };
    draw_rows();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
