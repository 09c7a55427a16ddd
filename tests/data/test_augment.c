/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation compared with its references: Pillow for brightness, the definition for flips. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <string.h>

enum { H = 9, W = 14, BYTES = H * W * 3, DRAWS = 64, SEED = 3, EPOCH = 1 };

/* The first number that the rule draws for a sample. */
static float draw_of(const char *rule, uint32_t sample) {
    cs_rng rng = cs_rng_at(SEED + ((uint64_t)cs_hash_name(rule) << 32), CS_PURPOSE_AUGMENT, EPOCH, sample);
    return cs_rng_float(&rng);
}

static void draw(const cs_augment *augment, uint32_t sample, cs_picture *picture) {
    const cs_augment_address at = {SEED, EPOCH, sample};
    cs_augment_draw(augment, &at, H, W, picture, NULL, NULL);
}

/* The pass of that kind, or NULL. */
static const cs_pass *pass_of(const cs_picture *picture, cs_pass_kind kind) {
    for (int i = 0; i < picture->n; i++)
        if (picture->passes[i].kind == kind)
            return &picture->passes[i];
    return NULL;
}

/* Augments the image `salt` as the given sample. */
static void make(const cs_augment *augment, uint32_t sample, uint32_t salt, uint8_t *out) {
    uint8_t pixels[BYTES];
    cs_picture picture;
    fixture_pixels(pixels, H, W, salt);
    draw(augment, sample, &picture);
    test_augment_apply(&picture, pixels, out);
}

static void apply(const cs_augment *augment, uint32_t sample, uint8_t *pixels) {
    make(augment, sample, sample, pixels);
}

/* The image mirrored along x and along y if asked for. */
static void mirror(uint32_t salt, bool x_too, bool y_too, uint8_t *out) {
    uint8_t pixels[BYTES];
    fixture_pixels(pixels, H, W, salt);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            memcpy(out + (y * W + x) * 3, pixels + ((y_too ? H - 1 - y : y) * W + (x_too ? W - 1 - x : x)) * 3, 3);
}

static void flips_mirror_about_half_of_the_images(void **state) {
    (void)state;
    for (int which = 0; which < 2; which++) {
        const cs_augment augment = test_augment(which == 0 ? "horizontal_flip=true" : "vertical_flip=true");
        int flipped = 0;
        for (uint32_t i = 0; i < DRAWS; i++) {
            uint8_t pixels[BYTES], still[BYTES], turned[BYTES];
            apply(&augment, i, pixels);
            mirror(i, false, false, still);
            mirror(i, which == 0, which == 1, turned);
            bool turn = memcmp(pixels, turned, BYTES) == 0;
            assert_true(turn || memcmp(pixels, still, BYTES) == 0);
            flipped += turn;
        }
        assert_in_range(flipped, DRAWS / 4, DRAWS * 3 / 4);
    }
}

/* So neither the order of the table nor an added rule changes the draws. */
static void each_rule_draws_from_the_stream_of_its_name(void **state) {
    (void)state;
    const cs_augment all = test_augment("brightness_range=0.5:1.5 vertical_flip=true horizontal_flip=true");
    for (uint32_t i = 0; i < DRAWS; i++) {
        const float factor = 0.5f + draw_of("brightness_range", i);
        const bool x_too = draw_of("horizontal_flip", i) < 0.5f, y_too = draw_of("vertical_flip", i) < 0.5f;
        cs_picture picture;
        draw(&all, i, &picture);
        const cs_pass *warp = pass_of(&picture, CS_PASS_WARP), *levels = pass_of(&picture, CS_PASS_LEVELS);
        assert_true((warp && warp->warp.mirror_x) == x_too && (warp && warp->warp.mirror_y) == y_too);
        for (int v = 0; v < 256; v++)
            assert_int_equal(levels->level[2][v], factor * (float)v >= 255 ? 255 : (int)(factor * (float)v));
    }
}

