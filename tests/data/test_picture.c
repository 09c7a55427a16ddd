/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures are composed and applied as their definition says. */
#include "augments.h"
#include "fixture.h"

#include "cnnsweep/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 9, BYTES = MOST * MOST * 3 };

/* A mirror as a map, and as a mirror. */
static void move_columns(cs_picture *picture, bool as_map) {
    const double mirror[2][3] = {{-1, 0, picture->w - 1}, {0, 1, 0}};
    if (as_map)
        cs_picture_move(picture, mirror);
    else
        cs_picture_mirror(picture, true, false);
}

static void move_lines(cs_picture *picture, bool as_map) {
    const double mirror[2][3] = {{1, 0, 0}, {0, -1, picture->h - 1}};
    if (as_map)
        cs_picture_move(picture, mirror);
    else
        cs_picture_mirror(picture, false, true);
}

/* The number of pixels is even or odd. */
static void mirrors_move_whole_pixels_at_every_size(void **state) {
    (void)state;
    for (int h = 1; h <= MOST; h++)
        for (int w = 1; w <= MOST; w++)
            for (int which = 0; which < 8; which++) {
                uint8_t pixels[BYTES], made[BYTES];
                cs_picture picture;
                fixture_pixels(pixels, h, w, 5);
                cs_picture_init(&picture, h, w);
                if (which & 1)
                    move_columns(&picture, which & 4);
                if (which & 2)
                    move_lines(&picture, which & 4);
                assert_int_equal(picture.n, (which & 3) != 0);
                test_augment_apply(&picture, pixels, made);
                for (int y = 0; y < h; y++)
                    for (int x = 0; x < w; x++) {
                        int line = which & 2 ? h - 1 - y : y, column = which & 1 ? w - 1 - x : x;
                        assert_memory_equal(made + (y * w + x) * 3, pixels + (line * w + column) * 3, 3);
                    }
            }
}

static void a_mirror_of_a_mirror_is_the_image(void **state) {
    (void)state;
    uint8_t pixels[BYTES], made[BYTES];
    cs_picture picture;
    fixture_pixels(pixels, 7, 8, 1);
    cs_picture_init(&picture, 7, 8);
    move_columns(&picture, true);
    move_lines(&picture, false);
    move_columns(&picture, false);
    move_lines(&picture, true);
    test_augment_apply(&picture, pixels, made);
    assert_memory_equal(made, pixels, 7 * 8 * 3);
}

/* Maps that take the centres of pixels to centres: a rotation by 90 degrees, shifts by whole pixels, mirrors. */
static void composing_maps_is_applying_them_one_after_the_other(void **state) {
    (void)state;
    enum { SIDE = 6, MAPS = 4, COUNT = SIDE * SIDE * 3 };
    static const double maps[MAPS][2][3] = {{{0, -1, SIDE - 1}, {1, 0, 0}},
                                            {{1, 0, 2}, {0, 1, -1}},
                                            {{-1, 0, SIDE - 1}, {0, 1, 0}},
                                            {{0, 1, 0}, {1, 0, 0}}};
    for (int first = 0; first < MAPS; first++)
        for (int second = 0; second < MAPS; second++) {
            uint8_t pixels[COUNT], between[COUNT], want[COUNT], got[COUNT];
            cs_picture one, other, both;
            cs_picture_init(&one, SIDE, SIDE);
            cs_picture_init(&other, SIDE, SIDE);
            cs_picture_init(&both, SIDE, SIDE);
            cs_picture_move(&one, maps[first]);
            cs_picture_move(&other, maps[second]);
            cs_picture_move(&both, maps[first]);
            cs_picture_move(&both, maps[second]);
            fixture_pixels(pixels, SIDE, SIDE, 3);
            test_augment_apply(&one, pixels, between);
            test_augment_apply(&other, between, want);
            test_augment_apply(&both, pixels, got);
            assert_memory_equal(got, want, COUNT);
        }
}

static void a_map_takes_the_nearest_pixel_and_repeats_the_edge(void **state) {
    (void)state;
    enum { H = 5, W = 7 };
    static const double maps[][2][3] = {{{1, 0, 2.25f}, {0, 1, -1.75f}},      {{0.5f, 0, 0}, {0, 0.5f, 0.5f}},
                                        {{0.8f, -0.6f, 1}, {0.6f, 0.8f, -2}}, {{-1, 0, W}, {0, 1, 0}},
                                        {{1, 0, 0}, {0.25f, 1, 0}},           {{2, 0, -1e9f}, {0, -3, 1e9f}}};
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        uint8_t pixels[H * W * 3], made[H * W * 3];
        cs_picture picture;
        fixture_pixels(pixels, H, W, 2);
        cs_picture_init(&picture, H, W);
        cs_picture_move(&picture, maps[m]);
        cs_picture_warp(&picture)->nearest = true;
        test_augment_apply(&picture, pixels, made);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double at_x = maps[m][0][0] * x + maps[m][0][1] * y + maps[m][0][2];
                double at_y = maps[m][1][0] * x + maps[m][1][1] * y + maps[m][1][2];
                int column = (int)floor(fmin(fmax(at_x, 0), W - 1) + 0.5);
                int line = (int)floor(fmin(fmax(at_y, 0), H - 1) + 0.5);
                assert_memory_equal(made + (y * W + x) * 3, pixels + (line * W + column) * 3, 3);
            }
    }
}

