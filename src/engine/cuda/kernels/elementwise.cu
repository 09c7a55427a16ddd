/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operations. They are limited by memory bandwidth, so they read each value once, 16 bytes at a time. */
#include "philox.cuh"

#include "cnnsweep/random.h"

/* y = act(x*scale + shift + residual); each of scale, shift and residual may be NULL. With `step`, rows from step->n on
 * become 0. */
template <typename T, int N>
static __global__ void scale_values(size_t packs, unsigned packs_a_pixel, const cu_step *step, size_t packs_a_row,
                                    const float *scale, const float *shift, const T *residual, cs_activation activation,
                                    const T *x, T *y) {
    const size_t active = step ? (size_t)step->n * packs_a_row : packs;
    CU_EACH(i, packs) {
        float values[N] = {0}, factors[N], terms[N], more[N];
        unsigned c;
        if (i >= active) {
            cu_store(y + i * N, values);
            continue;
        }
        cu_divide(i, packs_a_pixel, &c);
        cu_load(x + i * N, values);
        cu_load_or(1, scale, c * N, factors);
        cu_load_or(0, shift, c * N, terms);
        cu_load_or(0, residual, i * N, more);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            values[k] = factors[k] * values[k] + terms[k] + more[k];
        cu_activate_all(activation, values);
        cu_store(y + i * N, values);
    }
}

/* dx = dy * slope of the activation at x*scale + shift, * scale */
template <typename T, int N>
static __global__ void scale_gradients(size_t packs, unsigned packs_a_pixel, const float *scale, const float *shift,
                                       cs_activation activation, const T *x, const T *dy, T *dx, bool add) {
    CU_EACH(i, packs) {
        float values[N], gradients[N], factors[N], terms[N];
        unsigned c;
        cu_divide(i, packs_a_pixel, &c);
        cu_load(dy + i * N, gradients);
        cu_load(x + i * N, values);
        cu_load_or(1, scale, c * N, factors);
        cu_load_or(0, shift, c * N, terms);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            values[k] = factors[k] * values[k] + terms[k];
        cu_slope_all(activation, values);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            gradients[k] *= factors[k] * values[k];
        cu_store(dx + i * N, gradients, add);
    }
}

template <typename T, int N> static __global__ void add_values(size_t packs, const T *a, const T *b, T *y) {
    CU_EACH(i, packs) {
        float sums[N], values[N];
        cu_load(a + i * N, sums);
        cu_load(b + i * N, values);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            sums[k] += values[k];
        cu_store(y + i * N, sums);
    }
}

/* Copies `packs` packs of each pixel, from x with x_packs to y with y_packs. */
template <typename T, int N>
static __global__ void copy_channels(size_t count, unsigned packs, unsigned x_packs, const T *x, unsigned y_packs, T *y,
                                     bool add) {
    CU_EACH(i, count) {
        float values[N];
        unsigned c;
        size_t pixel = cu_divide(i, packs, &c);
        cu_load(x + (pixel * x_packs + c) * N, values);
        cu_store(y + (pixel * y_packs + c) * N, values, add);
    }
}

template <typename T, int N> static __global__ void copy_values(size_t packs, const T *x, T *y, bool add) {
    CU_EACH(i, packs) {
        float values[N];
        cu_load(x + i * N, values);
        cu_store(y + i * N, values, add);
    }
}

typedef struct drop {
    uint64_t name; /* hash of the layer's name, in the upper 32 bits */
    uint32_t least;
    float factor;
    bool per_row;
} drop;

template <typename T, int N>
static __global__ void drop_values(size_t packs, unsigned packs_a_row, drop how, const cu_step *step,
                                   const int64_t *samples, const T *x, T *y, bool add) {
    CU_EACH(i, packs) {
        float values[N];
        const uint64_t seed = step->seed + how.name;
        const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
        uint32_t words[4];
        unsigned place;
        uint32_t item = (uint32_t)samples[cu_divide(i, packs_a_row, &place)];
        cu_load(x + i * N, values);
        CU_UNROLL
        for (unsigned k = 0; k < N; k++) {
            uint32_t word = how.per_row ? 0 : place * N + k;
            const uint32_t counter[4] = {word / 4, item, step->epoch, CS_PURPOSE_DROPOUT};
            if (k % 4 == 0)
                cu_philox(counter, key, words);
            values[k] = words[word % 4] >= how.least ? values[k] * how.factor : 0;
        }
        cu_store(y + i * N, values, add);
    }
}

/* Without scale and shift the number of channels does not matter. */
static void scale_any(cu_stream stream, cu_type type, size_t pixels, size_t channels, const float *scale,
                      const float *shift, cs_activation activation, const void *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, channels, scale, shift, x, y), {
        size_t packs = pixels * (channels / N);
        CU_LAUNCH((scale_values<T, N>), cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(channels / N), NULL, 0,
                  scale, shift, (const T *)NULL, activation, (const T *)x, (T *)y);
    });
}

