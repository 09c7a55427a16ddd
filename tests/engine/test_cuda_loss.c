/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the CUDA engine's kernel of the loss, on the host, with the reference engine. */
#include "typed.h"

#include "ref/ref.h"

#include <math.h>
#include <string.h>

enum { BATCH = 7 };

typedef struct trial {
    cu_type type;
    int n, classes;
    size_t count;
    cu_step step;
    float *logits; /* rounded to the type */
    void *typed_logits, *typed_dlogits;
    float *probabilities;
    int32_t labels[BATCH];
    float *soft; /* NULL: labels only */
    cs_focal focal;
    double row_sums[BATCH];
    int row_correct[BATCH];
    cu_loss_sums sums;
} trial;

static trial start(cu_type type, int n, int classes, float spread) {
    trial t = {.type = type, .n = n, .classes = classes, .count = (size_t)BATCH * (size_t)classes};
    t.step = (cu_step){.n = n, .loss_scale = 1};
    t.logits = (float *)new_array(t.count, sizeof *t.logits);
    t.probabilities = (float *)new_array(t.count, sizeof *t.probabilities);
    t.typed_dlogits = new_array(t.count, cu_type_size(type));
    memset(t.typed_dlogits, 1, t.count * cu_type_size(type));
    for (size_t i = 0; i < t.count; i++)
        t.logits[i] = i < (size_t)n * (size_t)classes ? spread * noise(i) : 60000;
    for (int row = 0; row < BATCH; row++)
        t.labels[row] = row < n ? row * 31 % classes : -1;
    t.typed_logits = typed(type, t.count, t.logits);
    return t;
}

/* Rows of targets that add up to any number; a third of them are 0. */
static void soften(trial *t) {
    t->soft = (float *)new_array(t->count, sizeof *t->soft);
    for (size_t i = 0; i < t->count; i++)
        t->soft[i] = i % 3 ? fabsf(noise(i + 7)) / (float)t->classes : 0;
}

static void end(trial *t) {
    free(t->logits);
    free(t->probabilities);
    free(t->soft);
    free(t->typed_logits);
    free(t->typed_dlogits);
}

static void run(trial *t) {
    cu_k_loss(NULL, t->type, BATCH, t->classes, &t->step, t->typed_logits, t->labels, t->soft, &t->focal,
              t->typed_dlogits, t->probabilities, t->row_sums, t->row_correct, &t->sums);
}

static void check_focal(cu_type type, int n, int classes, float spread, float loss_scale, bool soft, cs_focal focal) {
    trial t = start(type, n, classes, spread);
    t.focal = focal;
    if (soft)
        soften(&t);
    double *logits = (double *)new_array(t.count, sizeof *logits),
           *gradient = (double *)new_array(t.count, sizeof *logits);
    float *probabilities = (float *)new_array(t.count, sizeof *probabilities);
    cs_loss want;
    t.step.loss_scale = loss_scale;
    run(&t);
    for (size_t i = 0; i < t.count; i++)
        logits[i] = (double)t.logits[i];
    cs_ref_loss(logits, &(cs_targets){t.labels, t.soft, t.focal}, n, classes, gradient, probabilities, &want);
    assert_near(t.sums.sum, want.sum, 1e-6 * (1 + want.sum));
    assert_int_equal(t.sums.correct, want.correct);
    float *got = floats_of(type, t.count, t.typed_dlogits);
    for (size_t i = 0; i < t.count; i++) {
        double slope = gradient[i] * (double)loss_scale;
        assert_near((double)t.probabilities[i], (double)probabilities[i], 1e-6);
        assert_near((double)got[i], slope, 1e-6 * (double)loss_scale + fabs(slope) * 1.1 * rounding(type));
    }
    free(logits);
    free(gradient);
    free(probabilities);
    free(got);
    end(&t);
}

static void check(cu_type type, int n, int classes, float spread, float loss_scale, bool soft) {
    check_focal(type, n, classes, spread, loss_scale, soft, (cs_focal){0});
}

static void the_loss_equals_the_reference_in_every_type(void **state) {
    (void)state;
    const int classes[] = {1, 2, 10, 257, 1000};
    for (size_t i = 0; i < ALL_TYPES; i++)
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
            check(all_types[i], BATCH, classes[k], 8, 1, false);
}

