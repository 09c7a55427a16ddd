/* SPDX-License-Identifier: Apache-2.0 */
/* The memory layout of tensors. */
#ifndef CNNSWEEP_ONEDNN_LAYOUT_H
#define CNNSWEEP_ONEDNN_LAYOUT_H

#include "program.h"

od_dims od_dims_of(const od_program *program, const od_tensor *tensor, int rows);
od_desc od_desc_of(const od_program *program, const od_tensor *tensor, int rows);
size_t od_lanes(const od_program *program, int channels); /* rounded up to whole blocks */
float *od_at(const od_tensor *tensor, const od_rows *rows);

#endif
