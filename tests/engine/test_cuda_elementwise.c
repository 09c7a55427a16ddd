/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels without windows: elementwise operations, gates, dropout. */
#include "tensors.h"

#include "cnnsweep/random.h"
#include "engine_impl.h"
#include "ref/ref.h"

#include <string.h>

/* Numbers of channels that fill packs of every type, of fp32 alone, and of no type. The last one has more packs than a
 * block processes in a row. */
static const int channel_counts[] = {1, 3, 5, 7, 8, 12, 64, 296};
enum { CHANNEL_COUNTS = sizeof channel_counts / sizeof *channel_counts, BATCH = 3, AREA = 35, PIXELS = BATCH * AREA };

/* Called for every type and number of channels, with and without `add`. */
typedef void each_function(cu_type type, int channels, bool add);
static void each(each_function *check) {
    for (int t = 0; t < ALL_TYPES; t++)
        for (int c = 0; c < CHANNEL_COUNTS; c++)
            for (int add = 0; add < 2; add++)
                check(all_types[t], channel_counts[c], add);
}

static const cs_activation activations[] = {CS_ACT_LINEAR, CS_ACT_RELU, CS_ACT_RELU6, CS_ACT_SWISH, CS_ACT_SIGMOID};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

/* x*scale + shift in each channel; scale and shift may be NULL. */
static double *scaled(const tensor *x, const tensor *scale, const tensor *shift, size_t channels) {
    double *z = doubles(x->count);
    for (size_t i = 0; i < x->count; i++)
        z[i] = x->exact[i] * (scale ? scale->exact[i % channels] : 1) + (shift ? shift->exact[i % channels] : 0);
    return z;
}

/* dy * slope at z * scale. */
static double *scaled_gradient(cs_activation activation, const double *z, const tensor *dy, const tensor *scale,
                               size_t channels) {
    double *gradient = doubles(dy->count), *after = doubles(dy->count);
    memcpy(gradient, dy->exact, dy->count * sizeof *gradient);
    memcpy(after, z, dy->count * sizeof *after);
    cs_ref_activate(activation, dy->count, after);
    cs_ref_activation_slope(activation, dy->count, z, after, gradient);
    for (size_t i = 0; scale && i < dy->count; i++)
        gradient[i] *= scale->exact[i % channels];
    free(after);
    return gradient;
}

static void check_scale(cu_type type, int channels, bool add) {
    const size_t c = (size_t)channels, count = PIXELS * c;
    for (int a = 0; a < ACTIVATIONS; a++) {
        tensor x = tensor_of(type, count, 1, 9), dy = tensor_of(type, count, 2, 0), dx = tensor_of(type, count, 3, 0);
        tensor scale = tensor_of(CU_F32, c, 4, 0), shift = tensor_of(CU_F32, c, 5, 0);
        tensor y = tensor_of(type, count, 6, 0);
        double *z = scaled(&x, &scale, &shift, c);
        double *gradient = scaled_gradient(activations[a], z, &dy, &scale, c);
        cu_k_scale(NULL, type, PIXELS, channels, scale.data, shift.data, activations[a], x.data, y.data);
        cu_k_scale_backward(NULL, type, PIXELS, channels, scale.data, shift.data, activations[a], x.data, dy.data,
                            dx.data, add);
        cs_ref_activate(activations[a], count, z);
        assert_result(&y, z, false, "scale");
        assert_result(&dx, gradient, add, "scale backward");
        tensor *all[] = {&x, &dy, &dx, &scale, &shift, &y};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            tensor_free(all[i]);
        free(z);
        free(gradient);
    }
}

static void scale_multiplies_adds_and_activates(void **state) {
    (void)state;
    each(check_scale);
}

/* Tests the rows that take part, with and without an image that is added before the activation. The others must be
 * 0. */
static void check_scale_rows(cu_type type, int channels, bool with_residual) {
    const size_t c = (size_t)channels, row = 5 * c, count = 4 * row, active = 3 * row;
    const cu_step step = {.n = 3};
    tensor x = tensor_of(type, count, 1, 0), r = tensor_of(type, count, 2, 0), y = tensor_of(type, count, 3, 0);
    tensor scale = tensor_of(CU_F32, c, 4, 0), shift = tensor_of(CU_F32, c, 5, 0);
    double *want = scaled(&x, &scale, &shift, c);
    for (size_t i = 0; with_residual && i < count; i++)
        want[i] += r.exact[i];
    cs_ref_activate(CS_ACT_RELU, count, want);
    for (size_t i = active; i < count; i++)
        want[i] = 0;
    cu_k_scale_rows(NULL, type, 4, 5, channels, &step, scale.data, shift.data, with_residual ? r.data : NULL,
                    CS_ACT_RELU, x.data, y.data);
    assert_result(&y, want, false, "scale of rows");
    tensor *all[] = {&x, &r, &y, &scale, &shift};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    free(want);
}

