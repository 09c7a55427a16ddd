/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once for each instruction set, with -DOD_KERNELS=<table> -DOD_BLOCK=<lanes>: see
 * src/engine/CMakeLists.txt. */
#include "kernels.h"
#include "vector.h"

#define CS_REAL        float
#define CS_SQRT        sqrtf
#define CS_STEP        static inline
#define CS_STEP_STATES float *const *
#define CS_STEP_TYPES
#include "common/optimizer_step.h"

#include <math.h>
#include <string.h>

enum { SMALL = 1 << 14 }; /* for fewer floats a second thread costs more time than it saves */

static size_t total(od_dims d) {
    return (size_t)d.rows * (size_t)d.blocks * (size_t)d.h * (size_t)d.w * B;
}

static size_t plane_offset(od_dims d, int row, int block) {
    return ((size_t)row * (size_t)d.blocks + (size_t)block) * (size_t)d.h * (size_t)d.w * B;
}

/* Sums are accumulated in float over this many pixels and then added to doubles. */
enum { RUN = 64 };

static void add_lanes(double *sum, vec value) {
    for (int l = 0; l < B; l++)
        sum[l] += (double)value[l];
}

/* Converts sums of differences from `pivot` to sums of the values themselves. */
static void shift_moments(double sums[2][B], vec pivot, double count) {
    for (int l = 0; l < B; l++) {
        double p = (double)pivot[l];
        sums[1][l] += 2 * p * sums[0][l] + count * p * p;
        sums[0][l] += count * p;
    }
}

/* The float sums are of differences from one value of the plane: with floats, E[x*x] - E[x]^2 loses digits if the mean
 * is large. */
static void moments(od_dims d, const float *x, double *partial) {
    size_t lanes = (size_t)d.blocks * B, pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            const float *plane = x + plane_offset(d, r, b);
            vec pivot = load(plane);
            double sums[2][B] = {{0}};
            for (size_t from = 0; from < pixels; from += RUN) {
                size_t to = from + RUN < pixels ? from + RUN : pixels, p = from;
                vec s0 = {0}, s1 = {0}, q0 = {0}, q1 = {0};
                for (; p + 2 <= to; p += 2) {
                    vec v0 = load(plane + p * B) - pivot, v1 = load(plane + p * B + B) - pivot;
                    s0 += v0;
                    s1 += v1;
                    q0 += v0 * v0;
                    q1 += v1 * v1;
                }
                if (p < to) {
                    vec v0 = load(plane + p * B) - pivot;
                    s0 += v0;
                    q0 += v0 * v0;
                }
                add_lanes(sums[0], s0 + s1);
                add_lanes(sums[1], q0 + q1);
            }
            shift_moments(sums, pivot, (double)pixels);
            for (size_t k = 0; k < 2; k++)
                memcpy(partial + ((size_t)r * 2 + k) * lanes + (size_t)b * B, sums[k], sizeof sums[k]);
        }
}

static inline void affine_plane(cs_activation act, size_t pixels, vec scale, vec shift, const float *x, float *y) {
    for (size_t p = 0; p < pixels; p++)
        store(y + p * B, activate(act, load(x + p * B) * scale + shift));
}

static void affine(od_dims d, od_affine a, const float *x, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b);
            vec scale = load(a.scale + (size_t)b * B), shift = load(a.shift + (size_t)b * B);
            FOR_ACTIVATION(a.activation, affine_plane(ACT, pixels, scale, shift, x + at, y + at))
        }
}

static void affine_planar(size_t planes, size_t channels, size_t pixels, od_affine a, const float *x, float *y) {
#pragma omp parallel for if (planes * pixels > SMALL)
    for (size_t k = 0; k < planes; k++) {
        const float scale = a.scale[k % channels], shift = a.shift[k % channels];
        for (size_t p = k * pixels; p < (k + 1) * pixels; p++)
            y[p] = scale * x[p] + shift;
    }
}

/* Adds the sums over RUN pixels or less, in double: sums[0] += dz, sums[1] += dz * (x - center). */
static inline void reduce_run(cs_activation act, size_t pixels, const vec affine_of[3], const float *x, const float *dy,
                              double sums[2][B]) {
    const vec scale = affine_of[0], shift = affine_of[1], center = affine_of[2];
    vec s = {0}, q = {0};
    for (size_t p = 0; p < pixels; p++) {
        vec v = load(x + p * B);
        vec dz = pull_back(act, v * scale + shift, load(dy + p * B));
        s += dz;
        q += dz * (v - center);
    }
    add_lanes(sums[0], s);
    add_lanes(sums[1], q);
}

