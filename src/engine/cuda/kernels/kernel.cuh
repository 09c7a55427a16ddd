/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions for all kernel files. nvcc compiles them as CUDA. A host compiler compiles the same source as plain C++
 * that runs one block after the other (tests/engine/cuda_host), each with a single thread, which is fast, or with all
 * threads, which tests how they work together.
 *
 * So a kernel must be correct for any blockDim.x, even 1:
 *   - it is launched with CU_THREADS threads (1 on the host), and code that depends on their number uses CU_THREADS or
 *     blockDim.x, never 256;
 *   - if any thread may process an item, the kernel uses CU_EACH and the launcher cu_grid(items);
 *   - if a block computes one result, its threads use strides of blockDim.x and then block_sum, or CU_THREADS elements
 *     of CU_SHARED memory with a __syncthreads between writing and reading.
 * All threads of a block must call block_sum and __syncthreads. The order of a sum depends only on shapes, so that its
 * result is the same each time.
 *
 * Kernels compute in float. They are templates of T, the type of tensors, and N, the number of values that a thread
 * processes at once: 16 bytes if CU_WITH_PACK finds that this is possible, else 1 value. */
#ifndef CNNSWEEP_ENGINE_CUDA_KERNEL_CUH
#define CNNSWEEP_ENGINE_CUDA_KERNEL_CUH

#include "../kernels.h"

#include <math.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
typedef __nv_bfloat16 cu_bf16;
typedef __half cu_f16;
enum { CU_THREADS = 256, CU_GRID = 8192 };
#define CU_UNROLL                   _Pragma("unroll")
#define CU_UNROLL_4                 _Pragma("unroll 4")
#define CU_SHARED(type, name, size) __shared__ type name size
/* A kernel with several template parameters must be in parentheses. */
#define CU_LAUNCH(kernel, blocks, threads, stream, ...)                                                                \
    kernel<<<dim3(blocks), (threads), 0, (cudaStream_t)(stream)>>>(__VA_ARGS__)

static __device__ inline float cu_float(float x) {
    return x;
}
static __device__ inline float cu_float(cu_bf16 x) {
    return __bfloat162float(x);
}
static __device__ inline float cu_float(cu_f16 x) {
    return __half2float(x);
}
/* Rounds to nearest, ties to even. */
static __device__ inline void cu_round(float x, float *out) {
    *out = x;
}
static __device__ inline void cu_round(float x, cu_bf16 *out) {
    *out = __float2bfloat16_rn(x);
}
static __device__ inline void cu_round(float x, cu_f16 *out) {
    *out = __float2half_rn(x);
}
/* A product that is rounded before it is added, because an fma would round differently from the CPU. */
static __device__ inline float cu_product(float a, float b) {
    return __fmul_rn(a, b);
}
static __device__ inline float cu_sum(float a, float b) {
    return __fadd_rn(a, b);
}
static __device__ inline double cu_product(double a, double b) {
    return __dmul_rn(a, b);
}
static __device__ inline double cu_sum(double a, double b) {
    return __dadd_rn(a, b);
}
#else
#include "host.cuh"
#endif

enum { CU_WARP = CU_THREADS < 32 ? CU_THREADS : 32 };

/* The sum over the threads of a block, which has whole warps. Every thread gets the result. */
template <typename S> static __device__ S block_sum(S value) {
    CU_SHARED(S, warps, [32]);
    for (int distance = CU_WARP / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    __syncthreads(); /* all threads have read the previous sum */
    if (threadIdx.x % CU_WARP == 0)
        warps[threadIdx.x / CU_WARP] = value;
    __syncthreads();
    S sum = 0;
    for (unsigned w = 0; w < blockDim.x / CU_WARP; w++)
        sum += warps[w];
    return sum;
}

/* The largest of the values that the threads of a block have; every thread gets it. */
static __device__ inline float block_largest(float value) {
    CU_SHARED(float, warps, [32]);
    for (int distance = CU_WARP / 2; distance > 0; distance /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, distance));
    __syncthreads(); /* the result of an earlier call has been read */
    if (threadIdx.x % CU_WARP == 0)
        warps[threadIdx.x / CU_WARP] = value;
    __syncthreads();
    for (unsigned w = 0; w < blockDim.x / CU_WARP; w++)
        value = fmaxf(value, warps[w]);
    return value;
}

