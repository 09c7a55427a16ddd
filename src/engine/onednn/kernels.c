/* Compiled once an instruction set, with -DOD_KERNELS=<table> -DOD_BLOCK=<lanes>: see CMakeLists.txt of the room. */
#include "kernels.h"

#include <math.h>
#include <string.h>

/* A block of channels of one pixel. GCC's and Clang's vector types keep it in registers through the loops, which
 * auto-vectorised arrays of accumulators do not. */
typedef float vec __attribute__((vector_size(OD_BLOCK * 4)));
typedef int32_t mask __attribute__((vector_size(OD_BLOCK * 4)));

enum { B = OD_BLOCK, SMALL = 1 << 14 }; /* below SMALL floats a second thread costs more than it brings */

static inline vec load(const float *at) {
    vec value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void store(float *at, vec value) {
    memcpy(at, &value, sizeof value);
}

static inline vec splat(float value) {
    return value - (vec){0};
}

static inline vec keep(mask where, vec value) {
    return (vec)((mask)value & where);
}

static inline mask active(cs_activation activation, vec z) {
    switch (activation) {
    case CS_ACT_RELU:
        return z > 0;
    case CS_ACT_RELU6:
        return (z > 0) & (z < 6);
    default:
        return ~(mask){0};
    }
}

/* A NaN must stay one, or a diverged trial would train on: the comparisons are made so that it passes through. */
static inline vec activate(cs_activation activation, vec z) {
    if (activation == CS_ACT_LINEAR || activation == CS_ACT_SOFTMAX)
        return z;
    vec y = keep(~(z <= 0), z);
    if (activation == CS_ACT_RELU6) {
        mask high = y > 6;
        y = keep(~high, y) + keep(high, splat(6));
    }
    return y;
}

static size_t total(od_dims d) {
    return (size_t)d.rows * (size_t)d.blocks * (size_t)d.h * (size_t)d.w * B;
}

static size_t plane_offset(od_dims d, int row, int block) {
    return ((size_t)row * (size_t)d.blocks + (size_t)block) * (size_t)d.h * (size_t)d.w * B;
}

/* Float sums run over this many pixels before they go into doubles. */
enum { RUN = 64 };

static void add_lanes(double *sum, vec value) {
    for (int l = 0; l < B; l++)
        sum[l] += (double)value[l];
}

/* From sums around `pivot` to sums around 0. */
static void shift_moments(double sums[2][B], vec pivot, double count) {
    for (int l = 0; l < B; l++) {
        double p = (double)pivot[l];
        sums[1][l] += 2 * p * sums[0][l] + count * p * p;
        sums[0][l] += count * p;
    }
}

/* The float sums go around a value of the plane itself: E[x*x] - E[x]^2 of floats loses digits where the mean is large.
 */
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

static void affine(od_dims d, od_affine a, const float *x, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b);
            vec scale = load(a.scale + (size_t)b * B), shift = load(a.shift + (size_t)b * B);
            for (size_t p = 0; p < pixels; p++)
                store(y + at + p * B, activate(a.activation, load(x + at + p * B) * scale + shift));
        }
}

static void affine_reduce(od_dims d, od_affine a, const float *mean, const float *x, const float *dy, double *partial) {
    size_t lanes = (size_t)d.blocks * B, pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b);
            size_t c = (size_t)b * B;
            vec scale = load(a.scale + c), shift = load(a.shift + c), center = load(mean + c);
            double sums[2][B] = {{0}};
            for (size_t from = 0; from < pixels; from += RUN) {
                size_t to = from + RUN < pixels ? from + RUN : pixels;
                vec s = {0}, q = {0};
                for (size_t p = from; p < to; p++) {
                    vec v = load(x + at + p * B);
                    vec dz = keep(active(a.activation, v * scale + shift), load(dy + at + p * B));
                    s += dz;
                    q += dz * (v - center);
                }
                add_lanes(sums[0], s);
                add_lanes(sums[1], q);
            }
            for (size_t k = 0; k < 2; k++)
                memcpy(partial + ((size_t)r * 2 + k) * lanes + (size_t)b * B, sums[k], sizeof sums[k]);
        }
}

static void affine_backward(od_dims d, od_affine a, const float *p_channel, const float *q_channel, const float *x,
                            const float *dy, float *dx) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            size_t at = plane_offset(d, r, b), c = (size_t)b * B;
            vec scale = load(a.scale + c), shift = load(a.shift + c);
            vec p = load(p_channel + c), q = load(q_channel + c);
            for (size_t i = 0; i < pixels; i++) {
                vec v = load(x + at + i * B);
                vec dz = keep(active(a.activation, v * scale + shift), load(dy + at + i * B));
                store(dx + at + i * B, scale * dz + p * v + q);
            }
        }
}

/* Elementwise loops walk whole blocks and then single floats. */
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

