/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between fp32 and the engine's type, and copies of rows. */
#include "kernel.cuh"

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
