/* SPDX-License-Identifier: Apache-2.0 */
/* Mixup and CutMix against Keras' layers and the formulas of torchvision and timm (reference_mix.py), given the same
 * random numbers; and the distributions of what is drawn. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/mix.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 8, SIDE = 11, IMAGE = SIDE * SIDE * 3, CLASSES = 4, SEED = 5, EPOCH = 3, BATCHES = 60 };

/* A batch, the numbers drawn for it, and what became of it. */
typedef struct mixed_batch {
    int32_t kind, convention, n, h, w, labels[ROWS], partners[ROWS], centre[2];
    float alpha, drawn_alpha, weights[ROWS], places[ROWS][2];
    float images[ROWS][IMAGE];
    float mixed[ROWS][IMAGE], targets[ROWS][CLASSES];
    int32_t largest[ROWS];
} mixed_batch;

static cs_rng stream(const char *name, uint32_t batch) {
    return cs_rng_at(SEED + ((uint64_t)cs_hash_name(name) << 32), CS_PURPOSE_MIX, EPOCH, batch);
}

/* Draws what mix.h says is drawn. */
static void draw(mixed_batch *b, uint32_t batch) {
    cs_rng partner = stream("mix.partner", batch), alpha = stream("mix.alpha", batch);
    cs_rng weight = stream("mix.weight", batch), box = stream("mix.box", batch), centre = stream("mix.box", batch);
    cs_rng_permutation(&partner, b->partners, (size_t)b->n);
    b->drawn_alpha = b->alpha;
    if (b->kind == CS_MIX_CUTMIX && b->convention == CS_MIX_KERAS)
        b->drawn_alpha = b->alpha * cs_rng_float(&alpha) + 1e-6f;
    for (int i = 0; i < b->n; i++) {
        b->weights[i] = (float)cs_rng_beta(&weight, (double)b->drawn_alpha, (double)b->drawn_alpha);
        b->places[i][0] = cs_rng_float(&box);
        b->places[i][1] = cs_rng_float(&box);
    }
    b->centre[0] = (int32_t)cs_rng_below(&centre, (uint32_t)b->w);
    b->centre[1] = (int32_t)cs_rng_below(&centre, (uint32_t)b->h);
}

static void mix(mixed_batch *b, uint32_t batch) {
    const cs_mix_address at = {SEED, EPOCH, batch};
    cs_mix rules = {0};
    int32_t partners[ROWS];
    cs_mixed mixed[ROWS];
    rules.rules[b->kind] = (cs_mix_rule){(cs_mix_convention)b->convention, b->alpha, 1};
    cs_mix_draw(&rules, &at, b->n, b->h, b->w, partners, mixed);
    for (int i = 0; i < b->n; i++) {
        int other = partners[i];
        cs_mix_images(&mixed[i], b->h, b->w, b->images[i], b->images[other], b->mixed[i]);
        b->largest[i] = cs_mix_labels(&mixed[i], b->labels[i], b->labels[other], CLASSES, b->targets[i]);
    }
}

static void make(mixed_batch *b, cs_mix_kind kind, cs_mix_convention convention, uint32_t batch) {
    static const float alphas[] = {0.2f, 1, 0.5f};
    cs_rng rng = cs_rng_at(SEED, CS_PURPOSE_TEST, (uint32_t)(kind * CS_MIX_CONVENTIONS + convention), batch);
    *b = (mixed_batch){.kind = kind, .convention = convention, .alpha = alphas[batch % 3]};
    b->n = 1 + (int)cs_rng_below(&rng, ROWS);
    b->h = 4 + (int)cs_rng_below(&rng, SIDE - 3);
    b->w = 4 + (int)cs_rng_below(&rng, SIDE - 3);
    for (int i = 0; i < b->n; i++) {
        b->labels[i] = (int32_t)cs_rng_below(&rng, CLASSES);
        for (int k = 0; k < IMAGE; k++)
            b->images[i][k] = cs_rng_range(&rng, -3, 3);
    }
    draw(b, batch);
    mix(b, batch);
}

static void batches_are_those_of_keras_torchvision_and_timm(void **state) {
    (void)state;
    static mixed_batch b;
    const char *path = fixture_path("mixed.bin");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int kind = 0; kind < CS_MIX_KINDS; kind++)
        for (int convention = 0; convention < CS_MIX_CONVENTIONS; convention++)
            for (uint32_t i = 0; i < BATCHES; i++) {
                make(&b, (cs_mix_kind)kind, (cs_mix_convention)convention, i);
                assert_int_equal(fwrite(&b, sizeof b, 1, file), 1);
            }
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_mix.py", path);
}

/* What is drawn for large images, so that a box can be of almost any size. */
enum { LARGE = 4096, LARGE_ROWS = 6, LARGE_BATCHES = 3000 };
typedef struct drawn_row {
    int32_t partner, x0, y0, x1, y1;
    float image, label;
} drawn_row;

static void write_draws(FILE *file, const cs_mix *mix) {
    for (uint32_t batch = 0; batch < LARGE_BATCHES; batch++) {
        const cs_mix_address at = {SEED, EPOCH, batch};
        int32_t partners[LARGE_ROWS];
        cs_mixed mixed[LARGE_ROWS];
        cs_mix_draw(mix, &at, LARGE_ROWS, LARGE, LARGE, partners, mixed);
        for (int i = 0; i < LARGE_ROWS; i++) {
            const cs_mixed *m = &mixed[i];
            const drawn_row row = {partners[i], m->x0, m->y0, m->x1, m->y1, m->image, m->label};
            assert_int_equal(fwrite(&row, sizeof row, 1, file), 1);
        }
    }
}