static float activate_one(cs_activation activation, float z) {
    vec lanes = {z};
    return activate(activation, lanes)[0];
}

static void activation_forward(size_t count, cs_activation act, const float *x, float *y) {
    ELEMENTWISE(count, store(y + i, activate(act, load(x + i))), y[i] = activate_one(act, x[i]));
}

static void activation_backward(size_t count, cs_activation act, const float *y, const float *dy, float *dx) {
    ELEMENTWISE(count, store(dx + i, keep(active(act, load(y + i)), load(dy + i))),
                dx[i] = active(act, (vec){y[i]})[0] ? dy[i] : 0);
}

static void add(size_t count, const float *a, const float *b, float *y) {
    ELEMENTWISE(count, store(y + i, load(a + i) + load(b + i)), y[i] = a[i] + b[i]);
}

static void copy_channel(const float *x, float *y, size_t pixels) {
    for (size_t p = 0; p < pixels; p++)
        y[p * B] = x[p * B];
}

static void copy_channels(od_dims xd, const float *x, int x_at, od_dims yd, float *y, int y_at, int count) {
    size_t pixels = (size_t)xd.h * (size_t)xd.w;
    bool whole = x_at % B == 0 && y_at % B == 0; /* blocks can be copied as they are */
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
            if ((y_at + c) % B == 0) /* a block that is filled lane by lane */
                memset(to, 0, pixels * B * sizeof *to);
            copy_channel(from, to, pixels);
            c++;
        }
}

static int lanes_of(od_dims d, int block) {
    int left = d.c - block * B;
    return left < B ? left : B;
}

static void global_average(od_dims d, const float *x, float *y) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            const float *plane = x + plane_offset(d, r, b);
            vec sum = {0};
            for (size_t p = 0; p < pixels; p++)
                sum += load(plane + p * B);
            sum /= (float)pixels;
            for (int l = 0; l < lanes_of(d, b); l++)
                y[(size_t)r * (size_t)d.c + (size_t)(b * B + l)] = sum[l];
        }
}

static void global_average_backward(od_dims d, const float *dy, float *dx) {
    size_t pixels = (size_t)d.h * (size_t)d.w;
#pragma omp parallel for collapse(2) if (total(d) > SMALL)
    for (int r = 0; r < d.rows; r++)
        for (int b = 0; b < d.blocks; b++) {
            vec value = {0};
            for (int l = 0; l < lanes_of(d, b); l++)
                value[l] = dy[(size_t)r * (size_t)d.c + (size_t)(b * B + l)] / (float)pixels;
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

static void update_sgd(const od_update *u) {
    const cs_optimizer o = u->optimizer;
    const float *g = u->gradient;
    float *w = u->value, *v = u->moment1;
    const float keep_weight = 1 - o.lr * o.weight_decay;
#pragma omp parallel for simd if (u->count > SMALL)
    for (size_t i = 0; i < u->count; i++) {
        float step = -o.lr * g[i];
        v[i] = o.momentum * v[i] + step;
        w[i] = w[i] * keep_weight + (o.nesterov ? o.momentum * v[i] + step : v[i]);
    }
}

static void update_adam(const od_update *u) {
    const cs_optimizer o = u->optimizer;
    const float *g = u->gradient;
    float *w = u->value, *m = u->moment1, *v = u->moment2;
    const float rate = (float)((double)o.lr * sqrt(1 - pow((double)o.beta_2, (double)u->step)) /
                               (1 - pow((double)o.beta_1, (double)u->step)));
    const float keep_weight = 1 - o.lr * o.weight_decay;
#pragma omp parallel for simd if (u->count > SMALL)
    for (size_t i = 0; i < u->count; i++) {
        m[i] += (g[i] - m[i]) * (1 - o.beta_1);
        v[i] += (g[i] * g[i] - v[i]) * (1 - o.beta_2);
        w[i] = w[i] * keep_weight - rate * m[i] / (sqrtf(v[i]) + o.epsilon);
    }
}

static void update(const od_update *u) {
    if (u->optimizer.kind == CS_OPTIMIZER_ADAM)
        update_adam(u);
    else
        update_sgd(u);
}

#define OD_STRING_(x) #x
#define OD_STRING(x)  OD_STRING_(x)

const od_kernels OD_KERNELS = {
    .name = OD_STRING(OD_KERNELS),
    .block = B,
    .moments = moments,
    .affine = affine,
    .affine_reduce = affine_reduce,
    .affine_backward = affine_backward,
    .activation = activation_forward,
    .activation_backward = activation_backward,
    .add = add,
    .copy_channels = copy_channels,
    .global_average = global_average,
    .global_average_backward = global_average_backward,
    .to_nhwc = to_nhwc,
    .from_nhwc = from_nhwc,
    .zero_pad = zero_pad,
    .zero_pad_backward = zero_pad_backward,
    .depthwise_weights = depthwise_weights,
    .update = update,
};
