/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the CUDA engine's kernels of penalties and updates, on the host, with the reference engine. */
#include "typed.h"

#include "ref/ref.h"

#include <math.h>
#include <string.h>

/* Parameters, their gradient and the optimizer's states, in float for the kernels and in double for the reference. */
enum { VALUE, GRADIENT, STATE, SLOTS = STATE + CS_RULE_STATES };
enum { COUNT = 1003, STEPS = 5 };

typedef struct trial {
    float *at[SLOTS], memory[SLOTS][COUNT + 4];
    double want[SLOTS][COUNT];
    uint16_t copy[COUNT];
} trial;

/* The arrays begin `shift` floats after an address that is aligned to 16 bytes. */
static void start(trial *t, size_t shift) {
    memset(t, 0, sizeof *t);
    for (size_t s = 0; s < SLOTS; s++) {
        t->at[s] = t->memory[s];
        while ((uintptr_t)t->at[s] % 16 != shift * sizeof(float))
            t->at[s]++;
    }
    for (size_t i = 0; i < COUNT; i++)
        t->want[VALUE][i] = (double)(t->at[VALUE][i] = noise(i));
}

static cu_update update_of(trial *t, const cs_optimizer *optimizer, int64_t number, double rates[CS_OPTIMIZER_RATES]) {
    cu_update update = {.rule = cs_optimizer_rule_of(optimizer), .gradient = t->at[GRADIENT], .value = t->at[VALUE]};
    cs_optimizer_rates(optimizer, number, true, rates);
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        update.rates[i] = (float)rates[i];
    for (int s = 0; s < CS_RULE_STATES; s++)
        update.state[s] = t->at[STATE + s];
    return update;
}

/* Makes the first pass of an update with the kernel, and in double. */
static void take_step(trial *t, const cs_optimizer *optimizer, int64_t number) {
    double rates[CS_OPTIMIZER_RATES], *want[CS_RULE_STATES];
    cu_update update = update_of(t, optimizer, number, rates);
    for (size_t i = 0; i < COUNT; i++)
        t->want[GRADIENT][i] = (double)(t->at[GRADIENT][i] = noise(i + (size_t)number * COUNT) * (i % 7 ? 1 : 1e-3F));
    for (int s = 0; s < CS_RULE_STATES; s++)
        want[s] = t->want[STATE + s];
    cs_ref_step(update.rule, rates, COUNT, t->want[VALUE], t->want[GRADIENT], want);
    cu_k_update(NULL, CU_F32, COUNT, &update, NULL);
}

static void check(const cs_optimizer *optimizer, size_t shift) {
    trial t;
    start(&t, shift);
    for (int64_t step = 1; step <= STEPS; step++)
        take_step(&t, optimizer, step);
    for (size_t i = 0; i < COUNT; i++) {
        assert_near((double)t.at[VALUE][i], t.want[VALUE][i], 1e-6 * fmax(1, fabs(t.want[VALUE][i])));
        for (int s = 0; s < CS_RULE_STATES; s++)
            assert_near((double)t.at[STATE + s][i], t.want[STATE + s][i], 1e-6 * fmax(1, fabs(t.want[STATE + s][i])));
    }
}

static const cs_optimizer adam_default = {
    .kind = CS_OPTIMIZER_ADAM, .lr = 1e-3, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7};

/* Settings with which every rule of every optimizer is reached. */
static cs_optimizer settings_of(cs_optimizer_kind kind, cs_train_dialect dialect, int variant) {
    return (cs_optimizer){.kind = kind,
                          .dialect = dialect,
                          .lr = 1e-3,
                          .momentum = variant & 1 ? 0.9 : 0,
                          .nesterov = variant & 2,
                          .amsgrad = variant & 1,
                          .centered = variant & 2,
                          .beta_1 = 0.9,
                          .beta_2 = 0.999,
                          .rho = 0.9,
                          .epsilon = 1e-3,
                          .initial_accumulator = 0.1};
}

static void every_rule_equals_the_reference(void **state) {
    (void)state;
    for (int kind = 0; kind < CS_OPTIMIZER_COUNT; kind++)
        for (int variant = 0; variant < 8; variant++) {
            cs_optimizer optimizer = settings_of(
                (cs_optimizer_kind)kind, variant & 4 ? CS_TRAIN_DIALECT_TORCH : CS_TRAIN_DIALECT_KERAS, variant);
            check(&optimizer, 0);
        }
}

static void weight_decay_equals_the_reference(void **state) {
    (void)state;
    for (int kind = CS_DECAY_COUPLED; kind <= CS_DECAY_DECOUPLED; kind++) {
        cs_optimizer adam = adam_default;
        adam.weight_decay = 0.3;
        adam.decay = (cs_decay_kind)kind;
        check(&adam, 0);
    }
}

static void a_limit_of_gradients_equals_the_reference(void **state) {
    (void)state;
    check(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0.1, .momentum = 0.9, .clipvalue = 0.25}, 0);
}

