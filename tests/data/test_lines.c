/* SPDX-License-Identifier: Apache-2.0 */
/* The host makes lines of pixels together, in loops of its own. For pictures of random passes, of all sizes, they are
 * the pixels that picture_sample.h defines one by one. */
#include "test.h"

#include "cnnsweep/augment.h"

#include <stdlib.h>
#include <string.h>

#define CS_SAMPLE        __attribute__((unused)) static inline
#define CS_PRODUCT(a, b) ((double)(a) * (double)(b))
#define CS_SUM(a, b)     ((double)(a) + (double)(b))
#define CS_PHILOX        cs_philox4x32
#include "cnnsweep/picture_sample.h"

enum { PICTURES = 3000, MOST_PASSES = 6 };

static uint8_t *image_of(int h, int w) {
    uint8_t *pixels = malloc((size_t)h * (size_t)w * 3);
    assert_non_null(pixels);
    return pixels;
}

static int below(cs_rng *rng, int n) {
    return (int)cs_rng_below(rng, (uint32_t)n);
}

static double between(cs_rng *rng, double low, double high) {
    return low + (high - low) * (double)cs_rng_float(rng);
}

/* Random bytes; mostly white, so that many neighbours are equal; or a slope, whose values often are whole numbers. */
static void fill(cs_rng *rng, int h, int w, uint8_t *pixels) {
    const int kind = below(rng, 3);
    for (int i = 0; i < h * w * 3; i++)
        pixels[i] = (uint8_t)(kind == 0 ? below(rng, 256) : kind == 1 && below(rng, 8) ? 255 : i / 3 % w + i % 3 * 20);
}

/* Maps that move by whole or half pixels, that stretch twice, or any; and perspectives. */
static void set_map(cs_rng *rng, cs_warp *warp) {
    const bool is_simple = below(rng, 3) == 0;
    const double half = below(rng, 2) ? 0.5 : 1;
    for (int row = 0; row < 2; row++)
        for (int column = 0; column < 3; column++)
            warp->map[row][column] = is_simple ? (column == row ? half
                                                  : column == 2 ? (below(rng, 9) - 4) * half
                                                                : 0)
                                               : between(rng, -1, 1) * (column == 2 ? 10 : 1.5);
    warp->map[2][2] = 1;
    if (warp->sampling == CS_SAMPLING_PILLOW && below(rng, 2)) {
        warp->map[2][0] = between(rng, -0.02, 0.02);
        warp->map[2][1] = between(rng, -0.02, 0.02);
    }
}

static void add_warp(cs_rng *rng, cs_picture *picture) {
    cs_pass *pass = cs_picture_add(picture, CS_PASS_WARP);
    cs_warp *warp = &pass->warp;
    warp->sampling = (cs_sampling)below(rng, CS_SAMPLING_COUNT);
    warp->fill = (cs_fill)below(rng, warp->sampling == CS_SAMPLING_OPENCV ? CS_FILL_COUNT : CS_FILL_MIRROR);
    warp->nearest = warp->sampling == CS_SAMPLING_PILLOW_FIXED || below(rng, 3) == 0;
    warp->mirror_x = below(rng, 2);
    warp->mirror_y = below(rng, 2);
    for (int c = 0; c < 3; c++)
        warp->fill_value[c] = below(rng, 2) ? (float)below(rng, 256) : (float)between(rng, 0, 255);
    set_map(rng, warp);
    if (warp->sampling == CS_SAMPLING_SCIPY && below(rng, 3) == 0)
        warp->adjustment = (cs_adjustment){below(rng, 2), (float)between(rng, -60, 60), below(rng, 2), below(rng, 2)};
    if (below(rng, 3) == 0) {
        pass->h = 1 + below(rng, 60);
        pass->w = 1 + below(rng, 90);
    }
}

static void add_resample(cs_rng *rng, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    cs_pass *pass = cs_picture_add(picture, CS_PASS_RESAMPLE);
    pass->box = (cs_box){.top = below(rng, h), .left = below(rng, w)};
    pass->box.h = 1 + below(rng, h - pass->box.top);
    pass->box.w = 1 + below(rng, w - pass->box.left);
    pass->h = 1 + below(rng, 70);
    pass->w = 1 + below(rng, 70);
}

static void add_levels(cs_rng *rng, cs_picture *picture) {
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)below(rng, 256);
    cs_picture_recolour(picture, table);
}

static void add_patches(cs_rng *rng, cs_picture *picture) {
    int h, w;
    cs_picture_size(picture, &h, &w);
    cs_patches *patches = &cs_picture_add(picture, CS_PASS_PATCHES)->patches;
    patches->n = 1 + below(rng, CS_BOXES);
    patches->random = below(rng, 2);
    patches->key = cs_rng_u32(rng);
    for (int i = 0; i < patches->n; i++) {
        patches->boxes[i] = (cs_box){below(rng, h) - 2, below(rng, w) - 2, below(rng, h), below(rng, w)};
        for (int c = 0; c < 3; c++)
            patches->value[i][c] = (uint8_t)below(rng, 256);
    }
}

static void add_blur(cs_rng *rng, cs_picture *picture) {
    cs_blur *blur = &cs_picture_add(picture, CS_PASS_BLUR)->blur;
    *blur = (cs_blur){.across = below(rng, 5), .down = below(rng, 5), .black_edges = below(rng, 2)};
    for (int i = 0; i <= 2 * blur->across; i++)
        blur->weight_across[i] = (float)between(rng, 0, 0.4);
    for (int i = 0; i <= 2 * blur->down; i++)
        blur->weight_down[i] = (float)between(rng, 0, 0.4);
}

