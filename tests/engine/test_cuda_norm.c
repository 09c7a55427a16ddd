/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the CUDA engine's kernels of batch norm, on the host, with the formulas in double. */
#include "typed.h"

#include "ref/ref.h"

#include <math.h>
#include <string.h>

/* A batch norm of [batch,pixels,channels] in which the first n rows take part. The other rows contain large values. */
typedef struct problem {
    cu_type type;
    int batch, n, pixels, channels;
    double mean, deviation;
    cs_activation activation;
    bool unbiased, no_gamma, add;
} problem;

typedef struct trial {
    problem is;
    cu_step step;
    cu_norm norm;
    size_t count;  /* number of values */
    double m;      /* values in a channel that take part */
    float *x, *dy; /* rounded to the type */
    void *typed_x, *typed_dy, *typed_dx, *partial;
    double *sums;
    float *channel_arrays;
} trial;

enum { ARRAYS = 12 };

static trial start(const problem *is) {
    trial t = {.is = *is, .step = {.n = is->n, .loss_scale = 1}};
    size_t channels = (size_t)is->channels, active = (size_t)is->n * (size_t)is->pixels * channels;
    t.count = (size_t)is->batch * (size_t)is->pixels * channels;
    t.m = (double)is->n * is->pixels;
    t.x = (float *)new_array(t.count, sizeof *t.x);
    t.dy = (float *)new_array(t.count, sizeof *t.dy);
    for (size_t i = 0; i < t.count; i++) {
        t.x[i] = i < active ? (float)(is->mean + is->deviation * sqrt(3) * (double)noise(i)) : 60000;
        t.dy[i] = i < active ? noise(i + t.count) + 0.25F : 60000;
    }
    t.typed_x = typed(is->type, t.count, t.x);
    t.typed_dy = typed(is->type, t.count, t.dy);
    t.typed_dx = new_array(t.count, cu_type_size(is->type));
    t.partial = new_array(cu_k_norm_partial(is->batch, is->pixels, is->channels), 1);
    t.sums = (double *)new_array(2 * channels + 1, sizeof *t.sums);
    t.channel_arrays = (float *)new_array(ARRAYS * channels, sizeof *t.channel_arrays);
    float *at[ARRAYS];
    for (size_t i = 0; i < ARRAYS; i++)
        at[i] = t.channel_arrays + i * channels;
    for (size_t c = 0; c < channels; c++) {
        at[0][c] = 1.5F + noise(c);
        at[1][c] = noise(c + channels);
        at[2][c] = 0.5F;
        at[3][c] = 2;
    }
    t.norm = (cu_norm){
        is->channels, 1e-3F, 0.9F,  is->unbiased, is->no_gamma ? NULL : at[0],  at[1], at[2], at[3], at[4], at[5],
        at[6],        at[7], at[8], at[9],        is->no_gamma ? NULL : at[10], at[11]};
    return t;
}