static void scale_any_backward(cu_stream stream, cu_type type, size_t pixels, size_t channels, const float *scale,
                               const float *shift, cs_activation activation, const void *x, const void *dy, void *dx,
                               bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, channels, scale, shift, x, dy, dx), {
        size_t packs = pixels * (channels / N);
        CU_LAUNCH((scale_gradients<T, N>), cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(channels / N), scale,
                  shift, activation, (const T *)x, (const T *)dy, (T *)dx, add);
    });
}

extern "C" {

void cu_k_bias_activation(cu_stream stream, cu_type type, size_t pixels, int channels, const float *bias,
                          cs_activation activation, void *y) {
    scale_any(stream, type, pixels, (size_t)channels, NULL, bias, activation, y, y);
}

void cu_k_scale(cu_stream stream, cu_type type, size_t pixels, int channels, const float *scale, const float *shift,
                cs_activation activation, const void *x, void *y) {
    scale_any(stream, type, pixels, (size_t)channels, scale, shift, activation, x, y);
}

void cu_k_scale_rows(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const cu_step *step,
                     const float *scale, const float *shift, const void *residual, cs_activation activation,
                     const void *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)channels, scale, shift, residual, x, y), {
        size_t packs_a_row = (size_t)pixels_a_row * (size_t)(channels / N), packs = (size_t)batch * packs_a_row;
        CU_LAUNCH((scale_values<T, N>), cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(channels / N), step,
                  packs_a_row, scale, shift, (const T *)residual, activation, (const T *)x, (T *)y);
    });
}

void cu_k_scale_backward(cu_stream stream, cu_type type, size_t pixels, int channels, const float *scale,
                         const float *shift, cs_activation activation, const void *x, const void *dy, void *dx,
                         bool add) {
    scale_any_backward(stream, type, pixels, (size_t)channels, scale, shift, activation, x, dy, dx, add);
}

/* If 16 values, which are at most two packs, divide the count, they are treated as one pixel. */
void cu_k_activation(cu_stream stream, cu_type type, size_t count, cs_activation activation, const void *x, void *y) {
    size_t channels = count % 16 == 0 ? 16 : 1;
    scale_any(stream, type, count / channels, channels, NULL, NULL, activation, x, y);
}

void cu_k_activation_backward(cu_stream stream, cu_type type, size_t count, cs_activation activation, const void *x,
                              const void *dy, void *dx, bool add) {
    size_t channels = count % 16 == 0 ? 16 : 1;
    scale_any_backward(stream, type, count / channels, channels, NULL, NULL, activation, x, dy, dx, add);
}

void cu_k_add(cu_stream stream, cu_type type, size_t count, const void *a, const void *b, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, count, a, b, y),
                 CU_LAUNCH((add_values<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, (const T *)a,
                           (const T *)b, (T *)y));
}

void cu_k_copy(cu_stream stream, cu_type type, size_t count, const void *x, void *y, bool add) {
    CU_WITH_PACK(
        T, N, type, cu_is_wide(type, count, x, y),
        CU_LAUNCH((copy_values<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, (const T *)x, (T *)y, add));
}

void cu_k_channels(cu_stream stream, cu_type type, size_t pixels, int count, int x_channels, int from, const void *x,
                   int y_channels, int to, void *y, bool add) {
    const size_t size = cu_type_size(type);
    const void *first = (const char *)x + (size_t)from * size;
    void *target = (char *)y + (size_t)to * size;
    /* The lowest bit that is set in any of them decides the alignment. */
    size_t inner = (size_t)count | (size_t)x_channels | (size_t)y_channels;
    CU_WITH_PACK(T, N, type, cu_is_wide(type, inner, first, target), {
        size_t packs = pixels * (size_t)(count / N);
        CU_LAUNCH((copy_channels<T, N>), cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(count / N),
                  (unsigned)(x_channels / N), (const T *)first, (unsigned)(y_channels / N), (T *)target, add);
    });
}

void cu_k_dropout(cu_stream stream, cu_type type, int batch, size_t values_a_row, uint32_t layer, uint32_t least,
                  float factor, bool per_row, const cu_step *step, const int64_t *samples, const void *x, void *y,
                  bool add) {
    drop how = {(uint64_t)layer << 32, least, factor, per_row};
    CU_WITH_PACK(T, N, type, cu_is_wide(type, values_a_row, x, y), {
        size_t packs = (size_t)batch * (values_a_row / N);
        CU_LAUNCH((drop_values<T, N>), cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(values_a_row / N), how,
                  step, samples, (const T *)x, (T *)y, add);
    });
}
}
