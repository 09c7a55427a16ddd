/* SPDX-License-Identifier: Apache-2.0 */
/* Additions to device.h for files that call the CUDA runtime directly. */
#ifndef CNNSWEEP_ENGINE_CUDA_RUNTIME_H
#define CNNSWEEP_ENGINE_CUDA_RUNTIME_H

#include "cnnsweep/status.h"

#include <cuda_runtime_api.h>

/* Returns an error with the name of the call, without its arguments. */
CS_MUST_CHECK cs_status cu_runtime_check(cudaError_t error, const char *call, const char *file, int line);
#define CU(call) cu_runtime_check((call), #call, __FILE__, __LINE__)

#endif
