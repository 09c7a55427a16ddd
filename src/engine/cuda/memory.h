/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of all tensors and workspaces. */
#ifndef CNNSWEEP_CUDA_MEMORY_H
#define CNNSWEEP_CUDA_MEMORY_H

#include "program.h"

CS_MUST_CHECK cs_status cu_memory_plan(cu_program *program); /* after the operations' plans */
void cu_memory_free(cu_program *program);

#endif
