/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels with errors that a GPU might not show, and two correct kernels. */
#include "kernel.cuh"

#include "broken.h"

/* Each thread sends its number to its neighbour. */
static __global__ void neighbours(bool barrier, float *out) {
    CU_SHARED(float, shared, [CU_THREADS]);
    shared[threadIdx.x] = (float)threadIdx.x;
    if (barrier)
        __syncthreads();
    out[threadIdx.x] = shared[(threadIdx.x + 1) % CU_THREADS];
}

/* The shared memory of the first block keeps its values. */
static __global__ void never_written(float *out) {
    CU_SHARED(float, shared, [1]);
    if (blockIdx.x == 0)
        shared[0] = 1;
    __syncthreads();
    if (threadIdx.x == 0)
        out[blockIdx.x] = shared[0];
}

static __global__ void two_sums(float *out) {
    float first = block_sum((float)threadIdx.x), second = block_sum(1.0F);
    out[threadIdx.x] = first - second;
}

static __global__ void half_a_barrier() {
    if (threadIdx.x < CU_THREADS / 2)
        __syncthreads();
}

static __global__ void two_barriers() {
    if (threadIdx.x % 2)
        __syncthreads();
    else
        __syncthreads();
}

static __global__ void half_a_warp(float *out) {
    if (threadIdx.x % 2)
        out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0F, 1);
}

static __global__ void nothing() {
}

extern "C" {

void launch_neighbours(bool barrier, float *out) {
    CU_LAUNCH(neighbours, 1, CU_THREADS, NULL, barrier, out);
}

void launch_never_written(float *out) {
    CU_LAUNCH(never_written, 2, CU_THREADS, NULL, out);
}

void launch_two_sums(float *out) {
    CU_LAUNCH(two_sums, 1, CU_THREADS, NULL, out);
}

void launch_half_a_barrier(void) {
    CU_LAUNCH(half_a_barrier, 1, CU_THREADS, NULL, );
}

void launch_two_barriers(void) {
    CU_LAUNCH(two_barriers, 1, CU_THREADS, NULL, );
}

void launch_half_a_warp(void) {
    float out[CU_THREADS];
    CU_LAUNCH(half_a_warp, 1, CU_THREADS, NULL, out);
}

void launch_no_blocks(void) {
    CU_LAUNCH(nothing, 0, CU_THREADS, NULL, );
}

void launch_a_high_grid(void) {
    CU_LAUNCH(nothing, dim3(1, 65536), CU_THREADS, NULL, );
}
}
