/* SPDX-License-Identifier: Apache-2.0 */
/* Compares kernels with windows (pools, zero-paddings, depthwise convolutions) with the reference engine. */
#include "tensors.h"

#include "ref/ref.h"

#include <string.h>

enum { BATCH = 2 };

/* Numbers of channels that fill packs of every type, of fp32 alone, and of no type. */
static const int channel_counts[] = {1, 3, 5, 7, 8, 12, 64};
enum { CHANNEL_COUNTS = sizeof channel_counts / sizeof *channel_counts };

typedef struct shape {
    int h, w;
    cs_window window; /* kernel, stride; padding at the top, bottom, left, right */
} shape;

static const shape shapes[] = {
    {5, 6, {3, 3, 1, 1, 1, 1, 1, 1}},  {6, 9, {3, 3, 1, 1, 0, 0, 0, 0}},  {7, 4, {3, 3, 1, 1, 0, 2, 2, 1}},
    {8, 8, {3, 3, 2, 2, 0, 1, 0, 1}},  {7, 11, {3, 3, 2, 2, 1, 1, 1, 1}}, {6, 5, {3, 3, 2, 2, 1, 0, 1, 0}},
    {7, 7, {5, 5, 1, 1, 2, 2, 2, 2}},  {6, 9, {5, 5, 1, 1, 0, 3, 1, 2}},  {9, 12, {5, 5, 2, 2, 1, 2, 1, 2}},
    {8, 7, {5, 5, 2, 2, 2, 2, 2, 2}},  {11, 9, {5, 5, 2, 2, 0, 1, 3, 3}}, {3, 2, {5, 5, 1, 1, 2, 2, 2, 2}},
    {9, 7, {3, 3, 3, 3, 0, 0, 1, 1}},  {6, 6, {2, 2, 2, 2, 0, 0, 0, 0}},  {7, 8, {2, 3, 1, 2, 1, 0, 1, 0}},
    {8, 10, {7, 7, 2, 2, 3, 2, 2, 3}}, {5, 9, {1, 4, 2, 7, 0, 0, 2, 1}},  {1, 1, {3, 3, 1, 1, 1, 1, 1, 1}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* One operation on one shape: x and dy are inputs; y and dx contain old values. */
typedef struct work {
    cu_dims dims;
    cu_type type;
    bool add;
    tensor x, y, dy, dx;
    cs_layer layer;
    cs_ref_op op; /* out and din[0] are zeros */
} work;

static void start(work *k, cu_type type, const shape *image, int channels, bool add, int levels) {
    const cs_window w = image->window;
    *k = (work){.type = type, .add = add};
    k->dims = (cu_dims){.batch = BATCH, .in_h = image->h, .in_w = image->w, .in_c = channels, .out_c = channels};
    k->dims.window = k->layer.window = w;
    k->dims.out_h = (image->h + w.pad_top + w.pad_bottom - w.kernel_h) / w.stride_h + 1;
    k->dims.out_w = (image->w + w.pad_left + w.pad_right - w.kernel_w) / w.stride_w + 1;
    k->layer.in = (cs_shape){image->h, image->w, channels, false};
    k->layer.out = (cs_shape){k->dims.out_h, k->dims.out_w, channels, false};
    const size_t inputs = BATCH * cs_shape_count(k->layer.in), outputs = BATCH * cs_shape_count(k->layer.out);
    k->x = tensor_of(type, inputs, 1, levels);
    k->y = tensor_of(type, outputs, 2, 0);
    k->dy = tensor_of(type, outputs, 3, 0);
    k->dx = tensor_of(type, inputs, 4, 0);
    k->op = (cs_ref_op){.layer = &k->layer, .n = BATCH, .in = {k->x.exact}, .out = doubles(outputs)};
    k->op.dout = k->dy.exact;
    k->op.din[0] = doubles(inputs);
}

static void end(work *k) {
    tensor_free(&k->x);
    tensor_free(&k->y);
    tensor_free(&k->dy);
    tensor_free(&k->dx);
    free(k->op.out);
    free(k->op.din[0]);
}

typedef void work_function(work *k);
static void each(int levels, work_function *check) {
    for (int s = 0; s < SHAPES; s++)
        for (int t = 0; t < ALL_TYPES; t++)
            for (int c = 0; c < CHANNEL_COUNTS; c++) {
                work k;
                start(&k, all_types[t], &shapes[s], channel_counts[c], (s + c) % 2, levels);
                check(&k);
                end(&k);
            }
}

static void check_max_pool(work *k) {
    uint8_t *argmax = new_array(k->y.count, 1);
    cs_ref_max_pool_forward(&k->op);
    cs_ref_max_pool_backward(&k->op);
    cu_k_max_pool(NULL, k->type, &k->dims, k->x.data, k->y.data, argmax);
    cu_k_max_pool_backward(NULL, k->type, &k->dims, argmax, k->dy.data, k->dx.data, k->add);
    assert_result(&k->y, k->op.out, false, "max pool");
    assert_result(&k->dx, k->op.din[0], k->add, "max pool backward");
    cu_k_copy(NULL, k->type, k->y.count, k->dy.data, k->y.data, false);
    cu_k_max_pool(NULL, k->type, &k->dims, k->x.data, k->y.data, NULL);
    assert_result(&k->y, k->op.out, false, "max pool that nobody comes back to");
    free(argmax);
}

/* With three levels most windows have equal maxima. */
static void the_first_of_equal_values_is_the_maximum_of_a_pool(void **state) {
    (void)state;
    each(1, check_max_pool);
}

/* All values are negative, so a padding of 0 would be the maximum. */
static void check_negative(work *k) {
    for (size_t i = 0; i < k->x.count; i++)
        k->x.exact[i] -= 9;
    float *values = new_array(k->x.count, sizeof *values);
    for (size_t i = 0; i < k->x.count; i++)
        values[i] = (float)k->x.exact[i];
    cu_k_from_float(NULL, k->type, k->x.count, values, k->x.data);
    free(values);
    check_max_pool(k);
}

static void padding_is_never_the_maximum_of_a_pool(void **state) {
    (void)state;
    each(8, check_negative);
}

static void check_average_pool(work *k) {
    cs_ref_average_pool_forward(&k->op);
    cs_ref_average_pool_backward(&k->op);
    cu_k_average_pool(NULL, k->type, &k->dims, k->x.data, k->y.data);
    cu_k_average_pool_backward(NULL, k->type, &k->dims, k->dy.data, k->dx.data, k->add);
    assert_result(&k->y, k->op.out, false, "average pool");
    assert_result(&k->dx, k->op.din[0], k->add, "average pool backward");
}

static void average_pools_do_not_count_padding(void **state) {
    (void)state;
    each(0, check_average_pool);
}

static void check_depthwise(work *k) {
    const size_t channels = (size_t)k->dims.out_c;
    const size_t taps = (size_t)k->dims.window.kernel_h * (size_t)k->dims.window.kernel_w;
    tensor kernel = tensor_of(k->type, taps * channels, 5, 0), bias = tensor_of(CU_F32, channels, 6, 0);
    const bool has_bias = k->add;
    void *partial = new_array(cu_k_depthwise_partial(&k->dims), 1);
    float *dkernel = new_array(taps * channels, sizeof *dkernel);
    k->op.param[CS_PARAM_KERNEL] = kernel.exact;
    k->op.param[CS_PARAM_BIAS] = has_bias ? bias.exact : NULL;
    k->op.dparam[CS_PARAM_KERNEL] = doubles(taps * channels);
    cs_ref_depthwise_forward(&k->op);
    cs_ref_depthwise_backward(&k->op);
    cs_ref_activate(CS_ACT_RELU6, k->y.count, k->op.out);
    cu_k_depthwise(NULL, k->type, &k->dims, k->x.data, kernel.data, has_bias ? bias.data : NULL, CS_ACT_RELU6,
                   k->y.data);
    cu_k_depthwise_backward_data(NULL, k->type, &k->dims, k->dy.data, kernel.data, k->dx.data, k->add);
    cu_k_depthwise_backward_kernel(NULL, k->type, &k->dims, k->x.data, k->dy.data, partial, dkernel);
    assert_result(&k->y, k->op.out, false, "depthwise");
    assert_result(&k->dx, k->op.din[0], k->add, "depthwise backward data");
    assert_near_all(CU_F32, dkernel, k->op.dparam[CS_PARAM_KERNEL], taps * channels, "depthwise backward kernel");
    tensor_free(&kernel);
    tensor_free(&bias);
    free(partial);
    free(dkernel);
    free(k->op.dparam[CS_PARAM_KERNEL]);
}

static void depthwise_convolutions_equal_the_reference(void **state) {
    (void)state;
    each(0, check_depthwise);
}

/* There are enough strips for a sum of many parts. */
static void a_large_depthwise_gradient_is_summed_in_parts(void **state) {
    (void)state;
    static const shape large = {67, 65, {3, 3, 1, 1, 1, 1, 1, 1}};
    for (int t = 0; t < ALL_TYPES; t++) {
        work k;
        start(&k, all_types[t], &large, 8, t % 2, 0);
        assert_true(cu_k_depthwise_partial(&k.dims) > 9 * 8 * sizeof(float));
        check_depthwise(&k);
        end(&k);
    }
}

/* There are more packs of channels than a block processes. */
static void many_channels_are_divided_among_blocks(void **state) {
    (void)state;
    static const shape both[] = {{5, 6, {3, 3, 1, 1, 1, 1, 1, 1}}, {5, 6, {2, 3, 1, 2, 1, 0, 1, 0}}};
    for (int t = 0; t < ALL_TYPES; t++)
        for (int s = 0; s < 2; s++) {
            work k;
            start(&k, all_types[t], &both[s], 296, s, 0);
            check_depthwise(&k);
            end(&k);
        }
}

/* The window of a zero-padding has only padding. */
static void zero_paddings_surround_an_image_with_zeros(void **state) {
    (void)state;
    static const int pads[][4] = {
        {1, 1, 1, 1}, {0, 1, 0, 1}, {3, 0, 0, 2}, {0, 0, 0, 0}}; /* padding at the top, bottom, left, right */
    for (size_t p = 0; p < sizeof pads / sizeof *pads; p++)
        for (int t = 0; t < ALL_TYPES; t++)
            for (int c = 0; c < CHANNEL_COUNTS; c++) {
                work k;
                shape image = {4, 5, {1, 1, 1, 1, pads[p][0], pads[p][1], pads[p][2], pads[p][3]}};
                start(&k, all_types[t], &image, channel_counts[c], c % 2, 0);
                double *padded = k.op.out;
                for (int row = 0; row < BATCH; row++)
                    for (int h = 0; h < 4; h++)
                        for (int w = 0; w < 5; w++)
                            for (int i = 0; i < k.dims.in_c; i++) {
                                int line = (row * k.dims.out_h + h + pads[p][0]) * k.dims.out_w + w + pads[p][2];
                                size_t in = (size_t)((((row * 4) + h) * 5 + w) * k.dims.in_c + i);
                                size_t out = (size_t)(line * k.dims.in_c + i);
                                padded[out] = k.x.exact[in];
                                k.op.din[0][in] = k.dy.exact[out];
                            }
                cu_k_zero_pad(NULL, k.type, &k.dims, k.x.data, k.y.data);
                cu_k_zero_pad_backward(NULL, k.type, &k.dims, k.dy.data, k.dx.data, k.add);
                assert_result(&k.y, padded, false, "zero pad");
                assert_result(&k.dx, k.op.din[0], k.add, "zero pad backward");
                end(&k);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_equal_values_is_the_maximum_of_a_pool),
        cmocka_unit_test(padding_is_never_the_maximum_of_a_pool),
        cmocka_unit_test(average_pools_do_not_count_padding),
        cmocka_unit_test(depthwise_convolutions_equal_the_reference),
        cmocka_unit_test(a_large_depthwise_gradient_is_summed_in_parts),
        cmocka_unit_test(many_channels_are_divided_among_blocks),
        cmocka_unit_test(zero_paddings_surround_an_image_with_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