static void affine_reduce(od_dims d, od_affine a, const float *mean, const float *x, const float *dy, double *partial) {
    size_t lanes = (size_t)d.blocks * B, pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b);
            size_t c = (size_t)b * B;
            const vec coefficients[3] = {load(a.scale + c), load(a.shift + c), load(mean + c)};
            double sums[2][B] = {{0}};
            for (size_t from = 0; from < pixels; from += RUN) {
                size_t run = from + RUN < pixels ? RUN : pixels - from, first = at + from * B;
                FOR_ACTIVATION(a.activation, reduce_run(ACT, run, coefficients, x + first, dy + first, sums))
            }
            for (size_t k = 0; k < 2; k++)
                memcpy(partial + ((size_t)r * 2 + k) * lanes + (size_t)b * B, sums[k], sizeof sums[k]);
        }
}

/* The coefficients are scale, shift, p and q. */
static inline void backward_plane(cs_activation act, size_t pixels, const vec coefficients[4], const float *x,
                                  const float *dy, float *dx) {
    const vec scale = coefficients[0], shift = coefficients[1], p = coefficients[2], q = coefficients[3];
    for (size_t i = 0; i < pixels; i++) {
        vec v = load(x + i * B);
        vec dz = pull_back(act, v * scale + shift, load(dy + i * B));
        store(dx + i * B, scale * dz + p * v + q);
    }
}

static void affine_backward(od_dims d, od_affine a, const float *p_channel, const float *q_channel, const float *x,
                            const float *dy, float *dx) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b), c = (size_t)b * B;
            const vec coefficients[4] = {load(a.scale + c), load(a.shift + c), load(p_channel + c),
                                         load(q_channel + c)};
            FOR_ACTIVATION(a.activation, backward_plane(ACT, pixels, coefficients, x + at, dy + at, dx + at))
        }
}

/* Elementwise loops process whole blocks and then single floats. */
#define ELEMENTWISE(count, body_block, body_one)                                                                       \
    do {                                                                                                               \
        size_t whole_ = (count) / B;                                                                                   \
        _Pragma("omp parallel for if (whole_ * B > SMALL)") for (size_t k_ = 0; k_ < whole_; k_++) {                   \
            size_t i = k_ * B;                                                                                         \
            body_block;                                                                                                \
        }                                                                                                              \
        for (size_t i = whole_ * B; i < (count); i++) {                                                                \
            body_one;                                                                                                  \
        }                                                                                                              \
    } while (0)

static void activation_forward(size_t count, cs_activation activation, const float *x, float *y) {
    FOR_ACTIVATION(activation,
                   ELEMENTWISE(count, store(y + i, activate(ACT, load(x + i))), y[i] = activate(ACT, splat(x[i]))[0]))
}

static void activation_backward(size_t count, cs_activation activation, const float *x, const float *dy, float *dx) {
    FOR_ACTIVATION(activation, ELEMENTWISE(count, store(dx + i, pull_back(ACT, load(x + i), load(dy + i))),
                                           dx[i] = pull_back(ACT, splat(x[i]), splat(dy[i]))[0]))
}

static void add(size_t count, const float *a, const float *b, float *y) {
    ELEMENTWISE(count, store(y + i, load(a + i) + load(b + i)), y[i] = a[i] + b[i]);
}

static void add_scaled(size_t count, float factor, const float *x, float *y) {
    ELEMENTWISE(count, store(y + i, load(y + i) + factor * load(x + i)), y[i] += factor * x[i]);
}

static void multiply(size_t count, const float *a, const float *b, float *y) {
    ELEMENTWISE(count, store(y + i, load(a + i) * load(b + i)), y[i] = a[i] * b[i]);
}

static void scale_all(size_t count, float factor, const float *x, float *y) {
    ELEMENTWISE(count, store(y + i, factor * load(x + i)), y[i] = factor * x[i]);
}

