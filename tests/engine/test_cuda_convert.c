/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between types, and pixels as the loader makes them. */
#include "augments.h"
#include "tensors.h"

#include "cnnsweep/augment.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 5, W = 7, VALUES = H * W * 3 };

/* The number of the type that is nearest to x, ties to even, by definition: the type has `digits` binary digits,
 * the last of which is worth at least 2^smallest. */
static double nearest(double x, cu_type type) {
    const int digits = type == CU_BF16 ? 8 : 11, smallest = type == CU_BF16 ? -133 : -24;
    const double largest = type == CU_BF16 ? 0x1.FEp127 : 65504;
    int exponent;
    if (x == 0 || isinf(x) || isnan(x))
        return x;
    (void)frexp(x, &exponent);
    int last = exponent - digits > smallest ? exponent - digits : smallest;
    double rounded = ldexp(rint(ldexp(x, -last)), last);
    return fabs(rounded) > largest ? copysign(HUGE_VAL, x) : rounded;
}

/* Tests numbers halfway between neighbours, near such numbers, and at the limits of the range. */
static void every_kind_of_float_rounds_to_the_nearest(void **state) {
    (void)state;
    static const uint32_t low[] = {0,      1,      0xfff,  0x1000, 0x1001,  0x2000,
                                   0x3000, 0x7fff, 0x8000, 0x8001, 0x17fff, 0x18000};
    enum { LOW = sizeof low / sizeof *low };
    for (uint32_t high = 0; high < 0x10000; high += 2)
        for (int type = CU_BF16; type <= CU_F16; type++) {
            float x[LOW], back[LOW];
            uint16_t y[LOW];
            for (int i = 0; i < LOW; i++) {
                uint32_t bits = (high << 16) + low[i];
                memcpy(&x[i], &bits, sizeof bits);
            }
            cu_k_from_float(NULL, type, LOW, x, y);
            cu_k_to_float(NULL, type, LOW, y, back);
            for (int i = 0; i < LOW; i++) {
                float want = (float)nearest((double)x[i], type);
                if (isnan(want) ? !isnan(back[i]) : memcmp(&want, &back[i], sizeof want) != 0)
                    fail_msg("type %d: %a gives %a instead of %a", type, (double)x[i], (double)back[i], (double)want);
            }
        }
}

static void every_half_survives_a_conversion_to_float(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++)
        for (int type = CU_BF16; type <= CU_F16; type++) {
            uint16_t x = (uint16_t)bits, back;
            float value;
            cu_k_to_float(NULL, type, 1, &x, &value);
            cu_k_from_float(NULL, type, 1, &value, &back);
            assert_true(isnan(value) || back == x);
        }
}

static void halves_have_the_values_of_ieee_754(void **state) {
    (void)state;
    static const struct {
        uint16_t bits;
        float value;
    } rows[] = {{0x0001, 0x1p-24f},   {0x03ff, 0x3ffp-24f}, {0x0400, 0x1p-14f}, {0x3c00, 1},
                {0x3555, 0x555p-12f}, {0xc000, -2},         {0x7bff, 65504},    {0xfc00, -INFINITY}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float value;
        cu_k_to_float(NULL, CU_F16, 1, &rows[i].bits, &value);
        if (value != rows[i].value)
            fail_msg("%04x is %a instead of %a", rows[i].bits, (double)value, (double)rows[i].value);
    }
}

static void conversions_need_no_alignment(void **state) {
    (void)state;
    for (int type = 0; type < ALL_TYPES; type++)
        for (size_t count = 1; count < 70; count += count < 20 ? 1 : 7) {
            tensor x = tensor_of(type, count + 1, count, 0);
            float values[72];
            for (size_t from = 0; from < 2; from++) {
                cu_k_to_float(NULL, type, count, (char *)x.data + from * cu_type_size(type), values);
                for (size_t i = 0; i < count; i++)
                    assert_true((double)values[i] == x.exact[from + i]);
            }
            tensor_free(&x);
        }
}

enum { MAPS = 8, PICTURES = 8 * MAPS };