static void a_norm_above_the_limit_is_scaled_to_it(void **state) {
    (void)state;
    const cu_penalty whole = {0, COUNT, 1, 0};
    trial t;
    double sum = 0, after = 0;
    start(&t, 0);
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = noise(i);
    cu_k_square_sums(NULL, 1, &whole, t.at[GRADIENT], &sum);
    cu_k_clip(NULL, COUNT, sqrt(sum) * 2, 0, 1, &sum, t.at[GRADIENT]);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(t.at[GRADIENT][i] == noise(i));
    cu_k_clip(NULL, COUNT, 2, 0, 1, &sum, t.at[GRADIENT]);
    cu_k_square_sums(NULL, 1, &whole, t.at[GRADIENT], &after);
    assert_near(sqrt(after), 2, 1e-6);
}

static void the_norm_of_all_spans_is_that_of_their_sums(void **state) {
    (void)state;
    const double sums[] = {9, 0, 16};
    float gradient[] = {5, -5};
    cu_k_clip(NULL, 2, 1, 0, 3, sums, gradient);
    assert_near((double)gradient[0], 1, 1e-6);
    assert_near((double)gradient[1], -1, 1e-6);
}

static void a_trusted_change_has_the_norm_of_the_values_times_the_rate(void **state) {
    (void)state;
    const double values = 4, changes = 1e-4, none = 0;
    const float change[] = {0.01F, 0};
    float value[] = {1, 1};
    cu_k_trust(NULL, CU_F32, 2, 0.5F, &values, &changes, NULL, change, value, NULL);
    assert_near((double)value[0], 1 + 0.5 * 2 / 0.01 * 0.01, 1e-6);
    assert_true(value[1] == 1);
    cu_k_trust(NULL, CU_F32, 2, 0.5F, &none, &changes, NULL, change, value, NULL);
    assert_near((double)value[0], 2.01, 1e-6);
}

static void gradients_accumulate_from_a_fresh_sum(void **state) {
    (void)state;
    const float gradient[] = {3, -6};
    float sum[] = {NAN, 7};
    const int overflow = 1;
    cu_k_accumulate(NULL, 2, 0.5F, true, NULL, gradient, sum);
    assert_true(sum[0] == 1.5F && sum[1] == -3);
    cu_k_accumulate(NULL, 2, 0.5F, false, NULL, gradient, sum);
    assert_true(sum[0] == 3 && sum[1] == -6);
    cu_k_accumulate(NULL, 2, 0.5F, true, &overflow, gradient, sum);
    assert_true(sum[0] == 0 && sum[1] == 0);
}

static void an_average_moves_by_its_momentum(void **state) {
    (void)state;
    const float value[] = {2, 4};
    float average[] = {NAN, 0};
    cu_k_average(NULL, 2, 0, value, average);
    assert_true(average[0] == 2 && average[1] == 4);
    cu_k_average(NULL, 2, 0.75F, (const float[]){6, 0}, average);
    assert_true(average[0] == 3 && average[1] == 3);
}

static void arrays_need_no_alignment(void **state) {
    (void)state;
    for (size_t shift = 1; shift < 4; shift++)
        check(&adam_default, shift);
}

static void the_copy_is_the_values_rounded_to_the_type(void **state) {
    (void)state;
    for (size_t k = 1; k < ALL_TYPES; k++) {
        trial t;
        uint16_t want[COUNT];
        double rates[CS_OPTIMIZER_RATES];
        start(&t, 0);
        cu_update update = update_of(&t, &adam_default, 1, rates);
        update.copy = t.copy;
        cu_k_update(NULL, all_types[k], COUNT, &update, NULL);
        cu_k_from_float(NULL, all_types[k], COUNT, t.at[VALUE], want);
        assert_memory_equal(t.copy, want, sizeof want);
    }
}

static void an_overflow_skips_the_update(void **state) {
    (void)state;
    trial t;
    start(&t, 0);
    double rates[CS_OPTIMIZER_RATES];
    cu_update update = update_of(&t, &adam_default, 1, rates);
    update.copy = t.copy;
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = 1;
    for (int overflow = 1; overflow >= 0; overflow--) {
        cu_k_update(NULL, CU_BF16, COUNT, &update, &overflow);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true((t.at[VALUE][i] == noise(i)) == (overflow == 1));
            assert_true((t.at[STATE][i] == 0) == (overflow == 1));
            assert_true((t.copy[i] == 0) == (overflow == 1));
        }
    }
}

static void gradients_are_unscaled(void **state) {
    (void)state;
    trial t;
    start(&t, 0);
    int overflow = 1;
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = 1024 * noise(i);
    cu_k_unscale(NULL, COUNT, 1024, t.at[GRADIENT], &overflow);
    assert_int_equal(overflow, 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(t.at[GRADIENT][i] == noise(i));
}

static void one_gradient_that_is_not_finite_is_an_overflow(void **state) {
    (void)state;
    const float bad[] = {INFINITY, -INFINITY, NAN};
    const size_t places[] = {0, 501, COUNT - 1};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
            trial t;
            start(&t, 0);
            int overflow = 0;
            t.at[GRADIENT][places[p]] = bad[k];
            cu_k_unscale(NULL, COUNT, 1024, t.at[GRADIENT], &overflow);
            assert_int_equal(overflow, 1);
        }
}