static void end(trial *t) {
    void *all[] = {t->x, t->dy, t->typed_x, t->typed_dy, t->typed_dx, t->partial, t->sums, t->channel_arrays};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void moments(trial *t) {
    cu_k_norm_moments(NULL, t->is.type, t->is.batch, t->is.pixels, t->is.channels, &t->step, t->typed_x, t->partial,
                      t->sums);
}

static void forward(trial *t) {
    moments(t);
    cu_k_norm_finish(NULL, &t->norm, t->sums);
}

static void reduce(trial *t) {
    cu_k_norm_reduce(NULL, t->is.type, t->is.batch, t->is.pixels, &t->step, &t->norm, t->is.activation, t->typed_x,
                     t->typed_dy, t->partial, t->sums);
}

static void backward(trial *t, const double *all) {
    cu_k_norm_gradients(NULL, &t->norm, t->sums, all);
    cu_k_norm_backward(NULL, t->is.type, t->is.batch, t->is.pixels, &t->step, &t->norm, t->is.activation, t->typed_x,
                       t->typed_dy, t->typed_dx, t->is.add);
}

/* The statistics of a channel in double. */
typedef struct moments_of {
    double mean, variance;
} moments_of;

static moments_of moments_in_double(const trial *t, size_t c) {
    size_t channels = (size_t)t->is.channels, end_at = (size_t)t->m * channels;
    moments_of of = {0, 0};
    for (size_t i = c; i < end_at; i += channels)
        of.mean += (double)t->x[i] / t->m;
    for (size_t i = c; i < end_at; i += channels)
        of.variance += ((double)t->x[i] - of.mean) * ((double)t->x[i] - of.mean) / t->m;
    return of;
}

static const problem shapes[] = {
    {CU_F32, 3, 2, 25, 1, 0, 1, 0, 0, 0, 0},     {CU_F32, 4, 4, 49, 64, 1, 2, 0, 0, 0, 0},
    {CU_F32, 5, 3, 2000, 3, 0, 1, 0, 0, 0, 0},   {CU_F32, 2, 1, 1, 2048, 0, 1, 0, 0, 0, 0},
    {CU_BF16, 7, 5, 16, 40, 1, 1, 0, 0, 0, 0},   {CU_BF16, 3, 2, 300, 37, 0, 2, 0, 0, 0, 0},
    {CU_F16, 4, 3, 144, 264, -1, 1, 0, 0, 0, 0}, {CU_F16, 2, 2, 9, 5, 0, 1, 0, 0, 0, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void moments_use_only_the_rows_that_take_part(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        trial t = start(&shapes[s]);
        size_t channels = (size_t)t.is.channels;
        moments(&t);
        assert_true(t.sums[2 * channels] == t.m);
        for (size_t c = 0; c < channels; c++) {
            moments_of want = moments_in_double(&t, c);
            double square = want.variance + want.mean * want.mean;
            assert_near(t.sums[c] / t.m, want.mean, 1e-6 * sqrt(square));
            assert_near(t.sums[channels + c] / t.m, square, 2e-6 * square);
        }
        end(&t);
    }
}

static void a_variance_is_accurate_with_a_large_mean(void **state) {
    (void)state;
    trial t = start(
        &(problem){.type = CU_F32, .batch = 8, .n = 7, .pixels = 1000, .channels = 6, .mean = 1000, .deviation = 1});
    forward(&t);
    for (size_t c = 0; c < 6; c++) {
        moments_of want = moments_in_double(&t, c);
        double inverse = (double)t.norm.inverse[c], variance = 1 / (inverse * inverse) - (double)t.norm.epsilon;
        assert_near(variance, want.variance, 1e-5);
        assert_near((double)t.norm.mean[c], want.mean, 1e-4);
    }
    end(&t);
}

static void a_batch_norm_scales_to_gamma_and_beta(void **state) {
    (void)state;
    for (int no_gamma = 0; no_gamma < 2; no_gamma++) {
        problem is = shapes[1];
        is.no_gamma = no_gamma;
        trial t = start(&is);
        forward(&t);
        for (size_t c = 0; c < (size_t)is.channels; c++) {
            moments_of want = moments_in_double(&t, c);
            double gamma = no_gamma ? 1 : (double)t.norm.gamma[c];
            double scale = gamma / sqrt(want.variance + (double)t.norm.epsilon);
            assert_near((double)t.norm.scale[c], scale, 2e-6 * fabs(scale));
            assert_near((double)t.norm.shift[c], (double)t.norm.beta[c] - want.mean * scale, 1e-5);
        }
        end(&t);
    }
}

static void moving_statistics_follow_the_batch(void **state) {
    (void)state;
    for (int unbiased = 0; unbiased < 2; unbiased++) {
        problem is = shapes[0];
        is.unbiased = unbiased;
        trial t = start(&is);
        forward(&t);
        moments_of want = moments_in_double(&t, 0);
        double factor = unbiased ? t.m / (t.m - 1) : 1, keep = (double)t.norm.momentum;
        assert_near((double)t.norm.moving_mean[0], 0.5 * keep + want.mean * (1 - keep), 1e-6);
        assert_near((double)t.norm.moving_variance[0], 2 * keep + want.variance * factor * (1 - keep), 1e-6);
        end(&t);
    }
}

static void one_value_a_channel_has_no_unbiased_variance(void **state) {
    (void)state;
    problem is = shapes[3];
    is.unbiased = true;
    trial t = start(&is);
    forward(&t);
    for (size_t c = 0; c < (size_t)is.channels; c++)
        assert_near((double)t.norm.moving_variance[c], 2 * (double)t.norm.momentum, 1e-6);
    end(&t);
}

static void without_rows_the_moving_statistics_do_not_change(void **state) {
    (void)state;
    problem is = shapes[1];
    is.n = 0;
    trial t = start(&is);
    forward(&t);
    reduce(&t);
    backward(&t, t.sums);
    float *dx = floats_of(is.type, t.count, t.typed_dx);
    for (size_t c = 0; c < (size_t)is.channels; c++) {
        assert_near((double)t.norm.moving_mean[c], 0.5, 0);
        assert_near((double)t.norm.moving_variance[c], 2, 0);
        assert_near((double)t.norm.scale[c], (double)t.norm.gamma[c] / sqrt(2 + (double)t.norm.epsilon), 1e-6);
        assert_true(isfinite(t.norm.shift[c]) && isfinite(t.norm.p[c]) && isfinite(t.norm.q[c]));
        assert_true(t.norm.dgamma[c] == 0 && t.norm.dbeta[c] == 0);
    }
    for (size_t i = 0; i < t.count; i++)
        assert_true(dx[i] == 0);
    free(dx);
    end(&t);
}

/* dz of every value that takes part, with the slopes of the reference engine. */
static double *dz_in_double(const trial *t) {
    size_t active = (size_t)t->m * (size_t)t->is.channels;
    double *before = (double *)new_array(active, sizeof *before), *after = (double *)new_array(active, sizeof *after);
    double *dz = (double *)new_array(active, sizeof *dz);
    for (size_t i = 0; i < active; i++) {
        size_t c = i % (size_t)t->is.channels;
        before[i] = after[i] = (double)t->x[i] * (double)t->norm.scale[c] + (double)t->norm.shift[c];
        dz[i] = (double)t->dy[i];
    }
    cs_ref_activate(t->is.activation, active, after);
    cs_ref_activation_slope(t->is.activation, active, before, after, dz);
    free(before);
    free(after);
    return dz;
}

/* Checks the gradients of one channel, and its dx. `want` contains the old values of dx. */
static void check_channel(const trial *t, size_t c, const double *dz, const float *got, double before) {
    size_t channels = (size_t)t->is.channels, end_at = (size_t)t->m * channels;
    moments_of of = moments_in_double(t, c);
    double inverse = 1 / sqrt(of.variance + (double)t->norm.epsilon), sum = 0, product = 0;
    for (size_t i = c; i < end_at; i += channels) {
        sum += dz[i];
        product += dz[i] * ((double)t->x[i] - of.mean) * inverse;
    }
    double gamma = t->norm.gamma ? (double)t->norm.gamma[c] : 1, tolerance = 1e-5 * sqrt(t->m) + 1e-6 * t->m;
    assert_near((double)t->norm.dbeta[c], sum, tolerance);
    if (t->norm.dgamma)
        assert_near((double)t->norm.dgamma[c], product, tolerance);
    for (size_t i = c; i < t->count; i += channels) {
        double normal = ((double)t->x[i] - of.mean) * inverse;
        double want = i < end_at ? gamma * inverse * (dz[i] - sum / t->m - normal * product / t->m) : 0;
        assert_near((double)got[i], before + want, 1e-5 + (fabs(want) + before) * 1.1 * rounding(t->is.type));
    }
}

static void check_backward(const problem *is) {
    trial t = start(is);
    float *ones = (float *)new_array(t.count, sizeof *ones);
    for (size_t i = 0; i < t.count; i++)
        ones[i] = 1;
    cu_k_from_float(NULL, is->type, t.count, ones, t.typed_dx);
    forward(&t);
    reduce(&t);
    assert_true(t.sums[2 * (size_t)is->channels] == t.m);
    backward(&t, t.sums);
    double *dz = dz_in_double(&t);
    float *dx = floats_of(is->type, t.count, t.typed_dx);
    for (size_t c = 0; c < (size_t)is->channels; c++)
        check_channel(&t, c, dz, dx, is->add ? 1 : 0);
    free(ones);
    free(dz);
    free(dx);
    end(&t);
}

static void gradients_equal_the_formulas(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        if (shapes[s].n * shapes[s].pixels > 1) /* with one value in a channel the normalised value is constant */
            check_backward(&shapes[s]);
}

static void gradients_pass_through_every_activation(void **state) {
    (void)state;
    for (int activation = CS_ACT_LINEAR; activation < CS_ACT_SOFTMAX; activation++)
        for (size_t s = 1; s < 3; s++) {
            problem is = shapes[s];
            is.activation = (cs_activation)activation;
            check_backward(&is);
        }
}

static void a_gradient_is_added_to_the_old_value(void **state) {
    (void)state;
    for (size_t s = 4; s < SHAPES; s++) {
        problem is = shapes[s];
        is.add = true;
        check_backward(&is);
    }
}

static void a_norm_without_gamma_has_gradients(void **state) {
    (void)state;
    problem is = shapes[4];
    is.no_gamma = true;
    check_backward(&is);
}

/* Compares two ranks of two rows each with one rank of four rows. */
static void two_ranks_give_the_result_of_one_batch(void **state) {
    (void)state;
    trial whole = start(&shapes[1]), half[2];
    size_t channels = (size_t)shapes[1].channels, row = whole.count / 4, sums = 2 * channels + 1;
    double *all = (double *)new_array(sums, sizeof *all);
    forward(&whole);
    reduce(&whole);
    backward(&whole, whole.sums);
    for (size_t r = 0; r < 2; r++) {
        half[r] = start(&shapes[1]);
        half[r].step.n = 2;
        memmove(half[r].typed_x, (float *)whole.typed_x + r * 2 * row, 2 * row * sizeof(float));
        memmove(half[r].typed_dy, (float *)whole.typed_dy + r * 2 * row, 2 * row * sizeof(float));
        moments(&half[r]);
        for (size_t i = 0; i < sums; i++)
            all[i] += half[r].sums[i];
    }
    for (size_t r = 0; r < 2; r++) {
        cu_k_norm_finish(NULL, &half[r].norm, all);
        reduce(&half[r]);
    }
    for (size_t i = 0; i < sums; i++)
        all[i] = half[0].sums[i] + half[1].sums[i];
    for (size_t r = 0; r < 2; r++)
        backward(&half[r], all);
    for (size_t c = 0; c < channels; c++)
        assert_near((double)half[0].norm.dgamma[c] + (double)half[1].norm.dgamma[c], (double)whole.norm.dgamma[c],
                    1e-4);
    for (size_t i = 0; i < whole.count; i++)
        assert_near((double)((float *)half[i / (2 * row)].typed_dx)[i % (2 * row)],
                    (double)((float *)whole.typed_dx)[i], 1e-6);
    for (size_t r = 0; r < 2; r++)
        end(&half[r]);
    end(&whole);
    free(all);
}

static void check_bias(cu_type type, size_t pixels, int channels) {
    size_t count = pixels * (size_t)channels;
    float *dy = (float *)new_array(count, sizeof *dy), *dbias = (float *)new_array((size_t)channels, sizeof *dbias);
    void *partial = new_array(cu_k_bias_partial(pixels, channels), 1);
    for (size_t i = 0; i < count; i++)
        dy[i] = 1 + noise(i);
    void *typed_dy = typed(type, count, dy);
    cu_k_bias_gradient(NULL, type, pixels, channels, typed_dy, partial, dbias);
    for (size_t c = 0; c < (size_t)channels; c++) {
        double sum = 0;
        for (size_t i = c; i < count; i += (size_t)channels)
            sum += (double)dy[i];
        assert_near((double)dbias[c], sum, 1e-6 * sum);
    }
    free(dy);
    free(dbias);
    free(partial);
    free(typed_dy);
}

static void the_gradient_of_a_bias_is_the_sum_of_its_channel(void **state) {
    (void)state;
    for (size_t i = 0; i < ALL_TYPES; i++) {
        check_bias(all_types[i], 1, 1000);
        check_bias(all_types[i], 50000, 3);
        check_bias(all_types[i], 777, 64);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_use_only_the_rows_that_take_part),
        cmocka_unit_test(a_variance_is_accurate_with_a_large_mean),
        cmocka_unit_test(a_batch_norm_scales_to_gamma_and_beta),
        cmocka_unit_test(moving_statistics_follow_the_batch),
        cmocka_unit_test(one_value_a_channel_has_no_unbiased_variance),
        cmocka_unit_test(without_rows_the_moving_statistics_do_not_change),
        cmocka_unit_test(gradients_equal_the_formulas),
        cmocka_unit_test(gradients_pass_through_every_activation),
        cmocka_unit_test(a_gradient_is_added_to_the_old_value),
        cmocka_unit_test(a_norm_without_gamma_has_gradients),
        cmocka_unit_test(two_ranks_give_the_result_of_one_batch),
        cmocka_unit_test(the_gradient_of_a_bias_is_the_sum_of_its_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
