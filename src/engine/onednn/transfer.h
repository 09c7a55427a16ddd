/* SPDX-License-Identifier: Apache-2.0 */
/* Copies tensors between the engine and the host, where they are [n,H,W,C]. */
#ifndef CNNSWEEP_ONEDNN_TRANSFER_H
#define CNNSWEEP_ONEDNN_TRANSFER_H

#include "program.h"

void od_to_host(const od_program *program, const od_tensor *tensor, int n, float *out);
void od_from_host(const od_program *program, const od_tensor *tensor, int n, const float *in);

#endif
