/* SPDX-License-Identifier: Apache-2.0 */
/* Filters against OpenCV and scikit-image, on images of several sizes; chains as text. */
#include "fixture.h"

#include "cnnsweep/filter.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How an image looks that a filter is tried on. COLOURS has many different ones; FLAT has one; BLACK is black. */
typedef enum look { NOISE, PHOTO, DISC, FLAT, BLACK, COLOURS, LOOKS } look;

static double clip(double value) {
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* A dark spot with a soft edge on a bright ground that is not even, with some noise, and thin dark lines. */
static double photo_at(int h, int w, int y, int x, int c, cs_rng *rng) {
    double dx = (x - 0.45 * w) / (0.3 * w), dy = (y - 0.55 * h) / (0.27 * h), r = dx * dx + dy * dy;
    double spot = r < 0.8 ? 1 : r > 1.2 ? 0 : (1.2 - r) / 0.4;
    double photo = 190 - 25 * c + 30.0 * x / w - 90 * spot + cs_rng_below(rng, 16);
    bool is_line = (x + 2 * y) % 41 == 0 || (3 * x - y + 400) % 67 == 0;
    return clip(is_line ? photo - 60 : photo);
}

/* That in a disc, which the upper edge cuts off, on black ground. */
static double disc_at(int h, int w, int y, int x, int c, cs_rng *rng) {
    double dx = x - 0.5 * w, dy = y - 0.4 * h, photo = photo_at(h, w, y, x, c, rng);
    return dx * dx + dy * dy < 0.2 * w * w ? photo : cs_rng_below(rng, 4);
}

static double value_at(look how, int h, int w, int y, int x, int c, cs_rng *rng) {
    const uint32_t colour = (uint32_t)(y * w + x) * 4999u;
    switch (how) {
    case PHOTO:
        return photo_at(h, w, y, x, c, rng);
    case DISC:
        return disc_at(h, w, y, x, c, rng);
    case FLAT:
        return 90 + 20 * c;
    case BLACK:
        return 0;
    case COLOURS:
        return colour >> (8 * c) & 255;
    case NOISE:
    case LOOKS:
        break;
    }
    return cs_rng_below(rng, 256);
}

static void draw(cs_image *image, look how, uint32_t salt) {
    cs_rng rng = cs_rng_at(11, CS_PURPOSE_TEST, how, salt);
    uint8_t *value = image->pixels;
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++)
            for (int c = 0; c < 3; c++)
                *value++ = (uint8_t)value_at(how, image->h, image->w, y, x, c, &rng);
}

static void parse(const char *text, cs_filter_chain *chain) {
    assert_ok(cs_filter_parse(text, chain));
}

static void write_image(FILE *file, const cs_image *image) {
    const int32_t size[] = {image->h, image->w};
    fwrite(size, sizeof size, 1, file);
    fwrite(image->pixels, 3, (size_t)image->h * (size_t)image->w, file);
}

/* Writes the filter's text, the image before it and the image after it. */
static void write_case(FILE *file, cs_filter_scratch *scratch, const char *text, look how, int h, int w) {
    char name[CS_FILTER_TEXT] = "";
    cs_filter_chain chain;
    cs_image image = {0};
    parse(text, &chain);
    assert_ok(cs_image_reserve(&image, h, w));
    draw(&image, how, (uint32_t)(h * 1000 + w));
    snprintf(name, sizeof name, "%s", text);
    fwrite(name, sizeof name, 1, file);
    write_image(file, &image);
    assert_ok(cs_filter_apply(&chain, scratch, &image));
    write_image(file, &image);
    cs_image_clear(&image);
}

/* Each filter, with its defaults and with other parameters. */
static const char *const tried[] = {
    "gaussian",
    "gaussian:sigma=0.4",
    "gaussian:sigma=7.5",
    "median",
    "median:size=9",
    "bilateral",
    "bilateral:diameter=5:sigma_color=20:sigma_space=2",
    "unsharp",
    "unsharp:amount=1.5:sigma=1.2",
    "sobel",
    "sobel:amount=1",
    "sobel:amount=0.3",
    "nl_means",
    "nl_means:h=12:patch=5:search=9",
    "clahe",
    "clahe:clip_limit=0.5:tiles=3",
    "clahe:clip_limit=40:tiles=2",
    "gray_world",
    "hair_removal",
    "hair_removal:kernel=rect:size=9:threshold=20:radius=3",
    "fundus",
    "fundus:amount=2:scale=10:keep=2:black=20",
    "otsu",
    "otsu:region=bright:margin=0",
    "otsu:keep=mask",
    "otsu:keep=mask:region=bright:margin=0:min_area=0.5",
};

/* The filters that find a contour, on images that have a region. */
static const char *const contours[] = {
    "chan_vese:keep=mask:margin=0",
    "chan_vese:keep=mask:margin=0:region=bright:mu=0.1:iterations=50:size=64",
};

static void filters_agree_with_opencv_and_scikit_image(void **state) {
    (void)state;
    static const int sizes[][2] = {{96, 128}, {61, 47}, {150, 200}, {5, 7}, {2, 9}};
    const char *path = fixture_path("filters.bin");
    cs_filter_scratch *scratch = NULL;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_ok(cs_filter_scratch_open(&scratch));
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (look how = 0; how < COLOURS; how++)
                write_case(file, scratch, tried[i], how, sizes[s][0], sizes[s][1]);
    write_case(file, scratch, "clahe", COLOURS, 512, 512);
    for (size_t i = 0; i < sizeof contours / sizeof *contours; i++)
        for (size_t s = 0; s < 3; s++)
            for (look how = PHOTO; how <= DISC; how++)
                write_case(file, scratch, contours[i], how, sizes[s][0], sizes[s][1]);
    cs_filter_scratch_close(scratch);
    assert_int_equal(fclose(file), 0);
    fixture_run_reference("reference_filter.py", path);
}

