/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of all tensors. */
#ifndef CNNSWEEP_ONEDNN_MEMORY_H
#define CNNSWEEP_ONEDNN_MEMORY_H

#include "program.h"

CS_MUST_CHECK cs_status od_memory_plan(od_program *program);

#endif