/* Passes that look at neighbours, farther than the image reaches; that fill a part of it; and that add noise. */
static void set_local(cs_pass *pass, int i) {
    const cs_box box = {-1, i % 3, 4 + i % 4, W - 3}, corner = {H - 1, W - 2, 1, 2};
    switch (pass->kind) {
    case CS_PASS_BLUR:
        pass->blur = (cs_blur){.across = i % 12, .down = (i + 5) % 12, .black_edges = i % 7 < 3};
        for (int k = 0; k < 2 * CS_BLUR_RADIUS + 1; k++) {
            pass->blur.weight_across[k] = 0.3f / (float)(1 + k);
            pass->blur.weight_down[k] = 0.9f / (float)(2 + k);
        }
        break;
    case CS_PASS_KERNEL:
        pass->kernel = (cs_kernel){2, {{i % 17 - 8, 5 - i % 9, 0.3f}, {1 - i % 3, i % 2, 0.6f}}};
        break;
    case CS_PASS_PATCHES:
        pass->patches = (cs_patches){.n = 2,
                                     .boxes = {box, corner},
                                     .value = {{1, 2, 3}, {(uint8_t)i, 5, 6}},
                                     .random = i % 3 == 0,
                                     .key = 0xfedcba98u + (unsigned)i};
        break;
    case CS_PASS_GRID:
        pass->grid = (cs_grid){.warp = {.fill = (cs_fill)(i % CS_FILL_COUNT), .fill_value = {1, 2, 3}},
                               .across = {3, 2, {i - 2, 4.5, 9}, {1.3, 0.7}},
                               .down = {1 + i % 4, 3, {-1, 2.2, 3, 5}, {0.3, 0, -0.5}}};
        pass->grid.warp.nearest = i % 5 == 0;
        break;
    case CS_PASS_NOISE:
        pass->noise = (cs_noise){.key = 0xfedcba98u + (unsigned)i, .box = box, .is_grey = i % 4 == 0};
        cs_noise_normal(3.0 * (i % 20), pass->noise.table);
        break;
    default:
        break;
    }
}

/* Adds up to five passes, of all kinds, in another order for each i. */
static void add_passes(cs_picture *picture, int i) {
    for (int k = 0; k < i % 6; k++) {
        const cs_pass_kind kind = (cs_pass_kind)((i + 2 * k + k * k) % CS_PASS_KINDS);
        if (kind == CS_PASS_JPEG || kind == CS_PASS_CLAHE) /* which only the host can do */
            continue;
        cs_pass *pass = cs_picture_add(picture, kind);
        if (pass->kind == CS_PASS_WARP)
            pass->warp = (cs_warp){.map = {{0.9, 0.2, -0.7}, {-0.3, 1.1, 0.4}, {i % 3 ? 0 : 0.01, 0, 1}},
                                   .sampling = (cs_sampling)(i % CS_SAMPLING_COUNT),
                                   .fill = (cs_fill)(i / CS_SAMPLING_COUNT % CS_FILL_COUNT),
                                   .fill_value = {1, 2, 3},
                                   .nearest = i % 5 == 0 || i % CS_SAMPLING_COUNT == CS_SAMPLING_PILLOW_FIXED,
                                   .resizes = i % 8 == 3,
                                   .mirror_x = i % 2};
        else if (pass->kind == CS_PASS_LEVELS)
            memset(pass->level, 7 * i, sizeof pass->level / 2);
        else if (pass->kind == CS_PASS_HSV)
            for (int v = 0; v < 256; v++) {
                pass->level[0][v] = (uint8_t)((v + 11 * i) % 180);
                pass->level[1][v] = (uint8_t)(v - v * (i % 3) / 3);
                pass->level[2][v] = (uint8_t)(255 - v);
            }
        else if (pass->kind == CS_PASS_CURVE)
            pass->curve = (cs_curve){(cs_curve_kind)(i % CS_CURVE_KINDS), 256 - i};
        else if (pass->kind == CS_PASS_BLEND)
            pass->blend = (cs_blend){(cs_blend_base)(i % 3), 0.3f * (float)(k + i % 5)};
        else if (pass->kind == CS_PASS_DEGENERATION || pass->kind == CS_PASS_SHARPNESS_KERAS ||
                 pass->kind == CS_PASS_SHARPNESS)
            pass->factor = 0.3f * (float)(k + i % 5);
        else if (pass->kind == CS_PASS_JITTER)
            pass->jitter = (cs_jitter){(float)(10 * k - 7), i % 4 ? 0.5f + 0.3f * (float)k : 1, i % 3 ? 1.7f : 1,
                                       i % 2 ? 255 : 1, i % 5 ? 0.2f * (float)k : 0};
        else if (pass->kind == CS_PASS_HUE)
            pass->turn = 11 * i;
        else if (pass->kind == CS_PASS_RESAMPLE)
            pass->box = (cs_box){i % 2, i % 3, H - 1 - i % 3, W - 2 - i % 4};
        else
            set_local(pass, i);
    }
}

