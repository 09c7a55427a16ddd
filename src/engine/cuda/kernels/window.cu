/* SPDX-License-Identifier: Apache-2.0 */
/* Pools and zero-paddings. In backward a thread computes one input's gradient from all windows that cover the input. */
#include "window.cuh"

template <int N> struct alignas(N) argmaxes { uint8_t place[N]; };

template <typename T, int N>
static __global__ void max_pool(size_t count, unsigned packs, cu_dims d, const T *__restrict__ x, T *y,
                                uint8_t *argmax) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.out_w, d.out_h);
        cu_range lines = cu_covered(at.line, w.stride_h, w.pad_top, w.kernel_h, d.in_h);
        cu_range columns = cu_covered(at.column, w.stride_w, w.pad_left, w.kernel_w, d.in_w);
        int top = at.line * w.stride_h - w.pad_top, left = at.column * w.stride_w - w.pad_left;
        float best[N];
        argmaxes<N> maxima;
        CU_UNROLL
        for (int k = 0; k < N; k++) {
            best[k] = -INFINITY;
            maxima.place[k] = (uint8_t)((lines.first - top) * w.kernel_w + columns.first - left);
        }
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                float values[N];
                cu_load(x + cu_pack_at(at.row, h, v, at.c, d.in_h, d.in_w, packs) * N, values);
                CU_UNROLL
                for (int k = 0; k < N; k++)
                    if (values[k] > best[k]) {
                        best[k] = values[k];
                        maxima.place[k] = (uint8_t)((h - top) * w.kernel_w + v - left);
                    }
            }
        cu_store(y + i * N, best);
        if (argmax)
            *(argmaxes<N> *)(argmax + i * N) = maxima;
    }
}

template <typename T, int N>
static __global__ void max_pool_gradients(size_t count, unsigned packs, cu_dims d, const uint8_t *__restrict__ argmax,
                                          const T *__restrict__ dy, T *dx, bool add) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.in_w, d.in_h);
        cu_range lines = cu_covering(at.line, w.stride_h, w.pad_top, w.kernel_h, d.out_h);
        cu_range columns = cu_covering(at.column, w.stride_w, w.pad_left, w.kernel_w, d.out_w);
        float sums[N] = {0};
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                float gradients[N];
                size_t from = cu_pack_at(at.row, h, v, at.c, d.out_h, d.out_w, packs) * N;
                const argmaxes<N> maxima = *(const argmaxes<N> *)(argmax + from);
                int place = (at.line + w.pad_top - h * w.stride_h) * w.kernel_w + at.column + w.pad_left;
                cu_load(dy + from, gradients);
                CU_UNROLL
                for (int k = 0; k < N; k++)
                    if (maxima.place[k] == place - v * w.stride_w)
                        sums[k] += gradients[k];
            }
        cu_store(dx + i * N, sums, add);
    }
}

template <typename T, int N>
static __global__ void average_pool(size_t count, unsigned packs, cu_dims d, const T *__restrict__ x, T *y) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.out_w, d.out_h);
        cu_range lines = cu_covered(at.line, w.stride_h, w.pad_top, w.kernel_h, d.in_h);
        cu_range columns = cu_covered(at.column, w.stride_w, w.pad_left, w.kernel_w, d.in_w);
        float sums[N] = {0};
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                float values[N];
                cu_load(x + cu_pack_at(at.row, h, v, at.c, d.in_h, d.in_w, packs) * N, values);
                CU_UNROLL
                for (int k = 0; k < N; k++)
                    sums[k] += values[k];
            }
        float inside = (float)((lines.last - lines.first) * (columns.last - columns.first));
        CU_UNROLL
        for (int k = 0; k < N; k++)
            sums[k] /= inside;
        cu_store(y + i * N, sums);
    }
}