static void rows_that_take_no_part_in_a_scale_become_zero(void **state) {
    (void)state;
    each(check_scale_rows);
}

/* Computes dx in place of dy, as a batch norm with a residual does. */
static void check_slope_in_place(cu_type type, int channels, bool relu6) {
    const size_t count = PIXELS * (size_t)channels;
    const cs_activation kind = relu6 ? CS_ACT_RELU6 : CS_ACT_RELU;
    tensor x = tensor_of(type, count, 1, 7), dy = tensor_of(type, count, 2, 0);
    double *z = scaled(&x, NULL, NULL, 1), *gradient = scaled_gradient(kind, z, &dy, NULL, 1);
    cu_k_activation(NULL, type, count, kind, x.data, x.data);
    cu_k_activation_backward(NULL, type, count, kind, x.data, dy.data, dy.data, false);
    assert_result(&dy, gradient, false, "slope at the output, in place");
    tensor_free(&x);
    tensor_free(&dy);
    free(z);
    free(gradient);
}

static void the_slope_of_relu_is_computed_from_its_output_in_place(void **state) {
    (void)state;
    each(check_slope_in_place);
}

/* The values are integers, so some are at the corners of both ReLUs. */
static void check_activation(cu_type type, int channels, bool add) {
    const size_t count = PIXELS * (size_t)channels;
    for (int a = 0; a < ACTIVATIONS; a++) {
        tensor x = tensor_of(type, count, 1, 7), dy = tensor_of(type, count, 2, 0), dx = tensor_of(type, count, 3, 0);
        tensor y = tensor_of(type, count, 4, 0);
        double *z = scaled(&x, NULL, NULL, 1), *gradient = scaled_gradient(activations[a], z, &dy, NULL, 1);
        cu_k_activation(NULL, type, count, activations[a], x.data, y.data);
        cu_k_activation_backward(NULL, type, count, activations[a], x.data, dy.data, dx.data, add);
        cs_ref_activate(activations[a], count, z);
        assert_result(&y, z, false, "activation");
        assert_result(&dx, gradient, add, "activation backward");
        tensor *all[] = {&x, &dy, &dx, &y};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            tensor_free(all[i]);
        free(z);
        free(gradient);
    }
}

static void activations_and_their_slopes_equal_the_reference(void **state) {
    (void)state;
    each(check_activation);
}

static void check_bias(cu_type type, int channels, bool with_bias) {
    const size_t c = (size_t)channels, count = PIXELS * c;
    tensor y = tensor_of(type, count, 1, 0), bias = tensor_of(CU_F32, c, 2, 0);
    double *z = scaled(&y, NULL, with_bias ? &bias : NULL, c);
    cs_ref_activate(CS_ACT_RELU, count, z);
    cu_k_bias_activation(NULL, type, PIXELS, channels, with_bias ? bias.data : NULL, CS_ACT_RELU, y.data);
    assert_result(&y, z, false, "bias");
    tensor_free(&y);
    tensor_free(&bias);
    free(z);
}

static void an_optional_bias_is_added_before_the_activation(void **state) {
    (void)state;
    each(check_bias);
}