/* Makes pictures of every kind: unchanged, mirrored, with other colours, with both, and with maps to points between
 * pixels and outside the image; with every adjustment, fill and kind of sampling. */
static void make_pictures(cs_picture pictures[PICTURES]) {
    static const double none[2][3] = {{1, 0, 0}, {0, 1, 0}}, columns[2][3] = {{-1, 0, W - 1}, {0, 1, 0}},
                        lines[2][3] = {{1, 0, 0}, {0, -1, H - 1}}, turned[2][3] = {{0.8, -0.6, 1.7}, {0.6, 0.8, -2}},
                        shifted[2][3] = {{1, 0, 2.5}, {0, 1, -1.5}}, swapped[2][3] = {{0, 1, 0}, {1, 0, 0}},
                        far[2][3] = {{1, 0, -1e9}, {0, 3.3, 1e9}};
    const double(*maps[MAPS])[3] = {none, columns, lines, turned, shifted, swapped, far, columns};
    for (int i = 0; i < PICTURES; i++) {
        cs_rng bytes = cs_rng_at(3, CS_PURPOSE_TEST, 2, (uint32_t)i);
        uint8_t table[256];
        for (int v = 0; v < 256; v++)
            table[v] = (uint8_t)cs_rng_below(&bytes, 256);
        cs_picture *picture = &pictures[i];
        cs_picture_init(picture, H, W);
        picture->settings.fill = (cs_fill)((i + i / MAPS) % CS_FILL_COUNT);
        picture->settings.nearest = (i + i / MAPS) % 3 == 0;
        for (int c = 0; c < 3; c++)
            picture->settings.fill_value[c] = 33;
        picture->settings.adjustment = (cs_adjustment){.shifts = i / MAPS & 1,
                                                       .shift = 1.7f * (float)i - 50,
                                                       .stretches = i / MAPS & 2,
                                                       .truncates = i / MAPS & 4};
        if (maps[i % MAPS] != none || i >= MAPS)
            cs_picture_move(picture, maps[i % MAPS]);
        if (i == MAPS - 1)
            cs_picture_move(picture, lines);
        if (i % 5 == 0)
            cs_picture_mirror(picture, i % 2, true);
        if (i % 2 == 0 && i > 0)
            cs_picture_recolour(picture, table);
        if (i >= MAPS)
            add_passes(picture, i);
    }
    for (int v = 0; v < 256; v++) /* channels may differ */
        pictures[2].passes[1].level[1][v] = (uint8_t)(255 - v);
}

/* What a picture needs on the device, where this test has it on the host. */
typedef struct kernel_memory {
    cs_pass_facts facts;
    uint8_t made[2][VALUES];
} kernel_memory;

/* A picture in the form that the kernels read. */
static cu_picture for_kernel(const cs_picture *picture, const uint8_t *image, kernel_memory *memory) {
    cu_picture row = {
        .image = image, .passes = picture->passes, .facts = &memory->facts, .made = {memory->made[0], memory->made[1]}};
    cu_picture_set_sweeps(&row, picture);
    return row;
}

static uint8_t images[PICTURES][VALUES];
static cs_picture pictures[PICTURES];

/* Makes random images and all pictures of them, in the form that the kernels read. */
static void make_rows(cu_picture rows[PICTURES]) {
    static kernel_memory memory[PICTURES];
    cs_rng bytes = cs_rng_at(3, CS_PURPOSE_TEST, 1, 0);
    make_pictures(pictures);
    for (int row = 0; row < PICTURES; row++) {
        for (int i = 0; i < VALUES; i++)
            images[row][i] = (uint8_t)cs_rng_below(&bytes, 256);
        rows[row] = for_kernel(&pictures[row], images[row], &memory[row]);
    }
}