static void composing_colours_is_applying_them_one_after_the_other(void **state) {
    (void)state;
    enum { H = 16, W = 16, COUNT = H * W * 3 };
    uint8_t tables[2][256], pixels[COUNT], want[COUNT], got[COUNT];
    cs_picture picture;
    for (int v = 0; v < 256; v++) {
        tables[0][v] = (uint8_t)(v * 7 / 10);
        tables[1][v] = (uint8_t)(v < 100 ? 255 - v : v / 2);
    }
    for (int i = 0; i < COUNT; i++) {
        pixels[i] = (uint8_t)(i / 3); /* every channel has every value */
        want[i] = tables[1][tables[0][pixels[i]]];
    }
    cs_picture_init(&picture, H, W);
    assert_int_equal(picture.n, 0);
    cs_picture_recolour(&picture, tables[0]);
    cs_picture_recolour(&picture, tables[1]);
    assert_int_equal(picture.n, 1);
    test_augment_apply(&picture, pixels, got);
    assert_memory_equal(got, want, COUNT);
}

static void each_channel_has_its_own_levels(void **state) {
    (void)state;
    enum { H = 3, W = 4, COUNT = H * W * 3 };
    uint8_t identity[256], pixels[COUNT], made[COUNT];
    cs_picture picture;
    for (int v = 0; v < 256; v++)
        identity[v] = (uint8_t)v;
    cs_picture_init(&picture, H, W);
    move_columns(&picture, false);
    cs_picture_recolour(&picture, identity);
    for (int v = 0; v < 256; v++) {
        picture.passes[1].level[1][v] = (uint8_t)(255 - v);
        picture.passes[1].level[2][v] = (uint8_t)(v / 2);
    }
    fixture_pixels(pixels, H, W, 8);
    test_augment_apply(&picture, pixels, made);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const uint8_t *from = pixels + (y * W + W - 1 - x) * 3, *to = made + (y * W + x) * 3;
            assert_int_equal(to[0], from[0]);
            assert_int_equal(to[1], 255 - from[1]);
            assert_int_equal(to[2], from[2] / 2);
        }
}

/* Pillow's convert("HSV") and back, in its floats and doubles, with the hue turned between them. */
static void turn_as_pillow(const uint8_t rgb[3], int turn, uint8_t made[3]) {
    const int largest = (int)fmax(rgb[0], fmax(rgb[1], rgb[2])), smallest = (int)fmin(rgb[0], fmin(rgb[1], rgb[2]));
    float hue = 0, strength = 0;
    if (largest > smallest) {
        const float width = (float)(largest - smallest), red = (float)(largest - rgb[0]) / width;
        const float green = (float)(largest - rgb[1]) / width, blue = (float)(largest - rgb[2]) / width;
        const double sixths = rgb[0] == largest   ? (double)blue - (double)green
                              : rgb[1] == largest ? 2.0 + (double)red - (double)blue
                                                  : 4.0 + (double)green - (double)red;
        hue = (float)fmod((double)(float)sixths / 6.0 + 1.0, 1.0);
        strength = width / (float)largest;
    }
    const int h = ((int)((double)hue * 255.0) + turn) & 255, s = (int)((double)strength * 255.0);
    const double sixths = h * 6.0 / 255.0, v = largest, by = (double)(float)(s / 255.0), whole = floor(sixths);
    const double rest = (double)(float)(sixths - whole);
    const uint8_t p = (uint8_t)round(v * (1 - by)), q = (uint8_t)round(v * (1 - by * rest));
    const uint8_t t = (uint8_t)round(v * (1 - by * (1 - rest))), top = (uint8_t)largest;
    const uint8_t sectors[6][3] = {{top, t, p}, {q, top, p}, {p, top, t}, {p, q, top}, {t, p, top}, {top, p, q}};
    memcpy(made, sectors[(int)whole % 6], 3);
}

/* Each channel takes every third byte: 86 ^ 3 colours. */
static void the_hue_of_any_colour_turns_as_in_pillow(void **state) {
    (void)state;
    enum { STEPS = 86, PIXELS = STEPS * STEPS * STEPS };
    uint8_t *pixels = malloc((size_t)PIXELS * 3), *made = malloc((size_t)PIXELS * 3);
    assert_true(pixels && made);
    for (int i = 0; i < PIXELS; i++) {
        pixels[3 * i] = (uint8_t)(3 * (i % STEPS));
        pixels[3 * i + 1] = (uint8_t)(3 * (i / STEPS % STEPS));
        pixels[3 * i + 2] = (uint8_t)(3 * (i / STEPS / STEPS));
    }
    for (int turn = 0; turn < 256; turn += 51) {
        cs_picture picture;
        cs_picture_init(&picture, STEPS * STEPS, STEPS);
        cs_picture_add(&picture, CS_PASS_HUE)->turn = turn;
        test_augment_apply(&picture, pixels, made);
        for (int i = 0; i < PIXELS; i++) {
            uint8_t wanted[3];
            turn_as_pillow(pixels + (ptrdiff_t)3 * i, turn, wanted);
            assert_memory_equal(made + (ptrdiff_t)3 * i, wanted, 3);
        }
    }
    free(pixels);
    free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors_move_whole_pixels_at_every_size),
        cmocka_unit_test(a_mirror_of_a_mirror_is_the_image),
        cmocka_unit_test(composing_maps_is_applying_them_one_after_the_other),
        cmocka_unit_test(a_map_takes_the_nearest_pixel_and_repeats_the_edge),
        cmocka_unit_test(composing_colours_is_applying_them_one_after_the_other),
        cmocka_unit_test(each_channel_has_its_own_levels),
        cmocka_unit_test(the_hue_of_any_colour_turns_as_in_pillow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
