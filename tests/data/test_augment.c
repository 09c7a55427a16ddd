/* Augmentation against its judges: Pillow for brightness, the definition for flips. */
#include "fixture.h"

#include "cnnsweep/augment.h"
#include "cnnsweep/file.h"

#include <string.h>

enum { H = 9, W = 14, BYTES = H * W * 3, DRAWS = 64 };

static cs_rng stream(uint32_t item) {
    return cs_rng_at(3, CS_PURPOSE_AUGMENT, 1, item);
}

/* What the draws for `item` make of image `salt`. */
static void make(const cs_augment *augment, uint32_t item, uint32_t salt, uint8_t *out) {
    uint8_t pixels[BYTES];
    cs_picture picture;
    cs_rng rng = stream(item);
    fixture_pixels(pixels, H, W, salt);
    cs_picture_init(&picture, H, W);
    cs_augment_draw(augment, &rng, &picture);
    cs_augment_apply(&picture, pixels, out);
}

static void apply(const cs_augment *augment, uint32_t item, uint8_t *pixels) {
    make(augment, item, item, pixels);
}

/* The image mirrored along x and y as asked. */
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
        const cs_augment augment = {.horizontal_flip = which == 0, .vertical_flip = which == 1};
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

static void switching_one_on_leaves_the_others_decisions_alone(void **state) {
    (void)state;
    const cs_augment vertical = {.vertical_flip = true};
    const cs_augment both = {.horizontal_flip = true, .vertical_flip = true};
    int all[2][2] = {{0}};
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint8_t alone[BYTES], together[BYTES], turned[BYTES];
        apply(&vertical, i, alone);
        apply(&both, i, together);
        mirror(i, false, true, turned);
        bool y_too = memcmp(alone, turned, BYTES) == 0;
        mirror(i, true, y_too, turned);
        bool x_too = memcmp(together, turned, BYTES) == 0;
        mirror(i, x_too, y_too, turned);
        assert_memory_equal(together, turned, BYTES);
        all[x_too][y_too]++;
    }
    assert_true(all[0][0] && all[0][1] && all[1][0] && all[1][1]);
}

static void off_is_off(void **state) {
    (void)state;
    const cs_augment none = {0}, one = {.brightness_range = {0, 0.5f}};
    uint8_t pixels[BYTES], still[BYTES];
    assert_true(cs_augment_is_off(&none));
    assert_false(cs_augment_is_off(&one));
    apply(&none, 5, pixels);
    mirror(5, false, false, still);
    assert_memory_equal(pixels, still, BYTES);
}

/* Equal variants are equal pictures of an image, other variants other ones, and all of them come. */
static void variants_number_the_pictures(void **state) {
    (void)state;
    static const struct {
        cs_augment augment;
        int variants;
    } rows[] = {
        {{0}, 1},
        {{.horizontal_flip = true}, 2},
        {{.vertical_flip = true}, 2},
        {{.horizontal_flip = true, .vertical_flip = true}, 4},
        {{.brightness_range = {0.5f, 0.5f}}, 1},
        {{.vertical_flip = true, .brightness_range = {0.5f, 0.5f}}, 2},
        {{.brightness_range = {0.5f, 0.7f}}, 0},
        {{.horizontal_flip = true, .brightness_range = {0.5f, 0.7f}}, 0},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const cs_augment *augment = &rows[r].augment;
        uint8_t pictures[4][BYTES];
        bool seen[4] = {false};
        assert_int_equal(cs_augment_variants(augment), rows[r].variants);
        for (uint32_t i = 0; rows[r].variants > 0 && i < DRAWS; i++) {
            uint8_t pixels[BYTES];
            cs_rng rng = stream(i);
            int variant = cs_augment_variant(augment, &rng);
            make(augment, i, 0, pixels); /* one image, drawn for again and again */
            assert_in_range(variant, 0, rows[r].variants - 1);
            if (!seen[variant])
                memcpy(pictures[variant], pixels, BYTES);
            seen[variant] = true;
            assert_memory_equal(pictures[variant], pixels, BYTES);
        }
        for (int a = 0; a < rows[r].variants; a++) {
            assert_true(seen[a]);
            for (int b = 0; b < a; b++)
                assert_memory_not_equal(pictures[a], pictures[b], BYTES);
        }
    }
}

/* Writes factor, pixels before and pixels after for the judge. */
static void brightness_is_pillows(void **state) {
    (void)state;
    const char *path = fixture_path("brightness.bin");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (uint32_t i = 0; i < 300; i++) {
        const float low = i < 150 ? 0.5f : 0.9f, high = i < 150 ? 0.7f : 1.8f;
        const cs_augment augment = {.brightness_range = {low, high}};
        uint8_t before[BYTES], after[BYTES];
        cs_rng rng = stream(i);
        cs_rng_float(&rng);
        cs_rng_float(&rng);
        float factor = low + (high - low) * cs_rng_float(&rng); /* the third draw */
        mirror(i, false, false, before);
        apply(&augment, i, after);
        assert_int_equal(fwrite(&factor, sizeof factor, 1, file), 1);
        assert_int_equal(fwrite(before, 1, BYTES, file), BYTES);
        assert_int_equal(fwrite(after, 1, BYTES, file), BYTES);
    }
    assert_int_equal(fclose(file), 0);
    fixture_judge("judge_brightness.py", path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_mirror_about_half_of_the_images),
        cmocka_unit_test(switching_one_on_leaves_the_others_decisions_alone),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(variants_number_the_pictures),
        cmocka_unit_test(brightness_is_pillows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