static void every_filter_is_compared(void **state) {
    (void)state;
    int n;
    const cs_filter *filters = cs_filters(&n);
    for (int f = 0; f < n; f++) {
        bool found = false;
        for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
            found |= strcmp(tried[i], filters[f].name) == 0;
        found |= strcmp(filters[f].name, "chan_vese") == 0;
        if (!found)
            fail_msg("%s is not compared with a reference", filters[f].name);
    }
}

static void equal_chains_have_equal_texts(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"none", "none"},
        {"median", "median"},
        {"median:size=3", "median"},
        {"median:5", "median:size=5"},
        {"otsu:bright:keep=crop", "otsu:region=bright"},
        {"gaussian:sigma=1.50", "gaussian:sigma=1.5"},
        {"unsharp:sigma=3:amount=2", "unsharp:amount=2:sigma=3"},
        {"unsharp:amount=7:amount=1", "unsharp"},
        {"median:size=5,gray_world,gaussian:sigma=1e0", "median:size=5,gray_world,gaussian"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cs_filter_chain chain, again;
        parse(texts[i][0], &chain);
        assert_string_equal(cs_filter_text(&chain), texts[i][1]);
        parse(cs_filter_text(&chain), &again);
        assert_memory_equal(&chain, &again, sizeof chain);
    }
    assert_string_equal(cs_filter_text(&(cs_filter_chain){0}), "none");
}

static void wrong_chains_are_refused(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"medain", "did you mean 'median'?"},
        {"", "unknown filter ''"},
        {"median,", "unknown filter ''"},
        {"none,median", "unknown filter 'none'"},
        {"median:sise=3", "did you mean 'size'?"},
        {"median:3:5", "'5' is no parameter"},
        {"median:4", "median: size is '4'"},
        {"gray_world:4", "gray_world: '4' is no parameter"},
        {"hair_removal:kernel=squre", "kernel is 'squre'; it takes cross or rect"},
        {"median:size=4", "median: size is '4'; it takes an odd number from 3 to 31"},
        {"median:size=33", "odd number from 3 to 31"},
        {"gaussian:sigma=0", "sigma is '0'; it takes a number from 0.1 to 100"},
        {"gaussian:sigma=1x", "sigma is '1x'"},
        {"gaussian:sigma=nan", "sigma is 'nan'"},
        {"gray_world:size=3", "gray_world has no parameter 'size'"},
        {"median,median,median,median,median,median,median,median,median", "more than 8 filters"},
    };
    char longest[2 * CS_FILTER_TEXT];
    cs_filter_chain chain;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(cs_filter_parse(wrong[i][0], &chain), CS_ERR_ARG, wrong[i][1]);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_fails(cs_filter_parse(longest, &chain), CS_ERR_ARG, "longer than 255 characters");
}

static void a_chain_applies_its_filters_in_order(void **state) {
    (void)state;
    static const char *const texts[] = {"median:size=5,unsharp", "unsharp,median:size=5"};
    cs_filter_scratch *scratch = NULL;
    cs_image images[3] = {{0}};
    assert_ok(cs_filter_scratch_open(&scratch));
    for (int i = 0; i < 3; i++) {
        cs_filter_chain chain;
        assert_ok(cs_image_reserve(&images[i], 20, 30));
        draw(&images[i], NOISE, 1);
        if (i == 2) {
            parse("median:size=5", &chain);
            assert_ok(cs_filter_apply(&chain, scratch, &images[i]));
            parse("unsharp", &chain);
        } else
            parse(texts[i], &chain);
        assert_ok(cs_filter_apply(&chain, scratch, &images[i]));
    }
    assert_memory_equal(images[0].pixels, images[2].pixels, 20 * 30 * 3);
    assert_memory_not_equal(images[0].pixels, images[1].pixels, 20 * 30 * 3);
    for (int i = 0; i < 3; i++)
        cs_image_clear(&images[i]);
    cs_filter_scratch_close(scratch);
}

static void an_image_without_a_region_stays_whole_and_is_counted(void **state) {
    (void)state;
    static const char *const texts[] = {"otsu", "otsu:keep=mask", "chan_vese", "fundus", "otsu:min_area=1"};
    cs_filter_scratch *scratch = NULL;
    assert_ok(cs_filter_scratch_open(&scratch));
    for (int64_t i = 0; i < (int64_t)(sizeof texts / sizeof *texts); i++) {
        cs_filter_chain chain;
        cs_image image = {0}, before = {0};
        parse(texts[i], &chain);
        assert_ok(cs_image_reserve(&image, 20, 30));
        assert_ok(cs_image_reserve(&before, 20, 30));
        look how = strstr(texts[i], "min_area") ? PHOTO : BLACK;
        draw(&image, how, 1);
        draw(&before, how, 1);
        assert_int_equal(cs_filter_not_found(scratch), i);
        assert_ok(cs_filter_apply(&chain, scratch, &image));
        assert_int_equal(cs_filter_not_found(scratch), i + 1);
        assert_int_equal(image.h * 100 + image.w, 2030);
        assert_memory_equal(image.pixels, before.pixels, 20 * 30 * 3);
        cs_image_clear(&image);
        cs_image_clear(&before);
    }
    cs_filter_scratch_close(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_without_a_region_stays_whole_and_is_counted),
        cmocka_unit_test(filters_agree_with_opencv_and_scikit_image),
        cmocka_unit_test(every_filter_is_compared),
        cmocka_unit_test(equal_chains_have_equal_texts),
        cmocka_unit_test(wrong_chains_are_refused),
        cmocka_unit_test(a_chain_applies_its_filters_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
