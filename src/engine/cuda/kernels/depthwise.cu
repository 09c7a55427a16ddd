/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolutions. Windows of 3x3 and 5x5 with strides 1 and 2 have special kernels (K, S): a thread computes
 * SIDE adjacent outputs, so that it reads each line of the input once for all of them and keeps it in registers. All
 * other windows, and channels that do not fill packs, are computed one output at a time. */
#include "window.cuh"

enum { SIDE = 4 };

static __device__ inline bool divides(int by, int i) {
    return i % by == 0;
}

/* Loads columns [first, first + COUNT) of a line, with 0 outside of it. The loads do not depend on each other, so they
 * run at the same time. */
template <typename T, int N, int COUNT>
static __device__ inline void load_line(const T *line, size_t channels, int first, int columns,
                                        cu_pack<T, N> (&packs)[COUNT]) {
    const cu_pack<T, N> zeros = {};
    CU_UNROLL
    for (int j = 0; j < COUNT; j++) {
        packs[j] = zeros;
        if (cu_inside(first + j, columns))
            packs[j] = *(const cu_pack<T, N> *)(line + (size_t)(first + j) * channels);
    }
}

template <int N, typename T>
static __device__ inline void add_product(const cu_pack<T, N> &a, const cu_pack<T, N> &b, float (&sums)[N]) {
    CU_UNROLL
    for (int k = 0; k < N; k++)
        sums[k] += cu_float(a.value[k]) * cu_float(b.value[k]);
}

/* With stride 2 a thread computes half as many outputs. They share about as much of a line, and enough registers remain
 * for the line. */
template <typename T, int N, int K, int S>
static __global__ void __launch_bounds__(CU_THREADS, 2)
    forward(size_t count, unsigned packs, int strips, cu_dims d, const T *__restrict__ x, const T *__restrict__ kernel,
            const float *__restrict__ bias, cs_activation activation, T *__restrict__ y) {
    enum { OUTPUTS = SIDE / S, COLUMNS = (OUTPUTS - 1) * S + K };
    const size_t channels = (size_t)packs * N;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, strips, d.out_h);
        int first = at.column * OUTPUTS, top = at.line * S - d.window.pad_top, left = first * S - d.window.pad_left;
        float sums[OUTPUTS][N];
        CU_UNROLL
        for (int t = 0; t < OUTPUTS; t++)
            cu_load_or(0, bias, at.c * N, sums[t]);
        CU_UNROLL
        for (int kh = 0; kh < K; kh++) {
            cu_pack<T, N> line[COLUMNS], weights[K];
            if (!cu_inside(top + kh, d.in_h))
                continue;
            load_line(x + cu_pack_at(at.row, top + kh, 0, at.c, d.in_h, d.in_w, packs) * N, channels, left, d.in_w,
                      line);
            load_line(kernel + (size_t)kh * K * channels + at.c * N, channels, 0, K, weights);
            CU_UNROLL
            for (int t = 0; t < OUTPUTS; t++)
                CU_UNROLL
            for (int kw = 0; kw < K; kw++)
                add_product(line[t * S + kw], weights[kw], sums[t]);
        }
        CU_UNROLL
        for (int t = 0; t < OUTPUTS; t++)
            if (first + t < d.out_w) {
                cu_activate_all(activation, sums[t]);
                cu_store(y + cu_pack_at(at.row, at.line, first + t, at.c, d.out_h, d.out_w, packs) * N, sums[t]);
            }
    }
}

template <typename T, int N>
static __global__ void forward_any(size_t count, unsigned packs, cu_dims d, const T *__restrict__ x,
                                   const T *__restrict__ kernel, const float *__restrict__ bias,
                                   cs_activation activation, T *__restrict__ y) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.out_w, d.out_h);
        cu_range lines = cu_covered(at.line, w.stride_h, w.pad_top, w.kernel_h, d.in_h);
        cu_range columns = cu_covered(at.column, w.stride_w, w.pad_left, w.kernel_w, d.in_w);
        int top = at.line * w.stride_h - w.pad_top, left = at.column * w.stride_w - w.pad_left;
        float sums[N];
        cu_load_or(0, bias, at.c * N, sums);
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                const size_t tap = (size_t)((h - top) * w.kernel_w + v - left) * packs + at.c;
                const size_t from = cu_pack_at(at.row, h, v, at.c, d.in_h, d.in_w, packs);
                add_product(((const cu_pack<T, N> *)x)[from], ((const cu_pack<T, N> *)kernel)[tap], sums);
            }
        cu_activate_all(activation, sums);
        cu_store(y + i * N, sums);
    }
}