static double square_sum(size_t count, const float *x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void gate(od_dims d, const float *x, const float *values, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w, planes = (size_t)d.rows * (size_t)d.blocks;
#pragma omp parallel for if (total(d) > SMALL)
    for (size_t k = 0; k < planes; k++) {
        vec value = load(values + k * B);
        for (size_t p = k * pixels; p < (k + 1) * pixels; p++)
            store(y + p * B, value * load(x + p * B));
    }
}

static void gate_gradient(od_dims d, const float *x, const float *dy, float *dgate) {
    size_t pixels = (size_t)d.h * (size_t)d.w, planes = (size_t)d.rows * (size_t)d.blocks;
#pragma omp parallel for if (total(d) > SMALL)
    for (size_t k = 0; k < planes; k++) {
        double sums[B] = {0};
        for (size_t from = k * pixels; from < (k + 1) * pixels; from += RUN) {
            size_t to = from + RUN < (k + 1) * pixels ? from + RUN : (k + 1) * pixels;
            vec sum = {0};
            for (size_t p = from; p < to; p++)
                sum += load(x + p * B) * load(dy + p * B);
            add_lanes(sums, sum);
        }
        for (int l = 0; l < B; l++)
            dgate[k * B + (size_t)l] = (float)sums[l];
    }
}

static void copy_channel(const float *x, float *y, size_t pixels) {
    for (size_t p = 0; p < pixels; p++)
        y[p * B] = x[p * B];
}

static void copy_channels(od_dims xd, const float *x, int x_at, od_dims yd, float *y, int y_at, int count) {
    size_t pixels = (size_t)xd.h * (size_t)xd.w;
    bool whole = x_at % B == 0 && y_at % B == 0; /* whole blocks can be copied */
#pragma omp parallel for if (total(yd) > SMALL)
    for (int r = 0; r < xd.rows; r++)
        for (int c = 0; c < count;) {
            const float *from = x + plane_offset(xd, r, (x_at + c) / B) + (x_at + c) % B;
            float *to = y + plane_offset(yd, r, (y_at + c) / B) + (y_at + c) % B;
            if (whole && count - c >= B) {
                memcpy(to, from, pixels * B * sizeof *to);
                c += B;
                continue;
            }
            if ((y_at + c) % B == 0) /* a new block, which is filled lane by lane */
                memset(to, 0, pixels * B * sizeof *to);
            copy_channel(from, to, pixels);
            c++;
        }
}

static int lanes_of(od_dims d, int block) {
    int left = d.c - block * B;
    return left < B ? left : B;
}

static void clear_padding(od_dims d, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
    int lanes = lanes_of(d, d.blocks - 1);
    for (int r = 0; r < d.rows && lanes < B; r++) {
        float *plane = y + plane_offset(d, r, d.blocks - 1);
        for (size_t p = 0; p < pixels; p++)
            memset(plane + p * B + lanes, 0, (size_t)(B - lanes) * sizeof *plane);
    }
}

/* The number of lanes that a block has in rows of `row` floats, which need not be whole blocks. */
static size_t lanes_in_row(size_t row, int block) {
    size_t left = row - (size_t)block * B;
    return left < B ? left : B;
}

static void global_average(od_dims d, const float *x, size_t y_row, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            const float *plane = x + plane_offset(d, r, b);
            vec sum = {0};
            for (size_t p = 0; p < pixels; p++)
                sum += load(plane + p * B);
            sum /= (float)pixels;
            memcpy(y + (size_t)r * y_row + (size_t)b * B, &sum, lanes_in_row(y_row, b) * sizeof *y);
        }
}

static void global_average_backward(od_dims d, size_t dy_row, const float *dy, float *dx) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            vec value = {0};
            memcpy(&value, dy + (size_t)r * dy_row + (size_t)b * B, lanes_in_row(dy_row, b) * sizeof *dy);
            value /= (float)pixels;
            float *plane = dx + plane_offset(d, r, b);
            for (size_t p = 0; p < pixels; p++)
                store(plane + p * B, value);
        }
}

static void to_nhwc(od_dims d, const float *x, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            const float *plane = x + plane_offset(d, r, b);
            float *out = y + (size_t)r * pixels * (size_t)d.c + (size_t)b * B;
            size_t bytes = (size_t)lanes_of(d, b) * sizeof *out;
            for (size_t p = 0; p < pixels; p++)
                memcpy(out + p * (size_t)d.c, plane + p * B, bytes);
        }
}