/* The number of blocks for CU_EACH. CU_GRID blocks fill any GPU several times over; the loops process the remaining
 * items. */
static inline unsigned cu_grid(size_t items) {
    const size_t most = CU_GRID, blocks = (items + CU_THREADS - 1) / CU_THREADS;
    return (unsigned)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

/* Loops over the items of [0, count) that this thread processes. Adjacent threads process adjacent items. */
#define CU_EACH(i, count)                                                                                              \
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < (count); i += gridDim.x * (size_t)blockDim.x)

/* i / by, with the remainder in *rest. 64-bit division is slow, so 32-bit division is used if the numbers are small
 * enough. */
static __device__ inline size_t cu_divide(size_t i, unsigned by, unsigned *rest) {
    if (i >> 32) {
        *rest = (unsigned)(i % by);
        return i / by;
    }
    *rest = (unsigned)i % by;
    return (unsigned)i / by;
}

/* N values that are loaded and stored together, up to 16 bytes at a time. */
template <typename T, int N> struct alignas(N * sizeof(T) < 16 ? N * sizeof(T) : 16) cu_pack { T value[N]; };

template <typename T, int N> static __device__ inline void cu_load(const T *from, float (&values)[N]) {
    const cu_pack<T, N> pack = *(const cu_pack<T, N> *)from;
    CU_UNROLL
    for (int k = 0; k < N; k++)
        values[k] = cu_float(pack.value[k]);
}

/* Loads from[at...]; if `from` is NULL, sets all N values to the same number. */
template <typename T, int N>
static __device__ inline void cu_load_or(float otherwise, const T *from, size_t at, float (&values)[N]) {
    CU_UNROLL
    for (int k = 0; k < N; k++)
        values[k] = otherwise;
    if (from)
        cu_load(from + at, values);
}

template <typename T, int N> static __device__ inline void cu_store(T *to, const float (&values)[N]) {
    cu_pack<T, N> pack;
    CU_UNROLL
    for (int k = 0; k < N; k++)
        cu_round(values[k], &pack.value[k]);
    *(cu_pack<T, N> *)to = pack;
}

/* Stores the values; with `add`, adds them to the old values. */
template <typename T, int N> static __device__ inline void cu_store(T *to, float (&values)[N], bool add) {
    float before[N];
    if (add) {
        cu_load(to, before);
        CU_UNROLL
        for (int k = 0; k < N; k++)
            values[k] += before[k];
    }
    cu_store(to, values);
}

/* For a block that sums many rows of several columns: threads t, t + lanes, ... process the same column. */
static inline unsigned cu_lanes(unsigned columns) {
    unsigned lanes = 1;
    while (lanes < columns && lanes < 32 && lanes < CU_THREADS)
        lanes *= 2;
    return lanes;
}

/* Adds up `sums` over the threads of each column. The first thread of the column gets the result. */
template <int N> static __device__ inline void cu_sum_columns(float (&sums)[N], unsigned lanes) {
    CU_SHARED(float, all, [CU_THREADS][N]);
    __syncthreads(); /* all threads have read the old values */
    CU_UNROLL
    for (int k = 0; k < N; k++)
        all[threadIdx.x][k] = sums[k];
    __syncthreads();
    for (unsigned t = threadIdx.x + lanes; threadIdx.x < lanes && t < blockDim.x; t += lanes)
        CU_UNROLL
    for (int k = 0; k < N; k++)
        sums[k] += all[t][k];
}

