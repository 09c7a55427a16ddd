/* SPDX-License-Identifier: Apache-2.0 */
/* What every kernel file begins with. Under nvcc it is CUDA; under a host compiler the same source becomes plain C++
 * that runs one block after the other (tests/engine/cuda_host): each with a single thread, which is quick, or with all
 * of them, which shows whether they work together.
 *
 * So a kernel has to be right for any blockDim.x, one included:
 *   - it is launched with CU_THREADS threads (1 on the host), and what depends on their number says CU_THREADS or
 *     blockDim.x, never 256;
 *   - where items do not care who does them: CU_EACH in the kernel, cu_grid(items) in the launcher;
 *   - where a block makes one result: threads stride by blockDim.x, then block_sum, or CU_THREADS places of
 *     CU_SHARED memory and a __syncthreads between writing and reading.
 * All threads of a block take part in block_sum and __syncthreads. Sums are made in an order that depends on shapes
 * alone, so they come out alike each time.
 *
 * Kernels compute in float and are templates of T, the type that tensors are of, and N, how many values a thread takes
 * at once: 16 bytes where CU_WITH_PACK finds that this is possible, else 1. */
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
/* A kernel with several template parameters stands in brackets. */
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
/* To the nearest, of two equally near ones to the even. */
static __device__ inline void cu_round(float x, float *out) {
    *out = x;
}
static __device__ inline void cu_round(float x, cu_bf16 *out) {
    *out = __float2bfloat16_rn(x);
}
static __device__ inline void cu_round(float x, cu_f16 *out) {
    *out = __float2half_rn(x);
}
/* Rounded each, where a * b + c in one would round differently from the CPU. */
static __device__ inline float cu_product(float a, float b) {
    return __fmul_rn(a, b);
}
static __device__ inline float cu_sum(float a, float b) {
    return __fadd_rn(a, b);
}
#else
#include "host.cuh"
#endif

enum { CU_WARP = CU_THREADS < 32 ? CU_THREADS : 32 };

/* The sum of what the threads of a block have, whole warps of them; every one gets it. */
template <typename S> static __device__ S block_sum(S value) {
    CU_SHARED(S, warps, [32]);
    for (int distance = CU_WARP / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    __syncthreads(); /* the sum before has been read */
    if (threadIdx.x % CU_WARP == 0)
        warps[threadIdx.x / CU_WARP] = value;
    __syncthreads();
    S sum = 0;
    for (unsigned w = 0; w < blockDim.x / CU_WARP; w++)
        sum += warps[w];
    return sum;
}

/* Blocks for CU_EACH: CU_GRID fill any GPU several times over; the rest is done by their loops. */
static inline unsigned cu_grid(size_t items) {
    const size_t most = CU_GRID, blocks = (items + CU_THREADS - 1) / CU_THREADS;
    return (unsigned)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

/* The items [0, count) that fall to this thread; neighbours take neighbouring ones. */
#define CU_EACH(i, count)                                                                                              \
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < (count); i += gridDim.x * (size_t)blockDim.x)

/* i / by; the remainder in *rest. 64-bit division takes so long that it is avoided where it can be. */
static __device__ inline size_t cu_divide(size_t i, unsigned by, unsigned *rest) {
    if (i >> 32) {
        *rest = (unsigned)(i % by);
        return i / by;
    }
    *rest = (unsigned)i % by;
    return (unsigned)i / by;
}

/* N values that are read and written as one, up to 16 bytes at a time. */
template <typename T, int N> struct alignas(N * sizeof(T) < 16 ? N * sizeof(T) : 16) cu_pack { T value[N]; };

template <typename T, int N> static __device__ inline void cu_load(const T *from, float (&values)[N]) {
    const cu_pack<T, N> pack = *(const cu_pack<T, N> *)from;
    CU_UNROLL
    for (int k = 0; k < N; k++)
        values[k] = cu_float(pack.value[k]);
}

/* from[at...], where there is no `from` the same value N times. */
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

/* With `add`, to what is there. */
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

/* Where a block sums over many rows for some columns: threads t, t + lanes, ... take the same column. */
static inline unsigned cu_lanes(unsigned columns) {
    unsigned lanes = 1;
    while (lanes < columns && lanes < 32 && lanes < CU_THREADS)
        lanes *= 2;
    return lanes;
}

/* `sums` of the first thread of each column becomes what the threads of its column have together. */
template <int N> static __device__ inline void cu_sum_columns(float (&sums)[N], unsigned lanes) {
    CU_SHARED(float, all, [CU_THREADS][N]);
    __syncthreads(); /* what was there has been read */
    CU_UNROLL
    for (int k = 0; k < N; k++)
        all[threadIdx.x][k] = sums[k];
    __syncthreads();
    for (unsigned t = threadIdx.x + lanes; threadIdx.x < lanes && t < blockDim.x; t += lanes)
        CU_UNROLL
    for (int k = 0; k < N; k++)
        sums[k] += all[t][k];
}

/* Can values be taken 16 bytes at once? `inner` is what runs of them begin at multiples of; NULL lies well. */
template <typename... P> static inline bool cu_is_wide(cu_type type, size_t inner, P... tensors) {
    return inner * cu_type_size(type) % 16 == 0 && (((size_t)tensors | ...) & 15) == 0;
}

/* The statement behind it, with T the C++ type of `type`; and with N, 16 bytes of them where `wide`, else 1. */
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

/* As src/engine/ref/activation.c has them: NaN stays, the slope at the corners is 0. */
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

/* The derivative at x, the value in front of the activation. */
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

/* Each of `values`; asks once which activation it is. */
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