static void penalties_are_those_of_the_formula(void **state) {
    (void)state;
    const cu_penalty terms[] = {{0, 500, 0.1F, 0}, {501, 1, 2, 3}, {502, 501, 1e-4F, 0.5F}};
    enum { TERMS = sizeof terms / sizeof *terms };
    double scratch[TERMS], want = 0;
    cu_loss_sums sums = {.sum = 3, .correct = 2};
    trial t;
    start(&t, 0);
    for (size_t k = 0; k < TERMS; k++)
        for (size_t i = terms[k].offset; i < terms[k].offset + terms[k].count; i++)
            want += (double)terms[k].l2 * (double)noise(i) * (double)noise(i) +
                    (double)terms[k].l1 * fabs((double)noise(i));
    cu_k_penalty(NULL, TERMS, terms, t.at[VALUE], scratch, &sums);
    assert_near(sums.penalty, want, 1e-12 * want);
    assert_true(sums.sum == 3 && sums.correct == 2);
    cu_k_penalty(NULL, 0, NULL, t.at[VALUE], scratch, &sums);
    assert_true(sums.penalty == 0);
}

static void the_gradient_of_a_penalty_is_added(void **state) {
    (void)state;
    const cu_penalty term = {10, 777, 0.25F, 0.125F};
    trial t;
    start(&t, 0);
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = 1;
    cu_k_penalty_gradient(NULL, &term, &(cu_step){.loss_scale = 8}, t.at[VALUE], t.at[GRADIENT]);
    for (size_t i = 0; i < COUNT; i++) {
        bool inside = i >= term.offset && i < term.offset + term.count;
        double sign = noise(i) > 0 ? 1 : noise(i) < 0 ? -1 : 0;
        double slope = 2 * 0.25 * (double)noise(i) + 0.125 * sign;
        assert_near((double)t.at[GRADIENT][i], 1 + (inside ? 8 * slope : 0), 1e-6);
    }
}

/* Kernels of both layouts: units that are rows, and units whose values alternate. */
static void check_max_norm(cu_type type, const cu_units *units, const int *overflow) {
    enum { LIMIT = 2 };
    trial t;
    start(&t, 1);
    cu_k_max_norm(NULL, type, units, LIMIT, overflow, t.at[VALUE], t.copy);
    for (size_t u = 0; u < units->units; u++) {
        double sum = 0;
        for (size_t i = 0; i < units->items; i++)
            sum += pow(t.want[VALUE][u * units->unit_step + i * units->item_step], 2);
        for (size_t i = 0; i < units->items; i++)
            t.want[VALUE][u * units->unit_step + i * units->item_step] *=
                overflow ? 1 : fmin(sqrt(sum), LIMIT) / (sqrt(sum) + 1e-7);
    }
    float copied[COUNT];
    cu_k_to_float(NULL, type, COUNT, t.copy, copied);
    for (size_t i = 0; i < COUNT; i++) {
        const bool inside = i < units->units * units->items;
        assert_near((double)t.at[VALUE][i], t.want[VALUE][i], 1e-6);
        assert_near((double)copied[i], inside && !overflow ? t.want[VALUE][i] : 0, 1.1 * rounding(type));
    }
}

static void norms_of_units_are_limited(void **state) {
    (void)state;
    static const cu_units all[] = {
        {7, 100, 100, 1}, {7, 100, 1, 7}, {1, 1003, 1003, 1}, {1003, 1, 1, 1}, {3, 300, 1, 3}};
    static const int overflow = 1;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (int type = 0; type < 2; type++) {
            check_max_norm(type ? CU_F16 : CU_BF16, &all[k], NULL);
            check_max_norm(type ? CU_F16 : CU_BF16, &all[k], &overflow);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_of_units_are_limited),
        cmocka_unit_test(every_rule_equals_the_reference),
        cmocka_unit_test(weight_decay_equals_the_reference),
        cmocka_unit_test(a_limit_of_gradients_equals_the_reference),
        cmocka_unit_test(a_norm_above_the_limit_is_scaled_to_it),
        cmocka_unit_test(the_norm_of_all_spans_is_that_of_their_sums),
        cmocka_unit_test(a_trusted_change_has_the_norm_of_the_values_times_the_rate),
        cmocka_unit_test(gradients_accumulate_from_a_fresh_sum),
        cmocka_unit_test(an_average_moves_by_its_momentum),
        cmocka_unit_test(arrays_need_no_alignment),
        cmocka_unit_test(the_copy_is_the_values_rounded_to_the_type),
        cmocka_unit_test(an_overflow_skips_the_update),
        cmocka_unit_test(gradients_are_unscaled),
        cmocka_unit_test(one_gradient_that_is_not_finite_is_an_overflow),
        cmocka_unit_test(penalties_are_those_of_the_formula),
        cmocka_unit_test(the_gradient_of_a_penalty_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