static void a_rule_decides_the_same_whichever_other_rules_apply(void **state) {
    (void)state;
    static const char *const rules[] = {"horizontal_flip=true", "vertical_flip=true", "brightness_range=0.5:1.5"};
    enum { RULES = sizeof rules / sizeof *rules };
    for (uint32_t i = 0; i < DRAWS; i++)
        for (int on = 1; on < 1 << RULES; on++) {
            char text[CS_AUGMENT_TEXT] = "";
            cs_picture together, alone[RULES];
            for (int r = 0; r < RULES; r++) {
                const cs_augment one = test_augment(on >> r & 1 ? rules[r] : "");
                draw(&one, i, &alone[r]);
                strcat(text, on >> r & 1 ? rules[r] : "");
                strcat(text, " ");
            }
            const cs_augment augment = test_augment(text + strspn(text, " "));
            draw(&augment, i, &together);
            const cs_pass *warp = pass_of(&together, CS_PASS_WARP), *levels = pass_of(&together, CS_PASS_LEVELS);
            assert_true((warp && warp->warp.mirror_x) == (alone[0].n > 0));
            assert_true((warp && warp->warp.mirror_y) == (alone[1].n > 0));
            assert_true((levels != NULL) == (alone[2].n > 0));
            if (levels)
                assert_memory_equal(levels->level, alone[2].passes[0].level, sizeof levels->level);
        }
}

static void seed_epoch_and_sample_each_change_the_draws(void **state) {
    (void)state;
    const cs_augment augment = test_augment("brightness_range=0:1");
    const cs_augment_address places[] = {
        {SEED, EPOCH, 5}, {SEED + 1, EPOCH, 5}, {SEED, EPOCH + 1, 5}, {SEED, EPOCH, 6}};
    enum { PLACES = sizeof places / sizeof *places };
    static cs_picture pictures[PLACES];
    for (int a = 0; a < PLACES; a++) {
        cs_augment_draw(&augment, &places[a], H, W, &pictures[a], NULL, NULL);
        for (int b = 0; b < a; b++)
            assert_memory_not_equal(pictures[a].passes[0].level, pictures[b].passes[0].level, sizeof(uint8_t[3][256]));
    }
}

static void without_rules_nothing_changes(void **state) {
    (void)state;
    const cs_augment none = test_augment(""), one = test_augment("brightness_range=0:0.5");
    cs_picture picture;
    uint8_t pixels[BYTES], still[BYTES];
    assert_true(cs_augment_is_off(&none));
    assert_false(cs_augment_is_off(&one));
    draw(&none, 5, &picture);
    assert_int_equal(picture.n, 0);
    apply(&none, 5, pixels);
    mirror(5, false, false, still);
    assert_memory_equal(pixels, still, BYTES);
}

/* Equal variants of an image of h x w are equal pictures, different variants are different ones, and all variants
 * occur. */
static void check_variants(const cs_augment *augment, int h, int w, int variants) {
    enum { MOST = 8 };
    static uint8_t pictures[MOST][BYTES];
    const size_t bytes = (size_t)(h * w) * 3;
    bool seen[MOST] = {false};
    assert_int_equal(cs_augment_variants(augment), variants);
    assert_true(variants <= MOST && bytes <= BYTES);
    for (uint32_t i = 0; variants > 0 && i < DRAWS; i++) {
        uint8_t pixels[BYTES], made[BYTES];
        const cs_augment_address at = {SEED, EPOCH, i};
        const int variant = cs_augment_variant(augment, &at);
        cs_picture picture;
        fixture_pixels(pixels, h, w, 0); /* the same image, with the draws of sample i */
        cs_augment_draw(augment, &at, h, w, &picture, NULL, NULL);
        test_augment_apply(&picture, pixels, made);
        assert_in_range(variant, 0, variants - 1);
        if (!seen[variant])
            memcpy(pictures[variant], made, bytes);
        seen[variant] = true;
        assert_memory_equal(pictures[variant], made, bytes);
    }
    for (int a = 0; a < variants; a++) {
        assert_true(seen[a]);
        for (int b = 0; b < a; b++)
            assert_memory_not_equal(pictures[a], pictures[b], bytes);
    }
}