static void add_kernel(cs_rng *rng, cs_picture *picture) {
    cs_kernel *kernel = &cs_picture_add(picture, CS_PASS_KERNEL)->kernel;
    kernel->n = 1 + below(rng, 9);
    for (int i = 0; i < kernel->n; i++)
        kernel->points[i] = (cs_kernel_point){below(rng, 9) - 4, below(rng, 9) - 4, (float)between(rng, 0, 0.3)};
}

static void add_pass(cs_rng *rng, cs_picture *picture) {
    switch (below(rng, 14)) {
    case 0:
        add_resample(rng, picture);
        break;
    case 1:
        add_levels(rng, picture);
        break;
    case 2:
        cs_picture_add(picture, CS_PASS_CURVE)->curve = (cs_curve){(cs_curve_kind)below(rng, 2), 0};
        break;
    case 3:
        cs_picture_add(picture, CS_PASS_HUE)->turn = below(rng, 300) - 20;
        break;
    case 4:
    case 5:
        cs_picture_add(picture, CS_PASS_BLEND)->blend =
            (cs_blend){(cs_blend_base)below(rng, 3), (float)between(rng, 0, 2)};
        break;
    case 6:
        add_patches(rng, picture);
        break;
    case 7:
        add_blur(rng, picture);
        break;
    case 8:
        add_kernel(rng, picture);
        break;
    case 9:
        cs_picture_add(picture, CS_PASS_SHARPNESS)->factor = (float)between(rng, 0, 2);
        break;
    default:
        add_warp(rng, picture);
        break;
    }
}

static void find_range(const cs_pass *pass, const uint8_t *source, int h, int w, float range[2]) {
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (int i = 0; i < pass->h * pass->w; i++) {
        double values[3];
        cs_sample_warp(pass, source, h, w, i % pass->w, i / pass->w, values);
        for (int c = 0; c < 3; c++) {
            range[0] = fminf(range[0], (float)values[c]);
            range[1] = fmaxf(range[1], (float)values[c]);
        }
    }
}

static cs_pass_facts facts_of(const cs_pass *pass, const uint8_t *source, int h, int w) {
    cs_pass_facts facts = {{0, 0}};
    cs_histogram histogram = {0};
    if (cs_pass_needs(pass) == CS_FACTS_RANGE)
        find_range(pass, source, h, w, facts.range);
    if (cs_pass_needs(pass) != CS_FACTS_HISTOGRAM)
        return facts;
    for (const uint8_t *rgb = source; rgb < source + (ptrdiff_t)h * w * 3; rgb += 3) {
        for (int c = 0; c < 3; c++)
            histogram.count[c][rgb[c]]++;
        histogram.count[3][cs_sample_grey(rgb[0], rgb[1], rgb[2])]++;
    }
    for (int c = 0; c < 3; c++)
        cs_sample_facts(pass, &histogram, (int64_t)h * w, c, &facts);
    return facts;
}

/* Returns the image, sweep by sweep and pixel by pixel, in new memory. */
static uint8_t *make_by_pixels(const cs_picture *picture, const uint8_t *pixels) {
    int h = picture->h, w = picture->w;
    uint8_t *source = image_of(h, w);
    memcpy(source, pixels, (size_t)h * (size_t)w * 3);
    for (int begin = 0, end; begin < picture->n; begin = end) {
        const cs_pass *first = &picture->passes[begin];
        const cs_pass_facts facts = facts_of(first, source, h, w);
        uint8_t *made = image_of(first->h, first->w);
        end = cs_picture_sweep(picture, begin);
        for (int i = 0; i < first->h * first->w; i++) {
            const int x = i % first->w, y = i / first->w;
            cs_sample_first(first, &facts, source, h, w, x, y, made + (ptrdiff_t)3 * i);
            for (int k = begin + 1; k < end; k++)
                cs_sample_point(&picture->passes[k], &facts, x, y, made + (ptrdiff_t)3 * i);
        }
        free(source);
        source = made;
        h = first->h;
        w = first->w;
    }
    return source;
}

static void lines_have_the_pixels_of_the_definition(void **state) {
    (void)state;
    cs_augment_scratch scratch = {0};
    for (uint32_t i = 0; i < PICTURES; i++) {
        cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, i);
        const int most = i % 5 ? 40 : 200, h = 1 + below(&rng, most), w = 1 + below(&rng, most);
        uint8_t *pixels = image_of(h, w), *wanted;
        const uint8_t *made;
        cs_picture picture;
        int made_h, made_w;
        fill(&rng, h, w, pixels);
        cs_picture_init(&picture, h, w);
        for (int k = 1 + below(&rng, MOST_PASSES); k > 0; k--)
            add_pass(&rng, &picture);
        assert_ok(cs_augment_apply(&picture, pixels, &scratch, &made));
        wanted = make_by_pixels(&picture, pixels);
        cs_picture_size(&picture, &made_h, &made_w);
        for (int k = 0; k < made_h * made_w * 3; k++)
            if (made[k] != wanted[k])
                fail_msg("picture %u: value %d of %d x %d pixels is %d, wanted %d", i, k, made_h, made_w, made[k],
                         wanted[k]);
        free(pixels);
        free(wanted);
    }
    cs_augment_scratch_clear(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_pixels_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