static void draws_have_the_distributions_of_their_laws(void **state) {
    (void)state;
    static const cs_mix_rule off = {0};
    const char *path = fixture_path("draws.bin");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    const cs_mix laws[] = {
        {{{CS_MIX_KERAS, 0.2f, 1}, off}}, {{{CS_MIX_KERAS, 2.5f, 1}, off}},
        {{{CS_MIX_TORCH, 1, 1}, off}},    {{{CS_MIX_TIMM, 0.4f, 1}, off}},
        {{off, {CS_MIX_KERAS, 1, 1}}},    {{off, {CS_MIX_TORCH, 1e-4f, 1}}},
        {{off, {CS_MIX_TIMM, 1e-4f, 1}}}, {{{CS_MIX_TIMM, 0.8f, 0.25f}, {CS_MIX_TIMM, 1, 0.375f}}},
    };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        write_draws(file, &laws[i]);
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_mix.py", path);
}

static bool draws_the_same(const cs_mix_address *a, const cs_mix_address *b) {
    const cs_mix mix = {{{CS_MIX_KERAS, 1, 0.5f}, {CS_MIX_KERAS, 1, 0.5f}}};
    int32_t partners[2][ROWS];
    cs_mixed mixed[2][ROWS];
    memset(mixed, 0, sizeof mixed);
    cs_mix_draw(&mix, a, ROWS, SIDE, SIDE, partners[0], mixed[0]);
    cs_mix_draw(&mix, b, ROWS, SIDE, SIDE, partners[1], mixed[1]);
    return memcmp(partners[0], partners[1], sizeof partners[0]) == 0 &&
           memcmp(mixed[0], mixed[1], sizeof mixed[0]) == 0;
}

static void draws_depend_on_seed_epoch_and_batch_alone(void **state) {
    (void)state;
    const cs_mix_address at = {1, 2, 3}, others[] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}};
    assert_true(draws_the_same(&at, &at));
    for (int i = 0; i < 3; i++)
        assert_false(draws_the_same(&at, &others[i]));
}

static void a_batch_that_no_rule_mixes_stays_as_it_is(void **state) {
    (void)state;
    const cs_mix never = {{{CS_MIX_KERAS, 1, 0}, {CS_MIX_TORCH, 1, 0}}};
    const cs_mix_address at = {SEED, EPOCH, 0};
    const float image[IMAGE] = {1.5f, -2, 3}, other[IMAGE] = {7};
    int32_t partners[ROWS];
    cs_mixed mixed[ROWS];
    float out[IMAGE], targets[CLASSES];
    cs_mix_draw(&never, &at, ROWS, SIDE, SIDE, partners, mixed);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(partners[i], i);
        cs_mix_images(&mixed[i], SIDE, SIDE, image, other, out);
        assert_memory_equal(out, image, sizeof image);
        assert_int_equal(cs_mix_labels(&mixed[i], 2, 1, CLASSES, targets), 2);
        assert_true(targets[0] == 0 && targets[1] == 0 && targets[2] == 1 && targets[3] == 0);
    }
}

static void of_two_equal_targets_the_first_class_is_the_label(void **state) {
    (void)state;
    const cs_mixed half = {.label = 0.5f};
    float targets[CLASSES];
    assert_int_equal(cs_mix_labels(&half, 3, 1, CLASSES, targets), 1);
    assert_int_equal(cs_mix_labels(&half, 1, 3, CLASSES, targets), 1);
}

static void the_steps_of_an_augmentation_say_how_batches_are_mixed(void **state) {
    (void)state;
    const cs_mix given = {{{CS_MIX_TIMM, 0.8f, 0.25f}, {CS_MIX_TORCH, 1, 0.5f}}};
    cs_augment augment = {0};
    test_augment_mix(&augment, &given);
    const cs_mix mix = cs_augment_mix(&augment);
    assert_memory_equal(&mix, &given, sizeof mix);
}

static void probabilities_above_1_are_divided_by_their_sum(void **state) {
    (void)state;
    cs_augment augment = {0};
    test_augment_mix(&augment, &(cs_mix){{{CS_MIX_KERAS, 0.2f, 1}, {CS_MIX_KERAS, 1, 0.25f}}});
    const cs_mix mix = cs_augment_mix(&augment);
    assert_float_equal(mix.rules[CS_MIX_MIXUP].p, 0.8, 1e-6);
    assert_float_equal(mix.rules[CS_MIX_CUTMIX].p, 0.2, 1e-6);
}

static void mixing_is_on_where_a_rule_has_an_alpha(void **state) {
    (void)state;
    assert_false(cs_mix_is_on(&(cs_mix){0}));
    for (int kind = 0; kind < CS_MIX_KINDS; kind++) {
        cs_mix mix = {0};
        mix.rules[kind].alpha = 0.2f;
        assert_true(cs_mix_is_on(&mix));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_those_of_keras_torchvision_and_timm),
        cmocka_unit_test(draws_have_the_distributions_of_their_laws),
        cmocka_unit_test(draws_depend_on_seed_epoch_and_batch_alone),
        cmocka_unit_test(a_batch_that_no_rule_mixes_stays_as_it_is),
        cmocka_unit_test(of_two_equal_targets_the_first_class_is_the_label),
        cmocka_unit_test(the_steps_of_an_augmentation_say_how_batches_are_mixed),
        cmocka_unit_test(probabilities_above_1_are_divided_by_their_sum),
        cmocka_unit_test(mixing_is_on_where_a_rule_has_an_alpha),
    };
    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