static void variants_number_the_pictures(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int variants;
    } rows[] = {
        {"", 1},
        {"horizontal_flip=true", 2},
        {"vertical_flip=true", 2},
        {"horizontal_flip=true vertical_flip=true", 4},
        {"brightness_range=0.5:0.5", 1},
        {"vertical_flip=true brightness_range=0.5:0.5", 2},
        {"brightness_range=0.5:0.7", 0},
        {"horizontal_flip=true brightness_range=0.5:0.7", 0},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const cs_augment augment = test_augment(rows[r].text);
        check_variants(&augment, H, W, rows[r].variants);
    }
}

static void variants_number_the_symmetries_of_a_square(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        int variants;
    } rows[] = {{"random_rotate90", 4}, {"transpose", 2}, {"d4", 8}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        cs_augment augment = {0};
        test_augment_set(&augment, rows[r].rule, (const float[]){0}, 0);
        check_variants(&augment, H, H, rows[r].variants);
    }
}

/* At the place where they stand in the list, also inside a group. */
static void symmetries_of_a_square_refuse_other_images(void **state) {
    (void)state;
    cs_augment augment = {0};
    int h = H, w = W;
    test_augment_set(&augment, "one_of", (const float[]){0}, 0);
    augment.steps[0].inside = 1;
    test_augment_set(&augment, "random_rotate90", (const float[]){0}, 0);
    assert_int_equal(cs_augment_size(&augment, &h, &w), CS_ERR_ARG);
    assert_non_null(strstr(cs_error_last()->text, "random_rotate90 takes square images only, and this one is 9x14"));
    w = H;
    assert_ok(cs_augment_size(&augment, &h, &w));
    augment = (cs_augment){0};
    test_augment_set(&augment, "center_crop", (const float[]){5, 5}, 2);
    test_augment_set(&augment, "d4", (const float[]){0}, 0);
    w = W;
    assert_ok(cs_augment_size(&augment, &h, &w));
    assert_true(h == 5 && w == 5);
}

/* Writes factor, pixels before and pixels after for the reference. */
static void brightness_is_that_of_pillow(void **state) {
    (void)state;
    const char *path = fixture_path("brightness.bin");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (uint32_t i = 0; i < 300; i++) {
        const float low = i < 150 ? 0.5f : 0.9f, high = i < 150 ? 0.7f : 1.8f;
        const cs_augment augment = test_augment(i < 150 ? "brightness_range=0.5:0.7" : "brightness_range=0.9:1.8");
        const float factor = low + (high - low) * draw_of("brightness_range", i);
        uint8_t before[BYTES], after[BYTES];
        mirror(i, false, false, before);
        apply(&augment, i, after);
        assert_int_equal(fwrite(&factor, sizeof factor, 1, file), 1);
        assert_int_equal(fwrite(before, 1, BYTES, file), BYTES);
        assert_int_equal(fwrite(after, 1, BYTES, file), BYTES);
    }
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_brightness.py", path);
}

static void assert_text(const char *augment, const char *want) {
    const cs_augment made = test_augment(augment);
    char text[CS_AUGMENT_TEXT];
    cs_augment_text(&made, text, sizeof text);
    assert_string_equal(text, want);
}

static void equal_rules_have_equal_texts(void **state) {
    (void)state;
    static const char want[] = "brightness_range=0.5:0.9 horizontal_flip=true vertical_flip=true";
    assert_text("", "");
    assert_text("vertical_flip=true horizontal_flip=true brightness_range=0.5:0.9", want);
    assert_text("brightness_range=0.50:0.90 vertical_flip=true horizontal_flip=true", want);
    assert_text("vertical_flip=true", "vertical_flip=true");
    assert_text("vertical_flip=0 brightness_range=0:0", "");
    assert_text("brightness_range=-0:1", "brightness_range=0:1");
}

static void neighbouring_numbers_have_different_texts(void **state) {
    (void)state;
    const cs_augment one = test_augment("brightness_range=0.5:0.9");
    cs_augment other = one;
    float *high = &other.steps[0].number[1];
    char text[CS_AUGMENT_TEXT], other_text[CS_AUGMENT_TEXT];
    *high += 1.0f / (1 << 24);
    assert_true(*high != one.steps[0].number[1]);
    cs_augment_text(&one, text, sizeof text);
    cs_augment_text(&other, other_text, sizeof other_text);
    assert_string_not_equal(text, other_text);
}