static void run_sweeps(const cu_picture rows[PICTURES]) {
    for (int sweep = 0; sweep < CS_PICTURE_PASSES; sweep++) {
        cu_k_sweep_facts(NULL, PICTURES, H, W, sweep, rows);
        cu_k_sweep(NULL, PICTURES, H, W, sweep, rows);
    }
}

static void pixels_equal_the_loader_bit_for_bit(void **state) {
    (void)state;
    static uint8_t made[VALUES];
    cu_picture rows[PICTURES];
    float got[PICTURES * VALUES];
    make_rows(rows);
    for (int kind = CS_PREPROCESS_TF; kind <= CS_PREPROCESS_RAW_IMAGENET; kind++) {
        cs_preprocess how = cs_preprocess_of((cs_preprocess_kind)kind);
        run_sweeps(rows);
        cu_k_pixels(NULL, CU_F32, PICTURES, H, W, rows, false, &how, got);
        for (int row = 0; row < PICTURES; row++) {
            test_augment_apply(&pictures[row], images[row], made);
            for (int i = 0; i < VALUES; i++) {
                int c = i % 3, from = how.bgr ? i - c + 2 - c : i;
                float want = (float)made[from] * how.multiply[c];
                want += how.add[c];
                if (memcmp(&got[row * VALUES + i], &want, sizeof want) != 0)
                    fail_msg("picture %d, value %d: %g instead of %g", row, i, (double)got[row * VALUES + i],
                             (double)want);
            }
        }
    }
}

/* Each picture but the first two is mixed with another one; the last of them is no row of the result. */
static void mixed_pixels_equal_the_loader_bit_for_bit(void **state) {
    (void)state;
    enum { ROWS = PICTURES - 1 };
    cu_picture rows[PICTURES];
    static float plain[PICTURES * VALUES], got[ROWS * VALUES], want[VALUES];
    const cs_preprocess how = cs_preprocess_of(CS_PREPROCESS_TORCH);
    make_rows(rows);
    run_sweeps(rows);
    cu_k_pixels(NULL, CU_F32, PICTURES, H, W, rows, false, &how, plain);
    for (int row = 2; row < ROWS; row++) {
        rows[row].partner = &rows[PICTURES + 1 - row];
        rows[row].mixed = (cs_mixed){row % 3, row % 2, W - row % 4, H - row % 3, .image = 0.13f * (float)(row % 7)};
    }
    cu_k_pixels(NULL, CU_F32, ROWS, H, W, rows, true, &how, got);
    for (int row = 0; row < ROWS; row++) {
        const float *own = plain + (size_t)row * VALUES;
        const float *partner = row < 2 ? own : plain + (size_t)(PICTURES + 1 - row) * VALUES;
        cs_mix_images(&rows[row].mixed, H, W, own, partner, want);
        assert_memory_equal(got + (size_t)row * VALUES, want, sizeof want);
    }
}

static void pixels_of_any_type_are_rounded_from_fp32(void **state) {
    (void)state;
    uint8_t image[VALUES];
    cs_preprocess how = cs_preprocess_of(CS_PREPROCESS_TORCH);
    float exact[VALUES];
    uint16_t got[VALUES], want[VALUES];
    for (int i = 0; i < VALUES; i++)
        image[i] = (uint8_t)(i * 2);
    make_pictures(pictures);
    static kernel_memory memory;
    const cu_picture row = for_kernel(&pictures[2], image, &memory);
    assert_int_equal(row.sweeps, 1);
    cu_k_pixels(NULL, CU_F32, 1, H, W, &row, false, &how, exact);
    for (int type = CU_BF16; type <= CU_F16; type++) {
        cu_k_from_float(NULL, type, VALUES, exact, want);
        cu_k_pixels(NULL, type, 1, H, W, &row, false, &how, got);
        assert_memory_equal(got, want, sizeof want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_float_rounds_to_the_nearest),
        cmocka_unit_test(every_half_survives_a_conversion_to_float),
        cmocka_unit_test(halves_have_the_values_of_ieee_754),
        cmocka_unit_test(conversions_need_no_alignment),
        cmocka_unit_test(pixels_equal_the_loader_bit_for_bit),
        cmocka_unit_test(mixed_pixels_equal_the_loader_bit_for_bit),
        cmocka_unit_test(pixels_of_any_type_are_rounded_from_fp32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