static void from_nhwc(od_dims d, const float *x, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            float *plane = y + plane_offset(d, r, b);
            const float *in = x + (size_t)r * pixels * (size_t)d.c + (size_t)b * B;
            int lanes = lanes_of(d, b);
            for (size_t p = 0; p < pixels; p++) {
                vec value = {0};
                for (int l = 0; l < lanes; l++)
                    value[l] = in[p * (size_t)d.c + (size_t)l];
                store(plane + p * B, value);
            }
        }
}

static void zero_pad(od_dims d, const cs_window *w, const float *x, float *y) {
    int out_h = d.h + w->pad_top + w->pad_bottom, out_w = d.w + w->pad_left + w->pad_right;
    size_t out_plane = (size_t)out_h * (size_t)out_w * B, line = (size_t)d.w * B;
    for (int k = 0; k < d.rows * d.blocks; k++) {
        float *plane = y + (size_t)k * out_plane;
        memset(plane, 0, out_plane * sizeof *plane);
        for (int row = 0; row < d.h; row++)
            memcpy(plane + ((size_t)(row + w->pad_top) * (size_t)out_w + (size_t)w->pad_left) * B,
                   x + ((size_t)k * (size_t)d.h + (size_t)row) * line, line * sizeof *x);
    }
}

static void zero_pad_backward(od_dims d, const cs_window *w, const float *dy, float *dx) {
    int out_h = d.h + w->pad_top + w->pad_bottom, out_w = d.w + w->pad_left + w->pad_right;
    size_t out_plane = (size_t)out_h * (size_t)out_w * B, line = (size_t)d.w * B;
    for (int k = 0; k < d.rows * d.blocks; k++)
        for (int row = 0; row < d.h; row++)
            memcpy(dx + ((size_t)k * (size_t)d.h + (size_t)row) * line,
                   dy + (size_t)k * out_plane + ((size_t)(row + w->pad_top) * (size_t)out_w + (size_t)w->pad_left) * B,
                   line * sizeof *dx);
}

static void depthwise_weights(od_dims d, const cs_window *w, int out_h, int out_w, const float *x, const float *dy,
                              float *dw) {
#pragma omp parallel for if (total(d) > SMALL)
    for (int b = 0; b < d.blocks; b++)
        for (int tap = 0; tap < w->kernel_h * w->kernel_w; tap++) {
            int dh = tap / w->kernel_w - w->pad_top, dl = tap % w->kernel_w - w->pad_left;
            vec sum = {0};
            for (int r = 0; r < d.rows; r++) {
                const float *in = x + plane_offset(d, r, b);
                const float *out = dy + ((size_t)r * (size_t)d.blocks + (size_t)b) * (size_t)(out_h * out_w) * B;
                for (int i = 0; i < out_h; i++) {
                    int at_h = i * w->stride_h + dh;
                    if (at_h < 0 || at_h >= d.h)
                        continue;
                    for (int j = 0; j < out_w; j++) {
                        int at_w = j * w->stride_w + dl;
                        if (at_w >= 0 && at_w < d.w)
                            sum += load(in + (size_t)(at_h * d.w + at_w) * B) * load(out + (size_t)(i * out_w + j) * B);
                    }
                }
            }
            store(dw + (size_t)(b * w->kernel_h * w->kernel_w + tap) * B, sum);
        }
}

/* The outputs [*first, *last) of an axis for which one window position is inside the input. `offset` is that position
 * minus the padding. */
static void outputs_of(int offset, int stride, int in, int out, int *first, int *last) {
    *first = offset < 0 ? (-offset + stride - 1) / stride : 0;
    *last = in > offset ? (in - 1 - offset) / stride + 1 : 0;
    *last = *last < out ? *last : out;
}