/* A strip begins where a window can begin: at inputs first - pad_left % S ... So the pairs of kernel position and
 * output are the same for every strip. */
template <typename T, int N, int K, int S>
static __global__ void __launch_bounds__(CU_THREADS, 2)
    backward_data(size_t count, unsigned packs, int strips, cu_dims d, const T *__restrict__ dy,
                  const T *__restrict__ kernel, T *__restrict__ dx, bool add) {
    enum { BEFORE = (K - 1) / S, COLUMNS = BEFORE + 1 + (SIDE - 1) / S };
    const size_t channels = (size_t)packs * N;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, strips, d.in_h);
        int first = at.column * SIDE - d.window.pad_left % S, left = (first + d.window.pad_left) / S - BEFORE;
        float sums[SIDE][N] = {{0}};
        CU_UNROLL
        for (int kh = 0; kh < K; kh++) {
            cu_pack<T, N> line[COLUMNS], weights[K];
            int below = at.line + d.window.pad_top - kh;
            if (!divides(S, below) || !cu_inside(below / S, d.out_h))
                continue;
            load_line(dy + cu_pack_at(at.row, below / S, 0, at.c, d.out_h, d.out_w, packs) * N, channels, left, d.out_w,
                      line);
            load_line(kernel + (size_t)kh * K * channels + at.c * N, channels, 0, K, weights);
            CU_UNROLL
            for (int t = 0; t < SIDE; t++)
                CU_UNROLL
            for (int kw = t % S; kw < K; kw += S)
                add_product(line[(t - kw) / S + BEFORE], weights[kw], sums[t]);
        }
        CU_UNROLL
        for (int t = 0; t < SIDE; t++)
            if (cu_inside(first + t, d.in_w))
                cu_store(dx + cu_pack_at(at.row, at.line, first + t, at.c, d.in_h, d.in_w, packs) * N, sums[t], add);
    }
}

template <typename T, int N>
static __global__ void backward_data_any(size_t count, unsigned packs, cu_dims d, const T *__restrict__ dy,
                                         const T *__restrict__ kernel, T *__restrict__ dx, bool add) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.in_w, d.in_h);
        cu_range lines = cu_covering(at.line, w.stride_h, w.pad_top, w.kernel_h, d.out_h);
        cu_range columns = cu_covering(at.column, w.stride_w, w.pad_left, w.kernel_w, d.out_w);
        float sums[N] = {0};
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                int kh = at.line + w.pad_top - h * w.stride_h, kw = at.column + w.pad_left - v * w.stride_w;
                const size_t tap = (size_t)(kh * w.kernel_w + kw) * packs + at.c;
                const size_t from = cu_pack_at(at.row, h, v, at.c, d.out_h, d.out_w, packs);
                add_product(((const cu_pack<T, N> *)dy)[from], ((const cu_pack<T, N> *)kernel)[tap], sums);
            }
        cu_store(dx + i * N, sums, add);
    }
}

/* Block x processes every gridDim.x-th group of strips (a line of the output has `strips`). Block y processes `lanes`
 * packs of channels. The sums are written to partial [gridDim.x,taps,C]. */
template <typename T, int N, int K, int S>
static __global__ void __launch_bounds__(CU_THREADS, K == 3 ? 2 : 1)
    backward_kernel(size_t count, unsigned packs, unsigned lanes, int strips, cu_dims d, const T *__restrict__ x,
                    const T *__restrict__ dy, float *partial) {
    enum { COLUMNS = (SIDE - 1) * S + K };
    const unsigned c = blockIdx.y * lanes + threadIdx.x % lanes, groups = blockDim.x / lanes;
    const size_t channels = (size_t)packs * N;
    float sums[K * K][N] = {{0}};
    for (size_t i = (size_t)blockIdx.x * groups + threadIdx.x / lanes; c < packs && i < count;
         i += gridDim.x * groups) {
        cu_place at = cu_place_of(i, 1, strips, d.out_h);
        int first = at.column * SIDE, top = at.line * S - d.window.pad_top, left = first * S - d.window.pad_left;
        cu_pack<T, N> gradients[SIDE];
        load_line(dy + cu_pack_at(at.row, at.line, 0, c, d.out_h, d.out_w, packs) * N, channels, first, d.out_w,
                  gradients);
        CU_UNROLL
        for (int kh = 0; kh < K; kh++) {
            cu_pack<T, N> line[COLUMNS];
            if (!cu_inside(top + kh, d.in_h))
                continue;
            load_line(x + cu_pack_at(at.row, top + kh, 0, c, d.in_h, d.in_w, packs) * N, channels, left, d.in_w, line);
            CU_UNROLL
            for (int t = 0; t < SIDE; t++)
                CU_UNROLL
            for (int kw = 0; kw < K; kw++)
                add_product(line[t * S + kw], gradients[t], sums[kh * K + kw]);
        }
    }
    CU_UNROLL
    for (int tap = 0; tap < K * K; tap++) {
        cu_sum_columns(sums[tap], lanes);
        if (threadIdx.x < lanes && c < packs)
            cu_store(partial + ((size_t)blockIdx.x * K * K + tap) * channels + c * N, sums[tap]);
    }
}