static void the_loss_of_soft_targets_equals_the_reference_in_every_type(void **state) {
    (void)state;
    const int classes[] = {1, 2, 10, 257, 1000};
    for (size_t i = 0; i < ALL_TYPES; i++)
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
            check(all_types[i], BATCH - 2, classes[k], 8, 1, true);
}

static void the_focal_loss_equals_the_reference_in_every_type(void **state) {
    (void)state;
    const int classes[] = {1, 2, 10, 257, 1000};
    const double gammas[] = {0, 0.5, 1, 2, 5};
    for (size_t i = 0; i < ALL_TYPES; i++)
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
            for (size_t g = 0; g < sizeof gammas / sizeof *gammas; g++)
                for (int soft = 0; soft < 2; soft++)
                    check_focal(all_types[i], BATCH - 1, classes[k], 8, 1, soft,
                                (cs_focal){.alpha = 0.25, .gamma = gammas[g]});
}

static void check_binary(cu_type type, int n, const float *soft, cs_focal focal) {
    enum { SCALE = 64 };
    const cu_step step = {.n = n, .loss_scale = SCALE};
    int32_t labels[BATCH];
    float logits[BATCH], probabilities[2 * BATCH], want_probabilities[2 * BATCH];
    double doubles[BATCH], gradient[BATCH], row_sums[BATCH];
    int row_correct[BATCH];
    cu_loss_sums sums = {0};
    cs_loss want;
    for (int row = 0; row < BATCH; row++) {
        labels[row] = row % 2;
        logits[row] = row < n ? 6 * noise((uint64_t)row) : 60000;
    }
    void *typed_logits = typed(type, BATCH, logits), *dlogits = new_array(BATCH, cu_type_size(type));
    memset(dlogits, 1, BATCH * cu_type_size(type));
    for (int row = 0; row < BATCH; row++)
        doubles[row] = (double)logits[row];
    cu_k_binary_loss(NULL, type, BATCH, &step, typed_logits, labels, soft, &focal, dlogits, probabilities, row_sums,
                     row_correct, &sums);
    cs_ref_binary_loss(doubles, &(cs_targets){labels, soft, focal}, n, gradient, want_probabilities, &want);
    float *got = floats_of(type, BATCH, dlogits);
    assert_near(sums.sum, want.sum, 1e-9);
    assert_int_equal(sums.correct, want.correct);
    for (int row = 0; row < BATCH; row++) {
        const double slope = row < n ? SCALE * gradient[row] : 0;
        assert_near((double)got[row], slope, 1e-6 * SCALE + fabs(slope) * 1.1 * rounding(type));
    }
    for (int i = 0; i < 2 * n; i++)
        assert_near((double)probabilities[i], (double)want_probabilities[i], 1e-6);
    free(got);
    free(dlogits);
    free(typed_logits);
}

static void the_loss_of_a_binary_head_equals_the_reference_in_every_type(void **state) {
    (void)state;
    static const cs_focal focals[] = {{0}, {1, 2, 1}, {0.25, 0.5, 0.75}};
    float soft[2 * BATCH];
    for (int i = 0; i < 2 * BATCH; i++)
        soft[i] = fabsf(noise((uint64_t)i + 40));
    for (size_t type = 0; type < ALL_TYPES; type++)
        for (int n = 1; n <= BATCH; n++)
            for (int f = 0; f < 6; f++)
                check_binary(all_types[type], n, f % 2 ? soft : NULL, focals[f / 2]);
}

static void a_class_without_a_target_may_have_no_probability(void **state) {
    (void)state;
    trial t = start(CU_F32, 1, 3, 0);
    memcpy(t.typed_logits, (const float[]){0, -INFINITY, 0}, 3 * sizeof(float));
    soften(&t);
    memcpy(t.soft, (const float[]){0.25f, 0, 0.75f}, 3 * sizeof(float));
    run(&t);
    assert_near(t.sums.sum, log(2), 1e-6);
    end(&t);
}

static void rows_that_take_no_part_have_no_loss_and_gradient_0(void **state) {
    (void)state;
    for (size_t i = 0; i < ALL_TYPES; i++)
        for (int n = 1; n < BATCH; n++)
            check(all_types[i], n, 10, 3, 1, false);
}

static void logits_far_apart_give_a_finite_loss(void **state) {
    (void)state;
    check(CU_F32, BATCH, 10, 1e6F, 1, false);
    check(CU_F16, BATCH, 10, 60000, 1, false);
}

