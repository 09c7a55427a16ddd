/* SPDX-License-Identifier: Apache-2.0 */
/* What ROAD puts in the place of removed pixels. */
#include "explain/road.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { H = 24, W = 31, C = 2 };

static double ramp(int y, int x, int c) {
    return c == 0 ? 0.1 * y - 0.03 * x : 0.05 * x + 1;
}

static void fill(float *image) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < C; c++)
                image[(y * W + x) * C + c] = (float)ramp(y, x, c);
}

static void remove_pixels(const bool *kept, uint32_t item, float *image) {
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 8, item);
    cs_road *road;
    assert_ok(cs_road_open((cs_shape){H, W, C, false}, &road));
    cs_road_remove(road, kept, &rng, image);
    cs_road_close(road);
}

/* A ramp is the weighted mean of its neighbours everywhere but at the border. The noise has a deviation of 0.01. */
static void pixels_removed_from_a_ramp_are_those_of_the_ramp(void **state) {
    float image[H * W * C];
    bool kept[H * W];
    double square = 0;
    int removed = 0;
    (void)state;
    fill(image);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            kept[y * W + x] = y < 2 || x < 1 || y > H - 3 || x > W - 2 || (x * 7 + y * 3) % 11 == 0;
    remove_pixels(kept, 0, image);
    for (int p = 0; p < H * W * C; p++) {
        const double off = (double)image[p] - ramp(p / C / W, p / C % W, p % C);
        if (kept[p / C] && fabs(off) > 1e-6)
            fail_msg("pixel %d was kept, but changed by %g", p, off);
        if (fabs(off) > 0.05)
            fail_msg("pixel %d is off by %g", p, off);
        square += kept[p / C] ? 0 : off * off;
        removed += !kept[p / C];
    }
    const double deviation = sqrt(square / removed);
    if (!(deviation > 0.009 && deviation < 0.011))
        fail_msg("the noise has a deviation of %g", deviation);
}

/* At the border a pixel has fewer neighbours, whose weights are divided by their sum: one kept pixel fills an image. */
static void a_single_pixel_that_is_kept_fills_the_image(void **state) {
    float image[H * W * C];
    bool kept[H * W] = {false};
    (void)state;
    fill(image);
    kept[7 * W + 30] = true;
    remove_pixels(kept, 1, image);
    for (int p = 0; p < H * W * C; p++)
        assert_true(fabs((double)image[p] - ramp(7, 30, p % C)) < 0.06);
}

/* The mean over many draws of the noise. */
static void the_weights_are_a_sixth_beside_and_a_twelfth_across(void **state) {
    float image[H * W * C];
    bool kept[H * W];
    double left = 0;
    enum { ROUNDS = 400 };
    (void)state;
    for (int p = 0; p < H * W; p++)
        kept[p] = p != 5 * W + 5;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        memset(image, 0, sizeof image);
        image[(4 * W + 5) * C] = 1;   /* above: counts 1/6 of 1 */
        image[(6 * W + 6) * C] = 3;   /* across: 1/12 of 3 */
        image[(5 * W + 7) * C] = 100; /* no neighbour */
        remove_pixels(kept, round, image);
        left += (double)image[(5 * W + 5) * C] / ROUNDS;
    }
    assert_true(fabs(left - (1.0 / 6 + 3.0 / 12)) < 0.002);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pixels_removed_from_a_ramp_are_those_of_the_ramp),
                                       cmocka_unit_test(a_single_pixel_that_is_kept_fills_the_image),
                                       cmocka_unit_test(the_weights_are_a_sixth_beside_and_a_twelfth_across)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