/* The same for one output at a time; block z processes kernel position z. */
template <typename T, int N>
static __global__ void backward_kernel_any(size_t count, unsigned packs, unsigned lanes, cu_dims d,
                                           const T *__restrict__ x, const T *__restrict__ dy, float *partial) {
    const unsigned c = blockIdx.y * lanes + threadIdx.x % lanes, groups = blockDim.x / lanes;
    const int kh = (int)blockIdx.z / d.window.kernel_w, kw = (int)blockIdx.z % d.window.kernel_w;
    float sums[N] = {0};
    for (size_t i = (size_t)blockIdx.x * groups + threadIdx.x / lanes; c < packs && i < count;
         i += gridDim.x * groups) {
        cu_place at = cu_place_of(i, 1, d.out_w, d.out_h);
        int line = at.line * d.window.stride_h - d.window.pad_top + kh;
        int column = at.column * d.window.stride_w - d.window.pad_left + kw;
        if (cu_inside(line, d.in_h) && cu_inside(column, d.in_w))
            add_product(((const cu_pack<T, N> *)x)[cu_pack_at(at.row, line, column, c, d.in_h, d.in_w, packs)],
                        ((const cu_pack<T, N> *)dy)[i * packs + c], sums);
    }
    cu_sum_columns(sums, lanes);
    if (threadIdx.x < lanes && c < packs)
        cu_store(partial + (((size_t)blockIdx.x * gridDim.z + blockIdx.z) * packs + c) * N, sums);
}

/* dkernel[i] = sum of partial[part][i] */
static __global__ void sum_parts(unsigned parts, size_t count, unsigned lanes, const float *partial, float *dkernel) {
    const size_t i = (size_t)blockIdx.x * lanes + threadIdx.x % lanes;
    float sum[1] = {0};
    for (unsigned p = threadIdx.x / lanes; i < count && p < parts; p += blockDim.x / lanes)
        sum[0] += partial[p * count + i];
    cu_sum_columns(sum, lanes);
    if (threadIdx.x < lanes && i < count)
        dkernel[i] = sum[0];
}

/* Runs the statement `special` with K and S if the window has special kernels, else the statement `any`. */
#define WITH_WINDOW(K, S, window, is_wide, special, any)                                                               \
    switch ((is_wide) ? kind_of(window) : 0) {                                                                         \
        WITH_SIZES(K, S, 3, 1, special);                                                                               \
        WITH_SIZES(K, S, 3, 2, special);                                                                               \
        WITH_SIZES(K, S, 5, 1, special);                                                                               \
        WITH_SIZES(K, S, 5, 2, special);                                                                               \
    default:                                                                                                           \
        any;                                                                                                           \
    }
#define WITH_SIZES(K, S, kernel, stride, ...)                                                                          \
    case kernel * 10 + stride: {                                                                                       \
        constexpr int K = kernel, S = stride;                                                                          \
        __VA_ARGS__;                                                                                                   \
    } break

static int kind_of(const cs_window *window) {
    bool is_square = window->kernel_h == window->kernel_w && window->stride_h == window->stride_w;
    return is_square ? window->kernel_h * 10 + window->stride_h : 0;
}

static int strips_of(int columns, int side) {
    return (columns + side - 1) / side;
}

/* The number of parts of the sum over rows and pixels: several blocks for each multiprocessor of a large GPU, if there
 * is enough work. */
static unsigned parts_of(const cu_dims *d) {
    const size_t most = 528 / (((size_t)d->out_c + 127) / 128), least_strips = 32;
    size_t parts = (size_t)d->batch * (size_t)d->out_h * (size_t)strips_of(d->out_w, SIDE) / least_strips;
    return (unsigned)(parts < 1 || most < 1 ? 1 : parts < most ? parts : most);
}

