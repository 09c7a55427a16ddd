/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNNSWEEP_ENGINE_CUDA_PHILOX_CUH
#define CNNSWEEP_ENGINE_CUDA_PHILOX_CUH

#include "kernel.cuh"

/* Four words of a random stream: cs_philox4x32 of src/base/random.c. */
static __device__ inline void cu_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]) {
    enum { ROUNDS = 10 };
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    CU_UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

#endif