static void check_add(cu_type type, int channels, bool add) {
    const size_t count = PIXELS * (size_t)channels;
    tensor a = tensor_of(type, count, 1, 0), b = tensor_of(type, count, 2, 0), y = tensor_of(type, count, 3, 0);
    tensor copy = tensor_of(type, count, 4, 0);
    double *sum = doubles(count);
    for (size_t i = 0; i < count; i++)
        sum[i] = a.exact[i] + b.exact[i];
    cu_k_add(NULL, type, count, a.data, b.data, y.data);
    cu_k_copy(NULL, type, count, a.data, copy.data, add);
    assert_result(&y, sum, false, "add");
    assert_result(&copy, a.exact, add, "copy");
    tensor *all[] = {&a, &b, &y, &copy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    free(sum);
}

static void sums_and_copies_reach_every_value(void **state) {
    (void)state;
    each(check_add);
}

/* Copies channels according to the table. The channels before and after them must not change. */
static void check_channels(cu_type type, int channels, bool add) {
    /* {channels of x before, of x after, of y before, of y after} */
    static const int margins[][4] = {{0, 0, 0, 0}, {8, 16, 0, 8}, {3, 0, 5, 1}, {0, 3, 8, 0}, {0, 0, 0, 5}};
    for (size_t m = 0; m < sizeof margins / sizeof *margins; m++) {
        const int *at = margins[m], x_channels = at[0] + channels + at[1], y_channels = at[2] + channels + at[3];
        tensor x = tensor_of(type, PIXELS * (size_t)x_channels, 1, 0);
        tensor y = tensor_of(type, PIXELS * (size_t)y_channels, 2, 0);
        double *want = doubles(y.count);
        memcpy(want, y.exact, y.count * sizeof *want);
        for (size_t p = 0; p < PIXELS; p++)
            for (int c = 0; c < channels; c++) {
                double *to = &want[p * (size_t)y_channels + (size_t)(at[2] + c)];
                *to = (add ? *to : 0) + x.exact[p * (size_t)x_channels + (size_t)(at[0] + c)];
            }
        cu_k_channels(NULL, type, PIXELS, channels, x_channels, at[0], x.data, y_channels, at[2], y.data, add);
        assert_result(&y, want, false, "channels");
        tensor_free(&x);
        tensor_free(&y);
        free(want);
    }
}

static void copying_channels_leaves_the_other_channels_unchanged(void **state) {
    (void)state;
    each(check_channels);
}

static void check_multiply(cu_type type, int channels, bool add) {
    const size_t c = (size_t)channels, count = PIXELS * c;
    for (int gated = 0; gated < 2; gated++) {
        size_t others = gated ? BATCH * c : count;
        tensor a = tensor_of(type, count, 1, 0), b = tensor_of(type, others, 2, 0), y = tensor_of(type, count, 3, 0);
        tensor dy = tensor_of(type, count, 4, 0), da = tensor_of(type, count, 5, 0), db = tensor_of(type, others, 6, 0);
        cs_layer layer = {
            .kind = CS_LAYER_MULTIPLY, .in = {AREA, 1, channels, false}, .out = {AREA, 1, channels, false}};
        cs_ref_op op = {.layer = &layer, .n = BATCH, .in = {a.exact, b.exact}, .gated = gated};
        op.out = doubles(count);
        op.dout = dy.exact;
        op.din[0] = doubles(count);
        op.din[1] = doubles(others);
        cs_ref_multiply_forward(&op);
        cs_ref_multiply_backward(&op);
        cu_k_multiply(NULL, type, BATCH, AREA, channels, gated, a.data, b.data, y.data);
        cu_k_multiply_backward(NULL, type, BATCH, AREA, channels, gated, a.data, b.data, dy.data, da.data, add, NULL,
                               false);
        cu_k_multiply_backward(NULL, type, BATCH, AREA, channels, gated, a.data, b.data, dy.data, NULL, false, db.data,
                               add);
        assert_result(&y, op.out, false, "multiply");
        assert_result(&da, op.din[0], add, "multiply, da");
        assert_result(&db, op.din[1], add, "multiply, db");
        tensor *all[] = {&a, &b, &y, &dy, &da, &db};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            tensor_free(all[i]);
        free(op.out);
        free(op.din[0]);
        free(op.din[1]);
    }
}

static void products_and_gates_equal_the_reference(void **state) {
    (void)state;
    each(check_multiply);
}

static void check_global_average(cu_type type, int channels, bool add) {
    const size_t c = (size_t)channels, count = PIXELS * c;
    tensor x = tensor_of(type, count, 1, 0), y = tensor_of(type, BATCH * c, 2, 0);
    tensor dy = tensor_of(type, BATCH * c, 3, 0), dx = tensor_of(type, count, 4, 0);
    double *mean = doubles(y.count), *gradient = doubles(count);
    for (size_t i = 0; i < count; i++) {
        mean[i / (AREA * c) * c + i % c] += x.exact[i] / AREA;
        gradient[i] = dy.exact[i / (AREA * c) * c + i % c] / AREA;
    }
    cu_k_global_average(NULL, type, BATCH, AREA, channels, x.data, y.data);
    cu_k_global_average_backward(NULL, type, BATCH, AREA, channels, dy.data, dx.data, add);
    assert_result(&y, mean, false, "global average");
    assert_result(&dx, gradient, add, "global average backward");
    tensor *all[] = {&x, &y, &dy, &dx};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    free(mean);
    free(gradient);
}

static void global_averages_are_means_over_pixels(void **state) {
    (void)state;
    each(check_global_average);
}

/* The input is ones, so that the output is the factors. In fp32 they must be equal bit for bit. */
static void check_dropout(cu_type type, int channels, bool per_row) {
    enum { ROWS = 4 };
    const size_t row = AREA * (size_t)channels;
    static const int64_t samples[ROWS] = {0, 7, 123456, INT32_MAX};
    cs_layer layer = {.name = "drop", .kind = CS_LAYER_DROPOUT, .rate = 0.3f, .per_row = per_row};
    layer.out = (cs_shape){AREA, 1, channels, false};
    cs_draw draw = {.seed = 0xFFFFFFFF12345678u, .epoch = 11, .samples = samples};
    cu_step step = {.n = ROWS, .epoch = draw.epoch, .seed = draw.seed, .loss_scale = 1};
    cs_dropout_rule rule = cs_dropout_rule_of(&layer);
    float *ones = new_array(ROWS * row, sizeof *ones), *want = new_array(ROWS * row, sizeof *want);
    for (size_t i = 0; i < ROWS * row; i++)
        ones[i] = 1;
    void *x = typed(type, ROWS * row, ones), *y = new_array(ROWS * row, cu_type_size(type));
    cu_k_dropout(NULL, type, ROWS, row, cs_hash_name(layer.name), rule.least, rule.factor, per_row, &step, samples, x,
                 y, false);
    float *got = floats_of(type, ROWS * row, y);
    for (int r = 0; r < ROWS; r++)
        cs_dropout_factors(&layer, &draw, r, want + (size_t)r * row);
    void *rounded = typed(type, ROWS * row, want);
    assert_memory_equal(got, want, ROWS * row * sizeof *want);
    free(ones);
    free(want);
    free(x);
    free(y);
    free(got);
    free(rounded);
}

static void dropout_drops_the_same_values_as_every_engine(void **state) {
    (void)state;
    each(check_dropout);
}

static void dropout_multiplies_and_adds(void **state) {
    (void)state;
    enum { ROW = 24 };
    static const int64_t samples[BATCH] = {5, 6, 7};
    const cu_step step = {.n = BATCH, .seed = 3};
    for (int t = 0; t < ALL_TYPES; t++)
        for (int add = 0; add < 2; add++) {
            const cu_type type = all_types[t];
            tensor x = tensor_of(type, BATCH * ROW, 1, 0), y = tensor_of(type, BATCH * ROW, 2, 0);
            tensor factors = tensor_of(CU_F32, BATCH * ROW, 3, 0);
            double *want = doubles(x.count);
            for (size_t i = 0; i < x.count; i++)
                ((float *)factors.data)[i] = 1;
            cu_k_dropout(NULL, CU_F32, BATCH, ROW, 9, 1u << 31, 2, false, &step, samples, factors.data, factors.data,
                         false);
            cu_k_dropout(NULL, type, BATCH, ROW, 9, 1u << 31, 2, false, &step, samples, x.data, y.data, add);
            for (size_t i = 0; i < x.count; i++)
                want[i] = x.exact[i] * (double)((float *)factors.data)[i];
            assert_result(&y, want, add, "dropout");
            tensor_free(&x);
            tensor_free(&y);
            tensor_free(&factors);
            free(want);
        }
}

/* Packs have 16 bytes. Tensors that are not aligned must be processed without packs. */
static void tensors_need_no_alignment(void **state) {
    (void)state;
    enum { C = 16, COUNT = PIXELS * C };
    for (int t = 0; t < ALL_TYPES; t++) {
        const cu_type type = all_types[t];
        const size_t size = cu_type_size(type);
        tensor x = tensor_of(type, COUNT + 1, 1, 0), y = tensor_of(type, COUNT + 1, 2, 0);
        tensor shift = tensor_of(CU_F32, C + 1, 3, 0);
        double *want = doubles(COUNT);
        for (size_t i = 0; i < COUNT; i++)
            want[i] = x.exact[i + 1] + shift.exact[i % C + 1];
        cu_k_scale(NULL, type, PIXELS, C, NULL, (float *)shift.data + 1, CS_ACT_LINEAR, (char *)x.data + size,
                   (char *)y.data + size);
        assert_near_all(type, (char *)y.data + size, want, COUNT, "not at a multiple of 16 bytes");
        tensor_free(&x);
        tensor_free(&y);
        tensor_free(&shift);
        free(want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_multiplies_adds_and_activates),
        cmocka_unit_test(rows_that_take_no_part_in_a_scale_become_zero),
        cmocka_unit_test(the_slope_of_relu_is_computed_from_its_output_in_place),
        cmocka_unit_test(activations_and_their_slopes_equal_the_reference),
        cmocka_unit_test(an_optional_bias_is_added_before_the_activation),
        cmocka_unit_test(sums_and_copies_reach_every_value),
        cmocka_unit_test(copying_channels_leaves_the_other_channels_unchanged),
        cmocka_unit_test(products_and_gates_equal_the_reference),
        cmocka_unit_test(global_averages_are_means_over_pixels),
        cmocka_unit_test(dropout_drops_the_same_values_as_every_engine),
        cmocka_unit_test(dropout_multiplies_and_adds),
        cmocka_unit_test(tensors_need_no_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
