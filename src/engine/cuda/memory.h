/* SPDX-License-Identifier: Apache-2.0 */
/* Plans the memory of all tensors and workspaces and sets their addresses. */
#ifndef CNNSWEEP_CUDA_MEMORY_H
#define CNNSWEEP_CUDA_MEMORY_H

#include "program.h"

CS_MUST_CHECK cs_status cu_memory_plan(cu_program *program); /* to be called after the operations have been planned */
void cu_memory_free(cu_program *program);

#endif
