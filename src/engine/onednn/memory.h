/* SPDX-License-Identifier: Apache-2.0 */
/* Plans the memory of all tensors and sets their addresses. */
#ifndef CNNSWEEP_ONEDNN_MEMORY_H
#define CNNSWEEP_ONEDNN_MEMORY_H

#include "program.h"

CS_MUST_CHECK cs_status od_memory_plan(od_program *program);

#endif