template <typename T, int N>
static __global__ void average_pool_gradients(size_t count, unsigned packs, cu_dims d, const T *__restrict__ dy, T *dx,
                                              bool add) {
    const cs_window w = d.window;
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, d.in_w, d.in_h);
        cu_range lines = cu_covering(at.line, w.stride_h, w.pad_top, w.kernel_h, d.out_h);
        cu_range columns = cu_covering(at.column, w.stride_w, w.pad_left, w.kernel_w, d.out_w);
        float sums[N] = {0};
        for (int h = lines.first; h < lines.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                float gradients[N];
                cu_range high = cu_covered(h, w.stride_h, w.pad_top, w.kernel_h, d.in_h);
                cu_range wide = cu_covered(v, w.stride_w, w.pad_left, w.kernel_w, d.in_w);
                float share = 1 / (float)((high.last - high.first) * (wide.last - wide.first));
                cu_load(dy + cu_pack_at(at.row, h, v, at.c, d.out_h, d.out_w, packs) * N, gradients);
                CU_UNROLL
                for (int k = 0; k < N; k++)
                    sums[k] += gradients[k] * share;
            }
        cu_store(dx + i * N, sums, add);
    }
}

/* Copies x into an image that begins `top` and `left` pixels before x; its size may be any, and it is 0 outside of
 * x. */
template <typename T, int N>
static __global__ void shift_image(size_t count, unsigned packs, int y_h, int y_w, int top, int left, int x_h, int x_w,
                                   const T *__restrict__ x, T *y, bool add) {
    CU_EACH(i, count) {
        cu_place at = cu_place_of(i, packs, y_w, y_h);
        int line = at.line - top, column = at.column - left;
        bool inside = cu_inside(line, x_h) && cu_inside(column, x_w);
        float values[N];
        cu_load_or(0, inside ? x : NULL, cu_pack_at(at.row, line, column, at.c, x_h, x_w, packs) * N, values);
        cu_store(y + i * N, values, add);
    }
}

static size_t inputs(const cu_dims *d) {
    return (size_t)d->batch * (size_t)d->in_h * (size_t)d->in_w;
}

static size_t outputs(const cu_dims *d) {
    return (size_t)d->batch * (size_t)d->out_h * (size_t)d->out_w;
}

extern "C" {

void cu_k_max_pool(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y, uint8_t *argmax) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, x, y, argmax), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = outputs(dims) * packs;
        CU_LAUNCH((max_pool<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, *dims, (const T *)x, (T *)y,
                  argmax);
    });
}

void cu_k_max_pool_backward(cu_stream stream, cu_type type, const cu_dims *dims, const uint8_t *argmax, const void *dy,
                            void *dx, bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, argmax, dy, dx), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = inputs(dims) * packs;
        CU_LAUNCH((max_pool_gradients<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, *dims, argmax,
                  (const T *)dy, (T *)dx, add);
    });
}

void cu_k_average_pool(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, x, y), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = outputs(dims) * packs;
        CU_LAUNCH((average_pool<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, *dims, (const T *)x, (T *)y);
    });
}

void cu_k_average_pool_backward(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy, void *dx,
                                bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, dy, dx), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = inputs(dims) * packs;
        CU_LAUNCH((average_pool_gradients<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, *dims,
                  (const T *)dy, (T *)dx, add);
    });
}

void cu_k_zero_pad(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, x, y), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = outputs(dims) * packs;
        CU_LAUNCH((shift_image<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, dims->out_h, dims->out_w,
                  dims->window.pad_top, dims->window.pad_left, dims->in_h, dims->in_w, (const T *)x, (T *)y, false);
    });
}

void cu_k_zero_pad_backward(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy, void *dx, bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)dims->in_c, dy, dx), {
        unsigned packs = (unsigned)(dims->in_c / N);
        size_t count = inputs(dims) * packs;
        CU_LAUNCH((shift_image<T, N>), cu_grid(count), CU_THREADS, stream, count, packs, dims->in_h, dims->in_w,
                  -dims->window.pad_top, -dims->window.pad_left, dims->out_h, dims->out_w, (const T *)dy, (T *)dx, add);
    });
}
}