/* wgrad of one block of input channels and one block of output channels, for one window position. */
static void weights_tile(od_dims in, od_dims out, const cs_window *w, int tap, const float *x, const float *dy,
                         float *dw) {
    int dh = tap / w->kernel_w - w->pad_top, dl = tap % w->kernel_w - w->pad_left, i0, i1, j0, j1;
    vec sums[B] = {{0}};
    outputs_of(dh, w->stride_h, in.h, out.h, &i0, &i1);
    outputs_of(dl, w->stride_w, in.w, out.w, &j0, &j1);
    for (int r = 0; r < in.rows; r++)
        for (int i = i0; i < i1; i++)
            for (int j = j0; j < j1; j++) {
                const float *pixel =
                    x + plane_offset(in, r, 0) + (size_t)((i * w->stride_h + dh) * in.w + j * w->stride_w + dl) * B;
                vec gradient = load(dy + plane_offset(out, r, 0) + (size_t)(i * out.w + j) * B);
                for (int l = 0; l < B; l++)
                    sums[l] += pixel[l] * gradient;
            }
    for (int l = 0; l < B; l++)
        store(dw + (size_t)l * B, sums[l]);
}

static void conv_weights(od_dims in, od_dims out, const cs_window *w, const float *x, const float *dy, float *dw) {
    const int taps = w->kernel_h * w->kernel_w;
#pragma omp parallel for collapse(2)
    for (int o = 0; o < out.blocks; o++)
        for (int i = 0; i < in.blocks; i++)
            for (int tap = 0; tap < taps; tap++)
                weights_tile(in, out, w, tap, x + plane_offset(in, 0, i), dy + plane_offset(out, 0, o),
                             dw + (size_t)((o * in.blocks + i) * taps + tap) * B * B);
}

static void channel_sums(od_dims d, const float *x, float *sums) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for if (total(d) > SMALL)
    for (int b = 0; b < d.blocks; b++) {
        vec sum = {0};
        for (int r = 0; r < d.rows; r++)
            for (size_t p = 0; p < pixels; p++)
                sum += load(x + plane_offset(d, r, b) + p * B);
        store(sums + (size_t)b * B, sum);
    }
}

static void average(size_t count, float momentum, const float *x, float *average) {
    const float rest = 1 - momentum;
    ELEMENTWISE(count, store(average + i, momentum * load(average + i) + rest * load(x + i)),
                average[i] = momentum * average[i] + rest * x[i]);
}

/* Each thread works on local copies of what a step reads. Otherwise the compiler must assume that the stores change it,
 * and does not vectorise the loop. */
#define UPDATE(rule, step, states, trusts)                                                                             \
    static void update_##rule(const od_update *u) {                                                                    \
        _Pragma("omp parallel if (u->count > SMALL)") {                                                                \
            const od_update own = *u;                                                                                  \
            _Pragma("omp for simd") for (size_t i = 0; i < own.count; i++) {                                           \
                float g = cs_step_gradient(own.rates, own.gradient[i], own.value[i]);                                  \
                float change = cs_step_##step(own.rates, g, own.state, i);                                             \
                own.value[i] = own.value[i] * own.rates[CS_RATE_KEEP] + ((trusts) ? 0 : change);                       \
                if (trusts)                                                                                            \
                    own.gradient[i] = change;                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }
CS_OPTIMIZER_RULES(UPDATE)

#define UPDATE_OF(rule, step, states, trusts) [CS_RULE_##rule] = update_##rule,
static void (*const updates[CS_RULE_COUNT])(const od_update *u) = {CS_OPTIMIZER_RULES(UPDATE_OF)};

static void update(const od_update *u) {
    updates[u->rule](u);
}

#define OD_STRING_(x) #x
#define OD_STRING(x)  OD_STRING_(x)

const od_kernels OD_KERNELS = {
    .name = OD_STRING(OD_KERNELS),
    .block = B,
    .moments = moments,
    .affine = affine,
    .affine_planar = affine_planar,
    .affine_reduce = affine_reduce,
    .affine_backward = affine_backward,
    .activation = activation_forward,
    .activation_backward = activation_backward,
    .clear_padding = clear_padding,
    .add = add,
    .add_scaled = add_scaled,
    .multiply = multiply,
    .scale = scale_all,
    .square_sum = square_sum,
    .average = average,
    .gate = gate,
    .gate_gradient = gate_gradient,
    .copy_channels = copy_channels,
    .global_average = global_average,
    .global_average_backward = global_average_backward,
    .to_nhwc = to_nhwc,
    .from_nhwc = from_nhwc,
    .zero_pad = zero_pad,
    .zero_pad_backward = zero_pad_backward,
    .depthwise_weights = depthwise_weights,
    .conv_weights = conv_weights,
    .channel_sums = channel_sums,
    .update = update,
};