static void a_text_that_is_too_long_is_cut_off(void **state) {
    (void)state;
    const cs_augment augment = test_augment("vertical_flip=true horizontal_flip=true brightness_range=0.5:0.9");
    char whole[CS_AUGMENT_TEXT], text[CS_AUGMENT_TEXT];
    cs_augment_text(&augment, whole, sizeof whole);
    for (size_t size = 1; size < strlen(whole) + 3; size++) {
        memset(text, '#', sizeof text);
        cs_augment_text(&augment, text, size);
        assert_int_equal(strlen(text), size - 1 < strlen(whole) ? size - 1 : strlen(whole));
        assert_memory_equal(text, whole, strlen(text));
        assert_int_equal(text[size], '#');
    }
}

/* For every rule, its text fits, its numbers have room, and no other rule has its stream. */
static void rows_of_the_table_are_consistent(void **state) {
    (void)state;
    const cs_augment_rule *rule;
    for (int i = 0; (rule = cs_augment_rule_at(i)); i++) {
        int width = 0, parameters = 0;
        for (const cs_augment_parameter *p = rule->parameters; p->type != CS_AUGMENT_END; p++) {
            assert_true(++parameters < CS_AUGMENT_PARAMETERS);
            assert_true(p->type == CS_AUGMENT_BOOL || p->choices || p->min < p->max);
            assert_int_equal(p->name == NULL, rule->family == CS_FAMILY_GENERATOR);
            width += cs_augment_width(p->type);
        }
        assert_in_range(width, 0, CS_AUGMENT_NUMBERS);
        assert_in_range(strlen(rule->name), 1, CS_AUGMENT_TEXT / CS_AUGMENT_STEPS - 2 - CS_AUGMENT_NUMBERS * 16);
        assert_int_equal(rule->choose != NULL, rule->family == CS_FAMILY_GROUP);
        assert_int_equal((rule->compose != NULL) + (rule->choose != NULL) + (rule->standardize != NULL),
                         strcmp(rule->name, "era") == 0    ? 2
                         : rule->family == CS_FAMILY_BATCH ? 0
                                                           : 1);
        assert_true(!rule->drawn[0] || rule->draw || rule->family == CS_FAMILY_BATCH);
        assert_ptr_equal(cs_augment_find(rule->name), rule);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(cs_hash_name(rule->name), cs_hash_name(cs_augment_rule_at(k)->name));
    }
    assert_null(cs_augment_find("no such rule"));
}

static void a_step_inside_a_group_may_need_the_host(void **state) {
    (void)state;
    cs_augment augment = {0};
    cs_augment_step *step;
    assert_ok(cs_augment_add(&augment, cs_augment_find("gaussian_blur"), &step));
    assert_ok(cs_augment_add(&augment, cs_augment_find("one_of"), &step));
    assert_false(cs_augment_needs_host(&augment));
    step->inside = 1;
    assert_ok(cs_augment_add(&augment, cs_augment_find("image_compression"), &step));
    assert_true(cs_augment_needs_host(&augment));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_mirror_about_half_of_the_images),
        cmocka_unit_test(each_rule_draws_from_the_stream_of_its_name),
        cmocka_unit_test(a_rule_decides_the_same_whichever_other_rules_apply),
        cmocka_unit_test(seed_epoch_and_sample_each_change_the_draws),
        cmocka_unit_test(without_rules_nothing_changes),
        cmocka_unit_test(variants_number_the_pictures),
        cmocka_unit_test(variants_number_the_symmetries_of_a_square),
        cmocka_unit_test(symmetries_of_a_square_refuse_other_images),
        cmocka_unit_test(brightness_is_that_of_pillow),
        cmocka_unit_test(equal_rules_have_equal_texts),
        cmocka_unit_test(neighbouring_numbers_have_different_texts),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_off),
        cmocka_unit_test(rows_of_the_table_are_consistent),
        cmocka_unit_test(a_step_inside_a_group_may_need_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
