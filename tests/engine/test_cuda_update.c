/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the CUDA engine's kernels of penalties and updates, on the host, with the reference engine. */
#include "typed.h"

#include "ref/ref.h"

#include <math.h>
#include <string.h>

/* Parameters, their gradient and the optimizer's states, in float for the kernels and in double for the reference. */
enum { VALUE, GRADIENT, STATE, SLOTS = STATE + CS_OPTIMIZER_STATES };
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

/* Fills in the step as engines do. */
static cu_step step_of(const cs_optimizer *o, int64_t step) {
    double rates[CS_OPTIMIZER_RATES];
    cu_step out = {.loss_scale = 1, .decay = o->weight_decay * o->lr, .optimizer = *o};
    cs_optimizer_rates(o, step, rates);
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        out.rates[i] = (float)rates[i];
    return out;
}

static void take_step(trial *t, const cs_optimizer *optimizer, int64_t number) {
    cu_step step = step_of(optimizer, number);
    for (size_t i = 0; i < COUNT; i++)
        t->want[GRADIENT][i] = (double)(t->at[GRADIENT][i] = noise(i + (size_t)number * COUNT) * (i % 7 ? 1 : 1e-3F));
    double *want[CS_OPTIMIZER_STATES];
    for (int s = 0; s < CS_OPTIMIZER_STATES; s++)
        want[s] = t->want[STATE + s];
    cs_ref_update(optimizer, number, COUNT, t->want[VALUE], t->want[GRADIENT], want);
    cu_k_update(NULL, COUNT, &step, NULL, t->at[GRADIENT], t->at[VALUE], &t->at[STATE], CU_F32, NULL);
}

static void check(const cs_optimizer *optimizer, size_t shift) {
    trial t;
    start(&t, shift);
    for (int64_t step = 1; step <= STEPS; step++)
        take_step(&t, optimizer, step);
    for (size_t i = 0; i < COUNT; i++) {
        assert_near((double)t.at[VALUE][i], t.want[VALUE][i], 1e-6);
        for (int s = 0; s < CS_OPTIMIZER_STATES; s++)
            assert_near((double)t.at[STATE + s][i], t.want[STATE + s][i], 1e-6);
    }
}

static const cs_optimizer adam_default = {
    .kind = CS_OPTIMIZER_ADAM, .lr = 1e-3F, .beta_1 = 0.9F, .beta_2 = 0.999F, .epsilon = 1e-7F};

static void sgd_equals_the_reference(void **state) {
    (void)state;
    check(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0.1F}, 0);
    check(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0.1F, .momentum = 0.9F}, 0);
    check(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0.1F, .momentum = 0.9F, .nesterov = true}, 0);
}

static void adam_equals_the_reference(void **state) {
    (void)state;
    check(&adam_default, 0);
}

static void weight_decay_equals_the_reference(void **state) {
    (void)state;
    cs_optimizer adam = adam_default;
    adam.weight_decay = 0.3F;
    check(&adam, 0);
    check(&(cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 0.1F, .momentum = 0.9F, .weight_decay = 0.1F}, 0);
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
        cu_step step = step_of(&adam_default, 1);
        start(&t, 0);
        cu_k_update(NULL, COUNT, &step, NULL, t.at[GRADIENT], t.at[VALUE], &t.at[STATE], all_types[k], t.copy);
        cu_k_from_float(NULL, all_types[k], COUNT, t.at[VALUE], want);
        assert_memory_equal(t.copy, want, sizeof want);
    }
}

static void an_overflow_skips_the_update(void **state) {
    (void)state;
    trial t;
    start(&t, 0);
    cu_step step = step_of(&adam_default, 1);
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = 1;
    for (int overflow = 1; overflow >= 0; overflow--) {
        cu_k_update(NULL, COUNT, &step, &overflow, t.at[GRADIENT], t.at[VALUE], &t.at[STATE], CU_BF16, t.copy);
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
    cu_k_unscale(NULL, COUNT, &(cu_step){.loss_scale = 1024}, t.at[GRADIENT], &overflow);
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
            cu_k_unscale(NULL, COUNT, &(cu_step){.loss_scale = 1024}, t.at[GRADIENT], &overflow);
            assert_int_equal(overflow, 1);
        }
}

static void penalties_are_those_of_the_formula(void **state) {
    (void)state;
    const cu_penalty terms[] = {{0, 500, 0.1F}, {501, 1, 2}, {502, 501, 1e-4F}};
    enum { TERMS = sizeof terms / sizeof *terms };
    double scratch[TERMS], want = 0;
    cu_loss_sums sums = {.sum = 3, .correct = 2};
    trial t;
    start(&t, 0);
    for (size_t k = 0; k < TERMS; k++)
        for (size_t i = terms[k].offset; i < terms[k].offset + terms[k].count; i++)
            want += (double)terms[k].l2 * (double)noise(i) * (double)noise(i);
    cu_k_penalty(NULL, TERMS, terms, t.at[VALUE], scratch, &sums);
    assert_near(sums.penalty, want, 1e-12 * want);
    assert_true(sums.sum == 3 && sums.correct == 2);
    cu_k_penalty(NULL, 0, NULL, t.at[VALUE], scratch, &sums);
    assert_true(sums.penalty == 0);
}

static void the_gradient_of_a_penalty_is_added(void **state) {
    (void)state;
    const cu_penalty term = {10, 777, 0.25F};
    trial t;
    start(&t, 0);
    for (size_t i = 0; i < COUNT; i++)
        t.at[GRADIENT][i] = 1;
    cu_k_penalty_gradient(NULL, &term, &(cu_step){.loss_scale = 8}, t.at[VALUE], t.at[GRADIENT]);
    for (size_t i = 0; i < COUNT; i++) {
        bool inside = i >= term.offset && i < term.offset + term.count;
        assert_near((double)t.at[GRADIENT][i], 1 + (inside ? 2 * 0.25 * 8 * (double)noise(i) : 0), 1e-6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_equals_the_reference),
        cmocka_unit_test(adam_equals_the_reference),
        cmocka_unit_test(weight_decay_equals_the_reference),
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