static size_t values_of(const cu_dims *d) {
    return (size_t)d->window.kernel_h * (size_t)d->window.kernel_w * (size_t)d->out_c;
}

/* A thread takes 4 values of any type, because their sums for 9 or 25 kernel positions must stay in registers. */
template <typename T>
static void launch_backward_kernel(cu_stream stream, const cu_dims *d, bool is_wide, const T *x, const T *dy,
                                   float *partial) {
    const size_t lines = (size_t)d->batch * (size_t)d->out_h;
    const unsigned wide = (unsigned)d->out_c / 4, single = (unsigned)d->out_c;
    const unsigned wide_lanes = cu_lanes(wide), single_lanes = cu_lanes(single);
    const int strips = strips_of(d->out_w, SIDE);
    const dim3 blocks(parts_of(d), (wide + wide_lanes - 1) / wide_lanes);
    const dim3 single_blocks(parts_of(d), (single + single_lanes - 1) / single_lanes,
                             (unsigned)(d->window.kernel_h * d->window.kernel_w));
    WITH_WINDOW(K, S, &d->window, is_wide,
                CU_LAUNCH((backward_kernel<T, 4, K, S>), blocks, CU_THREADS, stream, lines * (size_t)strips, wide,
                          wide_lanes, strips, *d, x, dy, partial),
                CU_LAUNCH((backward_kernel_any<T, 1>), single_blocks, CU_THREADS, stream, lines * (size_t)d->out_w,
                          single, single_lanes, *d, x, dy, partial));
}

extern "C" {

void cu_k_depthwise(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, const void *kernel,
                    const float *bias, cs_activation activation, void *y) {
    const size_t lines = (size_t)dims->batch * (size_t)dims->out_h;
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->out_c, x, kernel, bias, y), {
        const unsigned packs = (unsigned)(dims->out_c / N);
        const size_t all = lines * (size_t)dims->out_w * packs;
        WITH_WINDOW(
            K, S, &dims->window, N > 1,
            {
                const int strips = strips_of(dims->out_w, SIDE / S);
                const size_t count = lines * (size_t)strips * packs;
                CU_LAUNCH((forward<T, 16 / sizeof(T), K, S>), cu_grid(count), CU_THREADS, stream, count, packs, strips,
                          *dims, (const T *)x, (const T *)kernel, bias, activation, (T *)y);
            },
            CU_LAUNCH((forward_any<T, N>), cu_grid(all), CU_THREADS, stream, all, packs, *dims, (const T *)x,
                      (const T *)kernel, bias, activation, (T *)y));
    });
}

void cu_k_depthwise_backward_data(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy,
                                  const void *kernel, void *dx, bool add) {
    const size_t lines = (size_t)dims->batch * (size_t)dims->in_h;
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->out_c, dy, kernel, dx), {
        const unsigned packs = (unsigned)(dims->out_c / N);
        const int strips = strips_of(dims->in_w + dims->window.pad_left % dims->window.stride_w, SIDE);
        const size_t count = lines * (size_t)strips * packs, all = lines * (size_t)dims->in_w * packs;
        WITH_WINDOW(K, S, &dims->window, N > 1,
                    CU_LAUNCH((backward_data<T, 16 / sizeof(T), K, S>), cu_grid(count), CU_THREADS, stream, count,
                              packs, strips, *dims, (const T *)dy, (const T *)kernel, (T *)dx, add),
                    CU_LAUNCH((backward_data_any<T, N>), cu_grid(all), CU_THREADS, stream, all, packs, *dims,
                              (const T *)dy, (const T *)kernel, (T *)dx, add));
    });
}

size_t cu_k_depthwise_partial(const cu_dims *dims) {
    return parts_of(dims) * values_of(dims) * sizeof(float);
}

void cu_k_depthwise_backward_kernel(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, const void *dy,
                                    void *partial, float *dkernel) {
    const bool is_wide = dims->out_c % 4 == 0 && cu_is_wide(type, 16, x, dy, partial);
    const size_t count = values_of(dims);
    const unsigned lanes = cu_lanes((unsigned)count);
    CU_WITH_TYPE(T, type, launch_backward_kernel(stream, dims, is_wide, (const T *)x, (const T *)dy, (float *)partial));
    CU_LAUNCH(sum_parts, (unsigned)((count + lanes - 1) / lanes), CU_THREADS, stream, parts_of(dims), count, lanes,
              (const float *)partial, dkernel);
}
}
