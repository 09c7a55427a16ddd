/* What every kernel file begins with. Under nvcc it is CUDA; under a host compiler the same source becomes plain C++
 * that runs one block after the other, each with a single thread (tests/engine/cuda_host). So a kernel is written for
 * any blockDim.x, one included: loops stride by blockDim.x, and block_sum adds up what the threads have. */
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
#define CU_LAUNCH(kernel, blocks, threads, stream, ...)                                                                \
    kernel<<<dim3(blocks), (threads), 0, (cudaStream_t)(stream)>>>(__VA_ARGS__)
#else
#include "host.cuh"
#endif

#endif