/* Can values be loaded 16 bytes at a time? Runs of values begin at multiples of `inner`. A NULL pointer counts as
 * aligned. */
template <typename... P> static inline bool cu_is_wide(cu_type type, size_t inner, P... tensors) {
    return inner * cu_type_size(type) % 16 == 0 && (((size_t)tensors | ...) & 15) == 0;
}

/* Runs the statement with T set to the C++ type of `type`; and with N set to the values in 16 bytes if `wide`, else
 * 1. */
#define CU_WITH_TYPE(T, type, ...)                                                                                     \
    switch (type) {                                                                                                    \
    case CU_F32: {                                                                                                     \
        typedef float T;                                                                                               \
        __VA_ARGS__;                                                                                                   \
    } break;                                                                                                           \
    case CU_BF16: {                                                                                                    \
        typedef cu_bf16 T;                                                                                             \
        __VA_ARGS__;                                                                                                   \
    } break;                                                                                                           \
    case CU_F16: {                                                                                                     \
        typedef cu_f16 T;                                                                                              \
        __VA_ARGS__;                                                                                                   \
    } break;                                                                                                           \
    }
#define CU_WITH_PACK(T, N, type, wide, ...)                                                                            \
    CU_WITH_TYPE(                                                                                                      \
        T, type,                                                                                                       \
        if (wide) {                                                                                                    \
            constexpr int N = 16 / sizeof(T);                                                                          \
            __VA_ARGS__;                                                                                               \
        } else {                                                                                                       \
            constexpr int N = 1;                                                                                       \
            __VA_ARGS__;                                                                                               \
        })

/* The same functions as in src/engine/ref/activation.c: NaN stays NaN, and the slope is 0 at corners. */
static __device__ inline float cu_sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

static __device__ inline float cu_activate(cs_activation activation, float x) {
    switch (activation) {
    case CS_ACT_RELU:
        return x < 0 ? 0 : x;
    case CS_ACT_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case CS_ACT_SWISH:
        return x * cu_sigmoid(x);
    case CS_ACT_SIGMOID:
        return cu_sigmoid(x);
    default:
        return x;
    }
}

/* The derivative at x, the value before the activation. */
static __device__ inline float cu_slope(cs_activation activation, float x) {
    switch (activation) {
    case CS_ACT_RELU:
        return x > 0;
    case CS_ACT_RELU6:
        return x > 0 && x < 6;
    case CS_ACT_SWISH:
        return cu_sigmoid(x) * (1 + x * cu_sigmoid(-x));
    case CS_ACT_SIGMOID:
        return cu_sigmoid(x) * cu_sigmoid(-x);
    default:
        return 1;
    }
}

/* Applies the activation to all `values`, and selects it only once. */
#define CU_ACTIVATION(function, which)                                                                                 \
    case which:                                                                                                        \
        CU_UNROLL                                                                                                      \
        for (int k = 0; k < N; k++)                                                                                    \
            values[k] = function(which, values[k]);                                                                    \
        break
#define CU_ACTIVATIONS(name, function)                                                                                 \
    template <int N> static __device__ inline void name(cs_activation activation, float(&values)[N]) {                 \
        switch (activation) {                                                                                          \
            CU_ACTIVATION(function, CS_ACT_RELU);                                                                      \
            CU_ACTIVATION(function, CS_ACT_RELU6);                                                                     \
            CU_ACTIVATION(function, CS_ACT_SWISH);                                                                     \
            CU_ACTIVATION(function, CS_ACT_SIGMOID);                                                                   \
        default:                                                                                                       \
            CU_UNROLL                                                                                                  \
            for (int k = 0; k < N; k++)                                                                                \
                values[k] = function(CS_ACT_LINEAR, values[k]);                                                        \
        }                                                                                                              \
    }
CU_ACTIVATIONS(cu_activate_all, cu_activate)
CU_ACTIVATIONS(cu_slope_all, cu_slope)

#endif
