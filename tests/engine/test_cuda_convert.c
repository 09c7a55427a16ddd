/* Conversions, and pixels as the loader makes them. */
#include "tensors.h"

#include "cnnsweep/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 5, W = 7, BATCH = 6, VALUES = H * W * 3 };

/* The number of the type nearest to x, of two the even one, by its definition: `digits` binary digits, and the
 * smallest power of two of the last. */
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

/* Halfway between neighbours, beside it, and at the ends of what there is. */
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

static void every_half_comes_back(void **state) {
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

static void halves_are_what_ieee_says(void **state) {
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

static void conversions_reach_every_value_wherever_it_lies(void **state) {
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

/* What augmentation draws, put the way the kernel is told. */
static cs_picture picture_of(const cs_augment *augment, cs_rng rng) {
    float horizontal = cs_rng_float(&rng), vertical = cs_rng_float(&rng), level = cs_rng_float(&rng);
    const float *range = augment->brightness_range;
    return (cs_picture){.horizontal_flip = augment->horizontal_flip && horizontal < 0.5f,
                        .vertical_flip = augment->vertical_flip && vertical < 0.5f,
                        .brightness = range[0] != 0 ? range[0] + (range[1] - range[0]) * level : 1};
}

static void check_pixels(const cs_augment *augment, cs_preprocess_kind kind) {
    static uint8_t images[BATCH][VALUES], augmented[VALUES], scratch[W * 3];
    const uint8_t *rows[BATCH];
    cs_picture pictures[BATCH];
    float got[BATCH * VALUES];
    cs_preprocess how = cs_preprocess_of(kind);
    cs_rng bytes = cs_rng_at(3, CS_PURPOSE_TEST, 1, 0);
    for (int row = 0; row < BATCH; row++) {
        for (int i = 0; i < VALUES; i++)
            images[row][i] = (uint8_t)cs_rng_below(&bytes, 256);
        rows[row] = images[row];
        pictures[row] = picture_of(augment, cs_rng_at(1, CS_PURPOSE_AUGMENT, 2, (uint32_t)row));
    }
    cu_k_pixels(NULL, CU_F32, BATCH, H, W, rows, pictures, &how, got);
    for (int row = 0; row < BATCH; row++) {
        cs_rng rng = cs_rng_at(1, CS_PURPOSE_AUGMENT, 2, (uint32_t)row);
        memcpy(augmented, images[row], VALUES);
        cs_augment_apply(augment, &rng, augmented, H, W, scratch);
        for (int i = 0; i < VALUES; i++) {
            int c = i % 3, from = how.bgr ? i - c + 2 - c : i;
            float want = (float)augmented[from] * how.multiply[c];
            want += how.add[c];
            assert_memory_equal(&got[row * VALUES + i], &want, sizeof want);
        }
    }
}

static void pixels_are_those_of_the_loader_bit_for_bit(void **state) {
    (void)state;
    static const cs_augment augments[] = {{0},
                                          {.horizontal_flip = true},
                                          {.vertical_flip = true},
                                          {.brightness_range = {0.5f, 0.7f}},
                                          {true, true, {0.6f, 1.9f}}};
    for (size_t a = 0; a < sizeof augments / sizeof *augments; a++)
        for (int kind = CS_PREPROCESS_TF; kind <= CS_PREPROCESS_RAW_IMAGENET; kind++)
            check_pixels(&augments[a], kind);
}

static void pixels_of_any_type_are_those_of_fp32_rounded(void **state) {
    (void)state;
    uint8_t image[VALUES];
    const uint8_t *images[1] = {image};
    cs_picture picture = {.brightness = 1.3f};
    cs_preprocess how = cs_preprocess_of(CS_PREPROCESS_TORCH);
    float exact[VALUES];
    uint16_t got[VALUES], want[VALUES];
    for (int i = 0; i < VALUES; i++)
        image[i] = (uint8_t)(i * 2);
    cu_k_pixels(NULL, CU_F32, 1, H, W, images, &picture, &how, exact);
    for (int type = CU_BF16; type <= CU_F16; type++) {
        cu_k_from_float(NULL, type, VALUES, exact, want);
        cu_k_pixels(NULL, type, 1, H, W, images, &picture, &how, got);
        assert_memory_equal(got, want, sizeof want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_float_rounds_to_the_nearest),
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(halves_are_what_ieee_says),
        cmocka_unit_test(conversions_reach_every_value_wherever_it_lies),
        cmocka_unit_test(pixels_are_those_of_the_loader_bit_for_bit),
        cmocka_unit_test(pixels_of_any_type_are_those_of_fp32_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
