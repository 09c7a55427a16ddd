/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with an image and one value for each of its channels: the global average, and the gate that multiplies by
 * it. */
#include "kernel.cuh"

typedef struct image {
    int batch, pixels; /* pixels in a row */
    int channels;
} image;

/* y = factor*a*b. A NULL operand is 1; a gated b has one value for each channel. */
template <typename T, int N>
static __global__ void products(size_t packs, unsigned packs_a_pixel, unsigned packs_a_row, float factor, const T *a,
                                const T *b, bool gated, T *y, bool add) {
    CU_EACH(i, packs) {
        float values[N], others[N];
        size_t at = i;
        if (gated) {
            unsigned in_row, c;
            size_t row = cu_divide(i, packs_a_row, &in_row);
            c = in_row % packs_a_pixel;
            at = row * packs_a_pixel + c;
        }
        cu_load(b + at * N, values);
        cu_load_or(1, a, i * N, others);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            values[k] *= factor * others[k];
        cu_store(y + i * N, values, add);
    }
}

/* y[row, c] = factor * sum of a*b over the row's pixels; if b is NULL, it is 1. Block x processes one row, and block y
 * `lanes` packs of channels. */
template <typename T, int N>
static __global__ void sum_pixels(unsigned pixels, unsigned packs, unsigned lanes, float factor, const T *a, const T *b,
                                  T *y, bool add) {
    unsigned c = blockIdx.y * lanes + threadIdx.x % lanes;
    size_t row = blockIdx.x;
    float sums[N] = {0};
    for (unsigned p = threadIdx.x / lanes; c < packs && p < pixels; p += blockDim.x / lanes) {
        float values[N], others[N];
        size_t at = ((row * pixels + p) * packs + c) * N;
        cu_load(a + at, values);
        cu_load_or(1, b, at, others);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            sums[k] += values[k] * others[k];
    }
    cu_sum_columns(sums, lanes);
    if (threadIdx.x >= lanes || c >= packs)
        return;
    CU_UNROLL
    for (int k = 0; k < N; k++)
        sums[k] *= factor;
    cu_store(y + (row * packs + c) * N, sums, add);
}

static void multiply(cu_stream stream, cu_type type, image size, float factor, const void *a, const void *b, bool gated,
                     void *y, bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)size.channels, a, b, y), {
        unsigned pixel = (unsigned)(size.channels / N), row = (unsigned)size.pixels * pixel;
        size_t packs = (size_t)size.batch * row;
        CU_LAUNCH((products<T, N>), cu_grid(packs), CU_THREADS, stream, packs, pixel, row, factor, (const T *)a,
                  (const T *)b, gated, (T *)y, add);
    });
}

static void reduce(cu_stream stream, cu_type type, image size, float factor, const void *a, const void *b, void *y,
                   bool add) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)size.channels, a, b, y), {
        unsigned packs = (unsigned)(size.channels / N), lanes = cu_lanes(packs);
        dim3 blocks((unsigned)size.batch, (packs + lanes - 1) / lanes);
        CU_LAUNCH((sum_pixels<T, N>), blocks, CU_THREADS, stream, (unsigned)size.pixels, packs, lanes, factor,
                  (const T *)a, (const T *)b, (T *)y, add);
    });
}

extern "C" {

void cu_k_global_average(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const void *x,
                         void *y) {
    image size = {batch, pixels_a_row, channels};
    reduce(stream, type, size, 1 / (float)pixels_a_row, x, NULL, y, false);
}

void cu_k_global_average_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels,
                                  const void *dy, void *dx, bool add) {
    image size = {batch, pixels_a_row, channels};
    multiply(stream, type, size, 1 / (float)pixels_a_row, NULL, dy, true, dx, add);
}

void cu_k_multiply(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, bool gated, const void *a,
                   const void *b, void *y) {
    image size = {batch, pixels_a_row, channels};
    multiply(stream, type, size, 1, a, b, gated, y, false);
}

void cu_k_multiply_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, bool gated,
                            const void *a, const void *b, const void *dy, void *da, bool add_a, void *db, bool add_b) {
    image size = {batch, pixels_a_row, channels};
    if (da)
        multiply(stream, type, size, 1, dy, b, gated, da, add_a);
    if (db && gated)
        reduce(stream, type, size, 1, dy, a, db, add_b);
    else if (db)
        multiply(stream, type, size, 1, dy, a, false, db, add_b);
}
}
