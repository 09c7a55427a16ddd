/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between fp32 and the engine's type and from bytes, and copies of rows. */
#include "kernel.cuh"

#define CS_SAMPLE        static __device__ inline
#define CS_PRODUCT(a, b) cu_product((double)(a), (double)(b))
#define CS_SUM(a, b)     cu_sum((double)(a), (double)(b))
#include "cnnsweep/picture_sample.h"

template <typename T, int N> static __global__ void from_float(size_t packs, const float *x, T *y) {
    CU_EACH(i, packs) {
        float values[N];
        cu_load(x + i * N, values);
        cu_store(y + i * N, values);
    }
}

template <typename T, int N> static __global__ void to_float(size_t packs, const T *x, float *y) {
    CU_EACH(i, packs) {
        float values[N];
        cu_load(x + i * N, values);
        cu_store(y + i * N, values);
    }
}

/* Sets the three values that pixel (x, y) of a picture has after the warp. */
static __device__ inline void sample(const cu_picture &picture, int h, int w, int x, int y, float (&values)[3]) {
    cs_sample_axis column, line;
    const bool inside = cs_sample_place(&picture.warp, h, w, x, y, &column, &line);
    for (int c = 0; c < 3; c++)
        values[c] = inside ? cs_sample_value(picture.image, w, column, line, c) : picture.warp.fill_value;
}

/* One block computes the range of one picture. */
static __global__ void ranges_of_pictures(int h, int w, const cu_picture *pictures) {
    const cu_picture &picture = pictures[blockIdx.x];
    float lowest = INFINITY, highest = -INFINITY;
    if (!picture.range)
        return;
    for (size_t i = threadIdx.x; i < (size_t)h * (size_t)w; i += blockDim.x) {
        unsigned column;
        const size_t line = cu_divide(i, (unsigned)w, &column);
        float values[3];
        sample(picture, h, w, (int)column, (int)line, values);
        for (int c = 0; c < 3; c++) {
            lowest = fminf(lowest, values[c]);
            highest = fmaxf(highest, values[c]);
        }
    }
    highest = block_largest(highest);
    lowest = -block_largest(-lowest);
    if (threadIdx.x == 0) {
        picture.range[0] = lowest;
        picture.range[1] = highest;
    }
}

/* Computes pixels as src/data/augment/apply.c does, and converts them to floats. */
template <typename T>
static __global__ void pixels_of_batch(size_t pixels, int h, int w, const cu_picture *pictures,
                                       cs_preprocess preprocess, T *x) {
    CU_EACH(i, pixels) {
        unsigned column, line;
        const cu_picture &picture = pictures[cu_divide(cu_divide(i, (unsigned)w, &column), (unsigned)h, &line)];
        float values[3];
        sample(picture, h, w, (int)column, (int)line, values);
        for (int c = 0; c < 3; c++) {
            const int from = preprocess.bgr ? 2 - c : c;
            uint8_t value = cs_sample_adjust(&picture.adjustment, values[from], picture.range);
            if (picture.level)
                value = picture.level[from * 256 + value];
            cu_round(cu_sum(cu_product((float)value, preprocess.multiply[c]), preprocess.add[c]), &x[i * 3 + c]);
        }
    }
}

/* P is the type that is copied at once. */
template <typename P>
static __global__ void rows_of_packs(size_t packs, unsigned packs_a_row, const P *from, const int64_t *from_rows, P *to,
                                     const int64_t *to_rows) {
    CU_EACH(i, packs) {
        unsigned at;
        size_t row = cu_divide(i, packs_a_row, &at);
        size_t source = from_rows ? (size_t)from_rows[row] : row, target = to_rows ? (size_t)to_rows[row] : row;
        to[target * packs_a_row + at] = from[source * packs_a_row + at];
    }
}

template <typename P>
static void copy_rows(cu_stream stream, int n, size_t bytes, const void *from, const int64_t *from_rows, void *to,
                      const int64_t *to_rows) {
    size_t packs = bytes / sizeof(P) * (size_t)n;
    CU_LAUNCH(rows_of_packs<P>, cu_grid(packs), CU_THREADS, stream, packs, (unsigned)(bytes / sizeof(P)),
              (const P *)from, from_rows, (P *)to, to_rows);
}

extern "C" {

void cu_k_from_float(cu_stream stream, cu_type type, size_t count, const float *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, count, x, y),
                 CU_LAUNCH((from_float<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, x, (T *)y));
}

void cu_k_to_float(cu_stream stream, cu_type type, size_t count, const void *x, float *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, count, x, y),
                 CU_LAUNCH((to_float<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, (const T *)x, y));
}

void cu_k_pixels(cu_stream stream, cu_type type, int batch, int h, int w, const cu_picture *pictures,
                 const cs_preprocess *preprocess, void *x) {
    size_t pixels = (size_t)batch * (size_t)h * (size_t)w;
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(pixels_of_batch<T>, cu_grid(pixels), CU_THREADS, stream, pixels, h, w, pictures, *preprocess,
                           (T *)x));
}

void cu_k_picture_ranges(cu_stream stream, int n, int h, int w, const cu_picture *pictures) {
    CU_LAUNCH(ranges_of_pictures, (unsigned)n, CU_THREADS, stream, h, w, pictures);
}

void cu_k_rows(cu_stream stream, int n, size_t bytes, const void *from, const int64_t *from_rows, void *to,
               const int64_t *to_rows) {
    if (bytes % 16 == 0)
        copy_rows<cu_pack<uint32_t, 4>>(stream, n, bytes, from, from_rows, to, to_rows);
    else if (bytes % 4 == 0)
        copy_rows<uint32_t>(stream, n, bytes, from, from_rows, to, to_rows);
    else
        copy_rows<uint8_t>(stream, n, bytes, from, from_rows, to, to_rows);
}
}