static void gradients_are_scaled(void **state) {
    (void)state;
    check(CU_F16, 5, 100, 4, 1024, false);
    check(CU_F16, 5, 100, 4, 1024, true);
}

static void the_first_of_equal_logits_is_the_prediction(void **state) {
    (void)state;
    for (int32_t label = 0; label < 3; label++) {
        trial t = start(CU_F32, 1, 3, 0);
        memcpy(t.typed_logits, (const float[]){-1, 2, 2}, 3 * sizeof(float));
        t.labels[0] = label;
        run(&t);
        assert_int_equal(t.sums.correct, label == 1);
        end(&t);
    }
}

static void a_nan_logit_gives_a_nan_loss(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        trial t = start(CU_F32, 2, 3, 1);
        ((float *)t.typed_logits)[i] = NAN;
        run(&t);
        assert_true(isnan(t.sums.sum));
        end(&t);
    }
}

/* Any thread of a block may find the largest logit. */
static void the_prediction_may_be_any_class(void **state) {
    (void)state;
    enum { CLASSES = 263 };
    for (int place = 0; place < CLASSES; place += 9) {
        trial t = start(CU_F32, 1, CLASSES, 1);
        ((float *)t.typed_logits)[place] = 2;
        t.labels[0] = place;
        run(&t);
        assert_int_equal(t.sums.correct, 1);
        end(&t);
    }
}

/* Each row has two equal logits, and every other row has its label at the first one: the loss of a row is log 2. */
static void a_batch_of_any_size_is_summed_up(void **state) {
    (void)state;
    enum { ROWS = 303, N = 301 };
    static float logits[ROWS][2];
    static int32_t labels[ROWS];
    static double row_sums[ROWS];
    static int row_correct[ROWS];
    cu_loss_sums sums = {0};
    for (int row = 0; row < ROWS; row++)
        labels[row] = row % 2;
    cu_k_loss(NULL, CU_F32, ROWS, 2, &(cu_step){.n = N, .loss_scale = 1}, logits, labels, NULL, &(cs_focal){0}, NULL,
              NULL, row_sums, row_correct, &sums);
    assert_near(sums.sum, N * log(2), 1e-9);
    assert_int_equal(sums.correct, (N + 1) / 2);
}

static void the_loss_does_not_change_penalty_and_overflow(void **state) {
    (void)state;
    trial t = start(CU_F32, BATCH, 3, 1);
    t.sums = (cu_loss_sums){.penalty = 5, .overflow = 1};
    run(&t);
    assert_true(t.sums.penalty == 5 && t.sums.overflow == 1);
    end(&t);
}

static void gradient_and_probabilities_are_optional(void **state) {
    (void)state;
    trial t = start(CU_BF16, 4, 10, 1), other = start(CU_BF16, 4, 10, 1);
    run(&t);
    cu_k_loss(NULL, CU_BF16, BATCH, 10, &other.step, other.typed_logits, other.labels, NULL, &other.focal, NULL, NULL,
              other.row_sums, other.row_correct, &other.sums);
    assert_true(t.sums.sum == other.sums.sum && t.sums.correct == other.sums.correct);
    end(&t);
    end(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_equals_the_reference_in_every_type),
        cmocka_unit_test(the_loss_of_soft_targets_equals_the_reference_in_every_type),
        cmocka_unit_test(the_focal_loss_equals_the_reference_in_every_type),
        cmocka_unit_test(the_loss_of_a_binary_head_equals_the_reference_in_every_type),
        cmocka_unit_test(a_class_without_a_target_may_have_no_probability),
        cmocka_unit_test(rows_that_take_no_part_have_no_loss_and_gradient_0),
        cmocka_unit_test(logits_far_apart_give_a_finite_loss),
        cmocka_unit_test(gradients_are_scaled),
        cmocka_unit_test(the_first_of_equal_logits_is_the_prediction),
        cmocka_unit_test(a_nan_logit_gives_a_nan_loss),
        cmocka_unit_test(the_prediction_may_be_any_class),
        cmocka_unit_test(a_batch_of_any_size_is_summed_up),
        cmocka_unit_test(the_loss_does_not_change_penalty_and_overflow),
        cmocka_unit_test(gradient_and_probabilities_are_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
