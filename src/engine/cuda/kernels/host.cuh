/* SPDX-License-Identifier: Apache-2.0 */
/* The part of CUDA that the kernels use, in plain C++: blocks run one after the other. Each has a single thread or,
 * with CU_BLOCKS, as many as on a GPU (blocks.cuh). Several ranks may be threads of one process and run blocks at the
 * same time, so the data of a block is thread-local. */
#ifndef CNNSWEEP_ENGINE_CUDA_HOST_CUH
#define CNNSWEEP_ENGINE_CUDA_HOST_CUH

#include <string.h>

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define CU_UNROLL
#define CU_UNROLL_4

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {
    }
};

#ifdef CU_BLOCKS
#include "blocks.cuh"
#else
enum { CU_THREADS = 1, CU_GRID = 1 };
inline thread_local dim3 gridDim, blockIdx;
constexpr dim3 blockDim = {1, 1, 1}, threadIdx = {0, 0, 0};

#define CU_SHARED(type, name, size)            static thread_local type name size
#define __syncthreads()                        ((void)0)
#define __shfl_xor_sync(mask, value, distance) (value)
#define CU_LAUNCH(kernel, blocks, threads, stream, ...)                                                                \
    do {                                                                                                               \
        (void)(threads), (void)(stream);                                                                               \
        gridDim = dim3(blocks);                                                                                        \
        for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)                                                     \
            for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)                                                 \
                for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)                                             \
                    kernel(__VA_ARGS__);                                                                               \
    } while (0)
#endif

/* The upper 16 bits of fp32. */
struct cu_bf16 {
    uint16_t bits;
};
/* 5 bits of exponent and 10 of fraction. */
struct cu_f16 {
    uint16_t bits;
};

static inline void atomicAdd(uint32_t *at, uint32_t value) {
    __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}

static inline uint32_t cu_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline float cu_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float cu_float(float x) {
    return x;
}
static inline float cu_float(cu_bf16 x) {
    return cu_of_bits((uint32_t)x.bits << 16);
}
static inline float cu_float(cu_f16 x) {
    uint32_t sign = (uint32_t)(x.bits & 0x8000) << 16, rest = x.bits & 0x7fff;
    if (rest >= 0x7c00) /* infinity, NaN */
        return cu_of_bits(sign | 0x7f800000 | rest << 13);
    if (rest < 0x0400) /* subnormal numbers, multiples of 2^-24 */
        return cu_of_bits(sign | cu_bits((float)rest * 0x1p-24f));
    return cu_of_bits(sign | ((rest << 13) + (112u << 23))); /* the exponents have the biases 15 and 127 */
}

/* Rounds to nearest, ties to even. */
static inline void cu_round(float x, float *out) {
    *out = x;
}
static inline void cu_round(float x, cu_bf16 *out) {
    uint32_t bits = cu_bits(x);
    if (x != x)
        out->bits = (uint16_t)(bits >> 16 | 0x40);
    else
        out->bits = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static inline void cu_round(float x, cu_f16 *out) {
    uint32_t bits = cu_bits(x), rest = bits & 0x7fffffff, half;
    if (x != x)
        half = 0x7e00;
    /* x is at least halfway between the largest number of the type and the next one, if there were one. */
    else if (rest >= cu_bits(65520))
        half = 0x7c00;
    else if (rest < cu_bits(0x1p-14f)) /* the last bit of numbers in [1/2, 1) is 2^-24 */
        half = cu_bits(cu_of_bits(rest) + 0.5f) - cu_bits(0.5f);
    else
        half = (rest + 0xfff + (rest >> 13 & 1) - (112u << 23)) >> 13;
    out->bits = (uint16_t)((bits >> 16 & 0x8000) | half);
}

/* A product that is rounded before it is added: the host's compiler is not allowed to contract it to an fma. */
static inline double cu_product(double a, double b) {
    return a * b;
}
static inline double cu_sum(double a, double b) {
    return a + b;
}
static inline float cu_product(float a, float b) {
    return a * b;
}
static inline float cu_sum(float a, float b) {
    return a + b;
}

#endif
